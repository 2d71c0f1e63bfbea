//! Tests that a stored item that cannot be read stops only the work on this item.

use payments::model::day::Day;
use payments::model::{Payment, Status};
use payments::service::report::read_day;

use super::system::*;
use crate::builders::reports::{callback, operation};
use crate::builders::*;

/// The number of damaged payments that are due before the readable payments.
const DAMAGED: u32 = 300;

/// Creates [`DAMAGED`] damaged payments, and a minute later `count` readable payments. All of them need a recheck.
async fn with_damaged_payments(count: u32) -> System {
    let system = System::empty();
    for number in 0..DAMAGED {
        let id = format!("poison-{number}");
        system.recheck(211, &id).await;
        system.behaviour().damage(&format!("211/{id}"));
    }
    system.pass(MINUTE);
    for number in 0..count {
        system.recheck(211, &format!("p-{number}")).await;
    }
    system
}

#[tokio::test]
async fn hundreds_of_damaged_payments_delay_no_poll_of_another_payment() {
    let mut system = with_damaged_payments(5).await;
    // A run can hand out fewer polls than there are damaged payments.
    system.polls_per_second = 1;
    let handed_out = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((handed_out.found, handed_out.handed_out), (305, 60));
    let run = system.work_all(in_a_minute()).await;
    assert_eq!(system.polls().len(), 5);
    assert_eq!((run.found, run.unreadable), (60, 55));
    assert_eq!((run.failed, run.in_time), (5, true), "{run:?}");
    // The damaged payments are a minute older, but `oldest_s` is the age of the readable payments.
    assert_eq!(run.oldest_s, 0);
}

#[tokio::test]
async fn each_sweep_skips_damaged_payments() {
    let system = System::empty();
    let ids: Vec<String> = (0..40).map(|number| format!("order-{number}")).collect();
    for id in &ids {
        system.behaviour().sends(1);
        let request = checkout_request(id);
        system.create(&storefront("shop"), &request).await.unwrap();
    }
    for id in &ids[..39] {
        system.behaviour().damage(&format!("211/{id}"));
    }
    system.pass(2 * DAY);
    let outbox = system.sweeper().sweep_outbox(MINUTE, in_a_minute()).await;
    assert_eq!((outbox.done, outbox.unreadable, outbox.failed), (1, 39, 0));
    let expired = system.sweeper().expire(in_a_minute()).await;
    assert_eq!(expired.failed, 0, "{expired:?}");
    let last = ids.last().unwrap();

    system.pass(60 * DAY);
    // The erasure is due only after the last poll.
    while let Some(due) = system.payments.schedule.poll_at(&system.payment(last)) {
        system.pass_until(due);
        system.hand_out_polls(in_a_minute()).await;
        system.work_all(in_a_minute()).await;
    }
    system.pass(60 * DAY);
    system.sweeper().expire(in_a_minute()).await;
    system.sweeper().erase(in_a_minute()).await;
    let customer = |payment: Payment| payment.order().unwrap().customer.is_some();
    assert!(!customer(system.payment(last)));

    // After the repair, the sweep publishes the events of the 39 payments that were damaged.
    system.behaviour().repair();
    let outbox = system.sweeper().sweep_outbox(MINUTE, in_a_minute()).await;
    assert_eq!((outbox.done, outbox.unreadable), (39, 0));
}

#[tokio::test]
async fn a_damaged_event_stops_no_later_event_of_its_payment_and_is_sent_after_a_repair() {
    let system = System::empty();
    system.behaviour().sends(1);
    system
        .create_order(&storefront("shop"), 1000)
        .await
        .unwrap();
    system.behaviour().damage("211/order-1/1");
    assert!(system.sale_succeeds().await);
    assert_eq!(system.sent(), ["2 payment.succeeded"]);
    system.pass(DAY);
    let outbox = system.sweeper().sweep_outbox(MINUTE, in_a_minute()).await;
    assert_eq!(outbox.found, 0, "the payment stays in the outbox");

    system.behaviour().repair();
    let key = key(PAYMENT);
    let sent = system.payments.republish(&key, Some(1), Some(1));
    assert_eq!(sent.await.unwrap().repeated.len(), 1);
    assert_eq!(
        system.sent(),
        ["2 payment.succeeded", "1 payment.created again"]
    );
}

#[tokio::test]
async fn a_damaged_payment_of_an_order_stops_no_event_of_another_payment_of_the_order() {
    let system = System::empty();
    for id in ["first", "second", "third"] {
        let mut request = checkout_request(id);
        request["order_id"] = "same".into();
        system.create(&storefront("shop"), &request).await.unwrap();
    }
    let pay = async |id: &str| {
        let sale = operation(&format!("sale of {id}"), "sale", "success", 1000);
        system.callback(&callback(id, "success", 1000, sale)).await
    };
    assert!(pay("first").await && pay("second").await);
    system.behaviour().damage("211/first");
    assert!(
        pay("third").await,
        "the event of the third payment is not published"
    );
    let third = system.payment("third");
    let earlier: Vec<&String> = third.earlier_payments_of_order().iter().collect();
    assert_eq!(earlier, ["second"]);
}

#[tokio::test]
async fn the_reports_skip_a_damaged_payment_and_ignore_a_damaged_progress() {
    let system = System::empty();
    for id in ["a", "b", "c"] {
        let request = checkout_request(id);
        system.create(&storefront("shop"), &request).await.unwrap();
    }
    let day = Day::of(system.now());
    system.behaviour().damage("211/b");
    system.behaviour().damage("progress");
    let mut rows = 0;
    let each = |_: payments::service::report::Rows<'_>| {
        rows += 1;
        Ok::<_, payments::ports::StoreError>(())
    };
    read_day(&system.payments.store, project(), day, each)
        .await
        .unwrap();
    assert_eq!(rows, 2);

    system.pass(DAY);
    let reported = system.report_due().await.unwrap();
    let [(run, counts)] = &reported[..] else {
        panic!("{reported:?}");
    };
    assert_eq!((Day::of(run.from), run.to), (day, day.next().start()));
    let payments = counts.totals.rows().filter(|row| row.of == "payment");
    assert_eq!(payments.map(|row| row.count).sum::<u64>(), 2);
}

#[tokio::test]
async fn a_callback_about_a_damaged_payment_is_not_acknowledged_and_counts_after_a_repair() {
    let system = System::created(&[]).await;
    system.behaviour().damage("211/order-1");
    let body = sale("success", "success");
    let report = crate::builders::reports::TestReport::read(&body);
    assert!(system.apply(PAYMENT, report.callback()).await.is_err());
    system.behaviour().repair();
    assert!(system.sale_succeeds().await);
    assert_eq!(system.status(), Status::Succeeded);
}
