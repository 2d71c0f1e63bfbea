//! Payments in memory beside the platform's books.

use std::sync::Mutex;
use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::decide::{Fact, SignedReport};
use payments::events::{Event, EventKind};
use payments::model::Payment;
use payments::model::schedule::Schedule;
use payments::ports::{Clock, EventQueue, PaymentStore, SendError};
use payments::service::reconcile::{Reconciled, Span};
use payments::{PaymentKey, Payments, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::memory::Memory;
use crate::platform::{Books, sale};

pub fn project() -> ProjectId {
    ProjectId::new(211).unwrap()
}

pub fn key(payment: &str) -> PaymentKey {
    PaymentKey::new(project(), payment)
}

/// A moment of November 2026.
pub fn at(text: &str) -> Timestamp {
    Timestamp::of_platform(&format!("2026-11-{text}+0000")).unwrap()
}

pub fn span(from: &str, to: &str) -> Span {
    Span {
        from: at(from),
        to: at(to),
    }
}

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// A clock that stands still, but for who sleeps.
#[derive(Default)]
pub struct Hand(pub Mutex<i64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += i64::try_from(duration.as_millis()).unwrap();
        tokio::task::yield_now().await;
    }

    fn random(&self, end: u64) -> u64 {
        end / 2
    }
}

/// A queue of everything, each event held against its schema.
#[derive(Default)]
pub struct Audit(pub Mutex<Vec<Event>>);

impl EventQueue for Audit {
    fn wants(&self, _: EventKind) -> bool {
        true
    }

    async fn send(&self, event: &Event, _: Option<&str>) -> Result<(), SendError> {
        schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

pub struct World<S = Memory> {
    pub payments: Payments<S, Audit, Hand>,
    pub books: Books,
}

impl World {
    /// On the 22nd at noon.
    pub fn new() -> Self {
        let world = Self {
            payments: Payments {
                store: Memory::default(),
                queues: vec![Audit::default()],
                clock: Hand::default(),
                schedule: Schedule::default(),
            },
            books: Books::default(),
        };
        world.set_clock(at("22T12:00:00"));
        world
    }

    pub fn set_clock(&self, now: Timestamp) {
        *self.payments.clock.0.lock().unwrap() = now.unix_millis();
    }

    /// A sale that is known here.
    pub async fn hear(&self, payment: &str, operation: &str, ended: Timestamp, amount: u64) {
        let body = report(payment, operation, ended, amount);
        let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
        let fact = Fact::Callback(SignedReport {
            report: &report,
            canonical: &body,
        });
        self.payments.apply(&key(payment), fact).await.unwrap();
    }

    /// A sale that both sides know.
    pub async fn both(&self, payment: &str, operation: &str, ended: Timestamp) {
        self.hear(payment, operation, ended, 1000).await;
        self.books.enter(ended, sale(payment, operation, 1000));
    }

    pub async fn compare(&self, span: Span) -> Reconciled {
        let payments = &self.payments;
        payments
            .reconcile(&self.books, project(), span, soon())
            .await
    }

    pub async fn payment(&self, payment: &str) -> Payment {
        let stored = self.payments.store.load(&key(payment)).await.unwrap();
        stored.unwrap().payment
    }

    /// What was announced of differences: the payment, and what differs.
    pub fn told(&self) -> Vec<(String, String)> {
        let sent = self.payments.queues[0].0.lock().unwrap();
        let mut told: Vec<(String, String)> = sent
            .iter()
            .filter(|event| event.kind == EventKind::ReconciliationDifference)
            .map(|event| {
                let body: Value = serde_json::from_str(&event.body).unwrap();
                let kind = body["data"]["difference"]["kind"].as_str().unwrap();
                let subject = body["subject"].as_str().unwrap();
                (subject.to_owned(), kind.to_owned())
            })
            .collect();
        told.sort_unstable();
        told
    }
}

pub fn told(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(payment, kind): &(&str, &str)| ((*payment).to_owned(), (*kind).to_owned());
    expected.iter().map(own).collect()
}

/// What a callback says of a sale.
pub fn report(payment: &str, operation: &str, ended: Timestamp, amount: u64) -> String {
    let date = ended.to_seconds_with_offset().replace("+00:00", "+0000");
    let (payment, operation) = (Value::from(payment), Value::from(operation));
    format!(
        r#"{{"project_id":211,"payment":{{"id":{payment},"status":"success","sum":{{"amount":{amount},"currency":"EUR"}}}},
            "operation":{{"id":{operation},"type":"sale","status":"success","date":"{date}",
                "sum_initial":{{"amount":{amount},"currency":"EUR"}}}}}}"#
    )
}

/// The same as the platform's list has it, declined.
pub fn declined(payment: &str, operation: &str) -> ListedOperation {
    ListedOperation {
        status: "decline".into(),
        ..sale(payment, operation, 1000)
    }
}
