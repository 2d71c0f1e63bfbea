//! Contains the only code that changes a payment: [`decide`] applies a fact, and [`execute`] runs a command
//! (`shared/decisions/state/0004-facts-and-commands.md`).
//!
//! Both are pure functions: the time is an argument, and no clock or network is used. A fact that adds nothing to the
//! payment causes no change. So the service does not store which facts it has received.

mod change;
mod command;
mod commands;
mod emit;
mod fact;
mod facts;
mod recheck;

use ecommpay::fields::ProjectId;

pub use self::change::Change;
pub use self::command::{Command, Rejection};
pub use self::commands::execute;
pub(crate) use self::emit::{has_pending_events, leaves_events};
pub use self::fact::Fact;
pub use crate::model::SignedReport;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::{Payment, PlatformRecord};

/// Applies a fact to a payment. `payment` is `None` if the payment is not stored. Returns `None` if nothing changes.
pub fn decide(payment: Option<&Payment>, fact: Fact<'_>, at: Timestamp) -> Option<Change> {
    let mut after = match payment {
        Some(payment) => payment.clone(),
        None => external_payment(fact, at)?,
    };
    facts::apply(&mut after, payment, fact, at);
    let is_removed = after.update_derived(at);
    if let (true, Fact::Callback(report)) = (is_removed, fact)
        && after.record_removal(report)
    {
        // The signed answer to a status poll has the amounts of all operations, including those that the payment does
        // not store.
        after.polling_mut().request_recheck(at);
    }
    (payment != Some(&after)).then(|| emit::emit(after, at))
}

/// Creates an external payment for one of these facts: a callback, a hint, a status answer with operations, or a
/// platform record of an ended operation. Returns `None` for any other fact, and for a fact that does not name the
/// payment.
fn external_payment(fact: Fact<'_>, at: Timestamp) -> Option<Payment> {
    let report = match fact {
        Fact::Callback(signed) => signed.report,
        Fact::StatusAnswer { report, .. } if !report.report.operations.is_empty() => report.report,
        Fact::Hint(report) => report,
        Fact::PlatformRecord { project_id, record } => {
            return listed_payment(project_id, record, at);
        }
        _ => return None,
    };
    let project_id = ProjectId::new(report.project_id?).ok()?;
    let payment_id = report.payment_id.as_deref()?;
    Some(Payment::empty(project_id, payment_id, at))
}

/// Creates a payment that only the platform records contain. Returns `None` if the records list no ended operation.
/// Also returns `None` if the id of the payment is empty or too long.
fn listed_payment(
    project_id: ProjectId,
    record: PlatformRecord<'_>,
    at: Timestamp,
) -> Option<Payment> {
    let PlatformRecord::Listed(listed) = record else {
        return None;
    };
    let is_id = PaymentKey::parse(project_id, &listed.payment_id).is_some();
    let differs = !Payment::find_discrepancies(None, record).is_empty();
    (is_id && differs).then(|| Payment::empty(project_id, &listed.payment_id, at))
}
