//! Tests the sizes of a usual payment's items. DynamoDB charges one write unit per started kilobyte, and two in a
//! transaction.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use api::{Api, PAYMENT, order};
use aws::dynamodb::attributes::{Item, read_text};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use wire::TABLE;

/// One write unit covers an item of this many bytes.
const UNIT: usize = 1_024;

/// Counts the names and the values of the attributes, in bytes.
fn size(item: &Item) -> usize {
    let sizes = item.iter().map(|(name, value)| match value {
        AttributeValue::S(text) => name.len() + text.len(),
        // DynamoDB stores two digits in a byte, and adds one byte.
        AttributeValue::N(number) => name.len() + number.len().div_ceil(2) + 1,
        _ => panic!("{name} is neither text nor number"),
    });
    sizes.sum()
}

/// Returns the size of each item, by the sort key of the item.
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
    // With the redirect URL and the report of this URL, a payment needs more than one kilobyte. When the payment is
    // paid, the final reports and their sums replace the redirect URL and its report.
    for (step, sizes, limit) in [
        ("created", created, UNIT),
        ("redirected", redirected, 1_500),
        ("paid", paid, 1_700),
    ] {
        println!("{step}: {sizes:?}");
        for (item, size) in &sizes {
            let limit = if item == "payment" { limit } else { UNIT };
            assert!(*size <= limit, "{step}: {item} has {size} bytes: {sizes:?}");
        }
        assert!(sizes.contains_key("payment"), "{step}: {sizes:?}");
    }
}
