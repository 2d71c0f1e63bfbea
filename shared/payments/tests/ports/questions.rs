//! Questions to the platform, and which answers count.

use ecommpay::answer::Answer;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::MerchantId;
use payments::ask::AskError;
use payments::decide::{Command, Fact, SignedReport, execute};
use payments::event::EventKind;
use payments::model::Status;
use payments::ports::{Clock, Commit, PaymentStore};

use super::stage::*;

#[tokio::test]
async fn only_a_signed_answer_about_this_payment_answers() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let paid = r#"{"project_id":211,"payment":{"id":"ORDER-1","status":"success","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}]}"#;
    let ask = |answer| world.poll(answer);
    assert!(matches!(ask(None).await, Err(AskError::Unanswered(_))));
    let unsigned = Some(paid.to_owned());
    assert!(matches!(ask(unsigned).await, Err(AskError::NotSigned)));
    let forged = Some(signed(paid, "theirs"));
    assert!(matches!(ask(forged).await, Err(AskError::NotSigned)));
    let cut = Some(signed(paid, "key")[..90].to_owned());
    assert!(matches!(ask(cut).await, Err(AskError::NotSound(_))));
    let others = signed(&paid.replace("ORDER-1", "order-2"), "key");
    assert_eq!(ask(Some(others)).await.unwrap(), []);
    assert_eq!(world.status().await, Status::Processing);
    let events = ask(Some(signed(paid, "key"))).await.unwrap();
    assert_eq!(events, [EventKind::PaymentSucceeded]);
    let paid = world.payment().await;
    assert_eq!((paid.status(), paid.polling().polls_sent()), (Status::Succeeded, 6));
    assert_eq!(world.poll_at().await, None, "nothing more to ask");
    let again = world.asker().ask(&key(), far()).await;
    assert_eq!(again.unwrap(), []);
    let asked = world.gate.got.lock().unwrap();
    assert_eq!(
        asked
            .iter()
            .filter(|path| path.ends_with("/status"))
            .count(),
        6
    );
}

/// A question that was put before the refund was given up shows nothing of it.
#[tokio::test]
async fn an_answer_to_an_earlier_question_lets_nothing_be_sent_again() {
    let world = World::paid(&[accepted("sale"), Answer::Unclear]).await;
    // The question is claimed; the refund is sent and cut while it is on its way.
    let store = &world.payments.store;
    let hint = r#"{"project_id":211,"payment":{"id":"order-1"}}"#;
    let report = Report::read(&parse(hint.as_bytes(), Limits::CALLBACK).unwrap());
    world
        .payments
        .apply(&key(), Fact::Hint(&report))
        .await
        .unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    let (schedule, now) = (&world.payments.schedule, world.payments.clock.now());
    let command = Command::Poll {
        schedule,
        before: far(),
    };
    let claimed = execute(Some(&stored.payment), command, now);
    let claimed = claimed.unwrap().unwrap();
    let commit = Commit {
        change: &claimed,
        next: schedule.next(&claimed.payment),
        over: Some(&stored),
        token_hash: None,
    };
    store.commit(commit).await.unwrap();
    world.refund("r-1", 400).await.unwrap();
    let body = status_answer("");
    let message = parse(body.as_bytes(), Limits::ANSWER).unwrap();
    let report = Report::read(&message);
    let report = SignedReport {
        report: &report,
        canonical: "answer",
    };
    let poll = claimed.payment.polling().polls_sent();
    let fact = Fact::StatusAnswer { report, poll };
    let payment = world
        .payments
        .apply(&key(), fact)
        .await
        .unwrap()
        .unwrap()
        .payment;
    let r1 = MerchantId::new("r-1").unwrap();
    assert_eq!(payment.polling().last_answered(), poll);
    let repeat = Command::RepeatRefund(&r1);
    let repeated = execute(Some(&payment), repeat, world.payments.clock.now());
    assert_eq!(repeated, Ok(None));
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 2, "a later one does");
}
