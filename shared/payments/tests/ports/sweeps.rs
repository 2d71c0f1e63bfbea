//! Tests the sweeper and the worker. No project delays another project. Work that is handed out twice is done once.
//! Lost work is handed out again. A run ends at its deadline.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use ecommpay::fields::ProjectId;
use payments::model::schedule::Next;
use payments::ports::{SHARDS, Work, WorkMessage};
use payments::service::sweep::POLLS_PER_MESSAGE;
use tokio::time::Instant;

use super::system::*;
use crate::builders::*;

/// Creates payments that need a recheck. Gate answers no status request.
async fn with_rechecks(count: u32) -> System {
    let system = System::empty();
    for number in 0..count {
        system.recheck(211, &format!("p-{number}")).await;
    }
    system
}

/// Returns the delay of each poll of a project, in seconds.
fn delays(messages: &[WorkMessage], project: u32) -> Vec<u64> {
    let mut delays = Vec::new();
    for message in messages {
        let Work::Poll { payments, .. } = &message.work else {
            panic!("{message:?}");
        };
        assert!((1..=POLLS_PER_MESSAGE).contains(&payments.len()));
        let of_project = payments
            .iter()
            .filter(|due| due.key.project_id().get() == project);
        delays.extend(of_project.map(|_| message.delay.as_secs()));
    }
    delays
}

#[tokio::test]
async fn a_project_with_many_due_payments_delays_no_other_project_and_has_an_even_rate() {
    let mut system = with_rechecks(70).await;
    system.keys = project_keys(&[211, 212]);
    system.polls_per_second = 1;
    system.pass(MINUTE);
    system.recheck(212, "one").await;
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.found, run.handed_out, run.failed), (71, 61, 0));
    // Ten payments wait for the next run.
    assert!(!run.in_time);
    let messages = system.work_queue.take_all();
    assert_eq!(delays(&messages, 211), Vec::from_iter(0..60));
    assert_eq!(delays(&messages, 212), [0]);
    assert_eq!(system.polls(), Vec::<String>::new());
}

#[tokio::test]
async fn polls_that_are_handed_out_twice_are_sent_once() {
    let system = with_rechecks(20).await;
    for _ in 0..2 {
        assert_eq!(system.hand_out_polls(in_a_minute()).await.handed_out, 20);
    }
    let messages = system.work_queue.take_all();
    let works = messages
        .into_iter()
        .map(|message| system.work(message.work, in_a_minute()));
    let mut all = payments::service::sweep::batch_run::BatchRun::EMPTY;
    for run in futures_util::future::join_all(works).await {
        all.add(run);
    }
    // Gate answers no request, so each poll fails. In the second delivery, no poll is due.
    assert_eq!((all.found, all.failed, all.done), (40, 20, 20));
    let mut polls = system.polls();
    polls.sort_unstable();
    polls.dedup();
    assert_eq!((polls.len(), system.polls().len()), (20, 20));
}

#[tokio::test]
async fn polls_that_are_lost_with_the_queue_are_handed_out_again() {
    let system = with_rechecks(3).await;
    assert_eq!(system.hand_out_polls(in_a_minute()).await.handed_out, 3);
    system.work_queue.take_all();
    assert_eq!(system.work_all(in_a_minute()).await.found, 0);
    system.pass(MINUTE);
    assert_eq!(system.hand_out_polls(in_a_minute()).await.handed_out, 3);
    let worked = system.work_all(in_a_minute()).await;
    assert_eq!((worked.found, worked.failed, worked.oldest_s), (3, 3, 60));
    assert_eq!(system.hand_out_polls(in_a_minute()).await.found, 0);
}

#[tokio::test]
async fn after_a_stop_of_the_worker_only_the_polls_of_the_last_seconds_are_sent() {
    let mut system = with_rechecks(70).await;
    system.polls_per_second = 1;
    for _ in 0..3 {
        system.hand_out_polls(in_a_minute()).await;
        system.pass(MINUTE);
    }
    // The last run planned a poll for each second of the last minute. Only the polls of the last five seconds are still
    // valid.
    let run = system.work_all(in_a_minute()).await;
    assert_eq!((run.found, run.failed, run.in_time), (180, 5, false));
    assert_eq!(run.oldest_s, 180);
    assert_eq!(system.polls().len(), 5);
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.found, run.handed_out), (65, 60));
}

#[tokio::test]
async fn a_checkout_expires_and_its_data_is_erased_while_its_poll_waits_for_the_worker() {
    let system = System::created(&[]).await;
    let expires_at = system.payment(PAYMENT).order().unwrap().expires_at;
    system.pass_until(expires_at);
    for _ in 0..2 {
        system.hand_out_polls(in_a_minute()).await;
        assert_eq!(system.sent(), ["1 payment.created", "2 checkout.expired"]);
    }
    let next = system.payments.schedule.next(&system.payment(PAYMENT));
    assert_matches!(next, Some(Next::Poll(_)));
    system.pass(31 * DAY);
    system.hand_out_polls(in_a_minute()).await;
    assert!(system.payment(PAYMENT).order().unwrap().customer.is_none());
    assert_eq!(system.polls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_checkout_expires_while_the_polls_of_its_project_exceed_the_rate() {
    let mut system = with_rechecks(70).await;
    system.polls_per_second = 1;
    let request = checkout_request(PAYMENT);
    system.create(&storefront("shop"), &request).await.unwrap();
    let expires_at = system.payment(PAYMENT).order().unwrap().expires_at;
    system.pass_until(expires_at);
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.found, run.handed_out, run.in_time), (71, 60, false));
    assert!(system.sent().contains(&"2 checkout.expired".to_owned()));
}

#[tokio::test]
async fn a_checkout_expires_and_its_data_is_erased_behind_more_late_polls_than_a_run_reads() {
    for has_key in [true, false] {
        let mut system = System::empty();
        system.polls_per_second = 1;
        let project = ProjectId::new(211).unwrap();
        // A run reads at most 600 due polls. All payments are in the same shard, because their ids have the same
        // length.
        for number in 0..610 {
            system.recheck(211, &format!("p-{number:05}")).await;
        }
        let request = checkout_request(PAYMENT);
        system.create(&storefront("shop"), &request).await.unwrap();
        let sweep = async || {
            let sweeper = system.sweeper();
            match has_key {
                true => sweeper.hand_out_polls([project], in_a_minute()).await,
                false => sweeper.sweep_without_keys([project], in_a_minute()).await,
            }
        };
        // No worker sends the polls that are handed out.
        let expires_at = system.payment(PAYMENT).order().unwrap().expires_at;
        system.pass_until(expires_at);
        for _ in 0..SHARDS {
            sweep().await;
            system.pass(MINUTE);
        }
        assert_eq!(system.sent().last().unwrap(), "2 checkout.expired");
        system.pass(31 * DAY);
        for _ in 0..SHARDS {
            sweep().await;
            system.pass(MINUTE);
        }
        assert!(system.payment(PAYMENT).order().unwrap().customer.is_none());
        assert_eq!(system.polls(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_project_without_a_key_is_named_and_its_checkouts_expire_and_its_data_is_erased() {
    let system = System::created(&[]).await;
    let projects = || [211, 212].map(|project| ProjectId::new(project).unwrap());
    let sweep = async || {
        let sweeper = system.sweeper();
        sweeper.sweep_without_keys(projects(), in_a_minute()).await
    };
    assert_eq!(sweep().await.polled.failed, 0);
    let expires_at = system.payment(PAYMENT).order().unwrap().expires_at;
    system.pass_until(expires_at);
    let run = sweep().await.polled;
    assert_eq!((run.found, run.handed_out, run.failed), (1, 0, 1));
    let failure = run.failure.unwrap();
    assert_eq!(failure, "project 211 has due polls, but no key");
    assert_eq!(system.sent(), ["1 payment.created", "2 checkout.expired"]);
    system.pass(31 * DAY);
    sweep().await;
    assert!(system.payment(PAYMENT).order().unwrap().customer.is_none());
    assert_eq!(system.work_queue.take(), None);
}

#[tokio::test]
async fn a_repeated_poll_does_not_count_for_the_lag() {
    let system = with_rechecks(1).await;
    system.hand_out_polls(in_a_minute()).await;
    let message = system.work_queue.take().unwrap();
    system.work(message.work.clone(), in_a_minute()).await;
    system.pass(Duration::from_secs(4));
    let again = system.work(message.work, in_a_minute()).await;
    assert_eq!((again.found, again.done, again.oldest_s), (1, 1, 0));
}

#[tokio::test]
async fn less_is_handed_out_if_many_messages_wait_and_nothing_if_the_queue_fails() {
    let system = with_rechecks(40).await;
    system.work_queue.further_backlog.store(104, SeqCst);
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.found, run.handed_out, run.in_time), (40, 24, false));
    system.work_queue.further_backlog.store(500, SeqCst);
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.handed_out, run.failed), (0, 0));
    system.work_queue.further_backlog.store(0, SeqCst);
    system.behaviour().sends(1);
    let run = system.hand_out_polls(in_a_minute()).await;
    assert_eq!((run.handed_out, run.failed), (0, 1));
    assert!(run.failure.unwrap().contains("the work queue failed"));
    assert_eq!(system.hand_out_polls(in_a_minute()).await.handed_out, 40);
}

#[tokio::test]
async fn work_above_the_direct_limit_is_handed_out_and_done_by_the_worker() {
    let system = System::empty();
    for number in 0..1_030 {
        system.behaviour().sends(1);
        let request = checkout_request(&format!("order-{number}"));
        system.create(&storefront("shop"), &request).await.unwrap();
    }
    system.pass(MINUTE);
    let run = system.sweeper().sweep_outbox(MINUTE, in_a_minute()).await;
    assert_eq!((run.found, run.done, run.handed_out), (1_030, 1_000, 30));
    assert!(run.in_time, "{run:?}");
    let messages = system.work_queue.take_all();
    assert_eq!(messages.len(), 2);
    for message in messages {
        assert!(message.delay.is_zero());
        // A second delivery of the message publishes nothing.
        for _ in 0..2 {
            let worked = system.work(message.work.clone(), in_a_minute()).await;
            assert_eq!((worked.done, worked.failed), (worked.found, 0));
        }
    }
    assert_eq!(system.sent().len(), 1_030);
    assert_eq!(
        system
            .sweeper()
            .sweep_outbox(MINUTE, in_a_minute())
            .await
            .found,
        0
    );
}

#[tokio::test]
async fn nothing_is_handed_out_if_all_direct_work_fails() {
    let system = System::empty();
    for number in 0..1_001 {
        system.behaviour().sends(1);
        let request = checkout_request(&format!("order-{number}"));
        system.create(&storefront("shop"), &request).await.unwrap();
    }
    system.pass(MINUTE);
    system.behaviour().sends(1_000);
    let run = system.sweeper().sweep_outbox(MINUTE, in_a_minute()).await;
    assert_eq!((run.found, run.failed, run.handed_out), (1_001, 1_000, 0));
    assert!(!run.in_time);
    assert_eq!(system.work_queue.take(), None);
}

#[tokio::test]
async fn no_work_starts_after_the_deadline() {
    let system = with_rechecks(6).await;
    system.hand_out_polls(in_a_minute()).await;
    let past = Instant::now() - Duration::from_millis(10);
    let run = system.work_all(past).await;
    assert!(!run.in_time, "{run:?}");
    assert_eq!(system.polls(), Vec::<String>::new());
    let run = system.hand_out_polls(past).await;
    assert!(!run.in_time, "{run:?}");
}

#[tokio::test]
async fn an_open_payment_is_overdue_after_its_last_poll_and_its_customers_data_is_erased() {
    let system = System::created(&[]).await;
    let has_customer = || system.payment(PAYMENT).order().unwrap().customer.is_some();
    let erase = async || system.sweeper().erase(in_a_minute()).await;
    let overdue = async || {
        let run = system.sweeper().count_overdue(in_a_minute()).await;
        (run.found, run.oldest_s)
    };
    while let Some(due) = system.poll_at() {
        assert_eq!(erase().await.found, 0);
        assert_eq!(overdue().await, (0, 0));
        system.pass_until(due);
        system.poll(None).await.unwrap_err();
        assert_eq!(system.sweeper().expire(in_a_minute()).await.failed, 0);
    }
    assert!(has_customer());
    let erased = erase().await;
    assert_eq!((erased.found, erased.done), (1, 1));
    assert!(!has_customer());
    assert_eq!(system.sent(), ["1 payment.created", "2 checkout.expired"]);
    system.pass(DAY);
    assert_eq!(overdue().await, (1, 86_400));
    assert_matches!(
        system.payments.schedule.next(&system.payment(PAYMENT)),
        Some(Next::Overdue(_))
    );
    assert_eq!(erase().await.found, 0);
    system.sale_succeeds().await;
    assert_eq!(overdue().await, (0, 0));
}
