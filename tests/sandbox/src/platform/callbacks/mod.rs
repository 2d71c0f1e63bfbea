//! Sends callbacks. A callback is signed once, and then sent until the merchant answers 200 or the schedule ends.
//!
//! Each callback has its own task. Therefore the callbacks of one payment can overtake each other, as they can on the
//! real platform.

mod delivery;
pub mod log;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use super::bank::redirect::redirect_data;
use super::messages;
use super::records::{Change, Status};
use super::shared::Shared;
use delivery::Delivery;
use log::CallbackEntry;

/// Sends the callback of a change, and the copies that the switch `duplicate` adds. Does not wait for the delivery.
pub fn send(shared: &Arc<Shared>, change: Change) {
    let order = &change.payment.order;
    if order.callbacks.disabled {
        return;
    }
    let mut state = shared.state();
    let faults = state.faults.of(&order.payment_id).clone();
    let redirect = (change.operation.status == Status::AwaitingRedirect)
        .then(|| redirect_data(shared, &change.payment, faults.redirect_method));
    // Each message of the platform can be serialized and signed, so this error cannot occur.
    let Ok(body) = messages::callback(&shared.project, &change, redirect) else {
        return;
    };
    for copy in 0..=faults.duplicate {
        let entry = CallbackEntry::new(&change, copy);
        let delivery = Delivery {
            number: state.callbacks.add(&order.payment_id, entry),
            payment_id: order.payment_id.clone(),
            url: order.callbacks.url.clone(),
            delay: Duration::from_secs(order.callbacks.delay),
            is_intermediate: change.is_intermediate(),
            body: body.clone(),
        };
        let on = shared.clone();
        shared.spawn(async move { delivery.run(&on).await });
    }
}
