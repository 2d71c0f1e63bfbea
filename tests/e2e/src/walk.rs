//! Makes a complete payment, from the checkout to a partial refund.

use anyhow::ensure;
use sandbox::Ready;
use serde_json::json;

use crate::ensure_contains;
use crate::queue::{Queue, types};
use crate::shopper::Shopper;
use crate::storefront::{Storefront, partial_refund};

/// Makes a complete payment in a running sandbox, and prints each step.
pub async fn walk(ready: &Ready, payment_id: &str) -> anyhow::Result<()> {
    let storefront = Storefront::new(ready)?;
    let shopper = Shopper::new()?;
    let fulfilment = Queue::new(ready, "fulfilment")?;

    let checkout = storefront.create(payment_id).await?;
    // On a slow machine, the redirect URL can arrive before the answer.
    let expected = ["processing", "awaiting_customer"];
    ensure!(
        expected.iter().any(|status| checkout["status"] == *status),
        "{checkout}"
    );
    println!("created {payment_id}");

    let bank_page = shopper.bank_page(&checkout).await?;
    ensure!(
        bank_page.starts_with(&ready.platform),
        "the checkout redirects to {bank_page}"
    );
    let return_url = shopper.press(&bank_page, "pay").await?;
    println!("paid at the bank");

    let shop = shopper.follow(&return_url).await?;
    let thanks = format!("{}/thanks?payment_id={payment_id}", ready.shop);
    ensure!(shop == thanks, "the shopper returns to {shop}");
    let paid = storefront.until(payment_id, "succeeded").await?;
    let amounts = json!({ "paid_amount": 1000, "refundable_amount": 1000 });
    ensure_contains(&paid, amounts)?;
    println!("succeeded");

    let events = fulfilment.until(payment_id, "payment.succeeded").await?;
    let order_id = format!("order-of-{payment_id}");
    let data = json!({ "data": { "status": "succeeded", "order_id": order_id } });
    ensure_contains(&events[events.len() - 1], data)?;
    println!("payment.succeeded published");

    let refund = partial_refund("r-1", 400);
    storefront.post_refund(payment_id, &refund, 202).await?;
    let refunded = storefront.until(payment_id, "partially_refunded").await?;
    let amounts = json!({ "refunded_amount": 400, "refundable_amount": 600 });
    ensure_contains(&refunded, amounts)?;
    println!("400 of 1000 refunded");

    let events = fulfilment.until(payment_id, "refund.succeeded").await?;
    let types = types(&events);
    ensure!(types == ["refund.pending", "refund.succeeded"], "{types:?}");
    println!("refund.succeeded published");
    Ok(())
}
