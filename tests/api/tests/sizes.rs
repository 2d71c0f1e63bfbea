//! What is written of a usual payment, as DynamoDB counts it: a write costs one unit for each started
//! kilobyte of an item, two in a transaction.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use api::{Api, PAYMENT, order};
use aws::item::{Item, read_text};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use wire::TABLE;

/// What one unit writes.
const UNIT: usize = 1_024;

/// The bytes of an item: those of its names and values.
fn size(item: &Item) -> usize {
    let sizes = item.iter().map(|(name, value)| match value {
        AttributeValue::S(text) => name.len() + text.len(),
        // Two digits in a byte, and one more.
        AttributeValue::N(number) => name.len() + number.len().div_ceil(2) + 1,
        _ => panic!("{name} is neither text nor number"),
    });
    sizes.sum()
}

/// The sizes of what is kept of payments, by the sort keys.
async fn sizes(api: &Api) -> BTreeMap<String, usize> {
    let client = Client::new(api.wire.config());
    let items = client.scan().table_name(TABLE).send().await.unwrap().items;
    let items = items.unwrap().into_iter();
    items
        .filter(|item| !read_text(item, "pk").unwrap().starts_with("storefront"))
        .map(|item| (read_text(&item, "sk").unwrap().to_owned(), size(&item)))
        .collect()
}

#[tokio::test]
async fn a_usual_payment_takes_few_units() {
    let api = Api::start().await.unwrap();
    api.checkout(&order(PAYMENT)).await.unwrap();
    let created = sizes(&api).await;
    api.report("redirect_get.json").await.unwrap();
    let handed_over = sizes(&api).await;
    api.report("sale_success.json").await.unwrap();
    let paid = sizes(&api).await;
    // The redirect URL and the report that brought it do not fit into the first kilobyte beside the
    // order; they leave when the payment has ended. What the final reports say of the money takes
    // their place, and stays: no later report erases it.
    for (step, sizes, most) in [
        ("created", created, UNIT),
        ("handed over", handed_over, 1_500),
        ("paid", paid, 1_600),
    ] {
        println!("{step}: {sizes:?}");
        for (item, size) in &sizes {
            let most = if item == "payment" { most } else { UNIT };
            assert!(*size <= most, "{step}: {item} has {size} bytes: {sizes:?}");
        }
        assert!(sizes.contains_key("payment"), "{step}: {sizes:?}");
    }
}
