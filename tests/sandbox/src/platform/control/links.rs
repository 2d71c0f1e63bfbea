//! Handles the control calls for payment links. An employee of the merchant creates, sends, expires or cancels a link
//! in the Dashboard.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::request::{Body, Refused, check_amount};
use crate::platform::messages::codes::Code;
use crate::platform::payment_page::link_url;
use crate::platform::records::{
    Change, Payment, ReturnUrls, SaleOrder, Stamp, Status, read_one_of,
};
use crate::platform::shared::App;
use crate::platform::{callbacks, timers};

/// The default and maximum lifetime of a link, in seconds. A longer lifetime is shortened to this maximum.
const MAX_LIFETIME_S: u64 = 30 * 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    amount: u64,
    payment_id: Option<String>,
    description: Option<String>,
    #[serde(default)]
    customer: Map<String, Value>,
    /// Whether the platform sends the link to the shopper. The status of a sent link is `invoice sent`.
    #[serde(default = "yes")]
    send: bool,
    /// In seconds of the platform's clock.
    #[serde(default = "max_lifetime")]
    expires_in_s: u64,
}

fn yes() -> bool {
    true
}

fn max_lifetime() -> u64 {
    MAX_LIFETIME_S
}

pub async fn create(
    State(shared): App,
    Body(link): Body<NewLink>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    check_amount(link.amount)?;
    let mut state = shared.state();
    let token = state.ids.secret();
    let stamp = state.ids.stamp();
    let id = stamp.operation_id;
    let payment_id = link.payment_id.unwrap_or_else(|| format!("LINK-{id}"));
    let order = SaleOrder {
        payment_id: payment_id.clone(),
        amount: link.amount,
        description: link.description,
        customer: link.customer,
        return_urls: ReturnUrls {
            default: format!("{}/payment/{token}", shared.address()),
            ..ReturnUrls::default()
        },
        ..SaleOrder::default()
    };
    let url = link_url(&shared, &token);
    let payment = Payment::with_link(order, token, stamp);
    let operation = payment.operation(id)?.clone();
    state.records.add(payment.clone())?;
    drop(state);
    let created = json!({
        "payment_id": payment_id,
        "operation_id": id,
        "request_id": operation.request_id,
        "payment_status": payment.status(),
        "url": url,
    });
    callbacks::send(&shared, Change { payment, operation });
    if link.send {
        timers::send_link(&shared, &payment_id);
    }
    let lifetime = Duration::from_secs(link.expires_in_s.min(MAX_LIFETIME_S));
    timers::expire_link(&shared, &payment_id, lifetime);
    Ok((StatusCode::CREATED, Json(created)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkStatus {
    #[serde(deserialize_with = "read_link_status")]
    status: Status,
}

fn read_link_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let allowed = [
        Status::InvoiceSent,
        Status::Expired,
        Status::InvoiceCanceled,
    ];
    read_one_of(deserializer, &allowed)
}

/// Returns a refusal if the link is closed, already confirmed or already in this status.
pub fn set_status(payment: &mut Payment, link: LinkStatus, stamp: Stamp) -> Result<Change, Code> {
    payment.set_link_status(link.status, stamp.now)
}
