//! Money that is not what was ordered, and what an operator makes of it.

use payments::decide::{Fact, decide, reject};
use payments::model::{Status, Verdict};
use serde_json::json;

use super::story::*;

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
    assert_eq!(ask_at(&story.payment), None, "asked once, and no more");
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
    assert!(story.is_doubtful());
    story.ask("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Quarantined);
    assert_eq!(ask_at(&story.payment), None);
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
        assert!(story.is_doubtful());
        ends.push(story.outcome());
    }
    assert_eq!(ends[0], ends[1]);
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
