//! Whole rounds of the sweeper: who is asked in which order, once and not too fast, and what is
//! done about those who have waited long.

use std::sync::Mutex;
use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::json::{Limits, Value, parse};
use ecommpay::report::Report;
use ecommpay::{Keyring, ProjectKey};
use payments::PaymentKey;
use payments::decide::Fact;
use payments::model::schedule::Next;
use payments::ports::{Gate, NoAnswer};
use payments::service::project_keys::ProjectKeys;
use payments::service::status_poll::StatusPoller;
use payments::service::sweep::batch_run::BatchRun;
use tokio::time::Instant;

use super::stage::*;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Writes down who is asked about, and does not answer.
#[derive(Default)]
struct SilentGate {
    asked: Mutex<Vec<String>>,
}

impl Gate for SilentGate {
    async fn post(&self, _: &'static str, _: Vec<u8>) -> Answer {
        unreachable!("nothing is to be sent")
    }

    async fn query(&self, _: &'static str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        let message = parse(&body, Limits::CALLBACK).unwrap();
        let text = |name| message.at(&["general", name]).and_then(Value::as_text);
        let asked = format!(
            "{}/{}",
            text("project_id").unwrap(),
            text("payment_id").unwrap()
        );
        self.asked.lock().unwrap().push(asked);
        tokio::task::yield_now().await;
        Err(NoAnswer("silence".into()))
    }
}

impl SilentGate {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn keys(projects: &[u64]) -> ProjectKeys {
    let keyring = || Keyring::new(ProjectKey::new("key").unwrap(), None);
    let project = |number: &u64| (ProjectId::new(*number).unwrap(), keyring());
    projects.iter().map(project).collect()
}

/// A reason to ask about a payment at once.
async fn hint(world: &World, project: u64, payment_id: &str) {
    let body = format!(r#"{{"project_id":{project},"payment":{{"id":"{payment_id}"}}}}"#);
    let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
    let key = PaymentKey::new(ProjectId::new(project).unwrap(), payment_id);
    let heard = world.payments.apply(&key, Fact::Hint(&report)).await;
    heard.unwrap().unwrap();
}

async fn poll_all(
    world: &World,
    gate: &SilentGate,
    keys: &ProjectKeys,
    min_interval: Duration,
) -> BatchRun {
    let asker = StatusPoller {
        payments: &world.payments,
        gate,
        keys,
        tokens: &world.tokens,
        base_url: "https://pay.example",
        min_interval,
    };
    asker.poll_all(in_a_minute()).await
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn a_project_with_much_to_ask_about_holds_up_no_other() {
    let (world, gate) = (World::new(), SilentGate::default());
    for number in 0..50 {
        hint(&world, 211, &format!("many-{number}")).await;
    }
    world.pass(Duration::from_secs(60));
    hint(&world, 212, "one").await;
    let round = poll_all(&world, &gate, &keys(&[211, 212]), Duration::ZERO).await;
    assert_eq!((round.found, round.failed), (51, 51), "nobody answers");
    let asked = gate.asked();
    let turn = asked.iter().position(|one| one == "212/one").unwrap();
    assert!(turn < 10, "after {turn} others: {asked:?}");
}

#[tokio::test]
async fn two_rounds_at_once_ask_once() {
    let (world, gate) = (World::new(), SilentGate::default());
    for number in 0..20 {
        hint(&world, 211, &format!("p-{number}")).await;
    }
    let keys = keys(&[211]);
    let rounds = tokio::join!(
        poll_all(&world, &gate, &keys, Duration::ZERO),
        poll_all(&world, &gate, &keys, Duration::ZERO),
    );
    assert_eq!(rounds.0.failed + rounds.1.failed, 20);
    let mut asked = gate.asked();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!((asked.len(), gate.asked().len()), (20, 20));
}

#[tokio::test]
async fn questions_keep_their_pace_and_stop_in_time() {
    let (world, gate) = (World::new(), SilentGate::default());
    for number in 0..6 {
        hint(&world, 211, &format!("p-{number}")).await;
    }
    let (keys, pace) = (keys(&[211]), Duration::from_millis(20));
    let begun = Instant::now();
    let round = poll_all(&world, &gate, &keys, pace).await;
    assert_eq!((gate.asked().len(), round.in_time), (6, true));
    assert!(begun.elapsed() >= 5 * pace);

    // What is not asked in time is not claimed either.
    world.pass(DAY);
    let asker = StatusPoller {
        payments: &world.payments,
        gate: &gate,
        keys: &keys,
        tokens: &world.tokens,
        base_url: "https://pay.example",
        min_interval: Duration::from_secs(60),
    };
    let soon = Instant::now() + Duration::from_millis(50);
    let round = asker.poll_all(soon).await;
    assert!(!round.in_time, "{round:?}");
    assert_eq!(gate.asked().len(), 7);
    let rows = world.payments.store.rows.lock().unwrap();
    let polls: u32 = rows
        .values()
        .map(|row| row.payment.polling().polls_sent())
        .sum();
    assert_eq!(polls, 7);
}

#[tokio::test]
async fn customers_are_forgotten_and_what_stays_open_is_counted() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let customer = || async {
        let payment = world.payment().await;
        payment.order().unwrap().customer.clone()
    };
    let erase = || world.payments.erase_all(in_a_minute());
    let overdue = || async {
        let round = world.payments.count_overdue(in_a_minute()).await;
        (round.found, round.oldest_s)
    };
    // PollResult for a month, and never answered.
    while let Some(due) = world.poll_at().await {
        assert_eq!(erase().await.found, 0, "while it is asked about");
        assert_eq!(overdue().await, (0, 0));
        world.pass_until(due);
        assert!(world.poll(None).await.is_err());
        assert_eq!(world.payments.expire_all(in_a_minute()).await.failed, 0);
    }
    assert!(customer().await.is_some());
    let erased = erase().await;
    assert_eq!((erased.found, erased.done), (1, 1));
    assert_eq!(customer().await, None);
    let sent = world.sent();
    assert_eq!(sent, ["1 payment.created", "2 checkout.expired"]);
    world.pass(DAY);
    assert_eq!(overdue().await, (1, 86_400));
    let next = world.payments.schedule.next(&world.payment().await);
    assert!(matches!(next, Some(Next::Overdue(_))));
    assert_eq!(erase().await.found, 0, "once");
    // Known in the end, it is overdue no more.
    world.hear("success", "success").await;
    assert_eq!(overdue().await, (0, 0));
}
