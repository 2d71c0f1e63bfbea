//! Money on its way back.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::callback::Verified;
use payments::decide::{
    Fact, RefundOrder, RefundRejection, claim_check, claim_repeat, decide, reject, reserve_refund,
    tell,
};
use payments::event::{Event, EventKind};
use payments::payment::{Payment, Private, QuarantineReason, RefundStatus, Status, Verdict};
use serde_json::{Value, json};

use super::story::*;

#[test]
fn a_refund_is_announced_after_its_sale() {
    let mut story = Story::begin();
    story.hear("refund_partial_1");
    assert_eq!(story.kinds(), ["payment.created"]);
    story.hear("sale_success");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "refund.succeeded"]
    );
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    assert_eq!(story.payment.refundable_amount(), 750);
}

#[test]
fn money_of_a_payment_nobody_created_is_told_when_it_comes() {
    let hear =
        |payment: Option<&Payment>, file: &str| decide(payment, corpus(file).fact(), NOW).unwrap();
    let first = hear(None, "processing");
    let paid = hear(Some(&first.payment), "sale_success");
    assert_eq!(paid.events.len(), 1);
    assert!(paid.events[0].body.contains("\"paid_amount\":1000"));
    let refund = RefundOrder {
        ip_address: Some(Private(text("192.0.2.1"))),
        ..refund("r-1", None)
    };
    assert!(
        reserve_refund(&paid.payment, &refund, NOW)
            .unwrap()
            .is_some()
    );
    let nowhere = RefundOrder {
        ip_address: None,
        ..refund
    };
    assert_eq!(
        reserve_refund(&paid.payment, &nowhere, NOW),
        Err(RefundRejection::NoAddress)
    );
}

#[test]
fn refunds_never_exceed_what_is_left() {
    let mut story = Story::begin();
    assert_eq!(
        story.refund(&refund("r-0", None)),
        Err(RefundRejection::NotRefundable)
    );
    story.hear("sale_success");
    assert_eq!(story.refund(&refund("r-1", Some(400))), Ok(true));
    assert_eq!(
        story.refund(&refund("R-1", Some(400))),
        Ok(false),
        "the same again"
    );
    assert_eq!(
        story.refund(&refund("r-1", Some(500))),
        Err(RefundRejection::OtherContent)
    );
    assert_eq!(
        story.refund(&refund("r-2", Some(601))),
        Err(RefundRejection::MoreThanLeft(600))
    );
    assert_eq!(story.refund(&refund("r-2", None)), Ok(true));
    assert_eq!(story.payment.refund(&id("r-2")).unwrap().amount, 600);
    assert!(
        story.payment.check_at.is_some(),
        "a crash before the answer leaves nothing unasked"
    );
    assert_eq!(
        story.refund(&refund("r-3", Some(1))),
        Err(RefundRejection::MoreThanLeft(0))
    );

    story.refund_answered("r-2", &refused("3060"));
    assert_eq!(story.payment.refundable_amount(), 600, "given back");
    story.refund_answered("r-1", &Answer::Unclear);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Unknown
    );
    assert_eq!(story.payment.refundable_amount(), 600, "still held");
    assert_eq!(
        story.kinds()[2..],
        [
            "refund.pending",
            "refund.pending",
            "refund.declined",
            "refund.unknown"
        ]
    );
}

#[test]
fn a_refund_is_recognised_by_its_request() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    // The callback is faster than the answer that names the request.
    story.hear("refund_partial_1");
    assert_eq!(
        story.payment.refunds.len(),
        2,
        "not ours as far as we can know"
    );
    story.refund_answered(
        "r-1",
        &accepted("9d11b2ca618ec3ba0f588af8af3c4fc9f5fa58f174"),
    );
    assert_eq!(story.payment.refunds.len(), 1);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Succeeded
    );
    assert_eq!(
        (
            story.payment.refunded_amount(),
            story.payment.pending_refund_amount()
        ),
        (250, 0)
    );
}

#[test]
fn more_back_than_paid_is_told_and_not_hidden() {
    let mut story = Story::begin();
    story.hear("sale_success").hear("refund_success");
    assert_eq!(story.payment.status(), Status::Refunded);
    story
        .hear("refund_partial_2_rest")
        .hear("refund_partial_2_rest");
    assert_eq!(
        (
            story.payment.refunded_amount(),
            story.payment.refundable_amount()
        ),
        (1750, 0)
    );
    assert_eq!(
        story.kinds()[1..],
        [
            "payment.succeeded",
            "refund.succeeded",
            "refund.succeeded",
            "payment.overrefunded"
        ]
    );
}

fn is_doubtful(story: &Story) -> bool {
    story.payment.doubted_after.is_some()
}

#[test]
fn what_a_signed_answer_says_is_the_end() {
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    assert!(is_doubtful(&story), "a contradiction is asked about");
    story.ask("sale_success");
    assert!(!is_doubtful(&story));
    assert_eq!(story.payment.check_at, None, "nothing is open");
    story.hear("sale_decline_limit");
    assert!(!is_doubtful(&story), "the answer stands");
    assert_eq!(story.payment.status(), Status::Succeeded);

    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    story.ask("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Declined);
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "payment.declined"]
    );

    // An answer that is not what was ordered settles nothing in the shopper's favour.
    let mut story = Story::begin();
    story.hear("sale_success").hear("sale_decline_customer");
    story.ask("amount_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // Money that comes after the platform has denied it is asked about.
    let mut story = Story::begin();
    story.ask("sale_decline_customer");
    assert!(!is_doubtful(&story));
    story.hear("sale_success");
    assert!(is_doubtful(&story));
    assert_eq!(story.payment.check_at, Some(NOW));

    // Two sales: the answer may say that one of them was none.
    let mut story = Story::begin();
    story.hear("sale_success").hear("success_after_decline");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(is_doubtful(&story));
    story.ask("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn an_operator_releases_what_is_known_and_nothing_that_comes_later() {
    let release = |story: &mut Story| {
        let doubts = story.payment.doubts();
        let fact = Fact::Release {
            by: "anna",
            doubts: &doubts,
        };
        let change = decide(Some(&story.payment), fact, NOW);
        let changed = change.is_some();
        story.take(change);
        changed
    };
    let mut story = Story::begin();
    story.hear("amount_differs");
    assert!(release(&mut story));
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(
        story.kinds()[1..],
        ["payment.quarantined", "payment.succeeded"]
    );
    let kept = &story.payment.decisions[0];
    assert_eq!((kept.by.as_str(), kept.at), ("anna", NOW));
    assert_eq!(kept.verdict, Verdict::Released);
    assert!(!release(&mut story), "there is nothing to release");
    story.hear("currency_differs");
    assert_eq!(story.payment.status(), Status::Quarantined);

    // The same reason, for other money.
    let mut story = Story::begin();
    story.hear("sale_success").hear("success_after_decline");
    assert!(release(&mut story));
    assert_eq!(story.payment.status(), Status::Succeeded);
    let third = edited("sale_success", |body| {
        body["operation"]["id"] = json!(999);
    });
    story.hear_this(&third);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 3000);
}

#[test]
fn money_that_does_not_say_how_much_is_released_as_what_the_payment_says() {
    let silent = edited("sale_success", |body| {
        body["operation"]
            .as_object_mut()
            .unwrap()
            .remove("sum_initial");
    });
    let mut story = Story::begin();
    story.hear_this(&silent);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 1000);
    story.take(claim_check(&story.payment, after(NOW), NOW));
    let question = story.payment.questions;
    let answer = Fact::StatusAnswer {
        news: silent.news(),
        question,
    };
    story.take(decide(Some(&story.payment), answer, NOW));
    assert_eq!(story.payment.check_at, None, "asked once, and no more");
    let doubts = story.payment.doubts();
    let by = "anna";
    // Only what was looked at.
    let nothing = Default::default();
    let unseen = Fact::Release {
        by,
        doubts: &nothing,
    };
    assert_eq!(decide(Some(&story.payment), unseen, NOW), None);
    let seen = Fact::Release {
        by,
        doubts: &doubts,
    };
    story.take(decide(Some(&story.payment), seen, NOW));
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn signed_money_that_is_no_sale_is_kept_apart() {
    let mut story = Story::begin();
    story.hear("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(is_doubtful(&story));
    story.ask("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.check_at, None);
    let doubts = story.payment.doubts();
    let released = Fact::Release {
        by: "anna",
        doubts: &doubts,
    };
    assert_eq!(story.payment.paid_amount(), 1000, "as the platform says");
    assert_eq!(story.payment.refundable_amount(), 1000);
    // Once there is a sale, that is the money, whichever came first.
    let mut sale_later = Story {
        payment: story.payment.clone(),
        events: Vec::new(),
    };
    sale_later.hear("sale_success");
    let mut sale_first = Story::begin();
    sale_first.hear("sale_success");
    sale_first
        .hear("payment_confirmation")
        .ask("payment_confirmation");
    for story in [&sale_later, &sale_first] {
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert_eq!(story.payment.paid_amount(), 1000);
    }
    story.take(decide(Some(&story.payment), released, NOW));
    assert_eq!(story.payment.status(), Status::Succeeded);
}

#[test]
fn a_doubt_is_asked_about_as_often_as_something_new() {
    let mut story = Story::begin();
    story.answered(&accepted("r"));
    let mut now = NOW;
    for _ in 0..5 {
        now = story.payment.check_at.unwrap();
        story.take(claim_check(&story.payment, after(now), now));
    }
    assert_eq!(
        story.payment.check_at,
        Some(now.after(Duration::from_secs(6 * 3600)))
    );
    story.take(decide(
        Some(&story.payment),
        Fact::Hint(&corpus("sale_success").report),
        now,
    ));
    assert_eq!(story.payment.check_at, Some(now));
    // The question gets no answer.
    story.take(claim_check(&story.payment, after(now), now));
    assert_eq!(
        story.payment.check_at,
        Some(now.after(Duration::from_secs(120)))
    );
}

#[test]
fn an_operation_of_two_types_does_not_undo_the_sale() {
    let other = edited("sale_success", |body| {
        body["operation"]["type"] = json!("refund");
        body["operation"]["date"] = json!("2030-01-01T00:00:00+0000");
    });
    let mut ends = Vec::new();
    for other_first in [false, true] {
        let mut story = Story::begin();
        if other_first {
            story.hear_this(&other).hear("sale_success");
        } else {
            story.hear("sale_success").hear_this(&other);
        }
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert!(is_doubtful(&story));
        ends.push(story.outcome());
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn an_answer_settles_only_what_was_heard_before_the_question() {
    let contradicted = || {
        let mut story = Story::begin();
        story.hear("sale_success").hear("sale_decline_customer");
        story
    };
    let answer = |story: &mut Story, question, file: &str| {
        let news = corpus(file).news();
        let fact = Fact::StatusAnswer { news, question };
        let change = decide(Some(&story.payment), fact, NOW);
        story.take(change);
    };
    // A hint comes while the answer is on its way.
    let mut story = contradicted();
    story.take(claim_check(&story.payment, after(NOW), NOW));
    assert_eq!(story.payment.questions, 1);
    let hint = decide(
        Some(&story.payment),
        Fact::Hint(&corpus("sale_success").report),
        NOW,
    );
    story.take(hint);
    assert_eq!(
        story.payment.check_at,
        Some(NOW),
        "asked once more, at once"
    );
    answer(&mut story, 1, "sale_success");
    assert!(is_doubtful(&story));
    assert_eq!(story.payment.check_at, Some(NOW));
    // A repeat of it is no news as long as the question is due.
    let again = Fact::Hint(&corpus("sale_success").report);
    assert_eq!(decide(Some(&story.payment), again, NOW), None);
    story.take(claim_check(&story.payment, after(NOW), NOW));
    assert_eq!(
        claim_check(&story.payment, after(NOW), NOW),
        None,
        "claimed once"
    );
    answer(&mut story, 2, "sale_success");
    assert!(!is_doubtful(&story));
    assert_eq!(story.payment.check_at, None);

    // "Not found" and other payments' answers answer nothing.
    let mut story = contradicted();
    story.take(claim_check(&story.payment, after(NOW), NOW));
    let before = story.payment.clone();
    for no_answer in [
        edited("sale_success", |body| {
            body["payment"]["id"] = json!("another");
        }),
        edited("error_validation", |body| {
            body.as_object_mut().unwrap().remove("operation");
            body["errors"][0]["code"] = json!("3061");
        }),
    ] {
        let news = no_answer.news();
        let fact = Fact::StatusAnswer { news, question: 1 };
        assert_eq!(decide(Some(&story.payment), fact, NOW), None);
    }
    assert_eq!(story.payment, before);
    assert!(is_doubtful(&story));
}

#[test]
fn a_refund_that_does_not_say_how_much_is_held_for_looking_at() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(400))).unwrap();
    story.refund_answered("r-1", &accepted("request-1"));
    let silent = |reason, amount| {
        let told = edited("refund_partial_1", |body| {
            let operation = body["operation"].as_object_mut().unwrap();
            operation.insert("request_id".into(), json!("request-1"));
            match amount {
                None => operation.remove("sum_initial"),
                Some(sum) => operation.insert("sum_initial".into(), sum),
            };
        });
        let mut story = Story {
            payment: story.payment.clone(),
            events: Vec::new(),
        };
        story.hear_this(&told);
        let payment = &story.payment;
        assert_eq!(payment.quarantine(), [reason].into());
        assert_eq!(payment.refunded_amount(), 400, "what was asked for");
        assert_eq!(payment.refundable_amount(), 600);
        assert!(payment.check_at.is_some());
    };
    silent(QuarantineReason::AmountMissing, None);
    let dollars = json!({ "amount": 1, "currency": "USD" });
    silent(QuarantineReason::CurrencyDiffers, Some(dollars));
}

#[test]
fn a_refund_that_the_platform_tried_twice_is_done_when_one_try_is() {
    let tries: Vec<Verified> = [("7", "decline"), ("9", "success"), ("8", "decline")]
        .map(|(id, status)| {
            edited("refund_partial_1", |body| {
                body["operation"]["id"] = json!(id);
                body["operation"]["status"] = json!(status);
                body["payment"]["merchant_refund_id"] = json!("r-1");
            })
        })
        .into();
    for order in permutations(&[0, 1, 2]) {
        let mut story = Story::begin();
        story.hear("sale_success");
        story.refund(&refund("r-1", Some(250))).unwrap();
        for index in &order {
            story.hear_this(&tries[*index]);
        }
        let refund = story.payment.refund(&id("r-1")).unwrap();
        assert_eq!(refund.status, RefundStatus::Succeeded, "{order:?}");
        assert_eq!(story.payment.refunds.len(), 1);
        let told: Vec<Option<&str>> = story
            .events
            .iter()
            .filter(|event| event.kind == EventKind::RefundSucceeded)
            .map(|event| {
                event
                    .body
                    .contains(r#""corrects":"refund.declined""#)
                    .then_some("corrects")
            })
            .collect();
        let corrects = (order[0] != 1).then_some("corrects");
        assert_eq!(told, [corrects], "{order:?}");
    }
}

#[test]
fn five_hundred_refunds_of_ours_fit_into_one_item() {
    let mut payment = Story::begin().hear("sale_success").payment.clone();
    // As long as the platform's names are, and as a storefront's would be.
    let (long, uuid) = ("x".repeat(80), "3f0c8a52-6b1e-4d0c-9a57-2f3f4e5d6c");
    let mut largest = 0;
    for number in 100..600 {
        let refund_id = format!("{uuid}{number}");
        let request_id = format!("{long}-{number}");
        let order = RefundOrder {
            description: text(&"d".repeat(255)),
            ip_address: Some(Private(text("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))),
            content: "c".repeat(32),
            ..refund(&refund_id, Some(1))
        };
        payment = reserve_refund(&payment, &order, NOW)
            .unwrap()
            .unwrap()
            .payment;
        let fact = Fact::RefundAnswer {
            refund_id: &id(&refund_id),
            answer: &accepted(&request_id),
        };
        payment = decide(Some(&payment), fact, NOW).unwrap().payment;
        let told = edited("refund_partial_1", |body| {
            body["operation"]["id"] = json!(37_493_000_000_000_u64 + number);
            body["operation"]["request_id"] = json!(request_id);
            body["operation"]["sum_initial"]["amount"] = json!(1);
            body["payment"]["merchant_refund_id"] = json!(refund_id);
        });
        let change = decide(Some(&payment), told.fact(), NOW).unwrap();
        largest = change
            .events
            .iter()
            .map(|event| event.body.len())
            .max()
            .unwrap();
        payment = change.payment;
    }
    assert_eq!(payment.refunded_amount(), 500);
    let item = serde_json::to_string(&payment).unwrap().len();
    println!("item {item} bytes, event {largest}");
    assert!(item < 320_000 && largest < 256 * 1_024, "{item}, {largest}");
}

/// How each refund was announced, by the id of the merchant or of the platform.
fn told(story: &Story) -> Vec<String> {
    let about_refund = |event: &Event| {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let refund = &body["data"]["refund"];
        let id = refund["refund_id"]
            .as_str()
            .or(refund["operation_id"].as_str())?;
        let corrects = body["data"]["corrects"]
            .as_str()
            .map_or("", |_| " after all");
        Some(format!("{id} {}{corrects}", refund["status"].as_str()?))
    };
    story.events.iter().filter_map(about_refund).collect()
}

fn refund_operation(id: &str, status: &str, more: Value) -> Verified {
    edited("refund_partial_1", |body| {
        body["operation"]["id"] = json!(id);
        body["operation"]["status"] = json!(status);
        for (name, value) in more.as_object().unwrap() {
            match name.as_str() {
                "merchant_refund_id" => body["payment"][name] = value.clone(),
                _ => body["operation"][name] = value.clone(),
            }
        }
    })
}

#[test]
fn two_tries_of_one_request_are_one_refund_in_any_order() {
    let request = json!({ "request_id": "q1" });
    let named = json!({ "request_id": "q1", "merchant_refund_id": "r-1" });
    let news = [
        refund_operation("7", "decline", request.clone()),
        refund_operation("8", "success", request),
        refund_operation("8", "success", named),
    ];
    let mut ends = Vec::new();
    for order in permutations(&[0, 1, 2]) {
        let mut story = Story::begin();
        story.hear("sale_success");
        story.refund(&refund("r-1", Some(250))).unwrap();
        story.refund_answered("r-1", &Answer::Unclear);
        for index in order {
            story.hear_this(&news[index]);
            let once = story.payment.clone();
            story.hear_this(&news[index]);
            assert_eq!(story.payment, once, "a duplicate");
        }
        let said = told(&story);
        let succeeded = said.iter().filter(|told| told.starts_with("r-1 succeeded"));
        assert_eq!(succeeded.count(), 1, "{said:?}");
        ends.push(story.outcome());
    }
    for end in &ends {
        assert_eq!(end, &ends[0]);
    }
}

#[test]
fn a_success_after_a_decline_corrects_it_however_it_came_about() {
    let ours = || json!({ "merchant_refund_id": "r-1" });
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answered("r-1", &accepted("q1"));
    for (id, status) in [("7", "decline"), ("8", "processing"), ("8", "success")] {
        story.hear_this(&refund_operation(id, status, ours()));
    }
    let expected = [
        "r-1 pending",
        "r-1 declined",
        "r-1 pending",
        "r-1 succeeded after all",
    ];
    assert_eq!(told(&story), expected);
}

#[test]
fn what_a_refund_gave_back_is_told_again_when_it_is_another_sum() {
    let sum = |amount: u64| json!({ "sum_initial": { "amount": amount, "currency": "EUR" } });
    let mut story = Story::begin();
    story.hear("sale_success");
    story.hear_this(&refund_operation("7", "success", sum(400)));
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    let mut more = sum(1000);
    more["date"] = json!("2030-01-01T00:00:00+0000");
    story.hear_this(&refund_operation("7", "success", more));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert_eq!(told(&story), ["7 succeeded", "7 succeeded"]);
    assert!(is_doubtful(&story), "and the platform is asked");
}

#[test]
fn a_refund_that_nobody_sends_any_more_is_unknown() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    let due = story.payment.check_at.unwrap();
    assert_eq!(due, NOW.after(Duration::from_secs(60)));
    story.take(claim_check(&story.payment, after(due), due));
    assert_eq!(told(&story), ["r-1 pending", "r-1 unknown"]);
    assert_eq!(story.payment.refundable_amount(), 750, "still reserved");
}

#[test]
fn a_refund_without_a_name_waits_for_the_one_that_it_may_be() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answered("r-1", &Answer::Unclear);
    let nameless = refund_operation("7", "success", json!({ "request_id": null }));
    story.hear_this(&nameless);
    assert_eq!(told(&story), ["r-1 pending", "r-1 unknown"]);
    let withheld = story.payment.check_at.unwrap();
    assert!(
        withheld <= NOW.after(Duration::from_secs(15 * 60)),
        "looked at in time"
    );
    let mut named = Story {
        payment: story.payment.clone(),
        events: Vec::new(),
    };
    named.hear_this(&refund_operation(
        "7",
        "success",
        json!({ "merchant_refund_id": "r-1" }),
    ));
    assert_eq!(told(&named), ["r-1 succeeded"]);
    assert_eq!(named.payment.refunds.len(), 1);
    // Nobody names it in time, so it was made elsewhere.
    let later = NOW.after(Duration::from_secs(16 * 60));
    story.take(tell(&story.payment, later));
    assert_eq!(told(&story)[2..], ["7 succeeded"]);
}

/// A payment with refunds of 250 each that were lost on the way and, after an answer that showed
/// nothing of them, sent again.
fn sent_again(refund_ids: &[&str]) -> Story {
    let mut story = Story::begin();
    story.hear("sale_success");
    for refund_id in refund_ids {
        story.refund(&refund(refund_id, Some(250))).unwrap();
        story.refund_answered(refund_id, &Answer::Unclear);
    }
    story.ask("sale_success");
    for refund_id in refund_ids {
        let claimed = claim_repeat(&story.payment, &id(refund_id), NOW);
        assert!(claimed.is_some(), "{refund_id}");
        story.take(claimed);
    }
    story
}

fn began(seconds: u32) -> Value {
    json!({ "request_id": null, "created_date": format!("2019-07-02T09:28:{seconds:02}+0000") })
}

#[test]
fn what_the_platform_has_is_the_one_that_began_in_between_whatever_comes_later() {
    let in_between = refund_operation("7", "success", began(22));
    let mut days_later = began(22);
    days_later["created_date"] = json!("2019-07-09T09:00:00+0000");
    let news = [
        in_between,
        refund_operation("9", "success", days_later),
        refund_operation(
            "5",
            "success",
            json!({ "created_date": "2019-07-01T09:00:00+0000" }),
        ),
        // Another system's, by its own name.
        refund_operation("8", "decline", json!({ "merchant_refund_id": "erp-7" })),
    ];
    for order in permutations(&[0, 1, 2, 3]) {
        let mut story = sent_again(&["r-1"]);
        story.refund_answered("r-1", &refused("3230"));
        for index in &order {
            story.hear_this(&news[*index]);
        }
        let refund = story.payment.refund(&id("r-1")).unwrap();
        assert_eq!(refund.operation_id.as_deref(), Some("7"), "{order:?}");
        assert_eq!(refund.status, RefundStatus::Succeeded, "{order:?}");
        assert_eq!(story.payment.refunds.len(), 4);
    }
}

#[test]
fn what_two_refunds_could_be_is_neither() {
    let mut story = sent_again(&["r-1", "r-2"]);
    story
        .refund_answered("r-1", &refused("3230"))
        .refund_answered("r-2", &Answer::Unclear)
        .hear_this(&refund_operation("7", "success", began(22)));
    for refund_id in ["r-1", "r-2"] {
        let refund = story.payment.refund(&id(refund_id)).unwrap();
        assert_eq!(refund.status, RefundStatus::Unknown, "{refund_id}");
        assert_eq!(claim_repeat(&story.payment, &id(refund_id), NOW), None);
    }
    // Its callback names it; what is left can only be the other, if the platform had it by then.
    story.hear_this(&refund_operation(
        "7",
        "success",
        json!({ "merchant_refund_id": "r-2" }),
    ));
    let status = |refund_id| story.payment.refund(&id(refund_id)).unwrap().status;
    assert_eq!(
        (status("r-1"), status("r-2")),
        (RefundStatus::Unknown, RefundStatus::Succeeded)
    );
}

#[test]
fn that_a_refund_exists_already_declines_nothing() {
    let mut story = sent_again(&["r-1"]);
    story.refund_answered("r-1", &accepted("q2"));
    let error = edited("error_validation", |body| {
        body["errors"][0]["code"] = json!("3230");
        body["operation"]["request_id"] = json!("q2");
    });
    story.hear_this(&error);
    assert_eq!(story.payment.pending_refund_amount(), 250);
    let declined = json!({ "request_id": "q2", "code": "3230" });
    story.hear_this(&refund_operation("8", "decline", declined));
    assert_eq!(story.payment.pending_refund_amount(), 250, "still held");
}

#[test]
fn what_a_storefront_gave_back_can_be_rejected_too() {
    let mut story = Story::begin();
    story.hear("amount_differs");
    let paid = story.payment.paid_amount();
    story.refund(&refund("r-1", None)).unwrap();
    story.refund_answered("r-1", &accepted("q1"));
    let doubts = story.payment.doubts();
    let (change, to_send) = reject(&story.payment, "anna", &doubts, NOW).unwrap();
    assert_eq!(to_send, None, "all is on its way");
    story.take(Some(change));
    assert_eq!(story.payment.status(), Status::Quarantined);
    let mut back = json!({ "merchant_refund_id": "r-1" });
    back["sum_initial"] = json!({ "amount": paid, "currency": "EUR" });
    story.hear_this(&refund_operation("7", "success", back));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert!(
        !story.kinds().contains(&"payment.succeeded"),
        "{:?}",
        story.kinds()
    );
    // What was not looked at is not rejected with the rest.
    let nothing = Default::default();
    assert!(reject(&story.payment, "anna", &nothing, NOW).is_err());
}
