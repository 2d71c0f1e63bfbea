//! The storefront: its key, and what it orders.

use anyhow::{Context, ensure};
use aws::dynamodb::DynamoStore;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::storefront::{Scope, Storefront};
use payments::service::storefront::key_id;
use payments::sha256;
use serde_json::json;

use super::plan::{AMOUNT, Plan};
use crate::scenario::SHOP;
use crate::world::PROJECT;

/// Puts the storefront into the table.
///
/// # Errors
///
/// When that fails.
pub async fn add(store: &DynamoStore) -> anyhow::Result<()> {
    let storefront = Storefront {
        key_id: key_id(SHOP).context("no key")?.to_owned(),
        key_hash: sha256::hex(SHOP.as_bytes()),
        name: "shop".to_owned(),
        project_id: ProjectId::new(PROJECT)?,
        scopes: [Scope::Checkout].into(),
        return_origins: ["https://shop.example".to_owned()].into(),
    };
    let added = store.add_storefront_key(&storefront, Timestamp::now());
    ensure!(added.await?, "the table is not empty");
    Ok(())
}

/// What is ordered with a payment.
pub fn order(plan: Plan) -> String {
    json!({
        "payment_id": plan.payment_id(),
        "order_id": format!("order-{}", plan.0),
        "amount": AMOUNT,
        "currency": "EUR",
        "customer": { "id": "c-42", "ip_address": "192.0.2.10", "last_name": "Janssens" },
        "return_url": "https://shop.example/thanks",
        "description": format!("Order {}", plan.0),
    })
    .to_string()
}
