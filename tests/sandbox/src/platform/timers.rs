//! Makes the delayed changes of the platform, which follow a request or another change.

use std::sync::Arc;
use std::time::Duration;

use super::callbacks;
use super::faults::Faults;
use super::messages::codes::{self, Code};
use super::records::{Change, CreditingResult, OperationType, Payment, Stamp, Status};
use super::shared::Shared;

/// The delay of each step that the platform makes by itself.
const STEP: Duration = Duration::from_millis(300);
/// The platform declines an operation if requested data does not arrive within this time.
const CLARIFICATION_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The maximum time that a Bancontact payment stays open.
const SALE_LIMIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Sends the callback of a change, and schedules the changes that follow from it.
pub fn publish(shared: &Arc<Shared>, change: Change) {
    follow_up(shared, &change);
    callbacks::send(shared, change);
}

pub fn follow_up(shared: &Arc<Shared>, change: &Change) {
    let Change { payment, operation } = change;
    let (payment_id, id) = (change.payment_id(), operation.id);
    let faults = shared.state().faults.of(payment_id).clone();
    match (operation.kind, operation.status) {
        (_, Status::AwaitingClarification) => {
            let step = operation.clarification_step;
            change_after(
                CLARIFICATION_LIMIT,
                shared,
                payment_id,
                move |payment, _, stamp| payment.end_clarification(id, step, stamp.now),
            );
        }
        (OperationType::Sale, Status::AwaitingRedirect) => {
            if let Some(seconds) = faults.decline_after_redirect_s {
                time_out_after(Duration::from_secs(seconds), shared, payment_id, id);
            }
        }
        (OperationType::Sale, Status::Success) if payment.confirmation.is_some() => {
            change_after(STEP, shared, payment_id, |payment, _, stamp| {
                payment.begin_confirmation(stamp)
            });
        }
        (OperationType::PaymentConfirmation, Status::Processing) => {
            settle_confirmation(shared, payment_id, &faults);
        }
        (OperationType::PaymentConfirmation, Status::Decline) => {
            change_after(STEP, shared, payment_id, |payment, _, stamp| {
                payment.reverse_sale(stamp)
            });
        }
        (OperationType::Refund, Status::ExternalProcessing) => {
            let delay = Duration::from_secs(faults.refund_external_s.unwrap_or_default());
            settle_refund_after(delay, shared, payment_id, id);
        }
        _ => {}
    }
}

/// Schedules the next step of a sale in `processing`.
pub fn continue_sale(shared: &Arc<Shared>, payment_id: &str) {
    change_after(STEP, shared, payment_id, |payment, faults, stamp| {
        payment.proceed(&faults.sale_plan(), stamp.now)
    });
}

pub fn start_sale_limit(shared: &Arc<Shared>, payment_id: &str, sale_id: u64) {
    time_out_after(SALE_LIMIT, shared, payment_id, sale_id);
}

fn time_out_after(limit: Duration, shared: &Arc<Shared>, payment_id: &str, sale_id: u64) {
    change_after(limit, shared, payment_id, move |payment, _, stamp| {
        payment.time_out(sale_id, stamp.now)
    });
}

/// Schedules the result of an accepted refund. With the switch `refund_external_s`, the platform first passes the
/// refund to the provider.
pub fn begin_refund(shared: &Arc<Shared>, payment_id: &str, refund_id: u64) {
    let external = shared.state().faults.of(payment_id).refund_external_s;
    if external.is_none() {
        return continue_refund(shared, payment_id, refund_id);
    }
    change_after(STEP, shared, payment_id, move |payment, _, stamp| {
        payment.pass_refund_to_provider(refund_id, stamp.now)
    });
}

/// Schedules the result of an accepted refund that does not wait at the provider.
pub fn continue_refund(shared: &Arc<Shared>, payment_id: &str, refund_id: u64) {
    settle_refund_after(STEP, shared, payment_id, refund_id);
}

fn settle_refund_after(delay: Duration, shared: &Arc<Shared>, payment_id: &str, refund_id: u64) {
    change_after(delay, shared, payment_id, move |payment, faults, stamp| {
        payment.settle_refund(refund_id, &faults.refund_requirement(), stamp.now)
    });
}

/// Schedules the result of the confirmation procedure that the switch `confirmation` sets. For the result `none`,
/// schedules nothing.
fn settle_confirmation(shared: &Arc<Shared>, payment_id: &str, faults: &Faults) {
    let procedure = faults.confirmation;
    let procedure = procedure.filter(|procedure| procedure.result != CreditingResult::None);
    let Some(procedure) = procedure else { return };
    let delay = Duration::from_secs(procedure.after_s);
    change_after(
        delay,
        shared,
        payment_id,
        move |payment, _, stamp| match payment.is_confirmation_open() {
            true => payment.settle_confirmation(procedure.result, stamp.now),
            false => Err(codes::STATUS_FORBIDS),
        },
    );
}

pub fn send_link(shared: &Arc<Shared>, payment_id: &str) {
    change_after(STEP, shared, payment_id, |payment, _, stamp| {
        payment.set_link_status(Status::InvoiceSent, stamp.now)
    });
}

pub fn expire_link(shared: &Arc<Shared>, payment_id: &str, lifetime: Duration) {
    change_after(lifetime, shared, payment_id, |payment, _, stamp| {
        payment.set_link_status(Status::Expired, stamp.now)
    });
}

/// Makes a change after a delay, and then publishes it. Nothing happens if the payment refuses the change.
fn change_after(
    delay: Duration,
    shared: &Arc<Shared>,
    payment_id: &str,
    change: impl FnOnce(&mut Payment, &Faults, Stamp) -> Result<Change, Code> + Send + 'static,
) {
    let (on, payment_id) = (shared.clone(), payment_id.to_owned());
    shared.spawn(async move {
        on.pause(delay).await;
        let changed = on.state().change(&payment_id, change);
        if let Ok(change) = changed {
            publish(&on, change);
        }
    });
}
