//! The whole way of a payment: ordered, paid, announced, refunded in part.

use anyhow::ensure;
use reqwest::StatusCode;
use sandbox::Ready;
use serde_json::{Value, json};

use crate::queue::Queue;
use crate::shopper::Shopper;
use crate::storefront::Storefront;

/// Walks the whole way in a running sandbox, telling each step.
///
/// # Errors
///
/// When a step does not go as promised.
pub async fn walk(ready: &Ready, payment_id: &str) -> anyhow::Result<()> {
    let storefront = Storefront::new(ready)?;
    let shopper = Shopper::new()?;
    let fulfilment = Queue::new(ready, "fulfilment")?;

    let checkout = storefront.create(payment_id).await?;
    // On a slow machine the bank's address may be there already.
    let status = text(&checkout, "status");
    ensure!(
        ["processing", "awaiting_customer"].contains(&status),
        "created as {status}"
    );
    let checkout_url = text(&checkout, "checkout_url");
    println!("created {payment_id}");

    let bank = shopper.bank_of(checkout_url).await?;
    ensure!(
        bank.starts_with(&ready.platform),
        "the hand-off leads to {bank}"
    );
    let back = shopper.push(&bank, "pay").await?;
    println!("paid at the bank");

    let shop = shopper.follow(&back).await?;
    let thanks = format!("{}/thanks?payment_id={payment_id}", ready.shop);
    ensure!(shop == thanks, "the way back leads to {shop}");
    let paid = storefront.until(payment_id, "succeeded").await?;
    expect(&paid, "paid_amount", &json!(1000))?;
    expect(&paid, "refundable_amount", &json!(1000))?;
    println!("succeeded");

    let events = fulfilment.until(payment_id, "payment.succeeded").await?;
    let succeeded = events.last().unwrap_or(&Value::Null);
    let data = succeeded.get("data").unwrap_or(&Value::Null);
    expect(data, "status", &json!("succeeded"))?;
    expect(data, "order_id", &json!(format!("order-of-{payment_id}")))?;
    println!("announced as {}", text(succeeded, "id"));

    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    let (status, answer) = storefront.refund(payment_id, &refund).await?;
    ensure!(
        status == StatusCode::ACCEPTED,
        "the refund was answered {status}: {answer}"
    );
    let refunded = storefront.until(payment_id, "partially_refunded").await?;
    expect(&refunded, "refunded_amount", &json!(400))?;
    expect(&refunded, "refundable_amount", &json!(600))?;
    println!("400 of 1000 refunded");

    let events = fulfilment.until(payment_id, "refund.succeeded").await?;
    let kinds: Vec<&str> = events.iter().map(|event| text(event, "type")).collect();
    ensure!(
        kinds == ["refund.pending", "refund.succeeded"],
        "the queue had {kinds:?}"
    );
    println!("refund announced");
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn expect(value: &Value, key: &str, expected: &Value) -> anyhow::Result<()> {
    ensure!(
        value.get(key) == Some(expected),
        "{key} is not {expected} in {value}"
    );
    Ok(())
}
