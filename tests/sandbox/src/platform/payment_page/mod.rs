//! Simulates Payment Page. The browser opens a signed link, and the shopper confirms the order and continues at the
//! bank.
//!
//! The payment exists only after the shopper has confirmed the order. If the link lacks the last name or a mandatory
//! field, the page requests this field. The merchant receives no callback before the payment has a result.

mod dashboard_link;
mod link;
mod page;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use time::OffsetDateTime;

pub use dashboard_link::link_url;
use link::{Link, LinkError};

use super::bank::redirect::page_url;
use super::gate::customer_rules::CustomerField;
use super::html::{notice, redirect_to, unknown_payment, unusable_link};
use super::messages::codes::{self, Code};
use super::records::{Change, PageUrls, Payment, Status};
use super::shared::{App, Shared};
use super::{callbacks, timers};

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/payment", get(show).post(confirm))
        .route("/payment/{token}", get(end))
        .merge(dashboard_link::routes())
}

async fn show(State(shared): App, RawQuery(query): RawQuery) -> Response {
    let link = match read(&shared, query.as_deref()) {
        Ok(link) => link,
        Err(error) => return invalid(&error),
    };
    let earlier = shared
        .state()
        .records
        .payment(&link.order.payment_id)
        .cloned();
    match earlier {
        Some(payment) if is_of(&payment, &link) => continue_payment(&shared, &payment),
        Some(payment) if payment.status() != Status::Error => refused(codes::PAYMENT_EXISTS),
        _ => page::payment_page(&link, &missing_fields(&shared, &link), false),
    }
}

async fn confirm(
    State(shared): App,
    RawQuery(query): RawQuery,
    Form(posted): Form<HashMap<String, String>>,
) -> Response {
    let mut link = match read(&shared, query.as_deref()) {
        Ok(link) => link,
        Err(error) => return invalid(&error),
    };
    let missing = missing_fields(&shared, &link);
    for field in &missing {
        let length = page::length_of(*field);
        let value = posted.get(field.name()).map(|value| value.trim());
        let value = value.filter(|value| length.contains(&value.chars().count()));
        let Some(value) = value else {
            return page::payment_page(&link, &missing, true);
        };
        let customer = &mut link.order.customer;
        customer.insert(field.name().into(), value.into());
    }
    let payment_id = link.order.payment_id.clone();
    let rules = shared.state().faults.of(&payment_id).customer_rules();
    if let Err(refusal) = rules.check(&link.order.customer) {
        return refused(refusal.code);
    }
    let payment = || shared.state().records.payment(&payment_id).cloned();
    // If the shopper presses the button twice, the second request must not add a payment.
    if let Some(payment) = payment().filter(|payment| is_of(payment, &link)) {
        return continue_payment(&shared, &payment);
    }
    match begin(&shared, link) {
        Err(code) => refused(code),
        Ok(change) => {
            if let Some(change) = change {
                timers::follow_up(&shared, &change);
                // The merchant receives no callback without a result.
                if !change.payment.status().is_open() {
                    callbacks::send(&shared, change);
                }
            }
            payment().map_or_else(unknown_payment, |payment| {
                continue_payment(&shared, &payment)
            })
        }
    }
}

/// Adds the payment and starts its sale. Returns `None` if a switch leaves the sale in `processing`.
fn begin(shared: &Arc<Shared>, link: Link) -> Result<Option<Change>, Code> {
    let payment_id = link.order.payment_id.clone();
    let mut state = shared.state();
    let (token, stamp) = (state.ids.secret(), state.ids.stamp());
    let sale_id = stamp.operation_id;
    let order = link.into_order(&format!("{}/payment/{token}", shared.address()));
    state.records.add(Payment::with_sale(order, token, stamp))?;
    let change = state.change(&payment_id, |payment, faults, stamp| {
        payment.proceed(&faults.sale_plan(), stamp.now)
    });
    drop(state);
    timers::start_sale_limit(shared, &payment_id, sale_id);
    Ok(change.ok())
}

/// Redirects the browser: an open payment to the bank, a paid or declined payment to the return URL, any other payment
/// to the end page.
fn continue_payment(shared: &Shared, payment: &Payment) -> Response {
    match payment.status() {
        Status::AwaitingRedirect => redirect_to(&page_url(shared, payment)),
        Status::Success | Status::Decline => redirect_to(payment.return_url()),
        _ => Redirect::to(&format!("/payment/{}", payment.token)).into_response(),
    }
}

/// Returns the end page, which replaces a missing return URL.
async fn end(State(shared): App, Path(token): Path<String>) -> Response {
    let state = shared.state();
    let Some(payment) = state.records.at_page(&token) else {
        return unknown_payment();
    };
    let no_buttons = PageUrls::default();
    let page = payment.order.page.as_ref();
    let buttons = page.map_or(&no_buttons, |page| &page.buttons);
    let (heading, text, shop) = match payment.sale_status() {
        Some(Status::Success) => ("Paid", "The payment was made.", &buttons.success),
        Some(Status::Decline) => ("Declined", "The payment was not made.", &buttons.fail),
        Some(Status::Error) => ("Failed", "The payment was not started.", &buttons.fail),
        _ => ("Not paid yet", "You have not paid yet.", &buttons.back),
    };
    notice(StatusCode::OK, heading, text, shop.as_deref())
}

/// Returns the fields that the page requests: each necessary field that the link lacks.
fn missing_fields(shared: &Shared, link: &Link) -> Vec<CustomerField> {
    let order = &link.order;
    let state = shared.state();
    let mandatory = &state.faults.of(&order.payment_id).mandatory_fields;
    let mut fields = CustomerField::with_last_name(mandatory);
    fields.retain(|field| !order.customer.contains_key(field.name()));
    fields
}

fn read(shared: &Shared, query: Option<&str>) -> Result<Link, LinkError> {
    let now = OffsetDateTime::now_utc();
    Link::read(query.unwrap_or_default(), &shared.project, now)
}

fn invalid(error: &LinkError) -> Response {
    unusable_link(StatusCode::BAD_REQUEST, &error.to_string())
}

fn refused(code: Code) -> Response {
    let reason = format!("{} ({}).", code.message, code.number);
    unusable_link(StatusCode::CONFLICT, &reason)
}

/// Whether the payment was made with this link. A payment in `error` does not count, so the shopper can use the link
/// again.
fn is_of(payment: &Payment, link: &Link) -> bool {
    let page = payment.order.page.as_ref();
    payment.status() != Status::Error && page.is_some_and(|page| page.signature == link.signature)
}
