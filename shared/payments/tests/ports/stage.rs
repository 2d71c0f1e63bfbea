//! A world whose queue, clock, store and platform are in memory.

use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecommpay::answer::{Answer, Refusal};
use ecommpay::fields::{ProjectId, Text};
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use ecommpay::{Keyring, ProjectKey, signature};
use payments::decide::{Fact, SignedReport};
use payments::events::{Event, EventKind};
use payments::model::schedule::Schedule;
use payments::model::storefront::{Scope, Storefront};
use payments::model::{Payment, RefundOrder, Status};
use payments::ports::{Clock, EventQueue, Gate, NoAnswer, PaymentStore, SendError, SystemClock};
use payments::service::checkout::token::TokenSecret;
use payments::service::checkout::{Checkout, CheckoutError, CheckoutRequest, CheckoutService};
use payments::service::error::PublishError;
use payments::service::project_keys::ProjectKeys;
use payments::service::refund::{RefundError, RefundService};
use payments::service::status_poll::{PollError, StatusPoller};
use payments::{MerchantId, PaymentKey, Payments, Timestamp};

use super::memory::Memory;

#[derive(Clone, Default)]
pub struct Queue {
    sent: Arc<Mutex<Vec<String>>>,
    /// The names of the repeats.
    pub repeats: Arc<Mutex<Vec<String>>>,
    /// So many sends fail.
    pub failures: Arc<AtomicUsize>,
}

impl EventQueue for Queue {
    fn wants(&self, _: EventKind) -> bool {
        true
    }

    async fn send(&self, event: &Event, repeat: Option<&str>) -> Result<(), SendError> {
        tokio::task::yield_now().await;
        if self
            .failures
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err(SendError("down".into()));
        }
        schemas::check(&serde_json::from_str(&event.body).unwrap()).unwrap();
        let name = repeat.map(str::to_owned);
        self.repeats.lock().unwrap().extend(name);
        let again = if repeat.is_some() { " again" } else { "" };
        let told = format!("{} {}{again}", event.sequence, event.kind.as_str());
        self.sent.lock().unwrap().push(told);
        Ok(())
    }
}

/// Time passes only for those who sleep.
#[derive(Clone, Default)]
pub struct SleepersClock(Arc<AtomicU64>);

impl Clock for SleepersClock {
    fn now(&self) -> Timestamp {
        let slept = Duration::from_millis(self.0.load(SeqCst));
        Timestamp::from_millis(1_800_000_000_000).after(slept)
    }

    async fn sleep(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, SeqCst);
        // Shorter, but in the same order.
        tokio::time::sleep(duration / 10).await;
    }

    fn random(&self, end: u64) -> u64 {
        SystemClock.random(end)
    }
}

/// Gate with its answers, and the paths and ids of what it got.
pub struct ScriptedGate {
    answers: Mutex<Vec<Answer>>,
    pub got: Mutex<Vec<String>>,
    /// The answer to the next question.
    status: Mutex<Option<Vec<u8>>>,
}

impl ScriptedGate {
    fn answering(answers: &[Answer]) -> Self {
        let answers = Mutex::new(answers.iter().rev().cloned().collect());
        Self {
            answers,
            got: Mutex::default(),
            status: Mutex::default(),
        }
    }

    /// Answers the next question.
    pub fn answer_next(&self, answer: String) {
        *self.status.lock().unwrap() = Some(answer.into_bytes());
    }
}

impl Gate for ScriptedGate {
    async fn post(&self, path: &'static str, body: Vec<u8>) -> Answer {
        tokio::task::yield_now().await;
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let text = |path: &[&str]| {
            message
                .at(path)
                .and_then(Value::as_text)
                .unwrap_or("-")
                .to_owned()
        };
        let id = text(&["general", "payment_id"]);
        let refund = text(&["payment", "merchant_refund_id"]);
        self.got.lock().unwrap().push(format!(
            "{path} {id} {refund} {}",
            text(&["payment", "amount"])
        ));
        // So long that others can change the payment meanwhile.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let mut answers = self.answers.lock().unwrap();
        answers
            .pop()
            .unwrap_or(Answer::Accepted { request_id: None })
    }

    async fn query(&self, path: &'static str, _: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        self.got.lock().unwrap().push(path.to_owned());
        let answer = self.status.lock().unwrap().take();
        answer.ok_or_else(|| NoAnswer("silence".into()))
    }
}

const BASE_URL: &str = "https://pay.example";

pub struct World {
    pub payments: Payments<Memory, Queue, SleepersClock>,
    pub queue: Queue,
    pub gate: ScriptedGate,
    pub keyring: Keyring,
    pub keys: ProjectKeys,
    pub tokens: TokenSecret,
}

impl World {
    pub fn with_answers(answers: &[Answer]) -> Self {
        let queue = Queue::default();
        let keyring = Keyring::new(ProjectKey::new("key").unwrap(), None);
        Self {
            payments: Payments {
                store: Memory::default(),
                queues: vec![queue.clone()],
                clock: SleepersClock::default(),
                schedule: Schedule::default(),
            },
            queue,
            gate: ScriptedGate::answering(answers),
            keys: [(ProjectId::new(211).unwrap(), keyring.clone())].into(),
            keyring,
            tokens: TokenSecret::new(&"s".repeat(32)).unwrap(),
        }
    }

    pub fn new() -> Self {
        Self::with_answers(&[])
    }

    /// One whose payment is paid.
    pub async fn paid(answers: &[Answer]) -> Self {
        let world = Self::with_answers(answers);
        world.create(&shop("shop"), 1000).await.unwrap();
        world.hear("success", "success").await;
        world
    }

    pub async fn create(
        &self,
        storefront: &Storefront,
        amount: u64,
    ) -> Result<Checkout, CheckoutError> {
        self.create_of(storefront, amount, "").await
    }

    pub async fn create_with(
        &self,
        storefront: &Storefront,
        fields: &str,
    ) -> Result<Checkout, CheckoutError> {
        self.create_of(storefront, 1000, fields).await
    }

    async fn create_of(
        &self,
        storefront: &Storefront,
        amount: u64,
        fields: &str,
    ) -> Result<Checkout, CheckoutError> {
        let body = format!(
            r#"{{"payment_id":"Order-1","amount":{amount},"currency":"EUR","return_url":"https://shop.example/",
                {fields}
                "customer":{{"id":"c","ip_address":"192.0.2.1","last_name":"Janssens"}}}}"#
        );
        let request =
            CheckoutRequest::read(body.as_bytes(), storefront, self.payments.clock.now()).unwrap();
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: BASE_URL,
        };
        checkouts.create(storefront, request).await
    }

    pub async fn hear(&self, status: &str, operation: &str) -> bool {
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"order-1","status":"{status}","sum":{{"amount":1000,"currency":"EUR"}}}},
                "operation":{{"id":7,"type":"sale","status":"{operation}","sum_initial":{{"amount":1000,"currency":"EUR"}}}}}}"#
        );
        self.hear_this(&body).await
    }

    pub async fn hear_this(&self, body: &str) -> bool {
        self.hear_of("order-1", body).await
    }

    pub async fn hear_of(&self, payment_id: &str, body: &str) -> bool {
        self.publish_of(payment_id, body).await.is_ok()
    }

    /// The events that the callback's call published.
    pub async fn published(&self, body: &str) -> Vec<EventKind> {
        self.publish_of("order-1", body).await.unwrap()
    }

    async fn publish_of(
        &self,
        payment_id: &str,
        body: &str,
    ) -> Result<Vec<EventKind>, PublishError> {
        let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
        let fact = Fact::Callback(SignedReport {
            report: &report,
            canonical: body,
        });
        self.payments
            .apply(
                &PaymentKey::new(ProjectId::new(211).unwrap(), payment_id),
                fact,
            )
            .await
            .unwrap()
            .unwrap()
            .published
    }

    pub async fn refund(&self, refund_id: &str, amount: u64) -> Result<Payment, RefundError> {
        let order = RefundOrder {
            refund_id: MerchantId::new(refund_id).unwrap(),
            amount: Some(amount),
            description: Text::new("returned").unwrap(),
            ip_address: None,
            content: amount.to_string(),
        };
        let desk = self.desk();
        desk.refund(&shop("shop"), "ORDER-1", &order).await
    }

    pub fn desk(&self) -> RefundService<'_, Memory, Queue, SleepersClock, ScriptedGate> {
        RefundService {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &self.keyring,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let clock = &self.payments.clock;
        clock.0.fetch_add(time.as_millis() as u64, SeqCst);
    }

    pub fn pass_until(&self, moment: Timestamp) {
        self.pass(moment.since(self.payments.clock.now()));
    }

    /// Waits until a status request is due, and sends it.
    pub async fn poll(&self, answer: Option<String>) -> Result<Vec<EventKind>, PollError> {
        self.pass_until(self.poll_at().await.unwrap());
        if let Some(answer) = answer {
            self.gate.answer_next(answer);
        }
        self.poller().poll(&key(), far()).await
    }

    /// When the platform is to be polled.
    pub async fn poll_at(&self) -> Option<Timestamp> {
        self.payments.schedule.poll_at(&self.payment().await)
    }

    pub fn poller(&self) -> StatusPoller<'_, Memory, Queue, SleepersClock, ScriptedGate> {
        StatusPoller {
            payments: &self.payments,
            gate: &self.gate,
            keys: &self.keys,
            tokens: &self.tokens,
            base_url: BASE_URL,
            min_interval: Duration::ZERO,
        }
    }

    pub async fn payment(&self) -> Payment {
        let stored = self.payments.store.load(&key()).await;
        stored.unwrap().unwrap().payment
    }

    pub async fn status(&self) -> Status {
        self.payment().await.status()
    }

    pub fn sent(&self) -> Vec<String> {
        self.queue.sent.lock().unwrap().clone()
    }

    /// The sales that Gate got.
    pub fn sales(&self) -> usize {
        self.requests("/sale ").len()
    }

    /// The status requests that Gate got.
    pub fn polls(&self) -> usize {
        let got = self.gate.got.lock().unwrap();
        got.iter().filter(|path| path.ends_with("/status")).count()
    }

    /// The refunds that Gate got.
    pub fn refunds(&self) -> Vec<String> {
        self.requests("/refund ")
    }

    fn requests(&self, kind: &str) -> Vec<String> {
        let got = self.gate.got.lock().unwrap();
        got.iter()
            .filter(|got| got.contains(kind))
            .cloned()
            .collect()
    }
}

pub fn key() -> PaymentKey {
    PaymentKey::new(ProjectId::new(211).unwrap(), "order-1")
}

pub fn shop(name: &str) -> Storefront {
    Storefront {
        key_id: name.into(),
        key_hash: String::new(),
        name: name.into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
        return_origins: ["https://shop.example".into()].into(),
    }
}

pub fn accepted(request_id: &str) -> Answer {
    Answer::Accepted {
        request_id: Some(request_id.into()),
    }
}

pub fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
        request_id: None,
    })
}

const ORDER: &str = r#"{"project_id":211,"payment":{"id":"ORDER-1","status":"STATUS","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}MORE]}"#;

/// The platform's signed answer: a paid sale, and what else there is.
pub fn status_answer(more: &str) -> String {
    let status = if more.is_empty() {
        "success"
    } else {
        "partially refunded"
    };
    let body = ORDER.replace("STATUS", status);
    signed(&body.replace("MORE", more), "key")
}

pub fn signed(body: &str, key: &str) -> String {
    let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
    let signature = ProjectKey::new(key)
        .unwrap()
        .sign(&signature::canonical(&message));
    let body = body.trim_end().strip_suffix('}').unwrap();
    format!(r#"{body},"signature":"{}"}}"#, signature.to_base64())
}

/// The log lines of a test of this crate. Lines go to standard output, so the test runs once more in a
/// process of its own; `None`: this is that process.
pub fn log_lines_of(test: &str) -> Option<Vec<serde_json::Value>> {
    const OBSERVED: &str = "PORTS_OBSERVED";
    if std::env::var_os(OBSERVED).is_some() {
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(OBSERVED, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    // The first line comes behind the name of the test.
    let lines = text.lines().filter_map(|line| line.get(line.find('{')?..));
    Some(
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
    )
}

/// After everything.
pub fn far() -> Timestamp {
    Timestamp::from_millis(4_000_000_000_000)
}
