//! Builds the use cases with the simulated platform, and defines the calls that the jobs make. If a call returns
//! `false`, the caller must repeat the call.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::report::Sum;
use payments::PaymentKey;
use payments::decide::Fact;
use payments::model::{Payment, PlatformRecord};
use payments::ports::{PaymentStore, StoreError};
use payments::service::checkout::CheckoutError;
use payments::service::clarification::{ClarificationError, MAX_TRIES, clarify};
use payments::service::refund::RefundError;
use payments::service::review::ReviewError;
use serde_json::json;
use tokio::time::Instant;

use crate::builders::*;
use crate::fakes::clock::TestClock;
use crate::fakes::system::TestSystem;
use crate::faults::{QUEUES, RandomFaults};
use crate::platform::{Message, Platform};

pub type System = TestSystem<RandomFaults, Platform>;

pub fn order_key(number: u64) -> PaymentKey {
    key(&format!("order-{number}"))
}

/// Returns a deadline that no run reaches.
pub fn in_an_hour() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

impl System {
    pub fn with_seed(seed: u64) -> Self {
        let clock = TestClock::new(seed);
        let faults = RandomFaults::new(clock.clone());
        let platform = Platform::new(clock.clone(), faults.clone());
        Self::new(faults, clock, &QUEUES, platform)
    }

    /// Hands out the polls that are due, and does the work of all messages. The queue can lose a message or deliver a
    /// message twice.
    pub async fn hand_out_and_poll(&self) -> bool {
        let mut failed = self.hand_out_polls(in_an_hour()).await.failed;
        while let Some(message) = self.work_queue.take() {
            let deliveries = match self.behaviour() {
                faults if faults.happens(10) => 0,
                faults if faults.happens(4) => 2,
                _ => 1,
            };
            for _ in 0..deliveries {
                let worked = self.work(message.work.clone(), in_an_hour()).await;
                failed += worked.failed;
            }
        }
        failed == 0
    }

    async fn load(&self, number: u64) -> Result<Option<Payment>, StoreError> {
        let stored = self.payments.store.load(&order_key(number)).await?;
        Ok(stored.map(|stored| stored.payment))
    }

    pub async fn create_payment(&self, number: u64, channel: &str) -> bool {
        let mut request = checkout_request(&format!("Order-{number}"));
        // Payments 0 and 1 pay the same order, payments 2 and 3 pay the next order, and so on.
        request["order_id"] = json!((number / 2).to_string());
        request["channel"] = json!(channel);
        match self.create(&storefront("shop"), &request).await {
            Ok(_) | Err(CheckoutError::Refused(_)) => true,
            Err(CheckoutError::Conflict) => {
                let tables = self.tables();
                let stored = tables.payments.get(&order_key(number));
                let is_external = stored.is_some_and(|stored| stored.payment.order().is_none());
                assert!(is_external, "the same order must not conflict");
                true
            }
            Err(CheckoutError::Rejected(_) | CheckoutError::Unavailable(_)) => false,
        }
    }

    pub async fn refund_payment(&self, number: u64, refund: u64, amount: Option<u64>) -> bool {
        let (payment_id, refund_id) = (format!("order-{number}"), format!("r-{refund}"));
        let refunded = self.refund(&payment_id, &refund_id, amount).await;
        !matches!(refunded, Err(RefundError::Unavailable(_)))
    }

    async fn apply_and_publish(&self, payment_id: &str, fact: Fact<'_>) -> bool {
        match self.apply(payment_id, fact).await {
            Ok(applied) => applied.is_none_or(|applied| applied.published.is_ok()),
            Err(_) => false,
        }
    }

    pub async fn deliver(&self, message: &Message) -> bool {
        self.apply_and_publish(&message.payment_id, message.fact())
            .await
    }

    pub async fn review(&self, number: u64, is_release: bool) -> bool {
        let items = match self.load(number).await {
            Ok(Some(payment)) => payment.quarantine(),
            Ok(None) => return true,
            Err(_) => return false,
        };
        let key = order_key(number);
        let reviewed = match is_release {
            true => self.payments.release(&key, "anna", &items).await,
            false => self.refunds().reject(&key, "anna", &items).await,
        };
        !matches!(reviewed, Err(ReviewError::Unavailable(_)))
    }

    /// Answers a clarification request of a refund as the merchant.
    pub async fn clarify_refund(&self, number: u64) -> bool {
        let payment = match self.load(number).await {
            Ok(Some(payment)) => payment,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let mut refunds = payment.refunds().iter();
        let request = refunds.find_map(|refund| payment.clarification_request_of(refund));
        if request.is_none() {
            return true;
        }
        let answers = [("account.number".to_owned(), text("1"))];
        let (gate, keyring) = (&self.platform, &self.keyring);
        let payments = &self.payments;
        let sent = clarify(
            payments, gate, keyring, &payment, request, &answers, MAX_TRIES,
        );
        !matches!(sent.await, Err(ClarificationError::Unavailable(_)))
    }

    /// Compares one operation of the platform with our records. If `is_missing` is true, the platform records seem to
    /// lack the operation.
    pub async fn compare(&self, number: u64, is_missing: bool) -> bool {
        let accounts = self.platform.accounts();
        let operations = accounts.iter().flat_map(|(payment_id, account)| {
            let operations = account.operations.iter();
            operations.map(move |operation| (payment_id, operation))
        });
        let operations = Vec::from_iter(operations);
        if operations.is_empty() {
            return true;
        }
        let index = usize::try_from(number).unwrap() % operations.len();
        let (payment_id, operation) = operations[index];
        let listed = ListedOperation {
            project_id: Some(211),
            operation_id: operation.id.to_string(),
            payment_id: payment_id.clone(),
            kind: operation.kind.into(),
            status: operation.status.into(),
            sum_initial: Some(Sum {
                amount: operation.amount,
                currency: "EUR".into(),
            }),
        };
        let record = match is_missing {
            true => PlatformRecord::Missing(&listed.operation_id),
            false => PlatformRecord::Listed(&listed),
        };
        let project_id = project();
        let fact = Fact::PlatformRecord { project_id, record };
        self.apply_and_publish(payment_id, fact).await
    }
}
