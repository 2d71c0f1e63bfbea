//! Tests that the hundreds or thousands of events of a payment are published in pages. A crash undoes no published
//! page.

use std::time::Duration;

use payments::service::error::PublishError;
use payments::service::outbox::republish::RepublishError;
use payments::service::sweep::batch_run::BatchRun;
use tokio::time::Instant;

use super::system::*;
use crate::builders::reports::{TestReport, operation, status_answer};
use crate::builders::*;

/// The maximum number of events in a page.
const PAGE: u64 = 10;
/// The maximum number of events that one change emits, without `checkout.expired`.
const CHANGE: u64 = 8;
/// The maximum number of events that one request publishes.
const REQUEST: u64 = 2 * PAGE;

impl System {
    /// Creates a payment of 100.00 EUR. Applies a status answer that lists the sale of the payment and `count` external
    /// refunds. Returns the system and the result of the publication.
    async fn with_refunds(count: usize) -> (Self, Result<(), PublishError>) {
        let system = Self::empty();
        let created = system.create_order(&storefront("shop"), 10_000).await;
        created.unwrap();
        let mut operations = vec![operation("sale", "sale", "success", 10_000)];
        let refund = |number| operation(&format!("refund-{number}"), "refund", "success", 1);
        operations.extend((0..count).map(refund));
        let answer = status_answer(PAYMENT, "partially refunded", 10_000, &operations);
        let answer = TestReport::read(&answer);
        let applied = system.apply(PAYMENT, answer.answer_to(1)).await;
        let published = applied.unwrap().unwrap().published;
        (system, published.map(drop))
    }

    fn published(&self) -> u64 {
        self.tables().payments[&key(PAYMENT)].published
    }

    async fn sweep(&self) -> BatchRun {
        self.sweep_until(Instant::now() + Duration::from_secs(600))
            .await
    }

    async fn sweep_until(&self, deadline: Instant) -> BatchRun {
        let sweeper = self.sweeper();
        sweeper.sweep_outbox(Duration::ZERO, deadline).await
    }

    /// Starts a sweep, and drops the sweep when the queue has accepted `sent` events.
    async fn sweep_and_crash_after(&self, sent: usize) {
        let mut sweep = Box::pin(self.sweep());
        while self.sent().len() < sent {
            assert!(futures_util::poll!(&mut sweep).is_pending());
            tokio::task::yield_now().await;
        }
    }

    /// Returns the sequence numbers of the payment's events in the order in which they were sent.
    fn sent_numbers(&self) -> Vec<u64> {
        let sent = self.payments.queues[0].sent();
        let of_payment = sent.iter().filter(|sent| sent.event.key == key(PAYMENT));
        of_payment.map(|sent| sent.event.sequence).collect()
    }

    /// Checks that all events are published, and that their first sends are in order.
    fn check_all_published(&self) {
        let mut numbers = self.sent_numbers();
        let mut last = 0;
        numbers.retain(|number| {
            let is_first_send = *number > last;
            last = last.max(*number);
            is_first_send
        });
        let sequence = self.payment(PAYMENT).sequence();
        assert_eq!(numbers, Vec::from_iter(1..=sequence));
        assert_eq!(self.published(), sequence);
    }

    /// Checks that no call held more events in memory than one page and the events of one change.
    fn check_memory(&self) {
        let tables = self.tables();
        assert!(
            tables.most_events_read <= usize::try_from(PAGE).unwrap(),
            "{} events were read together",
            tables.most_events_read
        );
        assert!(
            tables.most_unpublished <= PAGE + CHANGE,
            "{} events were emitted and not published",
            tables.most_unpublished
        );
    }
}

#[tokio::test]
async fn a_request_publishes_two_pages_and_the_sweep_publishes_the_other_thousands_of_events() {
    let (system, published) = System::with_refunds(1_990).await;
    assert_matches!(published, Err(PublishError::Unfinished));
    assert_eq!(system.published(), 1 + REQUEST);
    let run = system.sweep().await;
    assert_eq!((run.found, run.done, run.failed), (1, 1, 0), "{run:?}");
    system.check_all_published();
    system.check_memory();
    let sequence = system.payment(PAYMENT).sequence();
    assert_eq!(
        u64::try_from(run.events.len()),
        Ok(sequence - 1 - REQUEST),
        "an event is counted twice or not counted"
    );
    assert!(sequence > 1_990, "{sequence} events");
    assert_eq!(
        u64::try_from(system.sent().len()),
        Ok(sequence),
        "an event is sent twice"
    );
    assert_eq!(system.sweep().await.found, 0);
}

#[tokio::test]
async fn each_page_survives_a_crash_or_a_queue_that_fails() {
    let (system, _) = System::with_refunds(390).await;
    let mut before = system.published();
    for sent in [100, 155, 200] {
        system.sweep_and_crash_after(sent).await;
        let published = system.published();
        let sent = u64::try_from(sent).unwrap();
        assert!(published > before && published + 2 * PAGE > sent);
        before = published;
    }
    let mut sweep = Box::pin(system.sweep());
    while system.published() < 250 {
        assert!(futures_util::poll!(&mut sweep).is_pending());
        tokio::task::yield_now().await;
    }
    system.behaviour().sends(1);
    let run = sweep.await;
    assert_eq!((run.done, run.failed), (0, 1));
    assert!((250..300).contains(&system.published()));
    assert_eq!(system.sweep().await.done, 1);
    system.check_all_published();
    system.check_memory();
    // Each of the four interruptions repeats at most one page.
    let repeated = system.sent_numbers().len() - system.tables().events.len();
    assert!(repeated <= 4 * usize::try_from(PAGE).unwrap(), "{repeated}");
    assert_eq!(system.sweep().await.found, 0);
}

#[tokio::test]
async fn a_payment_with_hundreds_of_events_does_not_take_the_time_of_other_payments() {
    let (system, _) = System::with_refunds(390).await;
    system.behaviour().sends(1);
    let other = checkout_request("other");
    system.create(&storefront("shop"), &other).await.unwrap();
    system.behaviour().slow_sends(1);
    let begin = Instant::now();
    let run = system
        .sweep_until(begin + Duration::from_millis(1_000))
        .await;
    assert!(begin.elapsed() < Duration::from_millis(900), "{run:?}");
    assert_eq!((run.found, run.done, run.failed), (2, 1, 0), "{run:?}");
    assert!(!run.in_time);
    assert_eq!(system.tables().payments[&key("other")].published, 1);
    let published = system.published();
    assert!((1 + REQUEST + PAGE..380).contains(&published));

    system.behaviour().slow_sends(0);
    let run = system.sweep().await;
    assert_eq!((run.found, run.done, run.in_time), (1, 1, true));
    system.check_all_published();
}

#[tokio::test]
async fn an_unreadable_event_among_hundreds_stops_no_later_event() {
    let (system, _) = System::with_refunds(390).await;
    system.sweep_and_crash_after(101).await;
    let damaged = system.published() + 1;
    system.behaviour().damage(&format!("211/order-1/{damaged}"));
    assert_eq!(system.sweep().await.done, 1);
    assert_eq!(system.published(), system.payment(PAYMENT).sequence());
    system.check_memory();
}

#[tokio::test]
async fn a_republish_of_hundreds_of_events_needs_a_range_that_one_call_can_send() {
    let (system, _) = System::with_refunds(390).await;
    let key = key(PAYMENT);
    let republish = |from, to| system.payments.republish(&key, from, to);
    assert_matches!(
        republish(Some(1), Some(5)).await,
        Err(RepublishError::NotPublished(PublishError::Unfinished))
    );
    system.sweep().await;
    assert_matches!(
        republish(None, None).await,
        Err(RepublishError::TooMany { .. })
    );
    let sent = republish(Some(101), Some(350)).await.unwrap();
    let numbers = sent.repeated.iter().map(|(number, _)| *number);
    assert_eq!(Vec::from_iter(numbers), Vec::from_iter(101..=350));
    system.check_memory();
}
