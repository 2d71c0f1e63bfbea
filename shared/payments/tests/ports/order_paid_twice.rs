//! Tests the check for orders that more than one payment has paid, and which days the daily report covers. The check
//! runs when a success is published, and again in the daily report.

use std::time::Duration;

use payments::events::EventKind;
use payments::model::Status;
use payments::model::day::Day;
use payments::model::storefront::Storefront;
use payments::ports::{Daily, ProgressStore, Run};
use payments::service::daily_run::Counts;
use serde_json::{Value, json};

use super::system::*;
use crate::builders::reports::{TestReport, callback, operation, status_answer};
use crate::builders::*;

/// Returns an operation of a payment. The date of the operation is 2027-01-15 at `time`.
fn dated(payment_id: &str, kind: &str, status: &str, time: &str) -> Value {
    let mut dated = operation(&format!("{kind} of {payment_id}"), kind, status, 1000);
    dated["date"] = json!(format!("2027-01-15T{time}+0000"));
    dated
}

impl System {
    async fn create_for(&self, storefront: &Storefront, payment_id: &str, order_id: &str) {
        let mut request = checkout_request(payment_id);
        request["order_id"] = json!(order_id);
        self.create(storefront, &request).await.unwrap();
    }

    /// Creates a payment of the order `Order-1` and reports it as paid. `order-1` is the same order.
    async fn pay(&self, payment_id: &str, time: &str) {
        self.create_for(&storefront("shop"), payment_id, "Order-1")
            .await;
        self.report_paid(payment_id, time).await;
    }

    async fn report_paid(&self, payment_id: &str, time: &str) -> bool {
        let sale = dated(payment_id, "sale", "success", time);
        self.callback(&callback(payment_id, "success", 1000, sale))
            .await
    }

    async fn report_refunded(&self, payment_id: &str) {
        let refund = dated(payment_id, "refund", "success", "20:00:00");
        let body = callback(payment_id, "refunded", 1000, refund);
        assert!(self.callback(&body).await);
        assert_eq!(self.payment(payment_id).status(), Status::Refunded);
    }

    /// Reports a successful sale whose amount differs from the order, so that the payment is quarantined.
    async fn report_another_amount(&self, payment_id: &str, time: &str) {
        let mut sale = dated(payment_id, "sale", "success", time);
        sale["sum_initial"]["amount"] = json!(900);
        let body = callback(payment_id, "success", 900, sale);
        assert!(self.callback(&body).await);
        assert_eq!(self.payment(payment_id).status(), Status::Quarantined);
    }

    async fn release(&self, payment_id: &str) {
        let items = self.payment(payment_id).quarantine();
        let key = key(payment_id);
        let released = self.payments.release(&key, "anna", &items);
        released.await.unwrap().published.unwrap();
        assert_eq!(self.payment(payment_id).status(), Status::Succeeded);
    }

    async fn answer(&self, payment_id: &str, status: &str, operations: &[Value]) {
        let answer = status_answer(payment_id, status, 1000, operations);
        let answer = TestReport::read(&answer);
        let applied = self.apply(payment_id, answer.answer_to(1)).await;
        applied.unwrap().unwrap().published.unwrap();
    }

    /// Delivers a callback about a successful sale. The call crashes after the queue accepted the event, and before the
    /// event is marked as published.
    async fn report_paid_and_crash(&self, payment_id: &str, time: &str) {
        let sent = self.sent().len();
        let mut call = Box::pin(self.report_paid(payment_id, time));
        while self.sent().len() == sent {
            assert!(futures_util::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        }
    }

    async fn sweep_outbox(&self) {
        self.pass(MINUTE);
        let sweeper = self.sweeper();
        let run = sweeper.sweep_outbox(Duration::ZERO, in_a_minute());
        assert_eq!(run.await.failed, 0);
    }

    /// Returns the earlier payments that the last `order.paid_twice` of a payment names. Checks that the payment stores
    /// the same earlier payments.
    fn earlier(&self, payment_id: &str) -> Vec<String> {
        let earlier = self.payment(payment_id).earlier_payments_of_order().clone();
        let sent = self.payments.queues[0].sent();
        let mut events = sent.iter().map(|sent| &sent.event);
        let emitted = events
            .rfind(|event| event.key == key(payment_id) && event.kind == EventKind::OrderPaidTwice)
            .map_or_else(Vec::new, |event| {
                let body: Value = serde_json::from_str(&event.body).unwrap();
                serde_json::from_value(body["data"]["other_payment_ids"].clone()).unwrap()
            });
        assert_eq!(Vec::from_iter(earlier), emitted);
        emitted
    }

    fn paid_twice(&self) -> usize {
        self.count_sent(EventKind::OrderPaidTwice)
    }

    /// Makes the daily reports that are due. Returns each reported day with its number of payments.
    async fn report(&self) -> Vec<(String, u64)> {
        let reported = self.report_due().await.unwrap().into_iter();
        let of_day = |(run, counts): (Run, Counts)| {
            let payments = counts.totals.rows().filter(|row| row.of == "payment");
            let payments = payments.map(|row| row.count).sum();
            (Day::of(run.from).to_string(), payments)
        };
        reported.map(of_day).collect()
    }
}

#[tokio::test]
async fn each_later_payment_of_an_order_names_the_earlier_payments_once() {
    let system = System::empty();
    let shop = storefront("shop");
    for (payment_id, order_id) in [
        ("one", "order-1"),
        ("two", "ORDER-1"),
        ("three", "Order-1"),
        ("other", "order-2"),
    ] {
        system.create_for(&shop, payment_id, order_id).await;
    }
    system.report_paid("one", "10:00:00").await;
    system.report_paid("other", "10:00:00").await;
    assert_eq!(system.paid_twice(), 0);
    system.pass(MINUTE);
    system.report_paid("two", "11:00:00").await;
    assert_eq!(
        (system.earlier("two"), system.paid_twice()),
        (vec!["one".into()], 1)
    );
    system.report_paid("two", "11:00:00").await;
    system.pass(MINUTE);
    system.report_paid("three", "12:00:00").await;
    assert_eq!(system.earlier("three"), ["one", "two"]);
    for first in ["one", "other"] {
        assert!(system.earlier(first).is_empty(), "{first}");
    }
    assert_eq!(system.paid_twice(), 2);
}

#[tokio::test]
async fn no_other_payments_are_queried_for_the_first_payment_of_an_order() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    assert_eq!((system.tables().order_queries, system.sent().len()), (0, 2));
    system.pay("two", "11:00:00").await;
    assert_eq!(system.tables().order_queries, 1);
    assert_eq!(system.earlier("two"), ["one"]);
}

#[tokio::test]
async fn the_order_of_the_emitted_successes_decides_which_payment_is_first_and_not_the_platforms_dates()
 {
    let system = System::empty();
    system.pay("one", "11:00:00").await;
    system.pass(MINUTE);
    system.pay("two", "10:00:00").await;
    assert_eq!(system.earlier("two"), ["one"]);
    assert!(system.earlier("one").is_empty());
}

#[tokio::test]
async fn the_creation_time_decides_which_of_two_successes_emitted_at_the_same_time_is_first() {
    let system = System::empty();
    for payment_id in ["b", "a"] {
        system
            .create_for(&storefront("shop"), payment_id, "order-1")
            .await;
        system.pass(Duration::from_millis(1));
    }
    system.report_paid("a", "10:00:00").await;
    system.report_paid("b", "10:00:00").await;
    assert_eq!(system.earlier("a"), ["b"]);
    assert!(system.earlier("b").is_empty());
}

/// While one payment is quarantined, another payment can pay the order, and its goods can be shipped. Therefore the
/// quarantined payment counts as the later payment.
#[tokio::test]
async fn a_payment_that_is_released_after_another_payment_paid_the_order_is_the_later_payment() {
    let system = System::empty();
    system
        .create_for(&storefront("shop"), "one", "order-1")
        .await;
    system.report_another_amount("one", "10:00:00").await;
    system.pay("two", "11:00:00").await;
    assert_eq!(system.paid_twice(), 0);
    system.pass(3 * DAY);
    system.release("one").await;
    assert_eq!(system.earlier("one"), ["two"]);
    assert!(system.earlier("two").is_empty());
}

/// A shop does not ship the goods of a quarantined payment. Therefore only the time of the success after the quarantine
/// counts.
#[tokio::test]
async fn a_success_before_a_quarantine_does_not_make_a_payment_the_first_payment_of_its_order() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system.report_another_amount("one", "10:00:00").await;
    system.pass(MINUTE);
    system.pay("two", "11:00:00").await;
    system.pass(MINUTE);
    system.release("one").await;
    assert_eq!(system.earlier("one"), ["two"]);
    assert!(system.earlier("two").is_empty());
}

/// The payment first succeeded, so its goods can be shipped already. Only then it waits for a confirmation. Therefore
/// it stays the first payment.
#[tokio::test]
async fn a_payment_stays_first_while_it_waits_for_a_confirmation_after_its_success() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    let sale = || dated("one", "sale", "success", "10:00:00");
    let mut refund = dated("one", "refund", "processing", "10:30:00");
    refund["sum_initial"]["amount"] = json!(400);
    let body = callback("one", "success", 1000, refund.clone());
    assert!(system.callback(&body).await);
    assert_eq!(system.count_sent(EventKind::RefundPending), 1);
    refund["status"] = json!("success");
    system
        .answer("one", "awaiting confirmation", &[sale(), refund.clone()])
        .await;
    assert_eq!(system.payment("one").status(), Status::AwaitingConfirmation);
    assert_eq!(system.count_sent(EventKind::RefundSucceeded), 1);
    system.pass(MINUTE);
    system.pay("two", "11:00:00").await;
    assert_eq!(system.paid_twice(), 0);
    system.pass(MINUTE);
    system.answer("one", "success", &[sale(), refund]).await;
    assert_eq!(system.payment("one").status(), Status::PartiallyRefunded);
    assert_eq!(system.earlier("two"), ["one"]);
    assert!(system.earlier("one").is_empty());
}

#[tokio::test]
async fn the_checks_of_two_successes_emitted_at_nearly_the_same_time_find_the_same_first_payment() {
    for order in [["one", "two"], ["two", "one"]] {
        let system = System::empty();
        for payment_id in ["one", "two"] {
            system
                .create_for(&storefront("shop"), payment_id, "order-1")
                .await;
        }
        for payment_id in ["one", "two"] {
            system.report_paid_and_crash(payment_id, "10:00:00").await;
            system.pass(Duration::from_millis(1));
        }
        for payment_id in order {
            system.report_paid(payment_id, "10:00:00").await;
        }
        assert_eq!(system.earlier("two"), ["one"], "{order:?}");
        assert!(system.earlier("one").is_empty(), "{order:?}");
    }
}

#[tokio::test]
async fn a_refunded_or_unpaid_payment_does_not_count_as_an_earlier_payment() {
    let system = System::empty();
    system.pay("refunded", "10:00:00").await;
    system.report_refunded("refunded").await;
    system
        .create_for(&storefront("shop"), "open", "order-1")
        .await;
    system.pay("paid", "11:00:00").await;
    assert_eq!(system.paid_twice(), 0);
    system.pass_until(at("2027-01-16T04:30:00"));
    system.report().await;
    assert_eq!(system.paid_twice(), 0, "the daily report emitted an event");
    system.report_paid("open", "12:00:00").await;
    assert_eq!(system.earlier("open"), ["paid"]);
}

/// Four payments are loaded at the same time, so a few more than twenty can be loaded.
#[tokio::test]
async fn at_most_twenty_other_payments_of_one_order_are_compared() {
    let system = System::empty();
    for number in 0..30 {
        system.pay(&format!("p-{number:02}"), "10:00:00").await;
    }
    system.tables().loads = 0;
    system.pass(MINUTE);
    system.pay("last", "11:00:00").await;
    assert_eq!(system.earlier("last").len(), 20);
    let loads = system.tables().loads;
    assert!(loads < 30, "{loads}");
}

#[tokio::test]
async fn equal_order_ids_of_two_storefronts_are_two_orders() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system
        .create_for(&storefront("other shop"), "two", "Order-1")
        .await;
    system.report_paid("two", "11:00:00").await;
    assert_eq!(system.paid_twice(), 0);
}

#[tokio::test]
async fn a_payment_that_was_emitted_as_the_later_payment_remains_the_later_payment() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system.pay("two", "11:00:00").await;
    assert_eq!(system.earlier("two"), ["one"]);
    system.report_another_amount("one", "10:00:00").await;
    system.pass(MINUTE);
    system.release("one").await;
    system.pass(MINUTE);
    system.pay("three", "12:00:00").await;
    assert_eq!(system.earlier("three"), ["one", "two"]);
    assert!(system.earlier("one").is_empty());
}

#[tokio::test]
async fn the_outbox_sweep_makes_the_check_that_a_crash_prevented() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system
        .create_for(&storefront("shop"), "two", "order-1")
        .await;
    let sent = system.sent().len();
    system.report_paid_and_crash("two", "11:00:00").await;
    assert_eq!((system.sent().len(), system.paid_twice()), (sent + 1, 0));
    system.sweep_outbox().await;
    assert_eq!(system.earlier("two"), ["one"]);
    assert_eq!(system.paid_twice(), 1);
}

/// The commit of a success returns whether the payment is the first to pay the order. The outbox sweep does not have
/// this result, because another call made the commit. So the sweep queries the payments of the order.
#[tokio::test]
async fn the_outbox_sweep_also_checks_the_first_payment_of_an_order() {
    let system = System::empty();
    for payment_id in ["one", "two"] {
        system
            .create_for(&storefront("shop"), payment_id, "order-1")
            .await;
    }
    system.report_paid_and_crash("one", "10:00:00").await;
    system.sweep_outbox().await;
    assert_eq!(system.tables().order_queries, 1);
    system.report_paid("two", "11:00:00").await;
    assert_eq!(
        (system.earlier("two"), system.paid_twice()),
        (vec!["one".into()], 1)
    );
}

#[tokio::test]
async fn if_the_refund_of_a_payment_is_declined_later_the_daily_report_finds_that_the_order_is_paid_twice()
 {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system.report_refunded("one").await;
    system.pay("two", "11:00:00").await;
    system.pass(MINUTE);
    let sale = dated("one", "sale", "success", "10:00:00");
    let declined = dated("one", "refund", "decline", "20:00:00");
    system.answer("one", "success", &[sale, declined]).await;
    assert_eq!(system.payment("one").status(), Status::Succeeded);
    assert_eq!(system.paid_twice(), 0);
    system.pass_until(at("2027-01-16T04:30:00"));
    assert_eq!(system.report().await, [("2027-01-15".to_owned(), 2)]);
    // `two` is the earlier payment, because `one` was refunded before `two` was paid.
    assert_eq!(system.earlier("one"), ["two"]);
    assert!(system.earlier("two").is_empty());
    assert_eq!(system.paid_twice(), 1);
}

#[tokio::test]
async fn each_day_that_is_over_is_reported_once() {
    let system = System::empty();
    system.pay("one", "10:00:00").await;
    system.pass_until(at("2027-01-16T04:30:00"));
    let day = |day: &str, count: u64| (day.to_owned(), count);
    assert_eq!(system.report().await, [day("2027-01-15", 1)]);
    assert!(system.report().await.is_empty());
    system
        .create_for(&storefront("shop"), "two", "order-1")
        .await;
    system.pass(2 * DAY);
    assert_eq!(
        system.report().await,
        [day("2027-01-16", 1), day("2027-01-17", 0)]
    );
    let end = at("2027-01-18T00:00:00");
    let progress = system.payments.store.progress(project(), Daily::Report);
    assert_eq!(progress.await.unwrap(), Some(end));
}
