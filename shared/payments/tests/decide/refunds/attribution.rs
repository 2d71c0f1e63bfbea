//! Which refund an operation of the platform is.

use std::time::Duration;

use ecommpay::answer::Answer;
use payments::decide::{Change, Command};
use payments::events::EventKind;
use payments::model::{Refund, RefundStatus};
use serde_json::{Value, json};

use super::emitted;
use crate::story::*;

#[test]
fn a_refund_is_attributed_by_its_request() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    // The callback is faster than the answer that names the request.
    story.callback("refund_partial_1");
    assert_eq!(story.payment.refunds().len(), 2, "not known to be ours");
    story.refund_answer(
        "r-1",
        &accepted("9d11b2ca618ec3ba0f588af8af3c4fc9f5fa58f174"),
    );
    assert_eq!(story.payment.refunds().len(), 1);
    let refund = find(&story, "r-1");
    assert_eq!(refund.status(), RefundStatus::Succeeded);
    assert_eq!(story.refund_sums(), (250, 0, 750));
}

#[test]
fn a_refund_that_the_platform_tried_twice_succeeds_with_one_try() {
    let tries = [("7", "decline"), ("9", "success"), ("8", "decline")]
        .map(|(id, status)| refund_operation(id, status, json!({ "merchant_refund_id": "r-1" })));
    for order in permutations(&[0, 1, 2]) {
        let mut story = Story::created();
        story.callback("sale_success");
        story.refund(&refund("r-1", Some(250))).unwrap();
        for index in &order {
            story.deliver(&tries[*index]);
        }
        let refund = find(&story, "r-1");
        assert_eq!(refund.status(), RefundStatus::Succeeded, "{order:?}");
        assert_eq!(story.payment.refunds().len(), 1);
        let emitted: Vec<Option<&str>> = story
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
        assert_eq!(emitted, [corrects], "{order:?}");
    }
}

#[test]
fn two_tries_of_one_request_are_one_refund_in_any_order() {
    let request = json!({ "request_id": "q1" });
    let named = json!({ "request_id": "q1", "merchant_refund_id": "r-1" });
    let reports = [
        refund_operation("7", "decline", request.clone()),
        refund_operation("8", "success", request),
        refund_operation("8", "success", named),
    ];
    let mut ends = Vec::new();
    for order in permutations(&[0, 1, 2]) {
        let mut story = Story::created();
        story.callback("sale_success");
        story.refund(&refund("r-1", Some(250))).unwrap();
        story.refund_answer("r-1", &Answer::Unclear);
        for index in order {
            story.deliver(&reports[index]);
            let once = story.payment.clone();
            story.deliver(&reports[index]);
            assert_eq!(story.payment, once, "a duplicate");
        }
        let emitted = emitted(&story);
        let is_success = |event: &&String| event.starts_with("r-1 succeeded");
        let successes = emitted.iter().filter(is_success).count();
        assert_eq!(successes, 1, "{emitted:?}");
        ends.push(story.outcome());
    }
    for end in &ends {
        assert_eq!(end, &ends[0]);
    }
}

#[test]
fn a_refund_without_a_name_is_withheld_while_it_may_be_ours() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answer("r-1", &Answer::Unclear);
    let nameless = refund_operation("7", "success", json!({ "request_id": null }));
    story.deliver(&nameless);
    assert_eq!(emitted(&story), ["r-1 pending", "r-1 unknown"]);
    let withheld = poll_at(&story.payment).unwrap();
    assert!(
        withheld <= NOW.after(Duration::from_secs(15 * 60)),
        "polled in time"
    );
    let mut named = story.branch();
    named.deliver(&refund_operation(
        "7",
        "success",
        json!({ "merchant_refund_id": "r-1" }),
    ));
    assert_eq!(emitted(&named), ["r-1 succeeded"]);
    assert_eq!(named.payment.refunds().len(), 1);
    // No report names it in time, so it is external.
    let later = NOW.after(Duration::from_secs(16 * 60));
    story.run(Command::EmitPending, later);
    assert_eq!(emitted(&story)[2..], ["7 succeeded"]);
}

/// The refund with this id.
fn find<'a>(story: &'a Story, refund_id: &str) -> &'a Refund {
    story.payment.refund(&id(refund_id)).unwrap()
}

fn repeat(story: &Story, refund_id: &str) -> Option<Change> {
    let command = Command::RepeatRefund(&id(refund_id));
    run(Some(&story.payment), command, NOW)
}

/// A payment with refunds of 250 each whose requests were lost and, after an answer that listed none
/// of them, sent again.
fn sent_again(refund_ids: &[&str]) -> Story {
    let mut story = Story::created();
    story.callback("sale_success");
    for refund_id in refund_ids {
        story.refund(&refund(refund_id, Some(250))).unwrap();
        story.refund_answer(refund_id, &Answer::Unclear);
    }
    story.poll("sale_success");
    for refund_id in refund_ids {
        let claimed = repeat(&story, refund_id);
        assert!(claimed.is_some(), "{refund_id}");
        story.take(claimed);
    }
    story
}

fn created_in_second(seconds: u32) -> Value {
    json!({ "request_id": null, "created_date": format!("2019-07-02T09:28:{seconds:02}+0000") })
}

#[test]
fn a_repeat_answered_3230_is_the_only_refund_created_in_between() {
    let in_between = refund_operation("7", "success", created_in_second(22));
    let mut days_later = created_in_second(22);
    days_later["created_date"] = json!("2019-07-09T09:00:00+0000");
    let reports = [
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
        story.refund_answer("r-1", &refused("3230"));
        for index in &order {
            story.deliver(&reports[*index]);
        }
        let refund = find(&story, "r-1");
        assert_eq!(refund.operation_id(), Some("7"), "{order:?}");
        assert_eq!(refund.status(), RefundStatus::Succeeded, "{order:?}");
        assert_eq!(story.payment.refunds().len(), 4);
    }
}

#[test]
fn an_operation_that_two_refunds_could_be_is_attributed_to_neither() {
    let mut story = sent_again(&["r-1", "r-2"]);
    story
        .refund_answer("r-1", &refused("3230"))
        .refund_answer("r-2", &Answer::Unclear)
        .deliver(&refund_operation("7", "success", created_in_second(22)));
    for refund_id in ["r-1", "r-2"] {
        let refund = find(&story, refund_id);
        assert_eq!(refund.status(), RefundStatus::Unknown, "{refund_id}");
        assert_eq!(repeat(&story, refund_id), None);
    }
    // Its callback names it; the other one stays unknown.
    story.deliver(&refund_operation(
        "7",
        "success",
        json!({ "merchant_refund_id": "r-2" }),
    ));
    let status = |refund_id| find(&story, refund_id).status();
    assert_eq!(
        (status("r-1"), status("r-2")),
        (RefundStatus::Unknown, RefundStatus::Succeeded)
    );
}

#[test]
fn an_error_3230_declines_no_refund() {
    let mut story = sent_again(&["r-1"]);
    story.refund_answer("r-1", &accepted("q2"));
    let error = edited("error_validation", |body| {
        body["errors"][0]["code"] = json!("3230");
        body["operation"]["request_id"] = json!("q2");
    });
    story.deliver(&error);
    assert_eq!(story.payment.pending_refund_amount(), 250);
    let declined = json!({ "request_id": "q2", "code": "3230" });
    story.deliver(&refund_operation("8", "decline", declined));
    assert_eq!(story.payment.pending_refund_amount(), 250, "still reserved");
}
