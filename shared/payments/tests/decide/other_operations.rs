//! Operations that are neither sale nor refund: manual changes, unknown types, and those that move no
//! money.

use payments::decide::Command;
use payments::model::{QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::json;

use super::story::*;

fn manually_changed() -> Story {
    let mut story = Story::created();
    story
        .callback("processing")
        .callback("manual_change_success");
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(story.payment.paid_amount(), 0, "by callback alone");
    assert_eq!(poll_at(&story.payment), Some(NOW));
    story.run(Command::PollNow, NOW);
    story.status_answer(corpus("status_manual_change"));
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(story.payment.paid_amount(), 900);
    assert_eq!(story.payment.refundable_amount(), 900);
    story
}

#[test]
fn money_of_a_manual_change_is_rejected_with_a_refund_of_it() {
    let mut story = manually_changed();
    assert_eq!(story.review(Verdict::Rejected), Ok(true));
    assert_eq!(
        story.payment.status(),
        Status::Quarantined,
        "nothing is back"
    );
    assert_eq!(story.refund_sums(), (0, 900, 0));
    let refund_id = story.payment.refunds()[0].refund_id().unwrap().clone();
    story.refund_answer(refund_id.as_str(), &accepted("q"));
    let back = json!({
        "merchant_refund_id": refund_id.as_str(),
        "sum_initial": { "amount": 900, "currency": "EUR" },
    });
    story.deliver(&refund_operation("7", "success", back));
    assert_eq!(story.payment.status(), Status::Refunded);
    assert_eq!(story.refund_sums(), (900, 0, 0));
}

#[test]
fn money_of_a_manual_change_is_released_with_its_own_sum() {
    let mut story = manually_changed();
    assert_eq!(story.review(Verdict::Released), Ok(true));
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.kinds().last(), Some(&"payment.succeeded"));
    assert_eq!(story.last_data()["paid_amount"], 900);
}

/// A successful sale, and another operation beside it.
fn listed_beside_sale(kind: &str) -> [Verified; 2] {
    let callback = edited("sale_success", |body| {
        body["operation"]["id"] = 99.into();
        body["operation"]["type"] = kind.into();
    });
    let answer = edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        operations[1]["id"] = 99.into();
        operations[1]["type"] = kind.into();
    });
    [callback, answer]
}

#[test]
fn an_unknown_operation_beside_a_sale_is_polled_and_quarantined_once_an_answer_lists_it() {
    for kind in ["payout", "capture settlement", "manual change"] {
        let [callback, answer] = listed_beside_sale(kind);
        let mut story = Story::created();
        story.callback("sale_success").deliver(&callback);
        assert_eq!(story.payment.status(), Status::Succeeded, "{kind}");
        assert_eq!(poll_at(&story.payment), Some(NOW), "{kind}");
        story.run(Command::PollNow, NOW).status_answer(&answer);
        assert_eq!(story.payment.status(), Status::Quarantined, "{kind}");
        assert_eq!(
            story.payment.quarantine_reasons(),
            [QuarantineReason::UnknownOperation].into(),
            "{kind}"
        );
        assert_eq!(story.kinds().last(), Some(&"payment.quarantined"));
        assert!(!story.needs_recheck(), "{kind}");
    }
}

#[test]
fn an_operation_that_moves_no_money_is_neither_polled_nor_quarantined() {
    for kind in [
        "invoice",
        "customer action",
        "account verification",
        "contract registration",
        "recurring update",
        "recurring cancel",
    ] {
        let [callback, answer] = listed_beside_sale(kind);
        let mut story = Story::created();
        story.callback("sale_success").deliver(&callback);
        assert_eq!(poll_at(&story.payment), None, "{kind}");
        story.run(Command::PollNow, NOW).status_answer(&answer);
        assert_eq!(story.payment.status(), Status::Succeeded, "{kind}");
        assert_eq!(story.payment.paid_amount(), 1000, "{kind}");
        assert_eq!(story.kinds(), ["payment.created", "payment.succeeded"]);
    }
}

/// A rejection or release settles the items that were seen, whatever comes next.
#[test]
fn a_manual_change_after_a_release_quarantines_again() {
    let mut story = Story::created();
    story.callback("amount_differs");
    story.review(Verdict::Released).unwrap();
    assert_eq!(story.payment.status(), Status::Succeeded);
    let [_, answer] = listed_beside_sale("manual change");
    story.run(Command::PollNow, NOW).status_answer(&answer);
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert!(
        story
            .payment
            .quarantine_reasons()
            .contains(&QuarantineReason::UnknownOperation)
    );
}
