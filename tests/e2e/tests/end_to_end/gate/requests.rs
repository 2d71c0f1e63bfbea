//! Sends checkout requests, also in parallel, and checks that a payment has only one sale.

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::system::System;
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// Requests a checkout, and checks the status of the answer.
pub async fn post(system: &System, payment_id: &str, expected: u16) -> anyhow::Result<Value> {
    let order = system.storefront.order(payment_id);
    system.storefront.post("/checkouts", &order, expected).await
}

/// Sends the same checkout request `count` times in parallel. Returns the checkout.
pub async fn post_in_parallel(
    system: &System,
    payment_id: &str,
    count: usize,
) -> anyhow::Result<Value> {
    let order = system.storefront.order(payment_id);
    let call = |_| {
        system
            .storefront
            .call(Method::POST, "/checkouts", Some(&order))
    };
    let answers = try_join_all((0..count).map(call)).await?;
    let created = answers.iter().filter(|(status, _)| *status == 201);
    ensure!(
        created.count() == 1,
        "not exactly one checkout was created: {answers:?}"
    );
    let mut checkout = Value::Null;
    for (status, answer) in answers {
        // After too many conflicting writes, the API answers 503, and the caller must retry.
        if status == 503 {
            continue;
        }
        ensure!(status == 200 || status == 201, "{status} {answer}");
        let url = &answer["checkout_url"];
        ensure!(checkout.is_null() || checkout["checkout_url"] == *url);
        checkout = answer;
    }
    Ok(checkout)
}

/// Pays a checkout, and repeats its request. The platform must have only one sale.
pub async fn pay_once(system: &System, payment_id: &str, checkout: &Value) -> anyhow::Result<()> {
    let paid = system.pay(checkout).await?;
    ensure_contains(&paid, json!({ "paid_amount": 1000 }))?;
    let repeated = post(system, payment_id, 200).await?;
    ensure_contains(&repeated, json!({ "status": "succeeded" }))?;
    let records = system.simulator.records(payment_id).await?;
    let operations = records["operations"].as_array().map(Vec::len);
    ensure!(operations == Some(1), "{records}");
    ensure_contains(&records, json!({ "paid": 1000 }))
}

/// Returns switches that change only the first answer of Gate. With these switches, the platform also sends no
/// callback, so no callback reports the outcome of the sale.
pub fn once(answer: &str) -> Value {
    json!({ "answer": answer, "answer_times": 1, "slow_ms": 20_000, "hold": true })
}
