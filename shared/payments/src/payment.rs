//! A payment as we know it: what was ordered, what the platform told us, and what follows.
//!
//! Facts are kept as sets (operations by their id, refunds by theirs), and the status is derived
//! from them, so that any order and any number of the same facts ends in the same state.

mod days;
mod difference;
mod doubts;
mod operation;
mod refund;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecommpay::customer::CustomerDetails;
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use serde::{Deserialize, Serialize};

pub use self::difference::{Books, Difference, Discrepancy, Entry};
pub use self::doubts::{Decision, Doubt, QuarantineReason, Verdict};
pub use self::operation::{
    NewsOrder, Operation, Outcome, PlatformStatus, Redirect, RedirectMethod, Waiting,
};
pub use self::refund::{Exists, Refund, RefundStatus};
pub use self::status::Status;
use crate::ids::{MerchantId, PaymentKey};
use crate::timestamp::{Timestamp, millis};

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
    /// When this attempt was begun.
    #[serde(with = "millis")]
    pub begun_at: Timestamp,
    /// How far the sale request of this attempt got.
    pub sale: GateRequest,
    /// How many questions had been put to the platform when the sale was last answered, or given
    /// up: only a later one shows what became of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sale_sent_after: u32,
    /// With which code a repeat of the sale was refused. By itself that is not the end: the first
    /// request may have been taken late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_refused_again: Option<String>,
    /// The number of the last question that the platform has answered with knowing nothing of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_found: u32,
    /// The digest of the question that the shopper has answered, so that it is not put again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clarified: Option<String>,
    /// Errors that the platform reported for requests, by `request_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, String>,
    /// `payment.status` as last reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_status: Option<PlatformStatus>,
    /// The operations that the platform reported, by `operation.id`.
    pub operations: BTreeMap<String, Operation>,
    /// The refunds that were asked for here or heard of from elsewhere.
    pub refunds: Vec<Refund>,
    /// What operators have said about the doubts about its money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Something doubtful was heard, and no answer to a later question has settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<Doubted>,
    /// How many questions about it were put to the platform.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub questions: u32,
    /// The number of the last question that the platform has answered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answered: u32,
    /// How many of them since something new is open or doubtful.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u32,
    /// When something new was begun, or the last of these questions put, as long as anything is
    /// open or doubtful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// What was announced last about the payment itself.
    pub announced: Option<Announced>,
    /// Whether it was ever announced that the money will not come.
    #[serde(default, skip_serializing_if = "is_false")]
    pub end_announced: bool,
    /// The refunded amount that was announced as more than what was paid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overrefund_announced: u64,
    /// The digests of the differences from the platform's books that were told, so that each is
    /// told once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub differences: BTreeSet<String>,
    /// Those of them that no event has told yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold_differences: Vec<Difference>,
    /// Other payments that had paid the same order before this one did.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub paid_before_by: BTreeSet<String>,
    /// How many of them were announced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paid_before_announced: usize,
    /// The number of the last event.
    pub sequence: u64,
    /// When we first heard of it.
    #[serde(with = "millis")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(with = "millis")]
    pub updated_at: Timestamp,
}

/// Something doubtful that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubted {
    /// How many questions had been put when it was last heard.
    pub after: u32,
    /// Since when there is any doubt.
    pub since: Timestamp,
}

/// What an event told about a payment, so that the last event always agrees with the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The status.
    pub status: Status,
    /// What had been paid.
    pub paid_amount: u64,
    /// Why it was kept apart.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub quarantine: BTreeSet<QuarantineReason>,
    /// The digest of what the platform asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// What a storefront ordered. Amount, currency and project never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The storefront that created the payment.
    pub storefront: String,
    /// The merchant's order, carried in every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Shown to the merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Who pays; forgotten after a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// When the hand-off ends.
    #[serde(with = "millis")]
    pub expires_at: Timestamp,
    /// The start of the SHA-256 of what the storefront sent, to tell a repeat from another order.
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

/// An order that was paid. Each storefront numbers its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidOrder<'a> {
    /// The project that took the money.
    pub project_id: ProjectId,
    /// Whose order it is.
    pub storefront: &'a str,
    /// Its number there.
    pub order_id: &'a MerchantId,
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

    /// Whether anything personal is kept of it.
    pub(crate) fn has_personal_data(&self) -> bool {
        let order = self.order.as_ref();
        let mut operations = self.operations.values();
        order.is_some_and(|order| order.customer.is_some())
            || operations.any(|operation| operation.waiting.is_some())
    }

    /// Whether the shopper has a link to Payment Page and has not used it yet.
    pub fn has_unused_link(&self) -> bool {
        let order = self.order.as_ref();
        order.is_some_and(|order| order.channel == Channel::PaymentPage)
            && self.operations.is_empty()
    }

    /// The merchant's order, once it has been paid by this payment.
    pub fn paid_order(&self) -> Option<PaidOrder<'_>> {
        let order = self.order.as_ref().filter(|_| self.status().is_paid())?;
        Some(PaidOrder {
            project_id: self.project_id,
            storefront: &order.storefront,
            order_id: order.order_id.as_ref()?,
        })
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
}
