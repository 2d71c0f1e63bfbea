//! Builds the use cases over fakes: a payment service whose events are routed to endpoints with scripted answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use payments::decide::Fact;
use payments::events::EventKind;
use payments::model::webhook::{
    Backlog, Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, Health, LoopbackHosts,
    MasterSecret, RetrySchedule, SecretVersions, SignedEvent,
};
use payments::ports::{
    Clock, Delivery, DeliveryMessage, DeliveryOutcome, DeliveryQueue, FirstTry, Retry, SendError,
    WebhookSender,
};
use payments::service::webhook::{
    Deliverer, FirstTried, HandedOut, Retried, RoutedEvent, Webhooks,
};
use payments::{PaymentKey, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::builders::reports::{TestReport, callback, operation};
use crate::builders::*;
use crate::fakes::behaviour::FailNext;
use crate::fakes::clock::TestClock;
use crate::fakes::gate::ScriptedGate;
use crate::fakes::store::MemoryStore;
use crate::fakes::system::TestSystem;
use crate::stores::{MemoryDeliveries, Tables};

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3_600);
/// A payment of a test.
pub const PAYMENT: &str = "order-1";

pub const OK: DeliveryOutcome = DeliveryOutcome::Delivered(200);
pub const DOWN: DeliveryOutcome = DeliveryOutcome::Refused(503);
pub const GONE: DeliveryOutcome = DeliveryOutcome::Gone;

/// An event that an endpoint received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub endpoint: String,
    /// The id of the event, such as `211/Order-1/1`.
    pub event: String,
    pub at: Timestamp,
}

type Hook = Box<dyn FnOnce() + Send>;

/// A sender with scripted answers. Without an answer, an endpoint accepts the event.
pub struct ScriptedSender {
    clock: TestClock,
    state: Mutex<SenderState>,
}

#[derive(Default)]
pub struct SenderState {
    pub posted: Vec<Posted>,
    /// The answers of the endpoints, by the host of the URL.
    pub answers: BTreeMap<String, VecDeque<DeliveryOutcome>>,
    /// The answer of an endpoint without scripted answers, by the host of the URL.
    pub usual: BTreeMap<String, DeliveryOutcome>,
    /// Runs while the next event is posted.
    pub during_next_post: Option<Hook>,
}

impl ScriptedSender {
    pub fn state(&self) -> MutexGuard<'_, SenderState> {
        self.state.lock().unwrap()
    }
}

impl WebhookSender for ScriptedSender {
    async fn send(&self, url: &EndpointUrl, event: &SignedEvent) -> DeliveryOutcome {
        self.clock.step().await;
        let body: Value = serde_json::from_str(event.body()).unwrap();
        let (hook, outcome) = {
            let mut state = self.state();
            state.posted.push(Posted {
                endpoint: url.host().to_owned(),
                event: body["id"].as_str().unwrap().to_owned(),
                at: self.clock.now(),
            });
            let scripted = state.answers.get_mut(url.host());
            let scripted = scripted.and_then(VecDeque::pop_front);
            let usual = state.usual.get(url.host()).copied().unwrap_or(OK);
            (state.during_next_post.take(), scripted.unwrap_or(usual))
        };
        if let Some(hook) = hook {
            hook();
        }
        self.clock.step().await;
        outcome
    }
}

/// A queue in memory. It delivers a message only when a test takes the message.
#[derive(Default)]
pub struct MemoryDeliveryQueue {
    pub messages: Mutex<Vec<DeliveryMessage>>,
    /// The groups whose messages are refused.
    pub broken: Mutex<Vec<String>>,
}

impl MemoryDeliveryQueue {
    pub fn take_all(&self) -> Vec<DeliveryMessage> {
        std::mem::take(&mut self.messages.lock().unwrap())
    }

    pub fn break_group(&self, group: &str) {
        self.broken.lock().unwrap().push(group.to_owned());
    }
}

impl DeliveryQueue for MemoryDeliveryQueue {
    async fn send(&self, messages: &[DeliveryMessage]) -> Vec<Result<(), SendError>> {
        tokio::task::yield_now().await;
        let broken = self.broken.lock().unwrap();
        let accept = |message: &DeliveryMessage| {
            let read: Delivery = serde_json::from_str(&message.body()).unwrap();
            assert_eq!(read, message.delivery);
            if broken.contains(&message.group) {
                return Err(SendError("the queue is down".into()));
            }
            self.messages.lock().unwrap().push(message.clone());
            Ok(())
        };
        messages.iter().map(accept).collect()
    }
}

pub struct System {
    pub payments: TestSystem<FailNext, ScriptedGate>,
    pub webhooks: Webhooks<MemoryDeliveries, MemoryDeliveries, TestClock>,
    pub sender: ScriptedSender,
    pub first_tries: MemoryDeliveryQueue,
    pub retries: MemoryDeliveryQueue,
    pub master: MasterSecret,
    /// The number of events that were routed.
    routed: Mutex<usize>,
}

pub type TestDeliverer<'a> = Deliverer<
    'a,
    MemoryDeliveries,
    MemoryDeliveries,
    TestClock,
    MemoryStore<FailNext>,
    ScriptedSender,
    MemoryDeliveryQueue,
>;

impl System {
    /// Creates a system with one endpoint `a` that wants all events.
    pub fn new() -> Self {
        let system = Self::with_seed(0);
        system.add_endpoint("a", &[]);
        system
    }

    pub fn with_seed(seed: u64) -> Self {
        let clock = TestClock::new(seed);
        let gate = ScriptedGate::new(&[]);
        Self {
            payments: TestSystem::new(FailNext::default(), clock.clone(), &[|_| true], gate),
            webhooks: Webhooks {
                endpoints: MemoryDeliveries::new(clock.clone()),
                deliveries: MemoryDeliveries::new(clock.clone()),
                clock: clock.clone(),
                schedule: RetrySchedule::default(),
            },
            sender: ScriptedSender {
                clock,
                state: Mutex::default(),
            },
            first_tries: MemoryDeliveryQueue::default(),
            retries: MemoryDeliveryQueue::default(),
            master: MasterSecret::new(&"m".repeat(32)).unwrap(),
            routed: Mutex::default(),
        }
    }

    pub fn deliverer(&self) -> TestDeliverer<'_> {
        Deliverer {
            webhooks: &self.webhooks,
            payments: &self.payments.payments.store,
            sender: &self.sender,
            retries: &self.retries,
            master: &self.master,
        }
    }

    pub fn clock(&self) -> &TestClock {
        &self.webhooks.clock
    }

    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    pub fn pass(&self, time: Duration) {
        self.clock().pass(time);
    }

    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.webhooks.deliveries.tables()
    }

    /// Registers an endpoint of the storefront `shop`.
    pub fn add_endpoint(&self, id: &str, types: &[&str]) {
        let endpoint = Endpoint {
            key: endpoint_key(id),
            url: EndpointUrl::parse(&format!("https://{id}.example/"), LoopbackHosts::Refused)
                .unwrap(),
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            secrets: SecretVersions::FIRST,
            created_at: self.now(),
        };
        let mut tables = self.webhooks.endpoints.tables();
        tables.endpoints.insert(endpoint.key.clone(), endpoint);
    }

    pub fn remove_endpoint(&self, id: &str) {
        self.webhooks
            .endpoints
            .tables()
            .endpoints
            .remove(&endpoint_key(id));
    }

    pub fn answers(&self, id: &str, answers: &[DeliveryOutcome]) {
        let mut state = self.sender.state();
        let scripted = state.answers.entry(format!("{id}.example")).or_default();
        scripted.extend(answers);
    }

    pub fn usually(&self, id: &str, answer: DeliveryOutcome) {
        self.sender
            .state()
            .usual
            .insert(format!("{id}.example"), answer);
    }

    pub fn set_health(&self, id: &str, health: Health) {
        self.tables().health.insert(endpoint_id(id), health);
    }

    pub fn health(&self, id: &str) -> Health {
        let health = self.tables().health.get(&endpoint_id(id)).cloned();
        health.unwrap_or_default()
    }

    /// Returns the backlog of [`PAYMENT`] for the endpoint `a`.
    pub fn backlog(&self) -> Option<Backlog> {
        self.tables()
            .backlogs
            .get(&(endpoint_id("a"), key(PAYMENT)))
            .cloned()
    }

    /// Returns the first and the last waiting event of [`PAYMENT`], and the failures of the first.
    pub fn waiting(&self) -> Option<(u64, u64, u32)> {
        self.backlog()
            .map(|item| (item.next, item.through, item.failures))
    }

    pub fn put_backlog(&self, payment_id: &str, item: Backlog) {
        let mut tables = self.tables();
        let now = self.now();
        tables.listed.insert(endpoint_key("a"), now);
        tables
            .backlogs
            .insert((endpoint_id("a"), key(payment_id)), item);
    }

    /// Returns the numbers of the dead letters of [`PAYMENT`] for the endpoint `a`, with their errors.
    pub fn dead_letters(&self) -> Vec<(u64, String)> {
        let tables = self.tables();
        let letters = tables.dead_letters.values();
        letters
            .map(|letter| (letter.sequence, letter.error.clone()))
            .collect()
    }

    /// Returns the numbers of the events of a payment that an endpoint received, in order and with repeats.
    pub fn posted_of(&self, id: &str, payment_id: &str) -> Vec<u64> {
        let state = self.sender.state();
        let host = format!("{id}.example");
        let of_endpoint = state.posted.iter().filter(|posted| posted.endpoint == host);
        let numbers = of_endpoint.filter_map(|posted| {
            let (payment, number) = posted.event.rsplit_once('/')?;
            let is_of = payment.to_ascii_lowercase() == key(payment_id).to_string();
            is_of.then(|| number.parse().unwrap())
        });
        numbers.collect()
    }

    /// The same as [`Self::posted_of`], for [`PAYMENT`] and the endpoint `a`.
    pub fn posted(&self) -> Vec<u64> {
        self.posted_of("a", PAYMENT)
    }

    /// Emits `count` events of a payment of the storefront `shop`. The first is `payment.created`, the second
    /// `payment.succeeded`, and the others `refund.succeeded`.
    pub async fn emit(&self, payment_id: &str, count: u64) {
        self.emit_for("shop", payment_id, count).await;
    }

    pub async fn emit_for(&self, shop: &str, payment_id: &str, count: u64) {
        let known = self.sequence(payment_id);
        for number in known + 1..=known + count {
            match number {
                1 => {
                    let request = checkout_request(payment_id);
                    self.payments
                        .create(&storefront(shop), &request)
                        .await
                        .unwrap();
                }
                2 => {
                    self.deliver(payment_id, "success", "sale", 1_000, number)
                        .await
                }
                _ => {
                    self.deliver(payment_id, "partially refunded", "refund", 1, number)
                        .await
                }
            }
            assert_eq!(self.sequence(payment_id), number);
        }
    }

    async fn deliver(&self, payment_id: &str, status: &str, kind: &str, amount: u64, number: u64) {
        let operation = operation(&number.to_string(), kind, "success", amount);
        let left = if kind == "sale" {
            1_000
        } else {
            1_002 - number
        };
        let body = callback(payment_id, status, left, operation);
        let report = TestReport::read(&body);
        let fact: Fact<'_> = report.callback();
        let applied = self.payments.apply(payment_id, fact).await.unwrap();
        applied.unwrap().published.unwrap();
    }

    fn sequence(&self, payment_id: &str) -> u64 {
        let tables = self.payments.tables();
        let stored = tables.payments.get(&key(payment_id));
        stored.map_or(0, |stored| stored.payment.sequence())
    }

    /// Returns the events that were published since the last call.
    pub fn published(&self) -> Vec<RoutedEvent> {
        let sent = self.payments.payments.queues[0].sent();
        let mut routed = self.routed.lock().unwrap();
        let new = sent.iter().skip(*routed).map(|sent| {
            let event = &sent.event;
            let tables = self.payments.tables();
            let payment = &tables.payments[&event.key].payment;
            RoutedEvent {
                payment: event.key.clone(),
                storefront: payment.order().map(|order| order.storefront.clone()),
                sequence: event.sequence,
                kind: event.kind.as_str().to_owned(),
                deduplication_id: event.message_deduplication_id(sent.repeat.as_deref()),
            }
        });
        let new: Vec<RoutedEvent> = new.collect();
        *routed += new.len();
        new
    }

    /// Routes the published events. Returns the first tries.
    pub async fn route(&self) -> Vec<FirstTry> {
        let (failed, failure) = self
            .webhooks
            .route(&self.published(), &self.first_tries)
            .await;
        assert_eq!((failed.len(), failure), (0, None));
        self.take_first_tries()
    }

    pub fn take_first_tries(&self) -> Vec<FirstTry> {
        let messages = self.first_tries.take_all().into_iter();
        let tries = messages.map(|message| match message.delivery {
            Delivery::FirstTry(first_try) => first_try,
            other => panic!("{other:?}"),
        });
        tries.collect()
    }

    /// Routes the published events, and makes the first tries at once.
    pub async fn first_tries(&self) -> Vec<FirstTried> {
        let mut results = Vec::new();
        for first_try in self.route().await {
            let tried = self.deliverer().first_try(&first_try, self.now()).await;
            results.push(tried.unwrap());
        }
        results
    }

    pub fn take_retries(&self) -> Vec<Retry> {
        let messages = self.retries.take_all().into_iter();
        let retries = messages.map(|message| match message.delivery {
            Delivery::Retry(retry) => retry,
            other => panic!("{other:?}"),
        });
        retries.collect()
    }

    pub async fn hand_out(&self) -> HandedOut {
        self.webhooks.hand_out(&self.retries, in_a_minute()).await
    }

    /// Hands out the due retries and makes them.
    pub async fn run(&self) -> Retried {
        self.hand_out().await;
        self.make_retries().await
    }

    /// Makes the retries whose messages were sent.
    pub async fn make_retries(&self) -> Retried {
        let mut all = Retried::default();
        for retry in self.take_retries() {
            let retried = self.deliverer().retry(&retry, in_a_minute()).await;
            all.delivered += retried.delivered;
            all.failed += retried.failed;
            all.given_up += retried.given_up;
            all.skipped += retried.skipped;
            all.late += retried.late;
            all.errors += retried.errors;
        }
        all
    }

    /// Waits until the backlog of [`PAYMENT`] is due, hands it out and retries it.
    pub async fn run_when_due(&self) -> Retried {
        let due = self.backlog().unwrap().due;
        self.pass(due.since(self.now()) + SECOND);
        self.run().await
    }
}

pub fn endpoint_id(id: &str) -> EndpointId {
    EndpointId::new(id).unwrap()
}

pub fn endpoint_key(id: &str) -> EndpointKey {
    EndpointKey {
        owner: EndpointOwner {
            project_id: project(),
            storefront: "shop".into(),
        },
        id: endpoint_id(id),
    }
}

pub fn payment(payment_id: &str) -> PaymentKey {
    key(payment_id)
}

pub fn first_try(sequence: u64) -> FirstTry {
    FirstTry {
        endpoint: endpoint_key("a"),
        payment_id: PAYMENT.into(),
        sequence,
    }
}

/// Returns a deadline that no test reaches.
pub fn in_a_minute() -> Instant {
    Instant::now() + MINUTE
}

pub fn created() -> &'static str {
    EventKind::PaymentCreated.as_str()
}
