//! Tests which calls to AWS a callback causes. The SDK sends the calls to a simulated AWS, which records them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::secrets::{CacheTtl, CachedProjectKeys};
use aws::sqs::SqsQueue;
use callback::handler::Callbacks;
use ecommpay::ProjectKey;
use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::signature::canonical;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request};
use payments::decide::{self, Command, Fact, decide};
use payments::events::EventKind;
use payments::model::schedule::Schedule;
use payments::model::storefront::Storefront;
use payments::ports::{Commit, PaymentStore, SystemClock};
use payments::service::checkout::CheckoutRequest;
use payments::{Payments, Timestamp};
use wire::{TABLE, Wire};

const AUDIT: &str = "https://queues.example/audit";
const FULFILMENT: &str = "https://queues.example/fulfilment";
/// The id of the payment in `tests/data/callbacks`.
const PAYMENT: &str = "ECT_TEST_1562051806691899";
/// The secret with the project keys. The current key signs the callbacks in `tests/data/callbacks`.
const KEYS: &str = r#"{"211":{"current":"test-secret-key"}}"#;

struct World {
    wire: Wire,
    callbacks: Callbacks,
}

impl World {
    /// Creates a payment and a function. The function has completed its init with stored project keys.
    async fn new() -> Self {
        let world = Self::before_init(CacheTtl::default()).await;
        world.wire.set_secret(KEYS);
        world.callbacks.prewarm().await;
        world
    }

    /// Creates a payment and a function. The function has not started its init, and no project key is stored.
    async fn before_init(ttl: CacheTtl) -> Self {
        let wire = Wire::start().await.unwrap();
        let queue = |url: &str, types| QueueConfig {
            url: url.into(),
            types,
        };
        let queues = vec![
            queue(AUDIT, None),
            queue(FULFILMENT, Some(vec![EventKind::PaymentSucceeded])),
        ];
        let payments = Payments {
            store: DynamoStore::new(wire.config(), TABLE),
            queues: SqsQueue::all(wire.config(), queues),
            clock: SystemClock,
            schedule: Schedule::default(),
        };
        create_payment(&payments.store).await;
        let keys = CachedProjectKeys::new(wire.config(), "keys").with_ttl(ttl);
        wire.forget();
        Self {
            callbacks: Callbacks::new(payments, keys),
            wire,
        }
    }

    /// Posts a body from `tests/data/callbacks`. Returns the status of the answer and the calls to AWS.
    async fn post(&self, file: &str) -> (StatusCode, Vec<String>) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/callbacks");
        let body = std::fs::read(corpus.join(file)).unwrap();
        self.post_body(body).await
    }

    /// Posts a body. Returns the status of the answer and the calls to AWS.
    async fn post_body(&self, body: Vec<u8>) -> (StatusCode, Vec<String>) {
        self.wire.forget();
        let request = Request::new(Body::Binary(body));
        let response = self.callbacks.handle(request).await;
        (response.status(), self.wire.calls())
    }
}

async fn create_payment(store: &DynamoStore) {
    let storefront = Storefront {
        key_id: "shop".into(),
        key_hash: String::new(),
        name: "shop".into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [].into(),
        return_origins: ["https://shop.example".into()].into(),
        payment_id_prefix: None,
    };
    let body = serde_json::json!({
        "payment_id": PAYMENT, "amount": 1000, "currency": "EUR", "return_url": "https://shop.example/",
        "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Janssens" },
    });
    let now = Timestamp::now();
    let body = body.to_string();
    let request = CheckoutRequest::read(body.as_bytes(), &storefront, now).unwrap();
    let create = Command::Create {
        project_id: storefront.project_id,
        payment_id: &request.payment_id,
        order: &request.order,
    };
    let mut change = decide::execute(None, create, now).unwrap().unwrap();
    // The callbacks are older than the checkout, so only their `request_id` shows that they are about this sale.
    let request_id = Some("7e08d48c4f5da3692b65e5426f44ed36896e569c".to_owned());
    let answer = &Answer::Accepted { request_id };
    let answer = Fact::SaleAnswer { attempt: 0, answer };
    change.payment = decide(Some(&change.payment), answer, now).unwrap().payment;
    let commit = Commit {
        change: &change,
        next: Schedule::default().next(&change.payment),
        over: None,
        token_hash: Some("token"),
    };
    store.commit(commit).await.unwrap();
    let key = change.payment.key();
    store.mark_published(&key, 1).await.unwrap();
}

#[tokio::test]
async fn init_makes_one_read_one_secret_call_and_one_ping_per_queue() {
    let world = World::new().await;
    let mut calls = world.wire.calls();
    calls.sort();
    assert_eq!(calls, ["GetItem", "GetSecretValue", "Ping", "Ping"]);
    assert_eq!(world.wire.max_concurrent("Ping"), 2, "parallel pings");
}

/// Returns the signed body of a callback about a successful sale of an external payment.
fn sale_of(payment_id: &str) -> Vec<u8> {
    let mut body = serde_json::json!({
        "project_id": 211,
        "payment": { "id": payment_id, "status": "success", "sum": { "amount": 1000, "currency": "EUR" } },
        "operation": { "id": 1, "type": "sale", "status": "success", "date": "2026-11-21T10:00:00+0000" },
    });
    let message = body.to_string();
    let message = parse(message.as_bytes(), Limits::CALLBACK).unwrap();
    let key = ProjectKey::new("test-secret-key").unwrap();
    let signature = key.sign(&canonical(&message)).to_base64();
    let fields = body.as_object_mut().unwrap();
    fields.insert("signature".to_owned(), signature.into());
    body.to_string().into_bytes()
}

#[tokio::test]
async fn a_callback_is_acknowledged_when_its_payment_id_has_characters_that_queues_refuse() {
    let world = World::new().await;
    for id in [
        "\u{ffff}",
        "a\u{fffe}\0\u{b}",
        &"\u{ffff}".repeat(255),
        &"\u{10ffff}".repeat(255),
    ] {
        let before = world.wire.sent(AUDIT).len();
        let (status, calls) = world.post_body(sale_of(id)).await;
        assert_eq!(status, StatusCode::OK, "{calls:?}");
        let sent = world.wire.sent(AUDIT);
        assert!(sent.len() > before);
        assert_eq!(sent.last().unwrap()["subject"], id);
    }
}

#[tokio::test]
async fn the_first_callback_after_the_keys_are_stored_fetches_the_keys() {
    let world = World::before_init(CacheTtl::default()).await;
    world.callbacks.prewarm().await;
    let (status, _) = world.post("redirect_get.json").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    world.wire.set_secret(KEYS);
    let (status, calls) = world.post("redirect_get.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(calls.first().unwrap(), "GetSecretValue");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_the_minimum_refetch_interval_has_passed() {
    let before = r#"{"211":{"current":"older-key"}}"#;
    for (min_refetch, expected) in [
        (Duration::from_secs(60), StatusCode::UNAUTHORIZED),
        (Duration::ZERO, StatusCode::OK),
    ] {
        let ttl = CacheTtl {
            min_refetch,
            ..CacheTtl::default()
        };
        let world = World::before_init(ttl).await;
        world.wire.set_secret(before);
        world.callbacks.prewarm().await;
        world.wire.set_secret(KEYS);
        let (status, _) = world.post("sale_success.json").await;
        assert_eq!(status, expected, "{min_refetch:?}");
    }
}

#[tokio::test]
async fn cached_keys_verify_callbacks_while_the_secret_cannot_be_read() {
    let ttl = CacheTtl {
        max: Duration::ZERO,
        min_refetch: Duration::ZERO,
    };
    let world = World::before_init(ttl).await;
    world.wire.set_secret(KEYS);
    world.callbacks.prewarm().await;
    world.wire.hang("GetSecretValue");
    let posted = world.post("sale_success.json");
    let (status, _) = tokio::time::timeout(Duration::from_secs(60), posted)
        .await
        .unwrap();
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn keys_are_fetched_again_when_the_signing_key_belongs_to_another_project() {
    let ttl = CacheTtl {
        min_refetch: Duration::ZERO,
        ..CacheTtl::default()
    };
    let world = World::before_init(ttl).await;
    world
        .wire
        .set_secret(r#"{"212":{"current":"test-secret-key"}}"#);
    world.callbacks.prewarm().await;
    let (status, _) = world.post("sale_success.json").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    world.wire.set_secret(KEYS);
    let (status, _) = world.post("sale_success.json").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn forged_callbacks_fetch_the_keys_at_most_once_in_each_minimum_refetch_interval() {
    let min_refetch = Duration::from_secs(1);
    let ttl = CacheTtl {
        min_refetch,
        ..CacheTtl::default()
    };
    let world = World::before_init(ttl).await;
    world.wire.set_secret(KEYS);
    world.callbacks.prewarm().await;
    tokio::time::sleep(min_refetch).await;
    let start = Instant::now();
    let mut fetched = 0;
    for _ in 0..50 {
        let (status, calls) = world.post("invalid_tampered_amount.json").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(calls.iter().all(|call| call == "GetSecretValue"));
        fetched += calls.len();
    }
    let max = 1 + start.elapsed().as_secs() as usize;
    assert!(
        (1..=max).contains(&fetched),
        "{fetched} fetches, at most {max} are allowed"
    );
}

#[tokio::test]
async fn a_new_report_makes_one_read_one_transaction_one_send_per_queue_and_one_update() {
    let world = World::new().await;
    let one_queue = ["GetItem", "TransactWriteItems", "SendMessage", "UpdateItem"];
    let (status, calls) = world.post("redirect_get.json").await;
    assert_eq!(
        (status, calls),
        (StatusCode::OK, one_queue.map(String::from).into())
    );

    let (status, calls) = world.post("sale_success.json").await;
    let two_queues = [
        "GetItem",
        "TransactWriteItems",
        "SendMessage",
        "SendMessage",
        "UpdateItem",
    ];
    assert_eq!(
        (status, calls),
        (StatusCode::OK, two_queues.map(String::from).into())
    );
    assert_eq!(
        world.wire.max_concurrent("SendMessage"),
        2,
        "parallel sends"
    );
}

#[tokio::test]
async fn a_duplicate_callback_makes_one_read() {
    let world = World::new().await;
    world.post("sale_success.json").await;
    for file in ["sale_success.json", "sale_success_reordered.json"] {
        let (status, calls) = world.post(file).await;
        assert_eq!(
            (status, calls),
            (StatusCode::OK, vec!["GetItem".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_callback_that_does_not_verify_makes_no_call() {
    let world = World::new().await;
    for (file, expected) in [
        ("invalid_tampered_amount.json", StatusCode::UNAUTHORIZED),
        ("invalid_missing_signature.json", StatusCode::UNAUTHORIZED),
        ("invalid_not_json.json", StatusCode::BAD_REQUEST),
        ("other_project.json", StatusCode::FORBIDDEN),
    ] {
        let (status, calls) = world.post(file).await;
        assert_eq!((status, calls), (expected, Vec::new()), "{file}");
    }
}

#[tokio::test]
async fn a_repeat_after_a_failed_send_reads_the_events_from_the_table_and_sends_them() {
    let world = World::new().await;
    world.wire.break_queue(FULFILMENT);
    let (status, calls) = world.post("sale_success.json").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        !calls.contains(&"UpdateItem".to_owned()),
        "the events must not be marked as published: {calls:?}"
    );

    world.wire.repair_queues();
    let (status, calls) = world.post("sale_success.json").await;
    let repeated = [
        "GetItem",
        "Query",
        "SendMessage",
        "SendMessage",
        "UpdateItem",
    ];
    assert_eq!(
        (status, calls),
        (StatusCode::OK, repeated.map(String::from).into())
    );
    assert_eq!(world.wire.sent(FULFILMENT).len(), 1);
}
