//! Tests the sizes of a usual payment's items, because DynamoDB charges a write by size: one unit for each started
//! kilobyte of the item, and two units in a transaction.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use api::{Api, PAYMENT, order};
use aws::dynamodb::attributes::{Item, read_text};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use wire::TABLE;

/// The bytes of an item that one write unit covers.
const UNIT: usize = 1_024;

/// Returns the size of an item in bytes: the names and the values of its attributes.
fn size(item: &Item) -> usize {
    let sizes = item.iter().map(|(name, value)| match value {
        AttributeValue::S(text) => name.len() + text.len(),
        // One byte for each two digits, and one further byte.
        AttributeValue::N(number) => name.len() + number.len().div_ceil(2) + 1,
        _ => panic!("{name} is neither text nor number"),
    });
    sizes.sum()
}

/// Returns the sizes of the payment's items by their sort keys.
async fn sizes(api: &Api) -> BTreeMap<String, usize> {
    let client = Client::new(api.wire.config());
    let items = client.scan().table_name(TABLE).send().await.unwrap().items;
    let items = items.unwrap().into_iter();
    items
        .map(|item| (read_text(&item, "sk").unwrap().to_owned(), size(&item)))
        .collect()
}

#[tokio::test]
async fn the_items_of_a_usual_payment_stay_within_their_size_limits() {
    let api = Api::start().await.unwrap();
    api.checkout(&order(PAYMENT)).await.unwrap();
    let created = sizes(&api).await;
    api.report("redirect_get.json").await.unwrap();
    let redirected = sizes(&api).await;
    api.report("sale_success.json").await.unwrap();
    let paid = sizes(&api).await;
    // The order, the redirect URL and the report of the redirect URL need more than one kilobyte. A paid payment also
    // needs more: the final reports with their sums replace the redirect URL and its report.
    for (step, sizes, limit) in [
        ("created", created, UNIT),
        ("redirected", redirected, 1_500),
        ("paid", paid, 1_600),
    ] {
        println!("{step}: {sizes:?}");
        for (item, size) in &sizes {
            let limit = if item == "payment" { limit } else { UNIT };
            assert!(*size <= limit, "{step}: {item} has {size} bytes: {sizes:?}");
        }
        assert!(sizes.contains_key("payment"), "{step}: {sizes:?}");
    }
}
