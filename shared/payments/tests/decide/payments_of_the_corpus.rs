//! Callbacks and answers in many orders.

use ecommpay::answer::Answer;
use payments::decide::{Fact, begin_again, claim_resend, decide, tell};
use payments::event::EventKind;
use payments::model::{QuarantineReason, Status};

use super::story::*;

#[test]
fn the_usual_way_is_announced_step_by_step() {
    let mut story = Story::begin();
    assert_eq!(story.payment.status(), Status::Created);
    story.answered(&accepted("r"));
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("redirect_get");
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
        .hear("sale_success")
        .hear("sale_success")
        .hear("sale_success_reordered");
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

/// One thing that is heard: a callback of the corpus, or Gate's answer to the sale.
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
            let mut story = Story::begin();
            let hear = |story: &mut Story, fact: &str| {
                let before = story.payment.status();
                match fact {
                    ANSWER => story.answered(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c")),
                    file => story.hear(file),
                };
                let after = story.payment.status();
                assert!(
                    !before.is_final() || after.is_final(),
                    "{order:?}: {before:?} became {after:?}"
                );
            };
            for fact in &order {
                hear(&mut story, fact);
            }
            let once = story.outcome();
            for fact in &order {
                hear(&mut story, fact);
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
                let times = story.kinds().iter().filter(|told| **told == kind).count();
                assert!(times <= 1, "{order:?} told {kind} {times} times");
            }
            let sequences: Vec<u64> = story.events.iter().map(|event| event.sequence).collect();
            let gapless: Vec<u64> = (1..=sequences.len() as u64).collect();
            assert_eq!(sequences, gapless, "{order:?}");
            let last = story.events.last().unwrap();
            let status = serde_json::to_value(story.payment.status()).unwrap();
            let told: serde_json::Value = serde_json::from_str(&last.body).unwrap();
            let open = !story.payment.status().is_final();
            assert!(
                open || told["data"]["status"] == status,
                "{order:?} ended {status} but told {told}"
            );
        }
    }
}

#[test]
fn another_attempt_may_follow_a_decline_that_is_not_the_end() {
    let mut story = Story::begin();
    story.hear("awaiting_customer");
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("redirect_second_url");
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    story.hear("success_after_decline");
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
fn other_money_than_ordered_is_kept_apart() {
    for (file, reason) in [
        ("amount_differs", QuarantineReason::AmountDiffers),
        ("currency_differs", QuarantineReason::CurrencyDiffers),
    ] {
        let mut story = Story::begin();
        story.hear(file);
        assert_eq!(story.payment.status(), Status::Quarantined, "{file}");
        assert!(story.payment.quarantine().contains(&reason), "{file}");
        assert_eq!(
            story.kinds(),
            ["payment.created", "payment.quarantined"],
            "{file}"
        );
    }
}

#[test]
fn a_late_success_wins_and_says_so() {
    let mut story = Story::begin();
    story
        .hear("sale_decline_customer")
        .hear("success_after_decline");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.declined", "payment.succeeded"]
    );
    assert!(story.events[2].body.contains("\"late\":true"));

    let mut story = Story::begin();
    story
        .hear("sale_success")
        .hear("late_decline_after_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    story.hear("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert!(
        ask_at(&story.payment).is_some(),
        "the contradiction is to be asked about"
    );
}

#[test]
fn answers_that_leave_it_open_leave_it_open() {
    for answer in [
        Answer::Unclear,
        refused("3041"),
        refused("2147"),
        refused("3613"),
    ] {
        let mut story = Story::begin();
        story.answered(&answer);
        assert_eq!(story.payment.status(), Status::Processing, "{answer:?}");
        let again = claim_resend(&story.payment, NOW).unwrap();
        assert_eq!(again.payment.status(), Status::Processing);
        assert!(again.events.is_empty());
        assert_eq!(claim_resend(&again.payment, NOW), None);
    }
    // A refusal of what was sent before says nothing about the first request.
    let mut story = Story::begin();
    story.answered(&Answer::Unclear);
    let again = claim_resend(&story.payment, NOW);
    story.take(again).answered(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Processing);

    let mut story = Story::begin();
    story.answered(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Failed);
    assert_eq!(story.kinds(), ["payment.created", "payment.failed"]);
    assert_eq!(claim_resend(&story.payment, NOW), None);
}

#[test]
fn a_sale_being_sent_is_sent_again_only_when_it_was_abandoned() {
    let payment = created().payment;
    assert_eq!(claim_resend(&payment, NOW.after(ABANDONED / 2)), None);
    assert!(claim_resend(&payment, NOW.after(ABANDONED)).is_some());
}

#[test]
fn an_error_counts_only_for_the_open_request() {
    let mut story = Story::begin();
    story.answered(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.hear("error_duplicate_payment");
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);

    let mut story = Story::begin();
    story
        .answered(&accepted("another"))
        .hear("error_validation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(ask_at(&story.payment).is_some());
}

#[test]
fn a_payment_nobody_created_is_kept_and_announced_once() {
    let verified = corpus("sale_success");
    let fact = verified.fact();
    let change = decide(None, fact, NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Unmatched);
    assert_eq!(change.events.len(), 1);
    assert_eq!(change.events[0].kind, EventKind::PaymentUnmatched);
    assert_eq!(decide(Some(&change.payment), fact, NOW), None);

    // A hint is no news of it: it is kept to be asked about, and told when the platform has answered.
    let asked = decide(None, Fact::Hint(&verified.report), NOW).unwrap();
    assert_eq!((asked.events.len(), ask_at(&asked.payment)), (0, Some(NOW)));
    let answered = ask(&asked.payment, "sale_success").unwrap();
    assert_eq!(answered.events[0].kind, EventKind::PaymentUnmatched);
    assert_eq!(ask_at(&answered.payment), None);
}

#[test]
fn a_success_that_names_no_sale_is_asked_about() {
    let mut story = Story::begin();
    story.hear("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(ask_at(&story.payment).is_some());
}

#[test]
fn events_hold_no_personal_data() {
    let mut story = Story::begin();
    story
        .answered(&accepted("r"))
        .hear("sale_success_account")
        .hear("refund_partial_1");
    for event in &story.events {
        for canary in ["Canaryname", "canary-customer", "192.0.2.77", "Johnson"] {
            assert!(!event.body.contains(canary), "{canary} in {}", event.body);
        }
    }
    assert!(!format!("{:?}", story.payment).contains("Canaryname"));
}

#[test]
fn what_failed_after_it_had_begun_can_be_begun_again() {
    let mut story = Story::begin();
    story.answered(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.hear("redirect_get").hear("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);
    let order = story.payment.order.clone().unwrap();
    let again = begin_again(&story.payment, order, NOW);
    assert_eq!(
        begin_again(
            &again.as_ref().unwrap().payment,
            created().payment.order.unwrap(),
            NOW
        ),
        None
    );
    story.take(again);
    assert_eq!(story.kinds().last(), Some(&"payment.created"));
    assert_eq!(tell(&story.payment, NOW), None, "all is told");
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(
        story.payment.redirect(),
        None,
        "the bank's address of before is of no use"
    );
    story.hear("redirect_get").hear("error_validation");
    assert_eq!(story.payment.status(), Status::Processing);
}

#[test]
fn within_a_second_the_further_status_is_the_platforms_last_word() {
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
        let mut story = Story::begin();
        let mut heard = Vec::new();
        for one in order {
            story.hear_this(&reports[one]);
            heard.push(one);
            let last = statuses[*heard.iter().max().unwrap()];
            let said = story.payment.platform_status.as_ref().unwrap();
            assert_eq!(said.status, last, "{heard:?}");
        }
    }
}
