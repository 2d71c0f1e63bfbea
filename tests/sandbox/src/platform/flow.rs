//! Lets time pass: the changes that follow a request or a choice of the shopper after a pause.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use time::OffsetDateTime;

use super::faults::Faults;
use super::operation::Status;
use super::records::{Change, SalePlan};
use super::{Shared, World, callbacks};

/// From an accepted request, or one step of the platform, to the next callback.
const WORK: Duration = Duration::from_millis(300);
/// The time limit of a clarification.
const CLARIFICATION: Duration = Duration::from_secs(30 * 60);
/// The longest time that a Bancontact payment can stay open.
const THRESHOLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Follows a sale that was just taken, up to the end of its time.
pub fn sale_taken(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    sale_continues(shared, payment_id.clone());
    sale_ends(shared, payment_id, operation_id);
}

/// Declines a sale at the end of its time.
pub fn sale_ends(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    sale_ends_after(shared, payment_id, operation_id, THRESHOLD);
}

fn sale_ends_after(shared: &Arc<Shared>, payment_id: String, operation_id: u64, limit: Duration) {
    later(shared, limit, move |state, now| {
        state.records.time_over(operation_id, &payment_id, now)
    });
}

/// The plan of a sale as switched.
pub fn plan(faults: &Faults) -> SalePlan {
    SalePlan {
        redirect: !faults.no_redirect,
        error: faults.sale_error,
        requirement: faults.sale_requirement(),
    }
}

/// Takes a sale to the next thing that the merchant or the shopper has to do.
pub fn sale_continues(shared: &Arc<Shared>, payment_id: String) {
    let on = shared.clone();
    later_then(
        shared,
        WORK,
        move |state, now| {
            let plan = plan(state.faults.of(&payment_id));
            state.records.proceed(&payment_id, &plan, now)
        },
        move |change| {
            clarification_asked(&on, change);
            redirected(&on, change);
        },
    );
}

/// Begins the time limit of a sale whose shopper was sent to the bank, if it has one of its own.
pub fn redirected(shared: &Arc<Shared>, change: &Change) {
    if change.operation.status != Status::AwaitingRedirect {
        return;
    }
    let payment_id = change.payment.order.payment_id.clone();
    let limit = shared
        .state()
        .faults
        .of(&payment_id)
        .decline_after_redirect_s;
    if let Some(limit) = limit {
        let limit = Duration::from_secs(limit);
        sale_ends_after(shared, payment_id, change.operation.id, limit);
    }
}

/// Begins the time limit of a question, if there is one.
pub fn clarification_asked(shared: &Arc<Shared>, change: &Change) {
    if change.operation.status != Status::AwaitingClarification {
        return;
    }
    let payment_id = change.payment.order.payment_id.clone();
    let asked = (change.operation.id, change.operation.round);
    later(shared, CLARIFICATION, move |state, now| {
        state.records.clarification_over(&payment_id, asked, now)
    });
}

/// Carries out a refund that was just taken, by way of the provider if it is switched so.
pub fn refund_taken(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    let external = shared.state().faults.of(&payment_id).refund_external_s;
    let Some(seconds) = external else {
        return refund_continues(shared, payment_id, operation_id);
    };
    let id = payment_id.clone();
    let on = shared.clone();
    later_then(
        shared,
        WORK,
        move |state, now| state.records.hand_over_refund(&id, operation_id, now),
        move |_| {
            let pause = Duration::from_secs(seconds);
            refund_settles(&on, payment_id, operation_id, pause);
        },
    );
}

/// Carries out a refund whose data has come.
pub fn refund_continues(shared: &Arc<Shared>, payment_id: String, operation_id: u64) {
    refund_settles(shared, payment_id, operation_id, WORK);
}

fn refund_settles(shared: &Arc<Shared>, payment_id: String, operation_id: u64, pause: Duration) {
    let on = shared.clone();
    later_then(
        shared,
        pause,
        move |state, now| {
            let requirement = state.faults.of(&payment_id).refund_requirement();
            let records = &mut state.records;
            records.settle_refund(&payment_id, operation_id, &requirement, now)
        },
        move |change| clarification_asked(&on, change),
    );
}

/// Runs the confirmation procedure of a payment that was just paid, if it has one.
pub fn paid(shared: &Arc<Shared>, change: &Change) {
    if change.payment.confirmation.is_none() {
        return;
    }
    let payment_id = change.payment.order.payment_id.clone();
    let on = shared.clone();
    later_then(
        shared,
        WORK,
        move |state, _| {
            let marks = state.ids.marks("");
            state.records.begin_confirmation(&payment_id, marks)
        },
        move |change| confirmation_begun(&on, change),
    );
}

/// Ends a confirmation procedure after its time, as switched.
pub fn confirmation_begun(shared: &Arc<Shared>, change: &Change) {
    let payment_id = change.payment.order.payment_id.clone();
    let procedure = shared.state().faults.of(&payment_id).confirmation;
    let Some(procedure) = procedure else { return };
    let Some(crediting) = procedure.result.crediting() else {
        return;
    };
    let on = shared.clone();
    later_then(
        shared,
        Duration::from_secs(procedure.after_s),
        move |state, now| {
            let records = &mut state.records;
            if !records.is_confirmation_open(&payment_id) {
                return None;
            }
            let settled = records.settle_confirmation(&payment_id, crediting, now);
            settled.ok()
        },
        move |change| confirmation_declined(&on, change),
    );
}

/// Reverses a sale whose crediting was declined, if the procedure says so.
pub fn confirmation_declined(shared: &Arc<Shared>, change: &Change) {
    let reverses = change.payment.confirmation;
    if !reverses.is_some_and(|procedure| procedure.reverses) {
        return;
    }
    let payment_id = change.payment.order.payment_id.clone();
    later(shared, WORK, move |state, _| {
        let marks = state.ids.marks("");
        state.records.reverse_sale(&payment_id, marks)
    });
}

/// Sends a link that was just created.
pub fn link_sent(shared: &Arc<Shared>, payment_id: String) {
    link_enters(shared, payment_id, Status::InvoiceSent, WORK);
}

/// Expires a link at the end of its time.
pub fn link_expires(shared: &Arc<Shared>, payment_id: String, after: Duration) {
    link_enters(shared, payment_id, Status::Expired, after);
}

fn link_enters(shared: &Arc<Shared>, payment_id: String, status: Status, after: Duration) {
    later(shared, after, move |state, now| {
        let entered = state.records.enter_link(&payment_id, status, now);
        entered.ok()
    });
}

/// Makes a change after a pause and sends its callback.
fn later(
    shared: &Arc<Shared>,
    pause: Duration,
    change: impl FnOnce(&mut MutexGuard<'_, World>, OffsetDateTime) -> Option<Change> + Send + 'static,
) {
    later_then(shared, pause, change, |_| {});
}

/// The same; `next` begins what follows the change.
fn later_then(
    shared: &Arc<Shared>,
    pause: Duration,
    change: impl FnOnce(&mut MutexGuard<'_, World>, OffsetDateTime) -> Option<Change> + Send + 'static,
    next: impl FnOnce(&Change) + Send + 'static,
) {
    let on = shared.clone();
    shared.spawn(async move {
        on.pause(pause).await;
        let change = change(&mut on.state(), OffsetDateTime::now_utc());
        if let Some(change) = change {
            next(&change);
            callbacks::send(&on, change);
        }
    });
}
