//! What changes a payment: two doors and no other. [`decide`] takes a fact that was reported,
//! [`execute`] a command that is wanted. Both are pure functions from what is known to a change with
//! its events: they know no clock, no network and no AWS; the time comes in as a value.
//!
//! A fact that says nothing new gives no change, so duplicates and old reports need no memory of
//! their own.

mod commands;
mod emit;
mod facts;
mod recheck;

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::report::Report;

pub(crate) use self::commands::rejection_refund_prefix;
pub use self::commands::{Command, Rejection, execute};
pub(crate) use self::emit::{has_pending_events, withheld_until};
use crate::events::Event;
pub use crate::model::SignedReport;
use crate::model::ids::{MerchantId, PaymentKey};
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, PlatformRecord};

/// A verified input about a payment.
#[derive(Debug, Clone, Copy)]
pub enum Fact<'a> {
    /// A verified callback.
    Callback(SignedReport<'a>),
    /// A verified body that could have been re-framed: no fact by itself, but a reason to poll.
    Hint(&'a Report),
    /// The signed answer to a status request. It decides where callbacks contradict each other.
    StatusAnswer {
        /// What the platform answered.
        report: SignedReport<'a>,
        /// The number of the status request: what was reported since it was sent is not settled by
        /// the answer.
        poll: u32,
    },
    /// The platform answered a status request with "not found". An unsigned answer can end a link or
    /// repeat a sale; it never touches money.
    NotFound {
        /// The number of the status request.
        poll: u32,
        /// Whether the answer is signed.
        signed: bool,
    },
    /// Gate's synchronous answer to our sale.
    SaleAnswer {
        /// The attempt that was sent.
        attempt: u32,
        /// What Gate said.
        answer: &'a Answer,
    },
    /// Gate's synchronous answer to a refund of ours.
    RefundAnswer {
        /// The refund that was sent.
        refund_id: &'a MerchantId,
        /// What Gate said.
        answer: &'a Answer,
    },
    /// The platform has taken the answer to what it asked.
    ClarificationAccepted {
        /// The [`Waiting::digest`](crate::model::Waiting::digest) of what it asked.
        digest: &'a str,
    },
    /// The platform's records may differ from ours.
    PlatformRecord {
        /// Whose records.
        project_id: ProjectId,
        /// What they say of an operation.
        record: PlatformRecord<'a>,
    },
    /// Other payments paid the same order before.
    EarlierPayments {
        /// Their ids.
        ids: &'a BTreeSet<String>,
    },
}

/// A payment as it will be, and the events of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The payment after the change.
    pub payment: Payment,
    /// The events of the change, in order.
    pub events: Vec<Event>,
}

/// What `fact` changes in `payment` (`None`: nothing is known of it yet). `None`: nothing.
pub fn decide(payment: Option<&Payment>, fact: Fact<'_>, at: Timestamp) -> Option<Change> {
    let mut after = match payment {
        Some(payment) => payment.clone(),
        None => first_reported(fact, at)?,
    };
    facts::take(&mut after, payment, fact, at);
    after.settle(at);
    (payment != Some(&after)).then(|| emit::emit(after, at))
}

/// A payment that was not created here begins with a report that says something of it, or with a
/// reason to poll.
fn first_reported(fact: Fact<'_>, at: Timestamp) -> Option<Payment> {
    let report = match fact {
        Fact::Callback(signed) => signed.report,
        Fact::StatusAnswer { report, .. } if !report.report.operations.is_empty() => report.report,
        Fact::Hint(report) => report,
        Fact::PlatformRecord { project_id, record } => {
            return first_listed(project_id, record, at);
        }
        _ => return None,
    };
    let project_id = ProjectId::new(report.project_id?).ok()?;
    let payment_id = report.payment_id.as_deref()?;
    Some(Payment::unknown(project_id, payment_id, at))
}

/// A payment that only the platform's records know.
fn first_listed(
    project_id: ProjectId,
    record: PlatformRecord<'_>,
    at: Timestamp,
) -> Option<Payment> {
    let PlatformRecord::Listed(listed) = record else {
        return None;
    };
    let is_id = PaymentKey::of_caller(project_id, &listed.payment_id).is_some();
    let differs = !Payment::find_discrepancies(None, record).is_empty();
    (is_id && differs).then(|| Payment::unknown(project_id, &listed.payment_id, at))
}
