//! Sends callbacks. The callback about a change is signed once, and is sent until the merchant answers 200 or the
//! schedule ends.
//!
//! Each callback has its own task. The callbacks of one payment can therefore overtake each other, as they can on the
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

/// Sends the callback of a change in the background, with the copies that the switch `duplicate` demands.
pub fn send(shared: &Arc<Shared>, change: Change) {
    let order = &change.payment.order;
    if order.callbacks.disabled {
        return;
    }
    let mut state = shared.state();
    let faults = state.faults.of(&order.payment_id).clone();
    let redirect = (change.operation.status == Status::AwaitingRedirect)
        .then(|| redirect_data(shared, &change.payment, faults.redirect_method));
    // The platform can serialize and sign each of its messages. If a message were an exception, the tests that wait for
    // its callback would fail.
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
