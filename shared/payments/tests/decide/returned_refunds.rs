//! Refunds that the bank or the platform takes back (`refund reverse`).

use payments::decide::Command;
use payments::model::{QuarantineReason, RefundStatus, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::story::*;

/// An operation that takes a refund back.
fn returned(id: &str, amount: u64, refund_id: Option<&str>) -> Verified {
    edited("refund_reverse_of_partial", |body| {
        body["operation"]["id"] = id.into();
        body["operation"]["sum_initial"]["amount"] = amount.into();
        body["operation"]["sum_converted"]["amount"] = amount.into();
        if let Some(refund_id) = refund_id {
            body["payment"]["merchant_refund_id"] = refund_id.into();
        }
    })
}

/// A refund of ours that succeeded.
fn refunded(story: &mut Story, refund_id: &str, operation_id: &str, amount: u64) {
    story.refund(&refund(refund_id, Some(amount))).unwrap();
    story.refund_answer(refund_id, &accepted(&format!("q-{refund_id}")));
    let more = json!({
        "merchant_refund_id": refund_id,
        "request_id": format!("q-{refund_id}"),
        "sum_initial": { "amount": amount, "currency": "EUR" },
    });
    story.deliver(&refund_operation(operation_id, "success", more));
}

fn status(story: &Story, refund_id: &str) -> RefundStatus {
    story.payment.refund(&id(refund_id)).unwrap().status()
}

#[test]
fn a_returned_refund_counts_no_longer_and_its_money_can_be_refunded_again() {
    for named in [None, Some("r-1")] {
        let mut story = Story::created();
        story.callback("sale_success");
        refunded(&mut story, "r-1", "7", 400);
        assert_eq!(story.refund_sums(), (400, 0, 600));
        story.deliver(&returned("8", 400, named));
        assert_eq!(status(&story, "r-1"), RefundStatus::Returned);
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert_eq!(story.refund_sums(), (0, 0, 1000));
        assert_eq!(story.payment.refunds().len(), 1);
        assert_eq!(story.kinds().last(), Some(&"refund.returned"));
        let event = &story.last_data()["refund"];
        assert_eq!(event["refund_id"], "r-1");
        assert_eq!(event["returned_amount"], 400);
        assert_eq!(event["status"], "returned");

        // A duplicate changes nothing.
        let events = story.events.len();
        story.deliver(&returned("8", 400, named));
        assert_eq!(story.events.len(), events);
        // The same id is the same refund; a new one refunds the money again.
        assert_eq!(story.refund(&refund("r-1", Some(400))), Ok(false));
        assert_eq!(story.refund(&refund("r-2", None)), Ok(true));
        assert_eq!(story.refund_sums(), (0, 1000, 0));
    }
}

#[test]
fn a_partly_returned_refund_stays_succeeded() {
    let mut story = Story::created();
    story.callback("sale_success");
    refunded(&mut story, "r-1", "7", 400);
    story.deliver(&returned("8", 150, Some("r-1")));
    assert_eq!(status(&story, "r-1"), RefundStatus::Succeeded);
    assert_eq!(story.kinds().last(), Some(&"refund.returned"));
    assert_eq!(story.last_data()["refund"]["returned_amount"], 150);
    assert_eq!(story.refund_sums(), (250, 0, 750));
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
}

#[test]
fn a_return_is_attributed_by_its_name_else_to_the_only_refund_of_its_amount_else_to_none() {
    let two = || {
        let mut story = Story::created();
        story.callback("sale_success");
        refunded(&mut story, "r-1", "7", 300);
        refunded(&mut story, "r-2", "8", 300);
        story
    };
    let mut story = two();
    story.deliver(&returned("9", 300, Some("R-2")));
    assert_eq!(status(&story, "r-1"), RefundStatus::Succeeded);
    assert_eq!(status(&story, "r-2"), RefundStatus::Returned);

    let mut story = two();
    story.deliver(&returned("9", 300, None));
    assert_eq!(status(&story, "r-1"), RefundStatus::Succeeded);
    assert_eq!(status(&story, "r-2"), RefundStatus::Succeeded);
    let event = &story.last_data()["refund"];
    assert_eq!(event["refund_id"], Value::Null);
    assert_eq!(event["operation_id"], "9");
    assert_eq!(story.refund_sums(), (300, 0, 700));
}

/// `operator reject`, the refund is taken back, and rejected again.
#[test]
fn a_rejection_whose_refund_was_returned_can_be_rejected_again() {
    let mut story = Story::created();
    story.callback("amount_differs");
    assert_eq!(story.review(Verdict::Rejected), Ok(true));
    let first = story.payment.refunds()[0].refund_id().unwrap().clone();
    story.refund_answer(first.as_str(), &accepted("q-1"));
    let back = json!({
        "merchant_refund_id": first.as_str(),
        "sum_initial": { "amount": 950, "currency": "EUR" },
    });
    story.deliver(&refund_operation("7", "success", back));
    assert_eq!(story.payment.status(), Status::Refunded);
    story.deliver(&returned("8", 950, Some(first.as_str())));
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.refund_sums(), (0, 0, 950));

    assert_eq!(story.review(Verdict::Rejected), Ok(true));
    let second = &story.payment.refunds()[1];
    assert_ne!(second.refund_id(), Some(&first), "a refund of its own");
    assert_eq!(second.status(), RefundStatus::Pending);
    assert_eq!(story.refund_sums(), (0, 950, 0));
    assert_eq!(
        story.payment.status(),
        Status::Quarantined,
        "nothing is back"
    );
    assert!(!story.kinds().contains(&"payment.succeeded"));
}

#[test]
fn a_return_before_its_refund_is_withheld_and_polled() {
    let mut story = Story::created();
    story
        .callback("sale_success")
        .callback("refund_reverse_of_partial");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.refund_sums(), (0, 0, 1000));
    assert_eq!(story.kinds().last(), Some(&"payment.succeeded"));
    assert_eq!(poll_at(&story.payment), Some(NOW));
    // Its refund is reported.
    story.callback("refund_partial_1");
    assert_eq!(story.refund_sums(), (0, 0, 1000));
    assert_eq!(story.payment.refunds().len(), 1);
    assert_eq!(story.payment.refunds()[0].status(), RefundStatus::Returned);
    assert_eq!(story.kinds().last(), Some(&"refund.returned"));
}

#[test]
fn a_signed_answer_that_returns_more_than_was_refunded_quarantines_the_payment() {
    let answer = edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        operations[1]["type"] = "refund reverse".into();
    });
    let mut story = Story::created();
    story.callback("sale_success");
    story.run(Command::PollNow, NOW).status_answer(&answer);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(
        story.payment.quarantine_reasons(),
        [QuarantineReason::ReturnedExceedsRefunded].into()
    );
    let payment = &story.payment;
    assert_eq!(
        (payment.paid_amount(), payment.refundable_amount()),
        (1000, 1000)
    );
}

/// A signed answer about a sale of 1000 and about operations of refunds: id, type and amount.
fn answer_of(operations: &[(&str, &str, u64)]) -> Verified {
    edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        let all = body["operations"].as_array_mut().unwrap();
        all.truncate(2);
        let form = all.pop().unwrap();
        all.extend(operations.iter().map(|(id, kind, amount)| {
            let mut operation = form.clone();
            operation["id"] = (*id).into();
            operation["type"] = (*kind).into();
            operation["request_id"] = format!("q-{id}").into();
            operation["sum_initial"]["amount"] = (*amount).into();
            operation
        }));
    })
}

#[test]
fn a_refund_that_succeeded_and_was_taken_back_at_once_has_an_event_for_each() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(400))).unwrap();
    story.refund_answer("r-1", &accepted("q-7"));
    let both = answer_of(&[("7", "refund", 400), ("8", "refund reverse", 400)]);
    story.poll_now(NOW, &both);
    let kinds = story.kinds();
    let expected = ["refund.pending", "refund.succeeded", "refund.returned"];
    assert_eq!(kinds[kinds.len() - 3..], expected, "{kinds:?}");
    assert_eq!(story.last_data()["refund"]["returned_amount"], 400);
}

#[test]
fn a_release_of_an_excess_settles_this_excess_only() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.poll_now(NOW, &answer_of(&[("8", "refund reverse", 400)]));
    let reasons = story.payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::ReturnedExceedsRefunded].into());
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.status(), Status::Succeeded);
    let more = [("8", "refund reverse", 400), ("9", "refund reverse", 500)];
    story.poll_now(after(NOW), &answer_of(&more));
    assert_eq!(story.payment.status(), Status::Quarantined);
}

#[test]
fn a_refund_that_an_answer_declines_corrects_its_success() {
    let mut story = Story::created();
    story.callback("sale_success");
    refunded(&mut story, "r-1", "37493000003451", 250);
    let declined = edited("status_many_operations", |body| {
        body["operations"][1]["status"] = "decline".into();
        body["operations"].as_array_mut().unwrap().truncate(2);
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
    });
    story.poll_now(NOW, &declined);
    assert_eq!(story.kinds().last(), Some(&"refund.declined"));
    assert_eq!(story.last_data()["corrects"], "refund.succeeded");
}
