//! Makes the page of a payment link. The shopper confirms the link and continues at the bank.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::page;
use crate::platform::bank::redirect::page_url;
use crate::platform::faults::Faults;
use crate::platform::html::{redirect_to, unknown_payment, unusable_link};
use crate::platform::records::{Payment, Status};
use crate::platform::shared::{App, Shared};
use crate::platform::timers;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/link/{token}", get(show).post(confirm))
}

pub fn link_url(shared: &Shared, token: &str) -> String {
    format!("{}/link/{token}", shared.address())
}

async fn show(State(shared): App, Path(token): Path<String>) -> Response {
    let payment = shared.state().records.at_page(&token).cloned();
    let payment = payment.filter(|payment| payment.invoice().is_some());
    let Some(payment) = payment else {
        return unknown_payment();
    };
    match (payment.sale_status(), payment.status()) {
        (Some(Status::AwaitingRedirect), _) => redirect_to(&page_url(&shared, &payment)),
        (Some(_), _) => redirect_to(payment.return_url()),
        (None, Status::Expired) => closed("This link has expired."),
        (None, Status::InvoiceCanceled) => closed("The merchant has canceled this link."),
        (None, _) => page::dashboard_link(&payment),
    }
}

async fn confirm(State(shared): App, Path(token): Path<String>) -> Response {
    let payment = shared.state().records.at_page(&token).cloned();
    if let Some(payment) = payment {
        let id = payment.order.payment_id;
        let confirm = |payment: &mut Payment, _: &Faults, stamp| payment.confirm_link(stamp);
        let confirmed = shared.state().change(&id, confirm);
        // The change is refused if the link is closed or already confirmed.
        if let Ok(change) = confirmed {
            timers::start_sale_limit(&shared, &id, change.operation.id);
            timers::follow_up(&shared, &change);
        }
    }
    show(State(shared), Path(token)).await
}

fn closed(reason: &str) -> Response {
    unusable_link(StatusCode::CONFLICT, reason)
}
