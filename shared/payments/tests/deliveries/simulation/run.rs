//! Makes one random run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use payments::model::webhook::{EndpointState, MasterSecret};
use payments::ports::{Clock, Delivery, DeliveryOutcome, DeliveryStore};
use payments::service::webhook::{Deliverer, FirstTried, RoutedEvent};
use payments::{PaymentKey, Timestamp};

use super::Counts;
use super::faults::Faults;
use super::queues::{FaultyQueue, Fifo, Received};
use crate::system::*;

/// The endpoints and the types that they want. The names say what the endpoints do.
const ENDPOINTS: [(&str, &[&str]); 4] = [
    ("good", &[]),
    ("flaky", &[]),
    ("picky", &["payment.succeeded", "refund.succeeded"]),
    ("leaving", &[]),
];
const PAYMENTS: u64 = 6;
const MAX_EVENTS: u64 = 6;
const STEPS: u64 = 220;

/// The cases that all runs together must have.
pub const CASES: [&str; 14] = [
    "emitted",
    "repeated",
    "delivered",
    "failed",
    "waiting",
    "switched off",
    "retried",
    "given up",
    "lost claims",
    "crashed first tries",
    "crashed retries",
    "crashed runs",
    "switched on",
    "breakers",
];

pub struct Run {
    pub system: System,
    pub faults: Arc<Faults>,
    pub events: Fifo<RoutedEvent>,
    pub first_tries: FaultyQueue,
    pub retries: FaultyQueue,
    pub master: MasterSecret,
    pub counts: Counts,
    pub start: Timestamp,
    emitted: BTreeMap<PaymentKey, u64>,
    all: Vec<RoutedEvent>,
    pub removed: BTreeSet<&'static str>,
    /// The events that were ever given up, each as endpoint, payment and number.
    pub given_up: BTreeSet<(String, PaymentKey, u64)>,
    last_run: Timestamp,
}

impl Run {
    pub async fn new(seed: u64) -> Self {
        let system = System::with_seed(seed);
        for (id, types) in ENDPOINTS {
            system.add_endpoint(id, types);
        }
        let clock = system.clock().clone();
        let faults = Arc::new(Faults::new(clock.clone()));
        let queue = |delay| FaultyQueue {
            queue: Fifo::new(clock.clone(), delay),
            faults: faults.clone(),
        };
        Self {
            events: Fifo::new(clock.clone(), Duration::ZERO),
            first_tries: queue(Duration::ZERO),
            retries: queue(SECOND * 5),
            faults: faults.clone(),
            master: MasterSecret::new(&"m".repeat(32)).unwrap(),
            counts: Counts::new(),
            start: system.now(),
            last_run: system.now(),
            system,
            emitted: BTreeMap::new(),
            all: Vec::new(),
            removed: BTreeSet::new(),
            given_up: BTreeSet::new(),
        }
    }

    fn random(&self, end: u64) -> u64 {
        self.system.clock().random(end)
    }

    pub fn count(&mut self, name: &'static str, count: u64) {
        *self.counts.entry(name).or_default() += count;
    }

    pub fn all_events(&self) -> &[RoutedEvent] {
        &self.all
    }

    /// Returns the ids of the endpoints that are not removed, with the types that they want.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> + '_ {
        let all = ENDPOINTS.into_iter();
        all.filter(|(id, _)| !self.removed.contains(id))
    }

    pub async fn with_faults(&mut self) {
        for _ in 0..STEPS {
            match self.random(16) {
                0 | 1 => self.emit().await,
                2 => self.repeat(),
                3..=5 => self.route().await,
                6..=11 => self.deliver().await,
                12 => self.change_an_endpoint(),
                13 => self.operate().await,
                _ => self.pass_some_time(),
            }
            if self.system.now().since(self.last_run) >= MINUTE {
                self.hand_out().await;
            }
            self.check_step();
        }
        if self.random(4) == 0 {
            self.outage().await;
        }
    }

    /// Lets two endpoints fail for days, so that events are given up.
    async fn outage(&mut self) {
        for id in ["flaky", "picky"] {
            self.system.usually(id, DOWN);
        }
        for _ in 0..80 {
            self.emit().await;
            self.route().await;
            self.deliver().await;
            self.hand_out().await;
            self.system.pass(SECOND * 6);
            self.deliver().await;
            self.system.pass(HOUR);
            self.check_step();
        }
    }

    /// Ends all faults, and works until nothing is left to do.
    pub async fn without_faults(&mut self) {
        self.faults.stop();
        for (id, _) in ENDPOINTS {
            self.system.usually(id, OK);
            self.system.sender.state().answers.clear();
        }
        for (id, _) in self.endpoints().collect::<Vec<_>>() {
            if self.system.health(id).state != EndpointState::Enabled {
                self.enable(id).await;
            }
        }
        self.settle().await;
        self.check_end();
        for (id, _) in self.endpoints().collect::<Vec<_>>() {
            let (webhooks, key) = (&self.system.webhooks, endpoint_key(id));
            webhooks.redeliver(&key, None).await.unwrap();
        }
        self.settle().await;
        self.check_all_delivered();
    }

    async fn settle(&mut self) {
        for _ in 0..2_000 {
            self.route().await;
            self.deliver().await;
            self.check_step();
            let tries = self.events.len() + self.first_tries.queue.len();
            if tries + self.retries.queue.len() > 0 {
                self.system.pass(SECOND * 6);
                continue;
            }
            let Some(due) = self.next_due() else {
                return;
            };
            self.system.pass(due.since(self.system.now()) + SECOND);
            self.hand_out().await;
        }
        panic!("the run does not end");
    }

    /// Returns the earliest time at which a backlog is due. Leaves out the backlogs of removed endpoints.
    fn next_due(&self) -> Option<Timestamp> {
        let ids: BTreeSet<&str> = self.endpoints().map(|(id, _)| id).collect();
        let tables = self.system.tables();
        let items = tables.backlogs.iter();
        let of_endpoints = items.filter(|((id, _), _)| ids.contains(id.as_str()));
        of_endpoints.map(|(_, item)| item.due).min()
    }

    async fn emit(&mut self) {
        let id = format!("order-{}", self.random(PAYMENTS));
        let emitted = self.emitted.entry(payment(&id)).or_default();
        if *emitted == MAX_EVENTS {
            return;
        }
        let count = 1 + self.system.clock().random((MAX_EVENTS - *emitted).min(2));
        *emitted += count;
        self.system.emit(&id, count).await;
        for event in self.system.published() {
            let group = event.payment.to_string();
            self.events
                .push(&group, &event.deduplication_id, event.clone());
            self.all.push(event);
        }
        self.count("emitted", count);
    }

    /// Sends an event again: with the same deduplication id as after a crash of the outbox, or with a new one as after
    /// a republish.
    fn repeat(&mut self) {
        if self.all.is_empty() {
            return;
        }
        let number = usize::try_from(self.random(self.all.len() as u64)).unwrap();
        let mut event = self.all[number].clone();
        if self.random(2) == 0 {
            event.deduplication_id += &self.random(u64::MAX).to_string();
        }
        let group = event.payment.to_string();
        self.events
            .push(&group, &event.deduplication_id, event.clone());
        self.count("repeated", 1);
    }

    async fn route(&mut self) {
        let mut batch = self.events.receive(4);
        batch.extend(self.events.receive(4));
        let events: Vec<RoutedEvent> = batch.iter().map(|one| one.content.clone()).collect();
        let routed = self.system.webhooks.route(&events, &self.first_tries);
        if let Some((failed, _)) = self.faults.run(routed).await {
            let done = batch.iter().enumerate();
            for (_, message) in done.filter(|(number, _)| !failed.contains(number)) {
                self.events.delete(message.id);
            }
        }
    }

    /// Delivers some messages at the same time.
    async fn deliver(&mut self) {
        let off: BTreeSet<String> = self
            .endpoints()
            .filter(|(id, _)| {
                matches!(self.system.health(id).state, EndpointState::Disabled { .. })
            })
            .map(|(id, _)| id.to_owned())
            .chain(self.removed.iter().map(|id| (*id).to_owned()))
            .collect();
        let posted = self.system.sender.state().posted.len();
        let first_tries: Vec<Received<Delivery>> = (0..4)
            .flat_map(|_| self.first_tries.queue.receive(1))
            .collect();
        let retries: Vec<Received<Delivery>> =
            (0..3).flat_map(|_| self.retries.queue.receive(1)).collect();
        let deliverer = Deliverer {
            webhooks: &self.system.webhooks,
            payments: &self.system.payments.payments.store,
            sender: &self.system.sender,
            retries: &self.retries,
            master: &self.master,
        };
        let tries = first_tries.iter().map(async |message| {
            let Delivery::FirstTry(first_try) = &message.content else {
                panic!("{message:?}");
            };
            let tried = deliverer.first_try(first_try, message.sent_at);
            self.faults.run(tried).await.map(Result::unwrap)
        });
        let again = retries.iter().map(async |message| {
            let Delivery::Retry(retry) = &message.content else {
                panic!("{message:?}");
            };
            let retried = deliverer.retry(retry, in_a_minute());
            self.faults.run(retried).await
        });
        let (tried, retried) = tokio::join!(join_all(tries), join_all(again));
        for (message, tried) in first_tries.iter().zip(tried) {
            let name = match tried {
                Some(FirstTried::Delivered) => "delivered",
                Some(FirstTried::Failed) => "failed",
                Some(FirstTried::Waiting) => "waiting",
                Some(FirstTried::SwitchedOff) => "switched off",
                Some(FirstTried::Nothing) => "nothing",
                Some(FirstTried::GivenUp) => "unreadable",
                None => "crashed first tries",
            };
            self.count(name, 1);
            if tried.is_some() {
                self.first_tries.queue.delete(message.id);
            }
        }
        for (message, retried) in retries.iter().zip(retried) {
            let Some(retried) = retried else {
                self.count("crashed retries", 1);
                continue;
            };
            assert_eq!(retried.errors, 0);
            self.count("retried", retried.delivered);
            self.count("lost claims", retried.skipped);
            self.retries.queue.delete(message.id);
        }
        self.check_none_posted_to(&off, posted);
    }

    async fn hand_out(&mut self) {
        self.last_run = self.system.now();
        let run = self.system.webhooks.hand_out(&self.retries, in_a_minute());
        match self.faults.run(run).await {
            Some(run) => self.count("breakers", run.breakers_open),
            None => self.count("crashed runs", 1),
        }
    }

    fn pass_some_time(&mut self) {
        let time = match self.random(20) {
            0 => HOUR * 3,
            1..=3 => MINUTE * 20,
            4..=8 => MINUTE,
            _ => SECOND * 2,
        };
        self.system.pass(time);
    }

    fn change_an_endpoint(&mut self) {
        match self.random(12) {
            0 => self.system.answers("leaving", &[GONE]),
            1 if self.random(4) == 0 => self.system.answers("picky", &[GONE]),
            2 if self.random(20) == 0 => {
                self.system.remove_endpoint("leaving");
                self.removed.insert("leaving");
            }
            3..=6 => self.system.usually("flaky", DOWN),
            7 => self.system.usually("flaky", DeliveryOutcome::Timeout),
            8 => self.system.usually("flaky", OK),
            9 => self.system.answers("good", &[DeliveryOutcome::Cut]),
            _ => self
                .system
                .answers("picky", &[DOWN, DOWN, DeliveryOutcome::Dns]),
        }
    }

    async fn operate(&mut self) {
        let endpoints: Vec<_> = self.endpoints().map(|(id, _)| id).collect();
        let id = endpoints[usize::try_from(self.random(endpoints.len() as u64)).unwrap()];
        let off = self.system.health(id).state != EndpointState::Enabled;
        match self.random(3) {
            0 if off => self.enable(id).await,
            1 if self.random(6) == 0 => {
                let (deliveries, now) = (&self.system.webhooks.deliveries, self.system.now());
                let reason = "moved".to_owned();
                let by = payments::model::webhook::DisabledBy::Operator { reason };
                deliveries.disable(&endpoint_id(id), now, by).await.unwrap();
            }
            _ => {
                let (webhooks, key) = (&self.system.webhooks, endpoint_key(id));
                self.faults.run(webhooks.redeliver(&key, None)).await;
            }
        }
    }

    /// Switches an endpoint on, and sends all events again.
    async fn enable(&mut self, id: &str) {
        let (webhooks, key) = (&self.system.webhooks, endpoint_key(id));
        let store = &self.system.payments.payments.store;
        let enabled = webhooks.enable(store, &key, Some(self.start));
        if self.faults.run(enabled).await.is_some() {
            self.count("switched on", 1);
        }
    }
}
