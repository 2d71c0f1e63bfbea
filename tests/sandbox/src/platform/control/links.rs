//! Payment links of the Dashboard: an employee of the merchant creates one and can end it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::super::operation::Status;
use super::super::order::{CallbackOptions, ReturnUrl, SaleOrder};
use super::super::{Shared, callbacks, dashboard_link, flow};
use super::actions::{act, no_amount};
use super::{impossible, read, refuse};

/// The longest life of a link, 30 days, and the usual one.
const LONGEST: u64 = 30 * 24 * 60 * 60;

/// A new link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLink {
    amount: u64,
    payment_id: Option<String>,
    description: Option<String>,
    #[serde(default)]
    customer: Map<String, Value>,
    /// Whether it is sent by itself.
    #[serde(default = "yes")]
    send: bool,
    /// Seconds of the platform's clock.
    #[serde(default = "longest")]
    expires_in_s: u64,
}

fn yes() -> bool {
    true
}

fn longest() -> u64 {
    LONGEST
}

pub async fn create(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let wanted: NewLink = match read(&body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(error),
    };
    if wanted.amount == 0 {
        return no_amount();
    }
    let mut state = shared.state();
    let (token, request_id) = (state.ids.secret(), state.ids.request());
    let marks = state.ids.marks(&request_id);
    let payment_id = wanted.payment_id;
    let payment_id = payment_id.unwrap_or_else(|| format!("LINK-{}", marks.operation_id));
    let order = SaleOrder {
        payment_id: payment_id.clone(),
        amount: wanted.amount,
        description: wanted.description,
        customer: wanted.customer,
        return_url: ReturnUrl {
            always: format!("{}/payment/{token}", shared.address()),
            ..ReturnUrl::default()
        },
        callbacks: CallbackOptions::default(),
        link: None,
    };
    let url = dashboard_link::address(&shared, &token);
    let created = state.records.create_link(order, token, marks);
    drop(state);
    match created {
        Err(code) => impossible(code),
        Ok(change) => {
            let created = json!({
                "payment_id": payment_id,
                "operation_id": change.operation.id,
                "request_id": request_id,
                "payment_status": change.payment.status().as_str(),
                "url": url,
            });
            callbacks::send(&shared, change);
            if wanted.send {
                flow::link_sent(&shared, payment_id.clone());
            }
            let life = Duration::from_secs(wanted.expires_in_s.min(LONGEST));
            flow::link_expires(&shared, payment_id, life);
            (StatusCode::CREATED, Json(created)).into_response()
        }
    }
}

/// The next status of a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkChange {
    status: LinkStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum LinkStatus {
    #[serde(rename = "invoice sent")]
    Sent,
    #[serde(rename = "expired")]
    Expired,
    #[serde(rename = "invoice canceled")]
    Canceled,
}

pub async fn enter(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    act(&shared, &body, |state, wanted: LinkChange| {
        let status = match wanted.status {
            LinkStatus::Sent => Status::InvoiceSent,
            LinkStatus::Expired => Status::Expired,
            LinkStatus::Canceled => Status::InvoiceCanceled,
        };
        let now = OffsetDateTime::now_utc();
        state.records.enter_link(&id, status, now)
    })
}
