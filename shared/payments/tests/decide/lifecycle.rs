//! How a payment goes from its creation to its end, with callbacks and answers in many orders.

use ecommpay::answer::Answer;
use payments::Timestamp;
use payments::decide::{Change, Command, Fact, decide};
use payments::events::EventKind;
use payments::model::{Payment, QuarantineReason, Status};

use super::story::*;

#[test]
fn each_step_of_a_payment_is_emitted_once() {
    let mut story = Story::created();
    assert_eq!(story.payment.status(), Status::Created);
    story.sale_answer(&accepted("r"));
    assert_eq!(story.payment.status(), Status::Processing);
    story.callback("redirect_get");
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    assert!(
        story
            .payment
            .redirect()
            .unwrap()
            .url
            .starts_with("https://bancontact.girogate.be/")
    );
    story
        .callback("sale_success")
        .callback("sale_success")
        .callback("sale_success_reordered");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "payment.awaiting_customer",
            "payment.succeeded"
        ]
    );
    let sequences: Vec<u64> = story.events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(story.events[2].id, format!("211/{PAYMENT}/3"));
}

/// A fact: a callback of the corpus, or Gate's answer to the sale.
const ANSWER: &str = "Gate's answer";

#[test]
fn any_order_of_the_same_facts_ends_the_same() {
    let sets: [&[&str]; 8] = [
        &[
            "processing",
            "redirect_get",
            "redirect_second_url",
            "sale_success",
            ANSWER,
        ],
        &[
            "sale_success",
            "refund_partial_1",
            "refund_partial_2_rest",
            "redirect_get",
        ],
        &[
            "sale_decline_customer",
            "success_after_decline",
            "redirect_get",
            "refund_partial_1",
        ],
        &[
            "clarification_last_name",
            "redirect_get",
            "sale_decline_timeout",
            "late_redirect_after_success",
        ],
        &[
            "awaiting_customer",
            "redirect_second_url",
            "success_after_decline",
            ANSWER,
        ],
        &[
            "sale_decline_customer",
            "redirect_second_url",
            "redirect_get",
            ANSWER,
        ],
        &["error_validation", "redirect_get", ANSWER],
        &[
            "sale_success",
            "refund_success",
            "refund_decline_amount",
            "amount_differs",
        ],
    ];
    for set in sets {
        let mut known = None;
        for order in permutations(set) {
            let mut story = Story::created();
            let take = |story: &mut Story, fact: &str| {
                let before = story.payment.status();
                match fact {
                    ANSWER => {
                        story.sale_answer(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"))
                    }
                    file => story.callback(file),
                };
                let after = story.payment.status();
                assert!(
                    !before.is_final() || after.is_final(),
                    "{order:?}: {before:?} became {after:?}"
                );
            };
            for fact in &order {
                take(&mut story, fact);
            }
            let once = story.outcome();
            for fact in &order {
                take(&mut story, fact);
            }
            assert_eq!(story.outcome(), once, "{order:?} twice");
            assert_eq!(
                &once,
                known.get_or_insert_with(|| story.outcome()),
                "{order:?}"
            );
            for kind in [
                "payment.created",
                "payment.succeeded",
                "payment.declined",
                "payment.failed",
            ] {
                let times = story
                    .kinds()
                    .iter()
                    .filter(|emitted| **emitted == kind)
                    .count();
                assert!(times <= 1, "{order:?} emitted {kind} {times} times");
            }
            let sequences: Vec<u64> = story.events.iter().map(|event| event.sequence).collect();
            let gapless: Vec<u64> = (1..=sequences.len() as u64).collect();
            assert_eq!(sequences, gapless, "{order:?}");
            let status = serde_json::to_value(story.payment.status()).unwrap();
            let emitted = story.last_data();
            let open = !story.payment.status().is_final();
            assert!(
                open || emitted["status"] == status,
                "{order:?} ended {status} but emitted {emitted}"
            );
        }
    }
}

#[test]
fn another_attempt_may_follow_a_decline_that_is_not_the_end() {
    let mut story = Story::created();
    story.callback("awaiting_customer");
    assert_eq!(story.payment.status(), Status::Processing);
    story.callback("redirect_second_url");
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    story.callback("success_after_decline");
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "payment.awaiting_customer",
            "payment.succeeded"
        ]
    );
    assert!(!story.events[2].body.contains("late"));
}

#[test]
fn money_that_differs_from_the_order_is_quarantined() {
    for (file, reason) in [
        ("amount_differs", QuarantineReason::AmountDiffers),
        ("currency_differs", QuarantineReason::CurrencyDiffers),
    ] {
        let mut story = Story::created();
        story.callback(file);
        assert_eq!(story.payment.status(), Status::Quarantined, "{file}");
        assert!(
            story.payment.quarantine_reasons().contains(&reason),
            "{file}"
        );
        assert_eq!(
            story.kinds(),
            ["payment.created", "payment.quarantined"],
            "{file}"
        );
    }
}

#[test]
fn a_success_after_a_decline_wins_and_is_emitted_as_late() {
    let mut story = Story::created();
    story
        .callback("sale_decline_customer")
        .callback("success_after_decline");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.declined", "payment.succeeded"]
    );
    assert!(story.events[2].body.contains("\"late\":true"));

    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("late_decline_after_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    story.callback("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert!(
        poll_at(&story.payment).is_some(),
        "the contradiction is to be polled"
    );
}

fn resend(payment: &Payment, at: Timestamp) -> Option<Change> {
    run(Some(payment), Command::Resend, at)
}

#[test]
fn a_sale_stays_open_after_an_answer_that_does_not_settle_it() {
    for answer in [
        Answer::Unclear,
        refused("3041"),
        refused("2147"),
        refused("3613"),
    ] {
        let mut story = Story::created();
        story.sale_answer(&answer);
        assert_eq!(story.payment.status(), Status::Processing, "{answer:?}");
        let again = resend(&story.payment, NOW).unwrap();
        assert_eq!(again.payment.status(), Status::Processing);
        assert!(again.events.is_empty());
        assert_eq!(resend(&again.payment, NOW), None);
    }
    // A refusal of what was sent before says nothing about the first request.
    let mut story = Story::created();
    story.sale_answer(&Answer::Unclear);
    story
        .run(Command::Resend, NOW)
        .sale_answer(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Processing);

    let mut story = Story::created();
    story.sale_answer(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Failed);
    assert_eq!(story.kinds(), ["payment.created", "payment.failed"]);
    assert_eq!(resend(&story.payment, NOW), None);
}

#[test]
fn a_sale_being_sent_is_sent_again_only_once_it_was_abandoned() {
    let payment = Story::created().payment;
    assert_eq!(resend(&payment, NOW.after(ABANDONED / 2)), None);
    assert!(resend(&payment, NOW.after(ABANDONED)).is_some());
}

#[test]
fn an_error_counts_only_for_the_open_request() {
    let mut story = Story::created();
    story.sale_answer(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.callback("error_duplicate_payment");
    assert_eq!(story.payment.status(), Status::Processing);
    story.callback("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);

    let mut story = Story::created();
    story
        .sale_answer(&accepted("another"))
        .callback("error_validation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(poll_at(&story.payment).is_some());
}

#[test]
fn a_payment_that_was_not_created_here_is_unmatched_and_emitted_once() {
    let verified = corpus("sale_success");
    let fact = verified.fact();
    let change = decide(None, fact, NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Unmatched);
    assert_eq!(change.events.len(), 1);
    assert_eq!(change.events[0].kind, EventKind::PaymentUnmatched);
    assert_eq!(decide(Some(&change.payment), fact, NOW), None);

    // A hint is no fact: the payment is polled, and emitted once the platform has answered.
    let hinted = decide(None, Fact::Hint(&verified.report), NOW).unwrap();
    assert_eq!(
        (hinted.events.len(), poll_at(&hinted.payment)),
        (0, Some(NOW))
    );
    let answered = polled(&hinted.payment, "sale_success").unwrap();
    assert_eq!(answered.events[0].kind, EventKind::PaymentUnmatched);
    assert_eq!(poll_at(&answered.payment), None);
}

#[test]
fn a_successful_payment_without_a_sale_is_polled() {
    let mut story = Story::created();
    story.callback("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(poll_at(&story.payment).is_some());
}

#[test]
fn events_hold_no_personal_data() {
    let mut story = Story::created();
    story
        .sale_answer(&accepted("r"))
        .callback("sale_success_account")
        .callback("refund_partial_1");
    for event in &story.events {
        for canary in ["Canaryname", "canary-customer", "192.0.2.77", "Johnson"] {
            assert!(!event.body.contains(canary), "{canary} in {}", event.body);
        }
    }
    assert!(!format!("{:?}", story.payment).contains("Canaryname"));
}

#[test]
fn a_payment_that_failed_can_be_retried_and_ignores_the_earlier_request() {
    let mut story = Story::created();
    story.sale_answer(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.callback("redirect_get").callback("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);
    let order = story.payment.order().unwrap().clone();
    let retry = Command::Retry { order: &order };
    story.run(retry, NOW);
    assert_eq!(run(Some(&story.payment), retry, NOW), None, "not failed");
    assert_eq!(story.kinds().last(), Some(&"payment.created"));
    assert_eq!(
        run(Some(&story.payment), Command::EmitPending, NOW),
        None,
        "all is emitted"
    );
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(
        story.payment.redirect(),
        None,
        "the earlier redirect URL is of no use"
    );
    story
        .callback("redirect_get")
        .callback("error_validation")
        .callback("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Processing);
}

#[test]
fn within_a_second_the_later_stage_is_the_platform_status() {
    let in_one_second = |file, status: &str| {
        edited(file, |body| {
            body["payment"]["status"] = status.into();
            body["operation"]["date"] = "2019-07-02T09:28:29+0000".into();
        })
    };
    let statuses = [
        "processing",
        "decline",
        "success",
        "partially refunded",
        "refunded",
    ];
    let reports = [
        in_one_second("processing", "processing"),
        in_one_second("sale_decline_risk", "decline"),
        in_one_second("sale_success", "success"),
        in_one_second("refund_partial_1", "partially refunded"),
        in_one_second("refund_partial_2_rest", "refunded"),
    ];
    for order in permutations(&[0, 1, 2, 3, 4]) {
        let mut story = Story::created();
        let mut reported = Vec::new();
        for one in order {
            story.deliver(&reports[one]);
            reported.push(one);
            let last = statuses[*reported.iter().max().unwrap()];
            let status = story.payment.platform_status();
            assert_eq!(status, Some(last), "{reported:?}");
        }
    }
}
