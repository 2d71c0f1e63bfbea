//! Status requests: when they are due, which answers count, and what follows from them.

use ecommpay::answer::Answer;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use payments::MerchantId;
use payments::decide::{Command, Fact, SignedReport, execute};
use payments::events::EventKind;
use payments::model::schedule::Next;
use payments::model::{Payment, Status};
use payments::ports::{Clock, Commit, PaymentStore};
use payments::service::status_poll::PollError;

use super::stage::*;

#[tokio::test]
async fn an_answer_counts_only_if_it_is_signed_and_about_this_payment() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let paid = r#"{"project_id":211,"payment":{"id":"ORDER-1","status":"success","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"success","sum_initial":{"amount":1000,"currency":"EUR"}}]}"#;
    let poll = |answer| world.poll(answer);
    assert!(matches!(poll(None).await, Err(PollError::NoAnswer(_))));
    let unsigned = Some(paid.to_owned());
    assert!(matches!(poll(unsigned).await, Err(PollError::NotSigned)));
    let forged = Some(signed(paid, "theirs"));
    assert!(matches!(poll(forged).await, Err(PollError::NotSigned)));
    let cut = Some(signed(paid, "key")[..90].to_owned());
    assert!(matches!(poll(cut).await, Err(PollError::NotValid(_))));
    let others = signed(&paid.replace("ORDER-1", "order-2"), "key");
    assert_eq!(poll(Some(others)).await.unwrap(), []);
    assert_eq!(world.status().await, Status::Processing);
    let events = poll(Some(signed(paid, "key"))).await.unwrap();
    assert_eq!(events, [EventKind::PaymentSucceeded]);
    let paid = world.payment().await;
    assert_eq!(
        (paid.status(), paid.polling().polls_sent()),
        (Status::Succeeded, 6)
    );
    assert_eq!(world.poll_at().await, None, "nothing is open");
    let again = world.poller().poll(&key(), far()).await;
    assert_eq!(again.unwrap(), []);
    assert_eq!(world.polls(), 6);
}

/// A status request that was sent before the refund was given up shows nothing of it.
#[tokio::test]
async fn a_refund_is_not_repeated_by_an_answer_to_an_earlier_poll() {
    let world = World::paid(&[accepted("sale"), Answer::Unclear]).await;
    // The status request is claimed; the refund is sent and cut while it is on its way.
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
        due_by: far(),
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

/// Both forms of "not found", and of 3062.
const NOT_FOUND: [&str; 2] = [
    r#"{"project_id":211,"payment":{"id":"order-1","status":"error"},"errors":[{"code":"3061"}]}"#,
    r#"{"status":"error","code":"3061","message":"Transaction not found"}"#,
];
const NOT_READABLE: [&str; 2] = [
    r#"{"project_id":211,"payment":{"id":"order-1","status":"error"},"operations":[],"errors":[{"code":"3062"}]}"#,
    r#"{"status":"error","code":"3062","message":"Payment details not received"}"#,
];

/// Each body, signed and unsigned.
fn signed_and_not(bodies: [&str; 2]) -> Vec<(bool, String)> {
    let both = |body: &str| [(true, signed(body, "key")), (false, body.to_owned())];
    bodies.into_iter().flat_map(both).collect()
}

/// A payment with a Payment Page link that nobody uses.
async fn link() -> World {
    let world = World::new();
    let on_page = r#""channel":"payment_page","#;
    world.create_with(&shop("shop"), on_page).await.unwrap();
    world
}

/// A payment that is paid by callback, with a body that asks for a recheck.
async fn paid_to_be_rechecked() -> World {
    let world = World::paid(&[]).await;
    hint(&world).await;
    world
}

async fn hint(world: &World) {
    let body = r#"{"project_id":211,"payment":{"id":"order-1"}}"#;
    let report = Report::read(&parse(body.as_bytes(), Limits::CALLBACK).unwrap());
    let hint = Fact::Hint(&report);
    world.payments.apply(&key(), hint).await.unwrap().unwrap();
}

/// Polls with the same answer until no more status request is planned.
async fn poll_to_the_end(world: &World, answer: &str) {
    while world.poll_at().await.is_some() {
        world.poll(Some(answer.to_owned())).await.unwrap();
    }
}

/// A payment without its status requests, so that it shows whether an answer changed anything.
fn without_polls_sent(payment: &Payment) -> serde_json::Value {
    let mut document = serde_json::to_value(payment).unwrap();
    for name in ["polls_sent", "polls_since_activity", "last_activity_at"] {
        document["polling"].as_object_mut().unwrap().remove(name);
    }
    document["attempt"]
        .as_object_mut()
        .unwrap()
        .remove("polled_for_redirect");
    document["updated_at"] = 0.into();
    document
}

#[tokio::test]
async fn an_unused_link_fails_after_its_time_when_the_platform_does_not_know_it() {
    for (is_signed, answer) in signed_and_not(NOT_FOUND) {
        let world = link().await;
        let ends_at = world.payment().await.order().unwrap().expires_at;
        let ends_at = ends_at.after(world.payments.schedule.checkout_grace);
        while world.payment().await.status() != Status::Failed {
            assert!(world.poll_at().await.unwrap() <= ends_at);
            world.poll(Some(answer.clone())).await.unwrap();
        }
        assert_eq!(world.payments.clock.now(), ends_at, "{answer}");
        let payment = world.payment().await;
        assert_eq!(payment.refusal_code(), Some("expired"), "{is_signed}");
        assert_eq!(world.poll_at().await, None);
        let sent = world.sent();
        assert_eq!(sent.last().unwrap(), "3 payment.failed", "{sent:?}");
    }
}

#[tokio::test]
async fn a_sale_is_sent_again_when_the_platform_does_not_know_it() {
    for (is_signed, answer) in signed_and_not(NOT_FOUND) {
        let world = World::with_answers(&[Answer::Unclear, accepted("second")]);
        world.create(&shop("shop"), 1000).await.unwrap();
        world.poll(Some(answer.clone())).await.unwrap();
        assert_eq!(world.sales(), 2, "signed: {is_signed}, {answer}");
        let payment = world.payment().await;
        assert_eq!(payment.attempt().request().request_id(), Some("second"));
        // The platform has taken it now: the same answer is a passing failure.
        world.poll(Some(answer)).await.unwrap();
        assert_eq!(world.sales(), 2);
        assert_eq!(world.status().await, Status::Processing);
    }
}

#[tokio::test]
async fn a_recheck_about_money_does_not_end_by_not_found() {
    for (is_signed, answer) in signed_and_not(NOT_FOUND) {
        let world = paid_to_be_rechecked().await;
        let paid = world.payment().await;
        poll_to_the_end(&world, &answer).await;
        let payment = world.payment().await;
        assert!(payment.polling().needs_recheck(), "signed: {is_signed}");
        let next = world.payments.schedule.next(&payment);
        assert!(
            matches!(next, Some(Next::Erase(_) | Next::Overdue(_))),
            "{next:?}"
        );
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.paid_amount(), paid.paid_amount());
        assert_eq!(world.sales(), 1, "nothing is sent again");
    }
}

#[tokio::test]
async fn a_recheck_without_money_ends_by_not_found_only_if_that_is_signed() {
    for (is_signed, answer) in signed_and_not(NOT_FOUND) {
        let world = World::new();
        hint(&world).await;
        poll_to_the_end(&world, &answer).await;
        let payment = world.payment().await;
        assert_eq!(payment.polling().needs_recheck(), !is_signed, "{answer}");
        let next = world.payments.schedule.next(&payment);
        assert_eq!(next.is_none(), is_signed, "{next:?}");
        assert!(is_signed || matches!(next, Some(Next::Overdue(_))));
    }
}

#[tokio::test]
async fn an_unsigned_not_found_repeats_no_refund() {
    for (_, answer) in signed_and_not(NOT_FOUND) {
        let world = World::paid(&[accepted("sale"), Answer::Unclear]).await;
        world.refund("r-1", 400).await.unwrap();
        world.poll(Some(answer)).await.unwrap();
        let payment = world.payment().await;
        assert_eq!(
            (world.refunds().len(), payment.pending_refund_amount()),
            (1, 400)
        );
    }
}

#[tokio::test]
async fn the_code_3062_is_an_error_and_changes_nothing() {
    for (_, answer) in signed_and_not(NOT_READABLE) {
        for world in [
            link().await,
            paid_to_be_rechecked().await,
            lost_sale().await,
        ] {
            let before = without_polls_sent(&world.payment().await);
            let (due, sales) = (world.poll_at().await, world.sales());
            let polled = world.poll(Some(answer.clone())).await;
            assert!(matches!(polled, Err(PollError::NotReadable)), "{polled:?}");
            let payment = world.payment().await;
            assert_eq!(without_polls_sent(&payment), before, "{answer}");
            assert_eq!(world.sales(), sales, "nothing is sent again");
            assert!(world.poll_at().await > due, "the next one is planned");
        }
        // Nor does it end a link at the last minute.
        let world = link().await;
        let order = world.payment().await.order().unwrap().clone();
        let ends_at = order
            .expires_at
            .after(world.payments.schedule.checkout_grace);
        while world.poll_at().await.unwrap() <= ends_at {
            world.poll(Some(answer.clone())).await.unwrap_err();
        }
        assert_eq!(world.status().await, Status::AwaitingCustomer);
        world.poll(Some(NOT_FOUND[1].into())).await.unwrap();
        assert_eq!(world.status().await, Status::Failed);
    }
}

/// A Gate sale without a clear answer.
async fn lost_sale() -> World {
    let world = World::with_answers(&[Answer::Unclear]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world
}

/// Only an answer without any signature may be unsigned.
#[tokio::test]
async fn an_answer_with_a_wrong_signature_is_not_signed_whatever_its_code() {
    for body in NOT_FOUND.into_iter().chain(NOT_READABLE) {
        let with = |signature: &str| {
            let start = body.strip_suffix('}').unwrap();
            format!(r#"{start},"signature":{signature}}}"#)
        };
        let general = body.replacen('{', r#"{"general":{"signature":"abcd"},"#, 1);
        let forged = signed(body, "theirs");
        let tampered = signed(body, "key").replace("error", "errors");
        for answer in [
            with(r#""""#),
            with("null"),
            with(r#""abcd""#),
            general,
            forged,
            tampered,
        ] {
            let world = lost_sale().await;
            let before = without_polls_sent(&world.payment().await);
            let polled = world.poll(Some(answer.clone())).await;
            assert!(
                matches!(polled, Err(PollError::NotSigned)),
                "{answer}: {polled:?}"
            );
            assert_eq!(
                without_polls_sent(&world.payment().await),
                before,
                "{answer}"
            );
            assert_eq!(world.sales(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_not_found_about_another_payment_or_project_answers_nothing() {
    let other_payment = NOT_FOUND[0].replace("order-1", "order-2");
    let other_project = NOT_FOUND[0].replace("211", "212");
    for body in [&other_payment, &other_project] {
        for answer in [signed(body, "key"), body.clone()] {
            let world = lost_sale().await;
            assert_eq!(world.poll(Some(answer)).await.unwrap(), []);
            assert_eq!(world.payment().await.polling().last_not_found(), 0);
            assert_eq!(world.sales(), 1, "{body}");
        }
    }
}

#[tokio::test]
async fn a_gate_sale_without_a_report_is_polled_after_12_s_and_then_as_usual() {
    let seconds = async |world: &World, since| {
        let due = world.poll_at().await?;
        Some(due.since(since).as_secs())
    };
    for answers in [vec![], vec![Answer::Unclear]] {
        let world = World::with_answers(&answers);
        let start = world.payments.clock.now();
        world.create(&shop("shop"), 1000).await.unwrap();
        for due in [12, 72, 192] {
            let planned = seconds(&world, start).await;
            assert_eq!(planned, Some(due), "{answers:?}");
            world.poll(None).await.unwrap_err();
        }
    }
    // Once the callback with the redirect URL has come, or where there is none to come.
    let world = World::new();
    let start = world.payments.clock.now();
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear_this(&awaiting_redirect(REDIRECT)).await;
    assert_eq!(world.status().await, Status::AwaitingCustomer);
    assert_eq!(seconds(&world, start).await, Some(60));
    let world = link().await;
    assert_eq!(seconds(&world, start).await, Some(60));
}

const REDIRECT: &str =
    r#","redirect_data":{"method":"GET","url":"https://bank.example/","body":[]}"#;

fn awaiting_redirect(redirect: &str) -> String {
    let body = r#"{"project_id":211,"payment":{"id":"order-1","status":"awaiting redirect result","sum":{"amount":1000,"currency":"EUR"}},
        "operations":[{"id":7,"type":"sale","status":"awaiting redirect result","date":"2027-01-15T08:00:01+0000",
        "sum_initial":{"amount":1000,"currency":"EUR"}}]REDIRECT}"#;
    body.replace("REDIRECT", redirect)
}

#[tokio::test]
async fn an_answer_that_awaits_the_redirect_and_brings_none_is_warned_of() {
    let this = "polls::an_answer_that_awaits_the_redirect_and_brings_none_is_warned_of";
    if let Some(lines) = log_lines_of(this) {
        let is_lost = |line: &&serde_json::Value| line["message"] == "redirect_lost";
        let lost: Vec<_> = lines.iter().filter(is_lost).collect();
        assert_eq!(lost.len(), 1, "{lost:#?}");
        assert_eq!(lost[0]["level"], "WARN");
        assert_eq!(lost[0]["payment"], "211/order-1");
        assert_eq!(lost[0]["redirect_lost"], 1, "the metric");
        return;
    }
    let poll = async |world: &World, redirect: &str| {
        let answer = signed(&awaiting_redirect(redirect), "key");
        world.poll(Some(answer)).await.unwrap();
        world.payment().await.is_redirect_missing()
    };
    let brought = World::new();
    brought.create(&shop("shop"), 1000).await.unwrap();
    assert!(!poll(&brought, REDIRECT).await, "it may still be brought");
    assert_eq!(brought.status().await, Status::AwaitingCustomer);

    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    assert!(!world.payment().await.is_redirect_missing());
    // It is warned of once, however often the answer is the same.
    for _ in 0..2 {
        assert!(poll(&world, "").await);
    }
    assert_eq!(world.status().await, Status::Processing);
    world.hear_this(&awaiting_redirect(REDIRECT)).await;
    assert!(!world.payment().await.is_redirect_missing(), "it came late");
}
