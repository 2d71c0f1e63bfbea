//! Changes that follow a request or a choice of the shopper after a delay.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::callbacks;
use super::faults::Faults;
use super::messages::codes::{self, Code};
use super::records::{Change, CreditingResult, SalePlan, Status};
use super::shared::{PlatformState, Shared};

/// From an accepted request, or from one step of the platform, to the next callback.
const STEP: Duration = Duration::from_millis(300);
/// The time limit of a clarification.
const CLARIFICATION_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The longest time that a Bancontact payment can stay open.
const SALE_LIMIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Processes a sale that Gate has accepted, and starts its time limit.
pub fn sale_accepted(shared: &Arc<Shared>, payment_id: &str, operation_id: u64) {
    continue_sale(shared, payment_id);
    start_sale_limit(shared, payment_id, operation_id);
}

/// Declines a sale that is still open at the end of its time limit.
pub fn start_sale_limit(shared: &Arc<Shared>, payment_id: &str, operation_id: u64) {
    decline_sale_after(shared, payment_id, operation_id, SALE_LIMIT);
}

fn decline_sale_after(shared: &Arc<Shared>, payment_id: &str, operation_id: u64, limit: Duration) {
    let id = payment_id.to_owned();
    change_after(shared, limit, move |state, now| {
        state.records.time_out(&id, operation_id, now)
    });
}

/// The plan of a sale, from the switches.
pub fn sale_plan(faults: &Faults) -> SalePlan {
    SalePlan {
        redirect: !faults.no_redirect,
        error: faults.sale_error,
        requirement: faults.sale_requirement(),
    }
}

/// Moves a sale to the next step that needs the merchant or the shopper.
pub fn continue_sale(shared: &Arc<Shared>, payment_id: &str) {
    let (id, on) = (payment_id.to_owned(), shared.clone());
    change_after_then(
        shared,
        STEP,
        move |state, now| {
            let plan = sale_plan(state.faults.of(&id));
            state.records.proceed(&id, &plan, now)
        },
        move |change| {
            start_clarification_limit(&on, change);
            start_redirect_limit(&on, change);
        },
    );
}

/// Starts the time limit that the switches give a sale after the redirect.
pub fn start_redirect_limit(shared: &Arc<Shared>, change: &Change) {
    if change.operation.status != Status::AwaitingRedirect {
        return;
    }
    let id = change.payment_id();
    let limit = shared.state().faults.of(id).decline_after_redirect_s;
    if let Some(seconds) = limit {
        decline_sale_after(
            shared,
            id,
            change.operation.id,
            Duration::from_secs(seconds),
        );
    }
}

/// Starts the time limit of an operation that waits for clarification.
pub fn start_clarification_limit(shared: &Arc<Shared>, change: &Change) {
    if change.operation.status != Status::AwaitingClarification {
        return;
    }
    let id = change.payment_id().to_owned();
    let step = (change.operation.id, change.operation.clarification_step);
    change_after(shared, CLARIFICATION_LIMIT, move |state, now| {
        state.records.end_clarification(&id, step, now)
    });
}

/// Carries out a refund that was accepted, through the provider if it is switched so.
pub fn refund_accepted(shared: &Arc<Shared>, payment_id: &str, operation_id: u64) {
    let external = shared.state().faults.of(payment_id).refund_external_s;
    let Some(seconds) = external else {
        return settle_refund_after(shared, payment_id, operation_id, STEP);
    };
    let (id, on) = (payment_id.to_owned(), shared.clone());
    change_after_then(
        shared,
        STEP,
        move |state, now| state.records.hand_over_refund(&id, operation_id, now),
        move |change| {
            let delay = Duration::from_secs(seconds);
            settle_refund_after(&on, change.payment_id(), operation_id, delay);
        },
    );
}

/// Carries out a refund whose clarification is complete.
pub fn continue_refund(shared: &Arc<Shared>, payment_id: &str, operation_id: u64) {
    settle_refund_after(shared, payment_id, operation_id, STEP);
}

fn settle_refund_after(shared: &Arc<Shared>, payment_id: &str, operation_id: u64, delay: Duration) {
    let (id, on) = (payment_id.to_owned(), shared.clone());
    change_after_then(
        shared,
        delay,
        move |state, now| {
            let requirement = state.faults.of(&id).refund_requirement();
            let records = &mut state.records;
            records.settle_refund(&id, operation_id, &requirement, now)
        },
        move |change| start_clarification_limit(&on, change),
    );
}

/// Starts the confirmation procedure of a payment that was just paid, if it has one.
pub fn paid(shared: &Arc<Shared>, change: &Change) {
    if change.payment.confirmation.is_none() {
        return;
    }
    let (id, on) = (change.payment_id().to_owned(), shared.clone());
    change_after_then(
        shared,
        STEP,
        move |state, _| {
            let stamp = state.ids.stamp();
            state.records.begin_confirmation(&id, stamp)
        },
        move |change| settle_confirmation(&on, change),
    );
}

/// Ends a confirmation procedure after the time and with the result of the switch.
fn settle_confirmation(shared: &Arc<Shared>, change: &Change) {
    let procedure = shared.state().faults.of(change.payment_id()).confirmation;
    let Some(procedure) = procedure else { return };
    if procedure.result == CreditingResult::None {
        return;
    }
    let (id, on) = (change.payment_id().to_owned(), shared.clone());
    change_after_then(
        shared,
        Duration::from_secs(procedure.after_s),
        move |state, now| {
            let records = &mut state.records;
            if !records.is_confirmation_open(&id) {
                return Err(codes::STATUS_FORBIDS);
            }
            records.settle_confirmation(&id, procedure.result, now)
        },
        move |change| reverse_sale(&on, change),
    );
}

/// Reverses a sale whose crediting was declined, if the procedure says so.
pub fn reverse_sale(shared: &Arc<Shared>, change: &Change) {
    let procedure = change.payment.confirmation;
    if !procedure.is_some_and(|procedure| procedure.reverses) {
        return;
    }
    let id = change.payment_id().to_owned();
    change_after(shared, STEP, move |state, _| {
        let stamp = state.ids.stamp();
        state.records.reverse_sale(&id, stamp)
    });
}

/// Sends a new payment link.
pub fn send_link(shared: &Arc<Shared>, payment_id: &str) {
    set_link_status_after(shared, payment_id, Status::InvoiceSent, STEP);
}

/// Expires a payment link after its lifetime.
pub fn expire_link(shared: &Arc<Shared>, payment_id: &str, lifetime: Duration) {
    set_link_status_after(shared, payment_id, Status::Expired, lifetime);
}

fn set_link_status_after(shared: &Arc<Shared>, id: &str, status: Status, delay: Duration) {
    let id = id.to_owned();
    change_after(shared, delay, move |state, now| {
        state.records.set_link_status(&id, status, now)
    });
}

/// Makes a change after a delay and sends its callback. A change that is no longer allowed is left out.
fn change_after(
    shared: &Arc<Shared>,
    delay: Duration,
    change: impl FnOnce(&mut PlatformState, OffsetDateTime) -> Result<Change, Code> + Send + 'static,
) {
    change_after_then(shared, delay, change, |_| {});
}

/// Like [`change_after`]; `next` starts what follows the change.
fn change_after_then(
    shared: &Arc<Shared>,
    delay: Duration,
    change: impl FnOnce(&mut PlatformState, OffsetDateTime) -> Result<Change, Code> + Send + 'static,
    next: impl FnOnce(&Change) + Send + 'static,
) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(delay).await;
        let changed = change(&mut on.state(), OffsetDateTime::now_utc());
        if let Ok(change) = changed {
            next(&change);
            callbacks::send(&on, change);
        }
    });
}
