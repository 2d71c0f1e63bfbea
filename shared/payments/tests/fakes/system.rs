//! Builds the use cases with a fake behind each port.

use std::sync::MutexGuard;

use ecommpay::Keyring;
use payments::decide::Fact;
use payments::events::EventKind;
use payments::model::Payment;
use payments::model::schedule::Schedule;
use payments::model::storefront::Storefront;
use payments::ports::{Clock, Gate, Work};
use payments::service::apply::Applied;
use payments::service::checkout::token::TokenSecret;
use payments::service::checkout::{Checkout, CheckoutError, CheckoutRequest, CheckoutService};
use payments::service::error::ApplyError;
use payments::service::project_keys::ProjectKeys;
use payments::service::refund::{RefundError, RefundService};
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::Sweeper;
use payments::service::sweep::batch_run::BatchRun;
use payments::{Payments, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::clock::TestClock;
use super::queue::MemoryQueue;
use super::store::{MemoryStore, Tables};
use super::work_queue::MemoryWorkQueue;
use crate::builders::*;

const BASE_URL: &str = "https://pay.example";

/// The use cases with fakes. `P` is the platform: a Gate, or the platform records.
pub struct TestSystem<B, P> {
    pub payments: Payments<MemoryStore<B>, MemoryQueue<B>, TestClock>,
    pub platform: P,
    pub keyring: Keyring,
    pub keys: ProjectKeys,
    pub tokens: TokenSecret,
    pub work_queue: MemoryWorkQueue<B>,
    pub polls_per_second: usize,
}

impl<B: Behaviour + Clone, P> TestSystem<B, P> {
    /// `wants` has one function for each queue. The function returns whether the queue receives events of a type.
    pub fn new(
        behaviour: B,
        clock: TestClock,
        wants: &[fn(EventKind) -> bool],
        platform: P,
    ) -> Self {
        let queues = wants.iter().enumerate();
        let queue = |(number, wants): (usize, &fn(EventKind) -> bool)| {
            MemoryQueue::new(number, *wants, behaviour.clone())
        };
        Self {
            payments: Payments {
                queues: queues.map(queue).collect(),
                store: MemoryStore::new(behaviour.clone()),
                clock,
                schedule: Schedule::default(),
            },
            platform,
            keyring: keyring(),
            keys: project_keys(&[211]),
            tokens: TokenSecret::new(&"s".repeat(32)).unwrap(),
            work_queue: MemoryWorkQueue::new(behaviour),
            polls_per_second: 20,
        }
    }

    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.payments.store.tables()
    }

    pub fn behaviour(&self) -> &B {
        &self.payments.store.behaviour
    }

    pub fn clock(&self) -> &TestClock {
        &self.payments.clock
    }

    pub fn now(&self) -> Timestamp {
        self.payments.clock.now()
    }

    pub fn payment(&self, payment_id: &str) -> Payment {
        self.tables().payments[&key(payment_id)].payment.clone()
    }

    pub async fn apply(
        &self,
        payment_id: &str,
        fact: Fact<'_>,
    ) -> Result<Option<Applied>, ApplyError> {
        self.payments.apply(&key(payment_id), fact).await
    }
}

impl<B: Behaviour, P: Gate + Sync> TestSystem<B, P> {
    pub async fn create(
        &self,
        storefront: &Storefront,
        request: &Value,
    ) -> Result<Checkout, CheckoutError> {
        let now = self.payments.clock.now();
        let body = request.to_string();
        let request = CheckoutRequest::read(body.as_bytes(), storefront, now).unwrap();
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.platform,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: BASE_URL,
        };
        checkouts.create(storefront, request).await
    }

    pub async fn refund(
        &self,
        payment_id: &str,
        refund_id: &str,
        amount: Option<u64>,
    ) -> Result<Payment, RefundError> {
        let order = refund_order(refund_id, amount);
        let refunds = self.refunds();
        refunds
            .refund(&storefront("shop"), payment_id, &order)
            .await
    }

    pub fn refunds(&self) -> RefundService<'_, MemoryStore<B>, MemoryQueue<B>, TestClock, P> {
        RefundService {
            payments: &self.payments,
            gate: &self.platform,
            keyring: &self.keyring,
        }
    }

    pub fn poller(&self) -> StatusPoller<'_, MemoryStore<B>, MemoryQueue<B>, TestClock, P> {
        StatusPoller {
            payments: &self.payments,
            gate: &self.platform,
            keys: &self.keys,
            tokens: &self.tokens,
            base_url: BASE_URL,
        }
    }

    pub fn sweeper(
        &self,
    ) -> Sweeper<'_, MemoryStore<B>, MemoryQueue<B>, TestClock, MemoryWorkQueue<B>> {
        Sweeper {
            payments: &self.payments,
            queue: &self.work_queue,
            polls_per_second: self.polls_per_second,
        }
    }

    pub async fn hand_out_polls(&self, deadline: Instant) -> BatchRun {
        let projects = self.keys.keys().copied();
        let swept = self.sweeper().hand_out_polls(projects, deadline).await;
        swept.polled
    }

    /// Does the work of a message, as the worker does.
    pub async fn work(&self, work: Work, deadline: Instant) -> BatchRun {
        match work {
            Work::Poll { payments, until } => {
                self.poller().poll_all(payments, until, deadline).await
            }
            Work::Publish { payments } => self.payments.publish_all(payments, deadline).await,
            Work::Expire { payments } => self.payments.expire_all(payments, deadline).await,
            Work::Erase { payments } => self.payments.erase_all(payments, deadline).await,
            Work::Part { .. } | Work::Unknown => BatchRun::EMPTY,
        }
    }

    pub async fn work_all(&self, deadline: Instant) -> BatchRun {
        let mut worked = BatchRun::EMPTY;
        while let Some(message) = self.work_queue.take() {
            worked.add(self.work(message.work, deadline).await);
        }
        worked
    }
}
