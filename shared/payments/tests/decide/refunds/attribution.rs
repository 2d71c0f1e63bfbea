//! Which refund an operation of the platform is.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::decide::{claim_repeat, tell};
use payments::event::EventKind;
use payments::model::RefundStatus;
use serde_json::{Value, json};

use super::told;
use crate::story::*;

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
fn a_refund_that_the_platform_tried_twice_is_done_when_one_try_is() {
    let tries = [("7", "decline"), ("9", "success"), ("8", "decline")]
        .map(|(id, status)| refund_operation(id, status, json!({ "merchant_refund_id": "r-1" })));
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
fn a_refund_without_a_name_waits_for_the_one_that_it_may_be() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answered("r-1", &Answer::Unclear);
    let nameless = refund_operation("7", "success", json!({ "request_id": null }));
    story.hear_this(&nameless);
    assert_eq!(told(&story), ["r-1 pending", "r-1 unknown"]);
    let withheld = ask_at(&story.payment).unwrap();
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
