//! A payment as we know it: what was ordered, what the platform told us, and what follows.
//!
//! Facts are kept as sets (operations by their id, refunds by theirs), and the status is derived
//! from them, so that any order and any number of the same facts ends in the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use serde::{Deserialize, Serialize};

use crate::ids::{MerchantId, PaymentKey};
use crate::sha256;
use crate::timestamp::Timestamp;

/// Everything that we know about one payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The project that takes the money.
    pub project_id: ProjectId,
    /// The id as first spelled.
    pub payment_id: String,
    /// What was ordered; `None` for a payment that nobody created here.
    pub order: Option<Order>,
    /// How often the sale was begun again after it had failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The platform's names of the attempts that failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed_requests: BTreeSet<String>,
    /// How far the sale request of this attempt got.
    pub sale: GateRequest,
    /// The digest of the question that the shopper has answered, so that it is not put again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clarified: Option<String>,
    /// Errors that the platform reported for requests, by `request_id`.
    pub errors: BTreeMap<String, String>,
    /// `payment.status` as last reported.
    pub platform_status: Option<PlatformStatus>,
    /// The operations that the platform reported, by `operation.id`.
    pub operations: BTreeMap<String, Operation>,
    /// The refunds that were asked for here or heard of from elsewhere.
    pub refunds: Vec<Refund>,
    /// What operators have said about the doubts about its money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Something doubtful was heard after so many questions, and no answer to a later one has
    /// settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_after: Option<u32>,
    /// How many questions about it were put to the platform.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub questions: u32,
    /// The number of the last question that the platform has answered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answered: u32,
    /// How many of them since something is open or doubtful.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// When the platform is to be asked, as long as anything is open or doubtful.
    pub check_at: Option<Timestamp>,
    /// What was announced last about the payment itself.
    pub announced: Option<Announced>,
    /// Whether it was ever announced that the money will not come.
    pub end_announced: bool,
    /// The refunded amount that was announced as more than what was paid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overrefund_announced: u64,
    /// The number of the last event.
    pub sequence: u64,
    /// When we first heard of it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What an event told about a payment, so that the last event always agrees with the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The status.
    pub status: Status,
    /// What had been paid.
    pub paid_amount: u64,
    /// Why it was kept apart.
    pub quarantine: BTreeSet<QuarantineReason>,
    /// The digest of what the platform asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// An operator's word about doubts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// About what; a doubt that comes up later is not among these.
    pub doubts: BTreeSet<Doubt>,
}

/// What an operator can say about doubts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The money is taken as paid, whatever there is to say against it.
    Released,
    /// It goes back.
    Rejected,
}

/// Something that speaks against taking money as paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doubt {
    /// The operation that moved the money.
    pub operation_id: String,
    /// Why it is doubted.
    pub reason: QuarantineReason,
    /// How much it is said to be.
    pub amount: Option<u64>,
}

/// What a storefront ordered. Amount, currency and project never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The storefront that created the payment.
    pub storefront: String,
    /// The merchant's order, carried in every event.
    pub order_id: Option<MerchantId>,
    /// The amount to be paid.
    pub amount: MinorUnits,
    /// Its currency.
    pub currency: Currency,
    /// How the shopper gets to the bank.
    pub channel: Channel,
    /// Where the shopper goes in the end.
    pub return_url: Text,
    /// The storefront's origins, whose pages may ask how the checkout stands.
    pub origins: BTreeSet<String>,
    /// The language of the shopper's pages.
    pub language: Option<String>,
    /// Shown to the merchant.
    pub description: Option<Text>,
    /// Who pays.
    pub customer: Customer,
    /// When the hand-off ends.
    pub expires_at: Timestamp,
    /// SHA-256 of what the storefront sent, to tell a repeat from another order.
    pub content: String,
}

/// Personal data of the shopper; in no log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The merchant's id of the customer.
    pub id: Text,
    /// The shopper's address.
    pub ip_address: Text,
    /// The shopper's last name.
    pub last_name: Option<LastName>,
    /// What else is told about the shopper.
    #[serde(default, skip_serializing_if = "CustomerDetails::is_empty")]
    pub details: CustomerDetails,
}

impl fmt::Debug for Customer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Customer(hidden)")
    }
}

/// A piece of personal data; in no log, event or error.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Private(hidden)")
    }
}

/// How the shopper gets to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A Gate sale; the bank's address comes by callback.
    Gate,
    /// A signed link to the platform's own page, where the payment begins when the shopper
    /// confirms.
    PaymentPage,
}

/// How far a request to Gate got.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum GateRequest {
    /// Nothing was sent from here.
    #[default]
    None,
    /// It is being sent since then; the answer is not known yet.
    Sending {
        /// When it was decided to send it.
        since: Timestamp,
        /// Whether it was sent before, without a clear answer.
        again: bool,
    },
    /// The platform took it.
    Accepted {
        /// Equals `operation.request_id` of the callbacks.
        request_id: Option<String>,
    },
    /// The answer did not say whether it was taken.
    Unclear,
    /// The platform refused it.
    Refused {
        /// A code of the platform's list.
        code: String,
    },
}

/// One operation as the platform reported it.
///
/// Reports of one operation merge as a set. A final one beats an intermediate one; among final
/// ones what a signed status answer says beats what callbacks say; a success beats a decline; else
/// the newer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `sale`, `refund`, `reversal` and others.
    pub kind: String,
    /// Where it stands.
    pub outcome: Outcome,
    /// A signed status answer says so, so callbacks that say otherwise do not count.
    #[serde(default, skip_serializing_if = "is_false")]
    pub confirmed: bool,
    /// The raw status of the report that counts.
    pub platform_status: String,
    /// The age of that report.
    pub news: NewsOrder,
    /// Minor units of this operation, as reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Its currency, as reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// When the platform began it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<String>,
    /// A code of the platform's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The request that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The merchant's id of a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_refund_id: Option<String>,
    /// What it waits for, as long as it is pending: by the newest report that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// It was reported declined together with the whole payment, so no other attempt is open.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends_payment: bool,
    /// It was reported done by a callback, and the platform's signed answer says that it is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub taken_back: bool,
    /// Final reports of equal weight contradict each other.
    #[serde(default, skip_serializing_if = "is_false")]
    pub conflict: bool,
    /// Why its money is not what was ordered.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doubts: BTreeSet<QuarantineReason>,
    /// It is no sale, and by the platform's signed word it took the money.
    #[serde(default, skip_serializing_if = "is_false")]
    pub took_money: bool,
}

/// The age of a report: `operation.date`, `payment.date`, its canonical string or the start of
/// that one's digest. The dates have whole seconds only, so the last part decides between two
/// reports of one second, the same way in whatever order they arrive.
pub type NewsOrder = (String, String, String);

/// `payment.status` and when it was reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// `operation.date`, else `payment.date`; the greatest one counts. Refunds leave
    /// `payment.date` as it was.
    pub date: String,
    /// The raw status.
    pub status: String,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not final, unknown statuses included.
    Pending,
    /// Final: refused.
    Declined,
    /// Final: done.
    Succeeded,
}

impl Outcome {
    /// Whether nothing more is to come of the operation.
    pub fn is_final(self) -> bool {
        self != Outcome::Pending
    }
}

/// What an unfinished sale waits for. Its report names the shopper, so Debug shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The age of the report, with its canonical string; the greatest one counts.
    pub news: NewsOrder,
    /// Where the shopper's browser must go.
    pub redirect: Option<Redirect>,
    /// The fields that the platform asks for.
    pub clarification_fields: Vec<String>,
}

impl Waiting {
    /// Tells one report from another.
    pub fn digest(&self) -> String {
        sha256::start_of_hex(format!("{:?}", self.news).as_bytes(), 32)
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

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The merchant's id; `None` for a refund that was not asked for here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<MerchantId>,
    /// Minor units.
    pub amount: u64,
    /// Where it stands.
    pub status: RefundStatus,
    /// The platform's operation, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// How far our request got; `None` for a refund that was not asked for here.
    #[serde(default, skip_serializing_if = "GateRequest::is_none")]
    pub request: GateRequest,
    /// How many questions had been put to the platform when it was last given up to wait for its
    /// answer: only a later one shows what became of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent_after: u32,
    /// When the platform said, to a repeat, that it has this refund already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists_at: Option<Timestamp>,
    /// With which code a repeat was refused. By itself that is not the end: the first request may
    /// have been taken late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_again: Option<String>,
    /// What it was asked for with, so that it can be repeated with the same data, as long as its
    /// end is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The shopper's address, if another one than the checkout's was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<Private<Text>>,
    /// A code of the platform's list, if it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The status that was announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<RefundStatus>,
    /// The amount that was announced last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub announced_amount: u64,
    /// Whether it was ever announced as declined.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decline_announced: bool,
    /// The start of the SHA-256 of what the storefront sent, to tell a repeat from another refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// When we first heard of it.
    pub created_at: Timestamp,
}

impl Refund {
    /// Whether the platform's operation with this id is this refund.
    pub(crate) fn is_made_by(&self, operation_id: &str) -> bool {
        self.operation_id.as_deref() == Some(operation_id)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Asked for; reserved.
    Pending,
    /// Nobody knows whether it was taken; reserved.
    Unknown,
    /// The money went back.
    Succeeded,
    /// It did not; the reservation is given back.
    Declined,
}

impl RefundStatus {
    /// Whether money is held back for it.
    pub fn is_reserved(self) -> bool {
        matches!(self, RefundStatus::Pending | RefundStatus::Unknown)
    }
}

/// The status of a payment, as storefronts and events show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored; nothing sent yet.
    Created,
    /// The sale is on its way, or its answer is not known.
    Processing,
    /// Redirect data is there.
    AwaitingCustomer,
    /// The platform asks for data.
    AwaitingClarification,
    /// Paid.
    Succeeded,
    /// Not paid.
    Declined,
    /// Not started.
    Failed,
    /// It looks like money, but not like what was ordered.
    Quarantined,
    /// A part went back.
    PartiallyRefunded,
    /// All went back.
    Refunded,
    /// Nobody created it here.
    Unmatched,
}

impl Status {
    /// Whether the shopper has nothing more to do.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Created
                | Status::Processing
                | Status::AwaitingCustomer
                | Status::AwaitingClarification
        )
    }

    /// Whether the sale of the payment was done as ordered.
    pub fn is_paid(self) -> bool {
        matches!(
            self,
            Status::Succeeded | Status::PartiallyRefunded | Status::Refunded
        )
    }
}

/// Why money is not taken as paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineReason {
    /// Another amount than ordered.
    AmountDiffers,
    /// Another currency than ordered.
    CurrencyDiffers,
    /// A success without an amount.
    AmountMissing,
    /// An operation on money that we do not know.
    UnknownOperation,
    /// More than one sale succeeded.
    PaidTwice,
    /// The platform's own answers contradict each other.
    Contradiction,
}

impl Operation {
    /// `sales`: how many sales of the payment succeeded.
    fn reasons_to_doubt(&self, sales: usize) -> BTreeSet<QuarantineReason> {
        let mut reasons = match self.outcome {
            Outcome::Succeeded => self.doubts.clone(),
            Outcome::Pending | Outcome::Declined => BTreeSet::new(),
        };
        if sales == 0 && self.took_money && self.outcome == Outcome::Succeeded {
            reasons.insert(QuarantineReason::UnknownOperation);
        }
        if sales > 1 && self.is_successful_sale() {
            reasons.insert(QuarantineReason::PaidTwice);
        }
        if self.confirmed && self.conflict {
            reasons.insert(QuarantineReason::Contradiction);
        }
        reasons
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Payment {
    /// The payment's key.
    pub fn key(&self) -> PaymentKey {
        PaymentKey::new(self.project_id, &self.payment_id)
    }

    /// Whether there is anything to tell: it was ordered, or the platform has reported it.
    pub(crate) fn is_heard_of(&self) -> bool {
        self.order.is_some() || self.platform_status.is_some() || !self.operations.is_empty()
    }

    /// What the newest attempt to pay waits for.
    pub fn waiting(&self) -> Option<&Waiting> {
        let is_of_before = |operation: &&Operation| {
            let request_id = operation.request_id.as_ref();
            request_id.is_some_and(|request_id| self.failed_requests.contains(request_id))
        };
        self.sales()
            .filter(|operation| !is_of_before(operation))
            .filter_map(|operation| operation.waiting.as_ref())
            .max_by(|left, right| left.news.cmp(&right.news))
    }

    /// Where the shopper's browser must go, if that is known and still of use.
    pub fn redirect(&self) -> Option<&Redirect> {
        self.waiting()?.redirect.as_ref()
    }

    /// The fields that the platform asks for and nobody has given yet.
    pub fn clarification_fields(&self) -> &[String] {
        self.question()
            .map_or(&[], |question| &question.clarification_fields)
    }

    /// What the platform asks the shopper, if that is open.
    pub fn question(&self) -> Option<&Waiting> {
        let waiting = self.waiting()?;
        let is_answered = self.clarified.as_ref() == Some(&waiting.digest());
        (!waiting.clarification_fields.is_empty() && !is_answered).then_some(waiting)
    }

    /// Whether the shopper has a link to Payment Page and has not used it yet.
    pub fn has_unused_link(&self) -> bool {
        let order = self.order.as_ref();
        order.is_some_and(|order| order.channel == Channel::PaymentPage)
            && self.operations.is_empty()
    }

    fn sales(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .values()
            .filter(|operation| operation.kind == "sale")
    }

    /// The refund with this id.
    pub fn refund(&self, refund_id: &MerchantId) -> Option<&Refund> {
        self.refunds
            .iter()
            .find(|refund| refund.refund_id.as_ref() == Some(refund_id))
    }

    /// Why the money is not taken as paid; empty if it is, or if there is none.
    pub fn quarantine(&self) -> BTreeSet<QuarantineReason> {
        self.doubts()
            .into_iter()
            .map(|doubt| doubt.reason)
            .collect()
    }

    /// What speaks against taking the money as paid, and no operator has settled.
    pub fn doubts(&self) -> BTreeSet<Doubt> {
        if self.order.is_none() {
            return BTreeSet::new();
        }
        let sales = self.successful_sales().count();
        let is_settled = |doubt: &Doubt| self.has_verdict(Verdict::Released, doubt);
        let of_each = self.operations.iter().flat_map(|(id, operation)| {
            let reasons = operation.reasons_to_doubt(sales);
            reasons.into_iter().map(move |reason| Doubt {
                operation_id: id.clone(),
                reason,
                amount: operation.amount,
            })
        });
        of_each.filter(|doubt| !is_settled(doubt)).collect()
    }

    fn has_verdict(&self, verdict: Verdict, doubt: &Doubt) -> bool {
        let mut decisions = self.decisions.iter();
        decisions.any(|decision| decision.verdict == verdict && decision.doubts.contains(doubt))
    }

    /// Whether everything doubtful about it was rejected, and went back.
    pub fn is_rejected(&self) -> bool {
        let doubts = self.doubts();
        let is_rejected = |doubt: &Doubt| self.has_verdict(Verdict::Rejected, doubt);
        !doubts.is_empty()
            && doubts.iter().all(is_rejected)
            && self.refunded_amount() >= self.paid_amount()
    }

    /// The operations that took money from the shopper.
    pub fn successful_sales(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .values()
            .filter(|operation| operation.is_successful_sale())
    }

    /// Whether the shopper has paid: by a sale, or by what an operator took as one.
    pub fn has_taken_money(&self) -> bool {
        let released = || {
            let decisions = self.decisions.iter();
            let released = decisions.filter(|decision| decision.verdict == Verdict::Released);
            released.flat_map(|decision| &decision.doubts)
        };
        let took_money = |id: &str, operation: &Operation| {
            operation.is_successful_sale()
                || operation.took_money
                || operation.outcome == Outcome::Succeeded
                    && !operation.is_refund()
                    && released().any(|doubt| doubt.operation_id == id)
        };
        self.operations
            .iter()
            .any(|(id, operation)| took_money(id, operation))
    }

    /// The status that follows from everything known.
    ///
    /// An end (declined, failed) is only ever followed by a success, never by an intermediate
    /// status, whatever comes in which order.
    pub fn status(&self) -> Status {
        if self.order.is_none() {
            Status::Unmatched
        } else if self.is_rejected() {
            Status::Refunded
        } else if !self.doubts().is_empty() {
            Status::Quarantined
        } else if self.has_taken_money() {
            match self.refunded_amount() {
                0 => Status::Succeeded,
                refunded if refunded < self.paid_amount() => Status::PartiallyRefunded,
                _ => Status::Refunded,
            }
        } else if self.decline().is_some() {
            Status::Declined
        } else if self.refusal_code().is_some() {
            Status::Failed
        } else {
            self.status_while_open()
        }
    }

    fn status_while_open(&self) -> Status {
        let unanswered = matches!(
            self.sale,
            GateRequest::None | GateRequest::Sending { again: false, .. }
        );
        if !self.clarification_fields().is_empty() {
            Status::AwaitingClarification
        } else if self.redirect().is_some() || self.has_unused_link() {
            Status::AwaitingCustomer
        } else if unanswered && self.operations.is_empty() {
            Status::Created
        } else {
            Status::Processing
        }
    }

    /// The code with which the platform refused the sale request, at once or by callback.
    pub fn refusal_code(&self) -> Option<&str> {
        self.refusal_of(&self.sale)
    }

    /// The code with which the platform refused a request, at once or by callback.
    pub(crate) fn refusal_of<'a>(&'a self, request: &'a GateRequest) -> Option<&'a str> {
        match request {
            GateRequest::Refused { code } => Some(code),
            GateRequest::Accepted { request_id } => {
                self.errors.get(request_id.as_ref()?).map(String::as_str)
            }
            GateRequest::None | GateRequest::Sending { .. } | GateRequest::Unclear => None,
        }
    }

    /// The declined sale that ended the payment.
    pub fn decline(&self) -> Option<&Operation> {
        self.sales()
            .filter(|operation| operation.ends_payment || operation.taken_back)
            .max_by(|left, right| left.news.cmp(&right.news))
    }
}
