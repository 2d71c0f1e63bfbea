//! The shopper's bank: where `redirect_data` leads, and what the shopper does there.
//!
//! A posted form arrives at one host name and continues at another spelling of it, as real banks
//! send a browser on to a second origin.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use time::OffsetDateTime;
use url::Url;

use super::faults::RedirectMethod;
use super::messages::RedirectData;
use super::operation::Status;
use super::payment::Payment;
use super::records::Choice;
use super::{Shared, callbacks, flow, pages};

/// The bank's pages.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/bank/{token}", get(show))
        .route("/bank/{token}/enter", post(enter))
        .route("/bank/{token}/pay", post(pay))
        .route("/bank/{token}/decline", post(decline))
        .route("/bank/{token}/walk-away", post(walk_away))
}

/// Where the browser goes to pay.
pub fn redirect_data(shared: &Shared, payment: &Payment, method: RedirectMethod) -> RedirectData {
    let page = page_address(shared, payment);
    match method {
        RedirectMethod::Get => RedirectData {
            method: "GET",
            body: BTreeMap::new(),
            encrypted: [],
            url: page,
        },
        RedirectMethod::Post => RedirectData {
            method: "POST",
            body: fields(shared, payment),
            encrypted: [],
            url: format!("{page}/enter"),
        },
    }
}

/// The address of the page where a payment is paid.
pub fn page_address(shared: &Shared, payment: &Payment) -> String {
    format!("{}/bank/{}", shared.address(), payment.token)
}

/// Fields of the posted form, with characters that must be escaped on the way.
fn fields(shared: &Shared, payment: &Payment) -> BTreeMap<&'static str, String> {
    let session = shared.project.key.sign(payment.token.as_bytes());
    BTreeMap::from([
        ("session", session.to_base64()),
        ("reference", payment.order.payment_id.clone()),
        ("note", "\"Caf\u{e9} & Fils\" <1+1>".to_owned()),
    ])
}

async fn show(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let state = shared.state();
    match state.records.at_page(&token) {
        None => not_found(),
        Some(payment) if is_open(payment, &token) => page(pages::bank(payment)),
        Some(payment) => over(payment),
    }
}

async fn enter(
    State(shared): State<Arc<Shared>>,
    Path(token): Path<String>,
    Form(posted): Form<HashMap<String, String>>,
) -> Response {
    let state = shared.state();
    let Some(payment) = state.records.at_page(&token) else {
        return not_found();
    };
    let expected = fields(&shared, payment);
    let equal = |(name, value): (&&str, &String)| posted.get(*name) == Some(value);
    if posted.len() != expected.len() || !expected.iter().all(equal) {
        let text = "The form that brought you here is not the one that the bank gave out.";
        let notice = pages::notice("Wrong form", text, None);
        return (StatusCode::BAD_REQUEST, page(notice)).into_response();
    }
    Redirect::to(&format!("http://localhost:{}/bank/{token}", shared.port)).into_response()
}

async fn pay(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let paid = {
        let state = shared.state();
        state.records.at_page(&token).map(|payment| {
            let faults = state.faults.of(&payment.order.payment_id);
            faults.charge(payment.order.amount)
        })
    };
    match paid {
        Some(charge) => choose(&shared, &token, Choice::Pay(charge)),
        None => not_found(),
    }
}

async fn decline(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    choose(&shared, &token, Choice::Decline)
}

async fn walk_away(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    match shared.state().records.at_page(&token) {
        Some(payment) => send_to(&payment.order.return_url.always),
        None => not_found(),
    }
}

fn choose(shared: &Arc<Shared>, token: &str, choice: Choice) -> Response {
    let mut state = shared.state();
    let now = OffsetDateTime::now_utc();
    if let Some(change) = state.records.choose(token, choice, now) {
        drop(state);
        let back = send_to(change.payment.return_address());
        flow::paid(shared, &change);
        callbacks::send(shared, change);
        return back;
    }
    state.records.at_page(token).map_or_else(not_found, over)
}

/// Sends the browser on; letters that no header can carry are encoded as a browser would do it.
pub fn send_to(address: &str) -> Response {
    let encoded = Url::parse(address).map(String::from);
    Redirect::to(encoded.as_deref().unwrap_or(address)).into_response()
}

fn is_open(payment: &Payment, token: &str) -> bool {
    payment.sale_status() == Some(Status::AwaitingRedirect) && payment.token == token
}

/// The page is not there for paying (any more).
fn over(payment: &Payment) -> Response {
    let (heading, text) = match payment.sale_status() {
        Some(Status::Success) => (
            "Already paid",
            "This payment was made. Nothing was taken twice.",
        ),
        Some(Status::Decline) => (
            "Declined",
            "This payment was declined and cannot be made any more.",
        ),
        _ => ("Not open", "This payment cannot be made here now."),
    };
    let notice = pages::notice(heading, text, Some(payment.return_address()));
    (StatusCode::CONFLICT, page(notice)).into_response()
}

/// Nothing is behind an address.
pub fn not_found() -> Response {
    let text = "There is no payment behind this address.";
    let notice = pages::notice("Unknown payment", text, None);
    (StatusCode::NOT_FOUND, page(notice)).into_response()
}

/// A page of a shopper, which no browser keeps.
pub fn page(markup: maud::Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, markup.into_string()).into_response()
}
