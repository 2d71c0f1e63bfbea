//! An order that is paid by more than one payment, and the report of the days that finds it too.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::decide::{Fact, SignedReport};
use payments::events::EventKind;
use payments::model::day::Day;
use payments::model::storefront::Storefront;
use payments::model::{Payment, Status};
use payments::ports::{Clock, Daily, PaymentStore, ProgressStore};
use payments::service::checkout::{CheckoutRequest, CheckoutService};
use payments::service::report::Reported;
use payments::{PaymentKey, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::stage::*;

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn project() -> ProjectId {
    ProjectId::new(211).unwrap()
}

impl World {
    async fn begin(&self, payment_id: &str, order_id: &str) {
        self.begin_of(&shop("shop"), payment_id, order_id).await;
    }

    async fn begin_of(&self, storefront: &Storefront, payment_id: &str, order_id: &str) {
        let body = format!(
            r#"{{"payment_id":"{payment_id}","order_id":"{order_id}","amount":1000,"currency":"EUR",
                "return_url":"https://shop.example/","customer":{{"id":"c","ip_address":"192.0.2.1"}}}}"#
        );
        let now = self.payments.clock.now();
        let request = CheckoutRequest::read(body.as_bytes(), storefront, now).unwrap();
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &self.keyring,
            tokens: &self.tokens,
            base_url: "https://pay.example",
        };
        checkouts.create(storefront, request).await.unwrap();
    }

    /// The platform tells that a payment was paid at a time of one day.
    async fn paid_at(&self, payment_id: &str, time: &str) {
        self.begin(payment_id, "Order").await;
        self.hear_sale(payment_id, time).await;
    }

    async fn hear_sale(&self, payment_id: &str, time: &str) -> bool {
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"success","sum":{{"amount":1000,"currency":"EUR"}}}},
                "operation":{{"id":"1 of {payment_id}","type":"sale","status":"success","date":"2027-01-15T{time}+0000",
                "sum_initial":{{"amount":1000,"currency":"EUR"}}}}}}"#
        );
        self.hear_of(payment_id, &body).await
    }

    /// The platform answers a status request: a sale, and what else there is.
    async fn answer_sale(&self, payment_id: &str, time: &str, more: &str) {
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"success","sum":{{"amount":1000,"currency":"EUR"}}}},
                "operations":[{{"id":"1 of {payment_id}","type":"sale","status":"success","date":"2027-01-15T{time}+0000",
                "sum_initial":{{"amount":1000,"currency":"EUR"}}}}{more}]}}"#
        );
        let report = Report::read(&parse(body.as_bytes(), Limits::ANSWER).unwrap());
        let report = SignedReport {
            report: &report,
            canonical: &body,
        };
        let fact = Fact::StatusAnswer { report, poll: 1 };
        let applied = self.payments.apply(&key_of(payment_id), fact).await;
        applied.unwrap().unwrap().published.unwrap();
    }

    /// A success is sent to the queue, and then the function ends.
    async fn break_off_after_the_send(&self, payment_id: &str, time: &str) {
        let sent = self.sent().len();
        let mut heard = Box::pin(self.hear_sale(payment_id, time));
        while self.sent().len() == sent {
            assert!(futures_util::poll!(&mut heard).is_pending());
            tokio::task::yield_now().await;
        }
    }

    async fn hear_refund(&self, payment_id: &str) {
        let body = format!(
            r#"{{"project_id":211,"payment":{{"id":"{payment_id}","status":"refunded","sum":{{"amount":1000,"currency":"EUR"}}}},
                "operation":{{"id":"2 of {payment_id}","type":"refund","status":"success","date":"2027-01-15T20:00:00+0000",
                "sum_initial":{{"amount":1000,"currency":"EUR"}}}}}}"#
        );
        assert!(self.hear_of(payment_id, &body).await);
    }

    async fn of(&self, payment_id: &str) -> Payment {
        let stored = self.payments.store.load(&key_of(payment_id)).await;
        stored.unwrap().unwrap().payment
    }

    /// What a payment was told of others.
    async fn told(&self, payment_id: &str) -> Vec<String> {
        let payment = self.of(payment_id).await;
        let earlier = payment.earlier_payments_of_order();
        let events = self.payments.store.events.lock().unwrap();
        let of_it = events
            .iter()
            .filter(|((of, _), _)| *of == key_of(payment_id));
        let mut twice = of_it.filter(|(_, event)| event.kind == EventKind::OrderPaidTwice);
        let emitted = twice.next_back().map_or_else(Vec::new, |(_, event)| {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            let ids = body["data"]["other_payment_ids"].clone();
            serde_json::from_value(ids).unwrap()
        });
        assert!(
            earlier.iter().eq(&emitted),
            "{earlier:?}, emitted {emitted:?}"
        );
        emitted
    }

    fn twice(&self) -> usize {
        let sent = self.sent();
        let is_twice = |sent: &&String| sent.contains("order.paid_twice");
        sent.iter().filter(is_twice).count()
    }

    /// The days that are reported, with the number of payments.
    async fn report(&self) -> (Vec<(String, u64)>, Reported) {
        let mut days = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        let told = |day: Day, totals: &payments::service::report::Totals| {
            let payments = totals.rows().filter(|row| row.of == "payment");
            days.push((day.to_string(), payments.map(|row| row.count).sum()));
        };
        let reported = self
            .payments
            .report_due_days(project(), deadline, told)
            .await;
        (days, reported)
    }
}

fn key_of(payment_id: &str) -> PaymentKey {
    PaymentKey::new(project(), payment_id)
}

#[tokio::test]
async fn whoever_pays_an_order_again_is_told_once_of_those_before() {
    let world = World::new();
    world.begin("one", "Order").await;
    world.begin("two", "ORDER").await;
    world.begin("three", "order").await;
    world.begin("other", "order-2").await;
    world.hear_sale("one", "10:00:00").await;
    world.hear_sale("other", "10:00:00").await;
    assert_eq!(world.twice(), 0);
    world.hear_sale("two", "11:00:00").await;
    assert_eq!(
        (world.told("two").await, world.twice()),
        (vec!["one".into()], 1)
    );
    world.hear_sale("two", "11:00:00").await;
    world.hear_sale("three", "12:00:00").await;
    assert_eq!(world.told("three").await, ["one", "two"]);
    for first in ["one", "other"] {
        assert!(world.told(first).await.is_empty(), "{first}");
    }
    assert_eq!(world.twice(), 2);
}

#[tokio::test]
async fn the_first_to_pay_need_not_look_for_others() {
    let world = World::new();
    let looks = || world.payments.store.looks.load(SeqCst);
    world.paid_at("one", "10:00:00").await;
    assert_eq!((looks(), world.sent().len()), (0, 2));
    world.paid_at("two", "11:00:00").await;
    assert_eq!(looks(), 1);
    assert_eq!(world.told("two").await, ["one"]);
}

#[tokio::test]
async fn the_platforms_clock_tells_who_was_first() {
    let world = World::new();
    world.paid_at("late", "11:00:00").await;
    world.paid_at("early", "10:00:00").await;
    assert_eq!(world.told("late").await, ["early"]);
    assert!(world.told("early").await.is_empty());
}

#[tokio::test]
async fn of_two_paid_in_the_same_second_the_one_begun_first_was_first() {
    let world = World::new();
    world.paid_at("b", "10:00:00").await;
    world.pass(Duration::from_millis(1));
    world.paid_at("a", "10:00:00").await;
    assert_eq!(world.told("a").await, ["b"]);
}

#[tokio::test]
async fn what_was_given_back_or_never_paid_is_not_paid_twice() {
    let world = World::new();
    world.paid_at("back", "10:00:00").await;
    world.hear_refund("back").await;
    assert_eq!(world.of("back").await.status(), Status::Refunded);
    world.begin("open", "Order").await;
    world.paid_at("kept", "11:00:00").await;
    assert_eq!(world.twice(), 0);
    // It is paid twice from then on.
    world.hear_sale("open", "12:00:00").await;
    assert_eq!(world.told("open").await, ["kept"]);
}

#[tokio::test]
async fn of_an_order_that_all_payments_have_only_some_are_looked_at() {
    let world = World::new();
    for number in 0..30 {
        world.paid_at(&format!("p-{number:02}"), "10:00:00").await;
    }
    world.payments.store.reads.store(0, SeqCst);
    world.paid_at("the-last", "11:00:00").await;
    assert_eq!(world.told("the-last").await.len(), 20);
    let reads = world.payments.store.reads.load(SeqCst);
    assert!(reads < 30, "{reads}");
}

#[tokio::test]
async fn each_storefront_numbers_its_own_orders() {
    let world = World::new();
    world.paid_at("one", "10:00:00").await;
    world.begin_of(&shop("other shop"), "two", "Order").await;
    world.hear_sale("two", "11:00:00").await;
    assert_eq!(world.twice(), 0);
}

#[tokio::test]
async fn who_was_told_to_be_the_later_one_stays_it() {
    let world = World::new();
    world.paid_at("one", "10:00:00").await;
    world.paid_at("two", "11:00:00").await;
    assert_eq!(world.told("two").await, ["one"]);
    // A signed answer has another date for the first one.
    world.answer_sale("one", "11:30:00", "").await;
    let one = world.of("one").await;
    let sale = one.operation("1 of one").unwrap();
    assert_eq!(sale.ended_at(), Some(at("2027-01-15T11:30:00")));
    world.paid_at("three", "12:00:00").await;
    assert_eq!(world.told("three").await, ["one", "two"]);
    assert!(world.told("one").await.is_empty());
}

#[tokio::test]
async fn the_relay_does_what_is_broken_off() {
    let world = World::new();
    world.paid_at("one", "10:00:00").await;
    world.begin("two", "Order").await;
    let sent = world.sent().len();
    world.break_off_after_the_send("two", "11:00:00").await;
    assert_eq!((world.sent().len(), world.twice()), (sent + 1, 0));
    world.pass(Duration::from_secs(60));
    let deadline = Instant::now() + Duration::from_secs(60);
    let round = world.payments.sweep_outbox(Duration::ZERO, deadline).await;
    assert_eq!((round.done, round.failed), (1, 0));
    assert_eq!(world.told("two").await, ["one"]);
    assert_eq!(world.twice(), 1);
}

#[tokio::test]
async fn what_the_first_has_broken_off_looks_as_well() {
    let world = World::new();
    world.begin("one", "Order").await;
    world.begin("two", "Order").await;
    world.break_off_after_the_send("one", "10:00:00").await;
    world.pass(Duration::from_secs(60));
    let deadline = Instant::now() + Duration::from_secs(60);
    world.payments.sweep_outbox(Duration::ZERO, deadline).await;
    assert_eq!(world.payments.store.looks.load(SeqCst), 1);
    world.hear_sale("two", "09:00:00").await;
    assert_eq!(
        (world.told("one").await, world.twice()),
        (vec!["two".into()], 1)
    );
}

#[tokio::test]
async fn the_days_report_looks_again() {
    let world = World::new();
    world.paid_at("one", "10:00:00").await;
    world.hear_refund("one").await;
    world.paid_at("two", "11:00:00").await;
    assert_eq!(world.twice(), 0, "given back");
    // The refund was none after all.
    let declined = r#",{"id":"2 of one","type":"refund","status":"decline","date":"2027-01-15T20:00:00+0000",
        "sum_initial":{"amount":1000,"currency":"EUR"}}"#;
    world.answer_sale("one", "10:00:00", declined).await;
    assert_eq!(world.of("one").await.status(), Status::Succeeded);
    assert_eq!(world.twice(), 0, "it was emitted as paid long ago");
    world.pass_until(at("2027-01-16T04:30:00"));
    let (days, reported) = world.report().await;
    assert_eq!((reported.failure, reported.in_time), (None, true));
    assert_eq!(days, [("2027-01-15".to_owned(), 2)]);
    assert_eq!(world.told("two").await, ["one"]);
    assert_eq!(world.twice(), 1);
}

#[tokio::test]
async fn an_order_that_was_paid_again_after_a_refund_is_not_told_by_the_report_either() {
    let world = World::new();
    world.paid_at("back", "10:00:00").await;
    world.hear_refund("back").await;
    world.paid_at("kept", "11:00:00").await;
    world.pass_until(at("2027-01-16T04:30:00"));
    let (_, reported) = world.report().await;
    assert_eq!(reported.failure, None);
    assert_eq!(world.twice(), 0);
}

#[tokio::test]
async fn each_day_is_reported_once_when_it_is_over() {
    let world = World::new();
    world.paid_at("one", "10:00:00").await;
    world.pass_until(at("2027-01-16T04:30:00"));
    let days = |days: &[(&str, u64)]| -> Vec<(String, u64)> {
        let days = days.iter().map(|(day, count)| ((*day).to_owned(), *count));
        days.collect()
    };
    assert_eq!(world.report().await.0, days(&[("2027-01-15", 1)]));
    assert!(world.report().await.0.is_empty(), "once");
    world.begin("two", "Order").await;
    world.pass(2 * DAY);
    let (found, reported) = world.report().await;
    assert_eq!(found, days(&[("2027-01-16", 1), ("2027-01-17", 0)]));
    assert_eq!(reported.days, 2);
    let until = world.payments.store.progress(project(), Daily::Report);
    assert_eq!(until.await.unwrap(), Some(at("2027-01-18T00:00:00")));
}

fn at(moment: &str) -> Timestamp {
    Timestamp::of_platform(&format!("{moment}+0000")).unwrap()
}
