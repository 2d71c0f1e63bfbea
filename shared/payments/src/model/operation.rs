//! What the platform reported of one operation.
//!
//! Reports merge as a set: a pending report is replaced by a newer one and by any final one; of the
//! final ones every distinct one is kept, so that no later report erases what an earlier one said.
//! Where the operation stands follows from the set.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::{ClarificationField, Sum};
use serde::{Deserialize, Serialize};

use super::is_zero;
use super::sums::NamedSum;
use crate::sha256;
use crate::timestamp::Timestamp;

/// At most this many distinct final reports of one operation are kept, the strongest ones. One is
/// usual; more are contradictions.
const MOST_FINAL_REPORTS: usize = 8;

/// One operation as the platform reported it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The newest report that is not final, as long as there is no final one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<Pending>,
    /// The distinct final reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) finals: Vec<FinalReport>,
    /// The newest `payment.status` that came with a report about this operation: of a successful sale
    /// or of a confirmation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payment_status: Option<PaymentStatus>,
    /// `payment.sum` of the newest callback about it that tells what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payment_sum: Option<NamedSum>,
    /// The request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    /// The merchant's id of a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merchant_refund_id: Option<String>,
    /// When the platform created it; kept only of a refund without a merchant's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_date: Option<String>,
}

/// The age of a report: `operation.date`, `payment.date`, the start of its canonical string's digest.
/// The dates have whole seconds, so the digest decides between two reports of one second, the same
/// way in whatever order they arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportOrder(pub(super) String, pub(super) String, pub(super) String);

impl ReportOrder {
    /// `digest`: the start of the digest of the report's canonical string.
    pub(crate) fn new(operation_date: &str, payment_date: &str, digest: &str) -> Self {
        Self(operation_date.into(), payment_date.into(), digest.into())
    }

    fn dates(&self) -> (&str, &str) {
        (&self.0, &self.1)
    }

    /// `operation.date`, by the platform's clock; `None` if it cannot be read.
    pub(crate) fn operation_date(&self) -> Option<Timestamp> {
        Timestamp::of_platform(&self.0)
    }
}

/// A report that leaves the operation open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub(super) order: ReportOrder,
    pub(super) kind: OperationType,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<Sum>,
    /// The newest report that says what the operation waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<Waiting>,
}

impl Pending {
    /// The newer one counts; of one second the one with the greater sum.
    fn rank(&self, other: &Self) -> Ordering {
        let dates = self.order.dates().cmp(&other.order.dates());
        dates
            .then_with(|| amount_of(&self.sum).cmp(&amount_of(&other.sum)))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.status.cmp(&other.status))
    }
}

fn amount_of(sum: &Option<Sum>) -> Option<u64> {
    sum.as_ref().map(|sum| sum.amount)
}

/// A report that ends the operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalReport {
    /// Whether it came in a signed answer to a status request, which outweighs callbacks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) signed: bool,
    pub(super) outcome: Outcome,
    pub(super) kind: OperationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_initial: Option<Sum>,
    /// Only where it differs from `sum_initial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sum_converted: Option<Sum>,
    /// Declined together with the whole payment, so no other attempt to pay is open.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) ends_payment: bool,
    pub(super) order: ReportOrder,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
}

/// `payment.status` with its age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentStatus {
    /// `operation.date`.
    pub(super) operation_date: String,
    /// `payment.date`.
    pub(super) payment_date: String,
    /// Whether it came in a signed answer.
    pub(super) signed: bool,
    /// Dates have whole seconds; within one, a report that has a confirmation follows one that has
    /// only the sale.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) has_confirmation: bool,
    /// Orders the statuses of one second.
    pub(super) stage: u8,
    /// The raw status.
    pub(super) status: String,
}

impl PaymentStatus {
    pub(crate) fn new(
        operation_date: &str,
        payment_date: &str,
        status: &str,
        signed: bool,
        has_confirmation: bool,
    ) -> Self {
        Self {
            operation_date: operation_date.to_owned(),
            payment_date: payment_date.to_owned(),
            signed,
            has_confirmation,
            stage: stage(status),
            status: status.to_owned(),
        }
    }

    /// The raw status.
    pub fn as_str(&self) -> &str {
        &self.status
    }
}

/// Orders the statuses reported within one second.
pub(super) fn stage(status: &str) -> u8 {
    match status {
        "refunded" | "reversed" => 5,
        "partially refunded" | "partially reversed" => 4,
        "awaiting confirmation" => 1,
        other => match Outcome::of_status(other) {
            Outcome::Succeeded => 3,
            Outcome::Declined => 2,
            Outcome::Pending => 0,
        },
    }
}

/// How well the reports support an operation's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Callbacks say so, and agree.
    Reported,
    /// Callbacks contradict each other, and no signed answer has settled it.
    Disputed,
    /// A signed answer says so.
    Confirmed,
    /// A callback reported success; the signed answers say declined.
    Overruled,
    /// The signed answers contradict each other.
    Contradictory,
}

impl FinalReport {
    /// What makes two reports say the same.
    #[allow(clippy::type_complexity)]
    fn content(
        &self,
    ) -> (
        bool,
        Outcome,
        &OperationType,
        &Option<Sum>,
        &Option<Sum>,
        bool,
    ) {
        (
            self.signed,
            self.outcome,
            &self.kind,
            &self.sum_initial,
            &self.sum_converted,
            self.ends_payment,
        )
    }

    /// Orders final reports; the greatest counts. Signed beats unsigned; another type beats a
    /// confirmation; success beats decline, so a contradicting report does not remove money; then the
    /// newest, within one second the greater sum. Of a confirmation the date ranks before the outcome.
    fn rank(&self, other: &Self) -> Ordering {
        let is_confirmation = |one: &Self| one.kind == OperationType::Confirmation;
        let is_sale = |one: &Self| one.kind == OperationType::Sale;
        let strength = |one: &Self| (one.outcome, is_sale(one));
        let first = self
            .signed
            .cmp(&other.signed)
            .then_with(|| is_confirmation(other).cmp(&is_confirmation(self)));
        let by_strength = || strength(self).cmp(&strength(other));
        let by_date = || self.order.dates().cmp(&other.order.dates());
        let first = match is_confirmation(self) {
            true => first.then_with(by_date).then_with(by_strength),
            false => first.then_with(by_strength).then_with(by_date),
        };
        first
            .then_with(|| amount_of(&self.sum_initial).cmp(&amount_of(&other.sum_initial)))
            .then_with(|| self.order.cmp(&other.order))
            .then_with(|| self.content().cmp(&other.content()))
    }

    /// Whether two reports have the same content, signed or not.
    fn says_what(&self, other: &Self) -> bool {
        let (_, outcome, kind, initial, converted, ends) = self.content();
        (outcome, kind, initial, converted, ends)
            == (
                other.outcome,
                &other.kind,
                &other.sum_initial,
                &other.sum_converted,
                other.ends_payment,
            )
    }

    /// Whether two reports say the same; of declines nothing more matters.
    fn agrees_with(&self, other: &Self) -> bool {
        let is_done = self.outcome == Outcome::Succeeded;
        let money = |one: &Self| (one.kind.clone(), one.sum_initial.clone());
        self.outcome == other.outcome && (!is_done || money(self) == money(other))
    }
}

impl Operation {
    /// Takes in a report that is not final.
    pub(super) fn add_pending(&mut self, heard: Pending) {
        if !self.finals.is_empty() {
            return;
        }
        let Some(known) = self.pending.take() else {
            self.pending = Some(heard);
            return;
        };
        let (older, newer) = match known.rank(&heard) {
            Ordering::Less => (known, heard),
            _ => (heard, known),
        };
        self.pending = Some(Pending {
            waiting: Waiting::newest(older.waiting, newer.waiting),
            ..newer
        });
    }

    /// Takes in a final report.
    pub(super) fn add_final(&mut self, heard: FinalReport) {
        self.pending = None;
        let same = |known: &&mut FinalReport| known.content() == heard.content();
        match self.finals.iter_mut().find(same) {
            Some(known) if known.order < heard.order => *known = heard,
            Some(_) => {}
            None => self.finals.push(heard),
        }
        // What a signed answer says needs no callback to say it.
        let signed: Vec<FinalReport> = self
            .finals
            .iter()
            .filter(|one| one.signed)
            .cloned()
            .collect();
        self.finals
            .retain(|one| one.signed || !signed.iter().any(|signed| signed.says_what(one)));
        self.finals.sort_unstable_by(|one, other| other.rank(one));
        self.finals.truncate(MOST_FINAL_REPORTS);
    }

    /// Takes in a `payment.status` that came with a report about it.
    pub(super) fn add_payment_status(&mut self, status: PaymentStatus) {
        if self
            .payment_status
            .as_ref()
            .is_none_or(|known| *known < status)
        {
            self.payment_status = Some(status);
        }
    }

    /// Takes in the names that a report gives it; the least, should there ever be two.
    pub(super) fn add_names(
        &mut self,
        request_id: Option<String>,
        merchant_refund_id: Option<String>,
        created_date: Option<String>,
    ) {
        let least = |known: &mut Option<String>, heard: Option<String>| {
            if let Some(heard) = heard
                && known.as_ref().is_none_or(|known| heard < *known)
            {
                *known = Some(heard);
            }
        };
        least(&mut self.request_id, request_id);
        least(&mut self.merchant_refund_id, merchant_refund_id);
        least(&mut self.created_date, created_date);
        if self.merchant_refund_id.is_some() {
            self.created_date = None;
        }
    }

    /// Forgets what it waits for, which names the shopper.
    pub(super) fn erase_waiting(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.waiting = None;
        }
    }

    /// The final report that counts.
    pub(super) fn counting(&self) -> Option<&FinalReport> {
        self.finals.first()
    }

    /// The final reports of the weight that counts: those of signed answers, else those of callbacks.
    pub(super) fn strongest(&self) -> impl Iterator<Item = &FinalReport> {
        let signed = self.is_signed();
        self.finals.iter().filter(move |one| one.signed == signed)
    }

    /// What it does.
    pub fn kind(&self) -> &OperationType {
        const NONE: &OperationType = &OperationType::Other(String::new());
        let pending = || self.pending.as_ref().map(|pending| &pending.kind);
        self.counting()
            .map(|one| &one.kind)
            .or_else(pending)
            .unwrap_or(NONE)
    }

    /// Where it stands.
    pub fn outcome(&self) -> Outcome {
        self.counting().map_or(Outcome::Pending, |one| one.outcome)
    }

    /// Whether a signed answer says how it ended.
    pub fn is_signed(&self) -> bool {
        self.counting().is_some_and(|one| one.signed)
    }

    /// How sure that is.
    pub fn evidence(&self) -> Evidence {
        let Some(counting) = self.counting() else {
            return Evidence::Reported;
        };
        if counting.kind == OperationType::Confirmation {
            // The money of a sale can be credited after a decline was reported, and the other way
            // round: the newest signed answer decides, until a newer callback says otherwise.
            let differs = |one: &&FinalReport| one.outcome != counting.outcome;
            let mut others = self.finals.iter().filter(differs);
            let is_disputed = match counting.signed {
                true => others.any(|one| !one.signed && one.order.dates() > counting.order.dates()),
                false => others.next().is_some(),
            };
            return match (is_disputed, counting.signed) {
                (true, _) => Evidence::Disputed,
                (false, true) => Evidence::Confirmed,
                (false, false) => Evidence::Reported,
            };
        }
        let contradict = self.strongest().any(|one| !one.agrees_with(counting));
        let is_done = |one: &FinalReport| one.outcome == Outcome::Succeeded;
        match counting.signed {
            true if contradict => Evidence::Contradictory,
            true if !is_done(counting) && self.finals.iter().any(is_done) => Evidence::Overruled,
            true => Evidence::Confirmed,
            false if contradict => Evidence::Disputed,
            false => Evidence::Reported,
        }
    }

    /// The raw status of the report that counts.
    pub fn platform_status(&self) -> &str {
        let pending = || self.pending.as_ref().map(|pending| pending.status.as_str());
        self.counting()
            .map(|one| one.status.as_str())
            .or_else(pending)
            .unwrap_or_default()
    }

    /// A code of the platform's list.
    pub fn code(&self) -> Option<&str> {
        match (self.counting(), &self.pending) {
            (Some(one), _) => one.code.as_deref(),
            (None, pending) => pending.as_ref()?.code.as_deref(),
        }
    }

    /// Its sum as requested.
    pub fn sum(&self) -> Option<&Sum> {
        match (self.counting(), &self.pending) {
            (Some(one), _) => one.sum_initial.as_ref(),
            (None, pending) => pending.as_ref()?.sum.as_ref(),
        }
    }

    /// Minor units, as requested.
    pub fn amount(&self) -> Option<u64> {
        self.sum().map(|sum| sum.amount)
    }

    /// Its currency.
    pub fn currency(&self) -> Option<&str> {
        self.sum().map(|sum| sum.currency.as_str())
    }

    /// The age of the report that counts.
    pub(crate) fn order(&self) -> Option<&ReportOrder> {
        let pending = || self.pending.as_ref().map(|pending| &pending.order);
        self.counting().map(|one| &one.order).or_else(pending)
    }

    /// When it ended, by the platform's clock; `None` while it is pending, or if its date cannot be
    /// read.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.counting()?.order.operation_date()
    }

    /// What it waits for, while it is pending.
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.pending.as_ref()?.waiting.as_ref()
    }

    /// The request that it belongs to.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The merchant's id of a refund.
    pub fn merchant_refund_id(&self) -> Option<&str> {
        self.merchant_refund_id.as_deref()
    }

    /// When the platform created it, if it is a refund without a merchant's id.
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        Timestamp::of_platform(self.created_date.as_deref()?)
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.outcome() == Outcome::Succeeded
    }

    pub(crate) fn is_sale(&self) -> bool {
        *self.kind() == OperationType::Sale
    }

    /// Whether it is a sale that succeeded.
    pub fn is_successful_sale(&self) -> bool {
        self.is_sale() && self.has_succeeded()
    }

    pub(crate) fn is_confirmation(&self) -> bool {
        *self.kind() == OperationType::Confirmation
    }

    /// Whether it gives money back.
    pub fn gives_back(&self) -> bool {
        self.kind().gives_back()
    }

    /// Whether it takes a refund back.
    pub(crate) fn is_refund_reversal(&self) -> bool {
        *self.kind() == OperationType::RefundReversal
    }

    /// Whether a signed answer lists it as done although its type is not one that takes money as
    /// documented.
    pub(crate) fn is_unknown_money(&self) -> bool {
        self.kind().is_unknown() && self.has_succeeded() && self.is_signed()
    }

    /// Whether its decline is the end of the payment: no other attempt is open, or a signed answer
    /// says that its reported success is none.
    pub(crate) fn ends_payment(&self) -> bool {
        self.outcome() == Outcome::Declined
            && (self.evidence() == Evidence::Overruled
                || self.finals.iter().any(|one| one.ends_payment))
    }
}

/// What an unfinished operation waits for. Its report names the shopper, so Debug shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The age of the report, its last part preceded by the step of the payment; the greatest one
    /// counts.
    pub(super) order: ReportOrder,
    /// Where the shopper's browser must go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redirect: Option<Redirect>,
    /// The fields that the platform asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) clarification_fields: Vec<ClarificationField>,
}

impl Waiting {
    /// `None` if the report asks for nothing.
    pub(crate) fn new(
        operation_date: &str,
        payment_date: &str,
        digest: &str,
        redirect: Option<Redirect>,
        clarification_fields: Vec<ClarificationField>,
    ) -> Option<Self> {
        if redirect.is_none() && clarification_fields.is_empty() {
            return None;
        }
        // Of one second, the redirect comes after the clarification.
        let step = if redirect.is_some() { "2" } else { "1" };
        let digest = step.to_owned() + digest;
        Some(Self {
            order: ReportOrder::new(operation_date, payment_date, &digest),
            redirect,
            clarification_fields,
        })
    }

    fn newest(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if one.order < other.order => Some(other),
            (one, other) => one.or(other),
        }
    }

    /// Tells one report from another.
    pub fn digest(&self) -> String {
        sha256::start_of_hex(format!("{:?}", self.order).as_bytes(), 32)
    }

    /// The fields that the platform asks for.
    pub fn clarification_fields(&self) -> &[ClarificationField] {
        &self.clarification_fields
    }

    /// When the platform asked.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.order.operation_date()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Waiting(hidden)")
    }
}

/// Where the shopper's browser must go, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// By which method.
    pub method: RedirectMethod,
    /// The provider's page.
    pub url: String,
    /// The form fields of a `POST`.
    pub fields: BTreeMap<String, String>,
}

/// How the browser must go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// Follow the address.
    Get,
    /// Post the fields.
    Post,
}
