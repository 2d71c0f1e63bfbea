//! Builds the use cases with a scripted Gate, and defines the steps that the tests of this crate share.

use std::process::Command;
use std::time::Duration;

use ecommpay::answer::Answer;
use payments::Timestamp;
use payments::events::EventKind;
use payments::model::storefront::Storefront;
use payments::model::{Payment, Status};
use payments::service::checkout::{Checkout, CheckoutError};
use payments::service::error::PublishError;
use payments::service::refund::RefundError;
use payments::service::status_poll::PollError;
use serde_json::Value;
use tokio::time::Instant;

use crate::builders::reports::{
    TestReport, callback, operation, sign, status_answer, without_content,
};
use crate::builders::*;
use crate::fakes::behaviour::FailNext;
use crate::fakes::clock::TestClock;
use crate::fakes::gate::ScriptedGate;
use crate::fakes::system::TestSystem;

/// The payment of most tests. The tests create this payment as `Order-1`, and so also show that ids are compared
/// without case.
pub const PAYMENT: &str = "order-1";
pub const MINUTE: Duration = Duration::from_secs(60);
pub const DAY: Duration = Duration::from_secs(24 * 3_600);

pub type System = TestSystem<FailNext, ScriptedGate>;

impl System {
    pub fn empty() -> Self {
        Self::with_answers(&[])
    }

    /// `answers` are Gate's answers to the first sales, refunds and clarifications. Gate accepts all later requests.
    pub fn with_answers(answers: &[Answer]) -> Self {
        let gate = ScriptedGate::new(answers);
        Self::new(FailNext::default(), TestClock::new(0), &[|_| true], gate)
    }

    pub async fn created(answers: &[Answer]) -> Self {
        let system = Self::with_answers(answers);
        system
            .create_order(&storefront("shop"), 1000)
            .await
            .unwrap();
        system
    }

    /// Creates a payment of 10.00 EUR, and delivers a callback that reports the payment as paid.
    pub async fn paid(answers: &[Answer]) -> Self {
        let system = Self::created(answers).await;
        assert!(system.sale_succeeds().await);
        system
    }

    /// Creates a payment with a link to Payment Page. No shopper uses the link.
    pub async fn with_link() -> Self {
        let system = Self::empty();
        let mut request = checkout_request("Order-1");
        request["channel"] = "payment_page".into();
        system.create(&storefront("shop"), &request).await.unwrap();
        system
    }

    pub async fn create_order(
        &self,
        storefront: &Storefront,
        amount: u64,
    ) -> Result<Checkout, CheckoutError> {
        let mut request = checkout_request("Order-1");
        request["amount"] = amount.into();
        self.create(storefront, &request).await
    }

    /// Delivers a callback. Returns the events that the call published.
    pub async fn deliver(&self, body: &Value) -> Result<Vec<EventKind>, PublishError> {
        let report = TestReport::read(body);
        let payment_id = body["payment"]["id"].as_str().unwrap();
        let applied = self.apply(payment_id, report.callback()).await;
        applied.unwrap().unwrap().published
    }

    /// Delivers a callback. Returns whether the callback is acknowledged.
    pub async fn callback(&self, body: &Value) -> bool {
        self.deliver(body).await.is_ok()
    }

    pub async fn sale_succeeds(&self) -> bool {
        self.callback(&sale("success", "success")).await
    }

    /// Delivers a report that causes a recheck.
    pub async fn recheck(&self, project: u64, payment_id: &str) {
        let report = without_content(project, payment_id);
        let project = ecommpay::fields::ProjectId::new(project).unwrap();
        let key = payments::PaymentKey::new(project, payment_id);
        let applied = self.payments.apply(&key, report.hint()).await;
        applied.unwrap().unwrap();
    }

    pub async fn refund_order(&self, refund_id: &str, amount: u64) -> Result<Payment, RefundError> {
        self.refund("ORDER-1", refund_id, Some(amount)).await
    }

    /// Waits until the status poll is due, and polls. If `answer` is `None`, the request fails.
    pub async fn poll(&self, answer: Option<String>) -> Result<Vec<EventKind>, PollError> {
        self.pass_until(self.poll_at().unwrap());
        if let Some(answer) = answer {
            self.platform.answer_status(answer);
        }
        self.poller().poll(&key(PAYMENT), self.now()).await
    }

    pub fn poll_at(&self) -> Option<Timestamp> {
        self.payments.schedule.poll_at(&self.payment(PAYMENT))
    }

    pub fn pass(&self, time: Duration) {
        self.clock().pass(time);
    }

    pub fn pass_until(&self, time: Timestamp) {
        self.pass(time.since(self.now()));
    }

    pub fn status(&self) -> Status {
        self.payment(PAYMENT).status()
    }

    /// Returns the sequence number and the kind of each event that was sent, with " again" for a repeat.
    pub fn sent(&self) -> Vec<String> {
        let sent = self.payments.queues[0].sent();
        let names = sent.iter().map(|sent| {
            let repeat = sent.repeat.as_ref().map_or("", |_| " again");
            format!(
                "{} {}{repeat}",
                sent.event.sequence,
                sent.event.kind.as_str()
            )
        });
        names.collect()
    }

    pub fn count_sent(&self, kind: EventKind) -> usize {
        let sent = self.payments.queues[0].sent();
        sent.iter().filter(|sent| sent.event.kind == kind).count()
    }

    pub fn sales(&self) -> usize {
        self.platform.requests("sale").len()
    }

    pub fn refund_requests(&self) -> Vec<String> {
        self.platform.requests("refund")
    }

    pub fn polls(&self) -> Vec<String> {
        self.platform.requests("status")
    }
}

/// Returns a callback about a sale of 10.00 EUR. `status` is the `payment.status`.
pub fn sale(status: &str, sale_status: &str) -> Value {
    callback(
        PAYMENT,
        status,
        1000,
        operation("7", "sale", sale_status, 1000),
    )
}

/// Returns a callback about our refund. `left` is the `payment.sum` after the refund.
pub fn refund_callback(refund_id: &str, amount: u64, left: u64) -> Value {
    let status = if left == 0 {
        "refunded"
    } else {
        "partially refunded"
    };
    let refund = operation("8", "refund", "success", amount);
    let mut body = callback(PAYMENT, status, left, refund);
    body["payment"]["merchant_refund_id"] = refund_id.into();
    body
}

/// Returns a signed answer that lists a successful sale, and other operations.
pub fn paid_answer(others: &[Value]) -> String {
    let status = if others.is_empty() {
        "success"
    } else {
        "partially refunded"
    };
    let mut operations = vec![operation("7", "sale", "success", 1000)];
    operations.extend_from_slice(others);
    sign(&status_answer("ORDER-1", status, 1000, &operations), SECRET)
}

macro_rules! assert_matches {
    ($value:expr, $pattern:pat $(if $guard:expr)?) => {
        match $value {
            $pattern $(if $guard)? => {}
            other => panic!("{other:?}"),
        }
    };
}
pub(crate) use assert_matches;

/// Returns a deadline that no test reaches.
pub fn in_a_minute() -> Instant {
    Instant::now() + MINUTE
}

/// Returns the log lines of a test. The test runs again in a separate process, so that its standard output can be read.
/// In that process, this function returns `None`.
pub fn log_lines_of(test: &str) -> Option<Vec<Value>> {
    const IN_CHILD: &str = "PORTS_LOG_TEST";
    if std::env::var_os(IN_CHILD).is_some() {
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(IN_CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    // The first log line follows the test's name on the same line.
    let lines = text.lines().filter_map(|line| line.get(line.find('{')?..));
    let lines = lines.filter_map(|line| serde_json::from_str(line).ok());
    Some(lines.collect())
}
