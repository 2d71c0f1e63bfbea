//! Serves the control API for tests and developers. Its calls read the platform records, set the faults that the
//! sandbox simulates, and trigger actions of the platform.

mod actions;
mod links;
mod payments;
mod request;
mod start_page;
mod switches;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::records::Payment;
use super::shared::Shared;
use actions::{action, action_on_operation};

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(start_page::show))
        .route("/simulator/payments", get(payments::list))
        .route("/simulator/links", post(links::create))
        .route("/simulator/faults", get(switches::get).put(switches::put))
        .nest("/simulator/payments/{id}", payment_routes())
}

fn payment_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(payments::one))
        .route("/faults", get(switches::get_of).put(switches::put_of))
        .route("/link", action(links::set_status))
        .route("/refunds", post(actions::refund))
        .route(
            "/refunds/{operation}/reverse",
            action_on_operation(Payment::reverse_refund),
        )
        .route("/confirmation", post(actions::confirm))
        .route("/manual-change", action(Payment::change_manually))
        .route("/sales", action(Payment::add_sale))
        .route(
            "/sales/{operation}",
            action_on_operation(Payment::settle_added_sale),
        )
        .route("/operations", action(Payment::add_other))
}
