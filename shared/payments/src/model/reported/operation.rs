//! What the platform reported of one operation.
//!
//! Reports merge as a set: a pending report is replaced by a newer one and by any final one; of the
//! final ones every distinct one is kept, so that no later report erases what an earlier one said.
//! Where the operation stands follows from the set.

use std::cmp::Ordering;

use ecommpay::operation::{OperationType, Outcome};
use ecommpay::report::Sum;
use serde::{Deserialize, Serialize};

use super::operation_report::{FinalReport, Pending};
use super::payment_status::PaymentStatus;
use super::report_order::ReportOrder;
use super::sums::NamedSum;
use super::waiting::Waiting;
use crate::model::timestamp::Timestamp;

/// At most this many distinct final reports of one operation are kept, the strongest ones. One is
/// usual; more are contradictions.
const MOST_FINAL_REPORTS: usize = 8;

/// One operation as the platform reported it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The newest report that is not final, as long as there is no final one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) pending: Option<Pending>,
    /// The distinct final reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::model) finals: Vec<FinalReport>,
    /// The newest `payment.status` that came with a report about this operation: of a successful sale
    /// or of a confirmation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_status: Option<PaymentStatus>,
    /// `payment.sum` of the newest callback about it that tells what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) payment_sum: Option<NamedSum>,
    /// The request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) request_id: Option<String>,
    /// The merchant's id of a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) merchant_refund_id: Option<String>,
    /// When the platform created it; kept only of a refund without a merchant's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) created_date: Option<String>,
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

impl Operation {
    /// Takes in a report that is not final.
    pub(in crate::model) fn add_pending(&mut self, report: Pending) {
        if !self.finals.is_empty() {
            return;
        }
        let Some(known) = self.pending.take() else {
            self.pending = Some(report);
            return;
        };
        let (older, newer) = match known.rank(&report) {
            Ordering::Less => (known, report),
            _ => (report, known),
        };
        self.pending = Some(Pending {
            waiting: Waiting::newest(older.waiting, newer.waiting),
            ..newer
        });
    }

    /// Takes in a final report.
    pub(in crate::model) fn add_final(&mut self, report: FinalReport) {
        self.pending = None;
        // What a signed answer says needs no callback to say it.
        let strength = |one: &FinalReport| (one.signed, one.order.clone());
        let same = |known: &&mut FinalReport| known.content() == report.content();
        match self.finals.iter_mut().find(same) {
            Some(known) if strength(known) < strength(&report) => *known = report,
            Some(_) => {}
            None => self.finals.push(report),
        }
        self.finals.sort_unstable_by(|one, other| other.rank(one));
        self.finals.truncate(MOST_FINAL_REPORTS);
    }

    /// Takes in a `payment.status` that came with a report about it.
    pub(in crate::model) fn add_payment_status(&mut self, status: PaymentStatus) {
        if self
            .payment_status
            .as_ref()
            .is_none_or(|known| *known < status)
        {
            self.payment_status = Some(status);
        }
    }

    /// Takes in the names that a report gives it; the least, should there ever be two.
    pub(in crate::model) fn add_names(
        &mut self,
        request_id: Option<String>,
        merchant_refund_id: Option<String>,
        created_date: Option<String>,
    ) {
        let least = |known: &mut Option<String>, report: Option<String>| {
            if let Some(report) = report
                && known.as_ref().is_none_or(|known| report < *known)
            {
                *known = Some(report);
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
    pub(in crate::model) fn erase_waiting(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.waiting = None;
        }
    }

    /// The final report that counts.
    pub(in crate::model) fn counting(&self) -> Option<&FinalReport> {
        self.finals.first()
    }

    /// The final reports of the weight that counts: those of signed answers, else those of callbacks.
    pub(in crate::model) fn strongest(&self) -> impl Iterator<Item = &FinalReport> {
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
