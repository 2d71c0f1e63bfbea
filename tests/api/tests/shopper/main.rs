//! Tests the shopper's routes: the page, its form, the return and the status.
#![allow(clippy::indexing_slicing)]

mod attempts;
mod expiry;
mod form;
mod pages;
mod redirect;
mod wait;

use std::time::Duration;

use api::routes::PAGE;
use api::{Answer, Api, Call, PAYMENT};
use serde_json::{Value, json};

/// The waiting page has this text after a status poll found no redirect URL, and from 20 s after the start of the
/// attempt.
const MISSING: &str = "Bancontact has not answered yet.";

struct Shopper {
    api: Api,
    token: String,
}

impl Shopper {
    /// Creates a checkout whose sale Gate has accepted, without a callback. After `delay`, a status poll for the
    /// redirect URL is due.
    async fn new(delay: Duration, order: &Value) -> anyhow::Result<Self> {
        let mut api = Api::start().await?;
        api.checkouts.payments.schedule.redirect_poll_delay = delay;
        let created = api.checkout(order).await?;
        Ok(Self {
            token: created.token()?.to_owned(),
            api,
        })
    }

    async fn get(&self, route: &str) -> anyhow::Result<Answer> {
        let call = Call {
            route,
            parameters: &[&self.token],
            ..Call::default()
        };
        self.api.call(call).await
    }

    async fn page_in(&self, language: &str) -> anyhow::Result<Answer> {
        let call = Call {
            route: PAGE,
            parameters: &[&self.token],
            headers: &[("accept-language", language)],
            ..Call::default()
        };
        self.api.call(call).await
    }

    async fn page(&self) -> anyhow::Result<Answer> {
        self.get(PAGE).await
    }
}

/// Returns a status answer about a sale that is still open.
fn status_answer(redirect: Option<&str>) -> Value {
    let sum = json!({ "amount": 1000, "currency": "EUR" });
    let mut answer = json!({
        "project_id": 211,
        "payment": {
            "id": PAYMENT, "type": "purchase", "status": "awaiting redirect result",
            "date": "2019-07-02T09:28:29+0000", "sum": sum,
        },
        "operations": [{
            "id": 37493000003351_u64, "type": "sale", "status": "awaiting redirect result",
            "date": "2019-07-02T09:28:29+0000", "created_date": "2019-07-02T09:28:24+0000",
            "request_id": "7e08d48c4f5da3692b65e5426f44ed36896e569c", "sum_initial": sum,
        }],
    });
    if let Some(url) = redirect {
        answer["redirect_data"] = json!({ "method": "GET", "body": [], "url": url });
    }
    answer
}

/// The delay of a status poll that is due as soon as the shopper waits.
const IMMEDIATELY: Duration = Duration::from_millis(1);
