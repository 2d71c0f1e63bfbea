//! Tests that the items in `data` are the items that the functions write.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
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
use wire::{STOREFRONT_KEYS, TABLE, Wire};

use super::{PAID, PLACEHOLDER, STOREFRONT_KEY, Scenario, callback, order, sign};
use crate::settings::{KEY, PROJECT};
use crate::stubs::gate::REQUEST_ID;

/// Always returns the same time, so that the items stay the same.
#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::of_platform("2026-07-02T09:28:29+0000").unwrap()
    }
    async fn sleep(&self, _: Duration) {}
    fn random(&self, _: u64) -> u64 {
        0
    }
}

struct AcceptingGate;

impl Gate for AcceptingGate {
    async fn post(&self, _: &'static str, _: Vec<u8>) -> Answer {
        Answer::Accepted {
            request_id: Some(REQUEST_ID.to_owned()),
        }
    }
    async fn query(&self, _: &'static str, _: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        unreachable!("no test polls the status")
    }
}

fn storefront() -> Storefront {
    Storefront {
        key_id: key_id(STOREFRONT_KEY).unwrap().to_owned(),
        key_hash: sha256::hex(STOREFRONT_KEY.as_bytes()),
        name: "shop".into(),
        project_id: ProjectId::new(PROJECT).unwrap(),
        scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
        return_origins: ["https://shop.example".into()].into(),
        payment_id_prefix: None,
    }
}

/// Returns a callback with a redirect URL, made from a callback in `tests/data/callbacks`.
fn redirect() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../data/callbacks/redirect_get.json"
    );
    let mut message: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    message["payment"]["id"] = PLACEHOLDER.into();
    // The dates are replaced, because a sale that is older than its checkout would count as a sale of another system.
    for name in ["date", "created_date"] {
        message["operation"][name] = "2026-07-02T09:28:29+0000".into();
    }
    message.as_object_mut().unwrap().remove("signature");
    sign(message).unwrap()
}

async fn check(wire: &Wire, table: &str, key: &[(&str, &str)], file: &str) {
    let key = key
        .iter()
        .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
    let request = Client::new(wire.config()).get_item().table_name(table);
    let request = request.set_key(Some(key.collect()));
    let item = request.send().await.unwrap().item.unwrap();
    let attributes: BTreeMap<String, Value> = item
        .into_iter()
        .map(|(name, value)| match value {
            // The value of `commit` is random.
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
async fn the_items_in_data_equal_the_items_that_the_functions_write() {
    let wire = Wire::start().await.unwrap();
    let store = || DynamoStore::new(wire.config(), TABLE);
    let payments = Payments {
        store: store(),
        queues: SqsQueue::all(wire.config(), Vec::new()),
        clock: FixedClock,
        schedule: Schedule::default(),
    };
    let storefront = storefront();
    let now = FixedClock.now();
    let keys = store().storefront_keys(STOREFRONT_KEYS);
    assert!(keys.add(&storefront, now).await.unwrap());
    let key = [("key_id", storefront.key_id.as_str())];
    check(&wire, STOREFRONT_KEYS, &key, "storefront.json").await;

    let keyring = Keyring::new(ProjectKey::new(KEY).unwrap(), None);
    let checkouts = CheckoutService {
        payments: &payments,
        gate: &AcceptingGate,
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
        let key = [("pk", pk.as_str()), ("sk", "payment")];
        check(&wire, TABLE, &key, file).await;
    }
}

/// The builds of the baselines do not check these names, because the baselines use untyped JSON.
#[test]
fn a_stored_payment_has_the_fields_that_the_baselines_read() {
    let item: Value = serde_json::from_str(PAID).unwrap();
    let document = item["document"]["S"].as_str().unwrap();
    let payment: Value = serde_json::from_str(document).unwrap();
    for field in [
        "/order/order_id",
        "/order/storefront",
        "/order/customer/ip_address",
        "/reported/operations",
        "/emitted/last/status",
        "/emitted/last/paid_amount",
        "/refunds",
        "/sequence",
    ] {
        assert!(payment.pointer(field).is_some(), "{field} is missing");
    }
    assert_eq!(payment["emitted"]["last"]["status"], "succeeded");
}

#[test]
fn a_callback_is_as_long_as_a_usual_callback_of_the_platform() {
    let body = callback(PLACEHOLDER).unwrap();
    assert!((1_400..=1_600).contains(&body.len()), "{}", body.len());
}

#[test]
fn an_answer_with_an_unexpected_status_is_an_error() {
    let scenario = Scenario::Checkout;
    assert!(scenario.check(br#"{"statusCode":201}"#).is_ok());
    let unavailable = br#"{"statusCode":503,"body":"no"}"#;
    let error = scenario.check(unavailable).unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert!(scenario.check(b"").is_err());
}
