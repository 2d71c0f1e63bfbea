//! Provides each test with a table, two event queues and a work queue, and creates changes to commit.

use std::time::Duration;

use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::sqs::SqsQueue;
use aws::work_queue::SqsWorkQueue;
use aws_sdk_dynamodb::types::AttributeValue;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::decide::{Change, Command, Fact, SignedReport, decide, execute};
use payments::events::EventKind;
use payments::model::day::Day;
use payments::model::schedule::Schedule;
use payments::model::storefront::Storefront;
use payments::ports::{Commit, Committed, Due, Index, PaymentStore, SHARDS, Stored, SystemClock};
use payments::service::checkout::CheckoutRequest;
use payments::service::sweep::Sweeper;
use payments::{MerchantId, PaymentKey, Payments, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use wire::{TABLE, Wire};

pub const AUDIT: &str = "https://queues.example/audit";
pub const WORK: &str = "https://queues.example/work";
pub const FULFILMENT: &str = "https://queues.example/fulfilment";

pub struct World {
    pub wire: Wire,
    pub payments: Payments<DynamoStore, SqsQueue, SystemClock>,
    pub work_queue: SqsWorkQueue,
}

impl World {
    pub async fn new() -> Self {
        let wire = Wire::start().await.unwrap();
        let queue = |url: &str, types| QueueConfig {
            url: url.into(),
            types,
        };
        let queues = vec![
            queue(AUDIT, None),
            queue(
                FULFILMENT,
                Some(vec![
                    EventKind::PaymentSucceeded,
                    EventKind::RefundSucceeded,
                ]),
            ),
        ];
        let payments = Payments {
            store: DynamoStore::new(wire.config(), TABLE),
            queues: SqsQueue::all(wire.config(), queues),
            clock: SystemClock,
            schedule: Schedule::default(),
        };
        Self {
            work_queue: SqsWorkQueue::new(wire.config(), WORK),
            wire,
            payments,
        }
    }

    pub fn store(&self) -> &DynamoStore {
        &self.payments.store
    }

    pub fn sweeper(&self) -> Sweeper<'_, DynamoStore, SqsQueue, SystemClock, SqsWorkQueue> {
        Sweeper {
            payments: &self.payments,
            queue: &self.work_queue,
            polls_per_second: 20,
        }
    }

    pub async fn load(&self, id: &str) -> Stored {
        self.store().load(&key(id)).await.unwrap().unwrap()
    }

    /// Commits a new payment and does not publish its event.
    pub async fn create(&self, id: &str) {
        let change = created(id);
        let commit = Commit {
            token_hash: Some(id),
            ..commit(&change, None)
        };
        self.store().commit(commit).await.unwrap();
    }

    /// Commits a successful sale of a payment and does not publish its event.
    pub async fn succeed(&self, id: &str) -> Committed {
        let stored = self.load(id).await;
        let change = succeeded(id, &stored);
        let commit = commit(&change, Some(&stored));
        self.store().commit(commit).await.unwrap()
    }

    /// Moves the published mark. Returns the mark before the call.
    pub async fn mark(&self, id: &str, through: u64) -> u64 {
        let marked = self.store().mark_published(&key(id), through).await;
        marked.unwrap()
    }

    pub async fn outbox(&self) -> Vec<Due> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            let page = self
                .store()
                .due(Index::Outbox, shard, in_an_hour(), None)
                .await;
            all.extend(page.unwrap());
        }
        all
    }

    pub async fn outbox_ids(&self) -> Vec<String> {
        let outbox = self.outbox().await;
        let mut ids: Vec<String> = outbox.iter().map(|due| due.key.to_string()).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns the ids of the payments of a day, read page by page.
    pub async fn of_day(&self, day: Day) -> Vec<String> {
        let project_id = ProjectId::new(211).unwrap();
        let mut all: Vec<PaymentKey> = Vec::new();
        for shard in 0..SHARDS {
            let mut last = None;
            loop {
                let store = self.store();
                let page = store
                    .payments_of_day(project_id, day, shard, last.as_ref())
                    .await;
                let page = page.unwrap();
                all.extend(page.clone());
                match page.last() {
                    Some(key) => last = Some(key.clone()),
                    None => break,
                }
            }
        }
        let mut ids: Vec<String> = all.iter().map(PaymentKey::to_string).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns the sequence numbers of the events that a queue received about a payment, repeats included.
    pub fn sent(&self, queue: &str, id: &str) -> Vec<u64> {
        let sent = self.wire.sent(queue);
        let events = sent.iter().filter(|event| event["subject"] == id);
        let number = |event: &Value| event["data"]["sequence"].as_u64().unwrap();
        events.map(number).collect()
    }

    pub async fn attribute(&self, id: &str, name: &str) -> Option<AttributeValue> {
        let client = aws_sdk_dynamodb::Client::new(self.wire.config());
        let item = client.get_item().table_name(TABLE);
        let item = item
            .key("pk", AttributeValue::S(format!("payment#{}", key(id))))
            .key("sk", AttributeValue::S("payment".into()));
        item.send().await.unwrap().item.unwrap().remove(name)
    }
}

pub fn key(id: &str) -> PaymentKey {
    PaymentKey::new(ProjectId::new(211).unwrap(), id)
}

pub fn in_an_hour() -> Timestamp {
    Timestamp::now().after(Duration::from_secs(3_600))
}

pub const TWO_DAYS: Duration = Duration::from_secs(2 * 86_400);

pub fn in_30_seconds() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub fn created(id: &str) -> Change {
    created_for("shop", id, id)
}

/// Returns the change that creates a payment for a storefront's order.
pub fn created_for(storefront: &str, id: &str, order_id: &str) -> Change {
    created_at(storefront, id, order_id, Timestamp::now())
}

/// Returns the change that creates a payment for a storefront's order at a time.
pub fn created_at(storefront: &str, id: &str, order_id: &str, at: Timestamp) -> Change {
    let storefront = Storefront {
        key_id: storefront.into(),
        key_hash: String::new(),
        name: storefront.into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [].into(),
        return_origins: ["https://shop.example".into()].into(),
        payment_id_prefix: None,
    };
    let body = format!(
        r#"{{"payment_id":"{id}","order_id":"{order_id}","amount":1000,"currency":"EUR","return_url":"https://shop.example/",
            "customer":{{"id":"c","ip_address":"192.0.2.1","last_name":"Janssens"}}}}"#
    );
    let request = CheckoutRequest::read(body.as_bytes(), &storefront, at).unwrap();
    let id = MerchantId::new(id).unwrap();
    let command = Command::Create {
        project_id: storefront.project_id,
        payment_id: &id,
        order: &request.order,
    };
    execute(None, command, at).unwrap().unwrap()
}

/// Returns a report of one successful operation, as in a callback. The date of the operation is after the creation of
/// every payment.
pub fn report(id: &str, operation: u64, kind: &str, amount: u64) -> Report {
    let date = Timestamp::now().after(Duration::from_secs(operation));
    dated_report(id, operation, kind, amount, date)
}

/// Returns a report of one successful operation with this date.
pub fn dated_report(id: &str, operation: u64, kind: &str, amount: u64, date: Timestamp) -> Report {
    let status = match kind {
        "sale" => "success",
        _ => "partially refunded",
    };
    let date = date.to_platform();
    let body = format!(
        r#"{{"project_id":211,
            "payment":{{"id":"{id}","status":"{status}","sum":{{"amount":1000,"currency":"EUR"}}}},
            "operation":{{"id":{operation},"type":"{kind}","status":"success","date":"{date}",
                "sum_initial":{{"amount":{amount},"currency":"EUR"}}}}}}"#
    );
    Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap())
}

pub fn succeeded(id: &str, stored: &Stored) -> Change {
    let report = report(id, 1, "sale", 1000);
    let fact = Fact::Callback(SignedReport {
        report: &report,
        canonical: "d",
    });
    decide(Some(&stored.payment), fact, Timestamp::now()).unwrap()
}

pub fn without_events(stored: &Stored) -> Change {
    Change {
        payment: stored.payment.clone(),
        events: Vec::new(),
    }
}

/// Returns the commit of a change, without a next action.
pub fn commit<'a>(change: &'a Change, over: Option<&'a Stored>) -> Commit<'a> {
    Commit {
        change,
        next: None,
        over,
        token_hash: None,
    }
}
