//! What is kept in `data` is what the functions write.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bench::scenario::{PLACEHOLDER, SHOP, callback, order, sign};
use bench::stubs::REQUEST_ID;
use bench::world::{KEY, PROJECT};
use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use payments::model::schedule::Schedule;
use payments::model::storefront::{Scope, Storefront};
use payments::ports::{Clock, Gate, NoAnswer};
use payments::service::checkout::token::TokenSecret;
use payments::service::checkout::{CheckoutRequest, CheckoutService};
use payments::service::storefront::key_id;
use payments::{Payments, Timestamp, sha256};
use serde_json::{Value, json};
use wire::{TABLE, Wire};

/// Always the same moment, so that the same is written each time.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::of_platform("2026-07-02T09:28:29+0000").unwrap()
    }
    async fn sleep(&self, _: Duration) {}
    fn random(&self, _: u64) -> u64 {
        0
    }
}

struct Taking;

impl Gate for Taking {
    async fn post(&self, _: &'static str, _: Vec<u8>) -> Answer {
        Answer::Accepted {
            request_id: Some(REQUEST_ID.to_owned()),
        }
    }
    async fn query(&self, _: &'static str, _: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        unreachable!("nobody asks")
    }
}

fn storefront() -> Storefront {
    Storefront {
        key_id: key_id(SHOP).unwrap().to_owned(),
        key_hash: sha256::hex(SHOP.as_bytes()),
        name: "shop".into(),
        project_id: ProjectId::new(PROJECT).unwrap(),
        scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
        return_origins: ["https://shop.example".into()].into(),
    }
}

/// The corpus' redirect, for our payment.
fn redirect() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../data/callbacks/redirect_get.json"
    );
    let mut message: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    message["payment"]["id"] = PLACEHOLDER.into();
    message.as_object_mut().unwrap().remove("signature");
    sign(message).unwrap()
}

async fn check(wire: &Wire, pk: &str, sk: &str, file: &str) {
    let request = Client::new(wire.config()).get_item().table_name(TABLE);
    let request = request
        .key("pk", AttributeValue::S(pk.into()))
        .key("sk", AttributeValue::S(sk.into()));
    let item = request.send().await.unwrap().item.unwrap();
    let attributes: BTreeMap<String, Value> = item
        .into_iter()
        .map(|(name, value)| match value {
            // Random.
            _ if name == "commit" => (name, json!({ "S": "0123456789abcdef" })),
            AttributeValue::S(text) => (name, json!({ "S": text })),
            AttributeValue::N(number) => (name, json!({ "N": number })),
            other => panic!("{name} is {other:?}"),
        })
        .collect();
    let seen = format!("{:#}\n", json!(attributes));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    snapshots::check(&folder.join(file), &seen).unwrap();
}

#[tokio::test]
async fn the_items_are_those_that_the_functions_write() {
    let wire = Wire::start().await.unwrap();
    let store = || DynamoStore::new(wire.config(), TABLE);
    let payments = Payments {
        store: store(),
        queues: SqsQueue::all(wire.config(), Vec::new()),
        clock: Still,
        schedule: Schedule::default(),
    };
    let storefront = storefront();
    let now = Still.now();
    store().add_storefront_key(&storefront, now).await.unwrap();
    check(
        &wire,
        "storefront_key#bench",
        "storefront_key",
        "storefront.json",
    )
    .await;

    let keyring = Keyring::new(ProjectKey::new(KEY).unwrap(), None);
    let checkouts = CheckoutService {
        payments: &payments,
        gate: &Taking,
        keyring: &keyring,
        tokens: &TokenSecret::new(&"s".repeat(64)).unwrap(),
        base_url: "https://pay.shop.example",
    };
    let order = order(PLACEHOLDER).to_string();
    let request = CheckoutRequest::read(order.as_bytes(), &storefront, now).unwrap();
    checkouts.create(&storefront, request).await.unwrap();
    let keys = [(storefront.project_id, keyring.clone())].into();
    let pk = format!("payment#{PROJECT}/{PLACEHOLDER}");
    for (body, file) in [
        (redirect(), "waiting.json"),
        (callback(PLACEHOLDER).unwrap(), "paid.json"),
    ] {
        let handled = payments.apply_callback(body.as_bytes(), &keys).await;
        assert_eq!(handled.outcome.as_str(), "applied", "{:?}", handled.error);
        check(&wire, &pk, "payment", file).await;
    }
}
