//! Runs commands. Each file has one command or a few related commands.

mod create;
mod erase;
mod expire;
mod poll;
mod refund;
mod resolve_not_found;
mod review;

use self::refund::Requester;
use super::change::Change;
use super::command::{Command, Rejection};
use super::emit;
use crate::model::Payment;
use crate::model::timestamp::Timestamp;

/// Runs a command on a payment. `payment` is `None` if the payment is not stored. Returns `Ok(None)` if nothing
/// changes.
///
/// # Errors
///
/// Returns a [`Rejection`] if the command is not allowed.
pub fn execute(
    payment: Option<&Payment>,
    command: Command<'_>,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if let Command::Create {
        project_id,
        payment_id,
        order,
    } = command
    {
        return Ok(Some(create::create(project_id, payment_id, order, at)));
    }
    let Some(payment) = payment else {
        return Ok(None);
    };
    // A status request is safe, because its answer only adds facts.
    let is_poll = matches!(command, Command::Poll { .. } | Command::PollNow);
    if payment.needs_newer_release() && !is_poll {
        return Err(Rejection::NeedsNewerRelease);
    }
    Ok(match command {
        Command::Create { .. } => None,
        Command::Retry { order } => return create::retry(payment, order, at),
        Command::Resend => create::resend(payment, at),
        Command::Refund(order) => {
            return refund::reserve(payment, order, Requester::Storefront, at);
        }
        Command::RepeatRefund(refund_id) => refund::repeat(payment, refund_id, at),
        Command::CountClarificationTry(digest) => payment.clarification_tries(digest).map(|_| {
            let mut after = payment.clone();
            after.count_clarification_try(digest);
            emit::emit(after, at)
        }),
        Command::Review { verdict, by, items } => {
            return review::review(payment, verdict, by, items, at);
        }
        Command::Poll { schedule, due_by } => poll::scheduled(payment, schedule, due_by, at),
        Command::PollNow => Some(poll::now(payment, at)),
        Command::ResolveNotFound(schedule) => resolve_not_found::resolve(payment, schedule, at),
        Command::Expire => expire::expire(payment, at),
        Command::Erase(schedule) => erase::erase(payment, schedule, at),
        Command::EmitPending => {
            emit::has_pending_events(payment, at).then(|| emit::emit(payment.clone(), at))
        }
    })
}
