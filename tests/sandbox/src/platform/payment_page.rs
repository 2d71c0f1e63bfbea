//! Payment Page: a browser opens a signed link, the customer confirms, and goes on to the bank.
//!
//! The platform records hold the payment from the confirmation on. The page asks for data of the customer that the
//! link does not carry. The merchant gets only the callbacks with a result.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use time::OffsetDateTime;

use super::codes::{self, Code};
use super::faults::CustomerField;
use super::operation::Status;
use super::order::SaleOrder;
use super::payment::Payment;
use super::payment_link::{BadLink, Link, Ways};
use super::records::Change;
use super::{Shared, bank, callbacks, flow, pages};

/// The page and the end of each payment.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/payment", get(show).post(confirm))
        .route("/payment/{token}", get(end))
}

async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let link = match read(&shared, query.as_deref()) {
        Ok(link) => link,
        Err(bad) => return opens_nothing(&bad),
    };
    let earlier = shared.state().records.payment(&link.payment_id).cloned();
    match earlier {
        Some(payment) if is_of(&payment, &link) => go_on(&shared, &payment),
        Some(payment) if payment.status() != Status::Error => refused(codes::PAYMENT_EXISTS),
        _ => bank::page(pages::payment_page(&link, &missing(&shared, &link), false)),
    }
}

async fn confirm(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    Form(posted): Form<HashMap<String, String>>,
) -> Response {
    let mut link = match read(&shared, query.as_deref()) {
        Ok(link) => link,
        Err(bad) => return opens_nothing(&bad),
    };
    let missing = missing(&shared, &link);
    for field in &missing {
        let length = if *field == CustomerField::LastName {
            3..=100
        } else {
            1..=255
        };
        let given = posted.get(field.name()).map(|given| given.trim());
        match given.filter(|given| length.contains(&given.chars().count())) {
            Some(given) => link.customer.insert(field.name().into(), given.into()),
            None => return bank::page(pages::payment_page(&link, &missing, true)),
        };
    }
    let rules = shared.state().faults.of(&link.payment_id).sale_rules();
    if let Err(refusal) = rules.check(&link.customer) {
        return refused(refusal.code);
    }
    let earlier = shared.state().records.payment(&link.payment_id).cloned();
    if let Some(payment) = earlier.filter(|payment| is_of(payment, &link)) {
        // The button was pressed twice.
        return go_on(&shared, &payment);
    }
    let payment_id = link.payment_id.clone();
    match take(&shared, link) {
        Err(code) => refused(code),
        Ok(change) => {
            if let Some(change) = change.filter(|change| !change.payment.status().is_open()) {
                callbacks::send(&shared, change);
            }
            let payment = shared.state().records.payment(&payment_id).cloned();
            payment.map_or_else(bank::not_found, |payment| go_on(&shared, &payment))
        }
    }
}

/// Records the payment and takes it as far as to the bank.
fn take(shared: &Arc<Shared>, link: Link) -> Result<Option<Change>, Code> {
    let payment_id = link.payment_id.clone();
    let mut state = shared.state();
    let plan = flow::plan(state.faults.of(&payment_id));
    let token = state.ids.secret();
    let request_id = state.ids.request();
    let marks = state.ids.marks(&request_id);
    let (operation_id, now) = (marks.operation_id, marks.now);
    let order = SaleOrder {
        return_url: link.return_url(&format!("{}/payment/{token}", shared.address())),
        payment_id: link.payment_id.clone(),
        amount: link.amount,
        description: link.description.clone(),
        customer: link.customer.clone(),
        callbacks: link.callbacks.clone(),
        link: Some(link),
    };
    state.records.sale(order, token, marks)?;
    let change = state.records.proceed(&payment_id, &plan, now);
    drop(state);
    flow::sale_ends(shared, payment_id, operation_id);
    if let Some(change) = &change {
        flow::redirected(shared, change);
    }
    Ok(change)
}

/// To the bank, or to wherever a payment leads that is over.
fn go_on(shared: &Shared, payment: &Payment) -> Response {
    match payment.status() {
        Status::AwaitingRedirect => Redirect::to(&bank::page_address(shared, payment)),
        Status::Success | Status::Decline => return bank::send_to(payment.return_address()),
        _ => Redirect::to(&format!("/payment/{}", payment.token)),
    }
    .into_response()
}

/// Where the browser comes back to if the merchant has not named another address.
async fn end(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let state = shared.state();
    let Some(payment) = state.records.at_page(&token) else {
        return bank::not_found();
    };
    let none = Ways::default();
    let link = payment.order.link.as_ref();
    let buttons = link.map_or(&none, |link| &link.buttons);
    let (heading, text, back) = match payment.sale_status() {
        Some(Status::Success) => ("Paid", "The payment was made.", &buttons.success),
        Some(Status::Decline) => ("Declined", "The payment was not made.", &buttons.fail),
        Some(Status::Error) => ("Failed", "The payment was not started.", &buttons.fail),
        _ => ("Not paid yet", "Nothing was paid so far.", &buttons.back),
    };
    bank::page(pages::notice(heading, text, back.as_deref()))
}

/// The fields that the page asks for: the last name and all mandatory ones that the link does not carry.
fn missing(shared: &Shared, link: &Link) -> Vec<CustomerField> {
    let mut fields = vec![CustomerField::LastName];
    let state = shared.state();
    fields.extend(&state.faults.of(&link.payment_id).mandatory_fields);
    fields.sort_unstable();
    fields.dedup();
    fields.retain(|field| !link.customer.contains_key(field.name()));
    fields
}

fn read(shared: &Shared, query: Option<&str>) -> Result<Link, BadLink> {
    let now = OffsetDateTime::now_utc();
    Link::read(query.unwrap_or_default(), &shared.project, now)
}

fn opens_nothing(bad: &BadLink) -> Response {
    let notice = pages::notice("This link opens no payment", &bad.to_string(), None);
    (StatusCode::BAD_REQUEST, bank::page(notice)).into_response()
}

fn refused(code: Code) -> Response {
    let text = format!("{} ({}).", code.message, code.number);
    let notice = pages::notice("This link opens no payment", &text, None);
    (StatusCode::CONFLICT, bank::page(notice)).into_response()
}

/// Whether the payment was made with this very link. After an error, it can be made anew.
fn is_of(payment: &Payment, link: &Link) -> bool {
    let own = payment.order.link.as_ref();
    payment.status() != Status::Error && own.is_some_and(|own| own.signature == link.signature)
}
