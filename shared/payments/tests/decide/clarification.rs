//! What the platform asks for: of the shopper, and for a refund.

use std::time::Duration;

use payments::Timestamp;
use payments::decide::Fact;
use payments::model::{RefundStatus, Status};
use serde_json::json;

use super::story::*;

/// The refund's id in the corpus' body.
const REFUND: &str = "rf-0002";

fn waiting() -> Story {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund(REFUND, Some(400))).unwrap();
    story.refund_answer(REFUND, &accepted("q"));
    story.callback("refund_awaiting_clarification");
    story
}

#[test]
fn a_refund_that_awaits_clarification_shows_its_fields_and_emits_them() {
    let story = waiting();
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.view()["clarification_fields"], json!([]));
    let shown = &story.view()["refunds"][0];
    assert_eq!(shown["refund_id"], REFUND);
    assert_eq!(shown["status"], "pending");
    assert_eq!(shown["clarification_fields"], json!(["account.number"]));
    assert_eq!(story.kinds().last(), Some(&"refund.pending"));
    assert_eq!(story.last_data()["refund"], *shown);
}

#[test]
fn an_accepted_clarification_of_a_refund_is_shown_no_more_and_the_refund_goes_on() {
    let mut story = waiting();
    let refund = story.payment.refund(&id(REFUND)).unwrap();
    let asked = story.payment.clarification_request_of(refund).unwrap();
    let digest = asked.digest();
    story.fact(Fact::ClarificationAccepted { digest: &digest }, NOW);
    let shown = &story.view()["refunds"][0];
    assert_eq!(shown["clarification_fields"], json!([]));
    assert_eq!(shown["status"], "pending");
    // A repeat of the callback asks nothing new.
    let events = story.events.len();
    story.callback("refund_awaiting_clarification");
    assert_eq!(story.events.len(), events);
    // Another request does.
    let again = edited("refund_awaiting_clarification", |body| {
        body["operation"]["date"] = json!("2019-07-02T10:30:00+0000");
    });
    story.deliver(&again);
    let shown = &story.view()["refunds"][0];
    assert_eq!(shown["clarification_fields"], json!(["account.number"]));
    assert_eq!(story.events.len(), events + 1);

    let done = edited("refund_awaiting_clarification", |body| {
        body["operation"]["status"] = "success".into();
        body["operation"]["date"] = json!("2019-07-02T10:40:00+0000");
        body.as_object_mut().unwrap().remove("clarification_fields");
    });
    story.deliver(&done);
    let refund = story.payment.refund(&id(REFUND)).unwrap();
    assert_eq!(refund.status(), RefundStatus::Succeeded);
}

/// The platform declines it after 30 minutes.
#[test]
fn a_refund_that_awaits_clarification_is_polled_when_its_time_is_over() {
    let mut story = waiting();
    let callback = corpus("refund_awaiting_clarification");
    let asked = callback.report.operations[0].date.as_deref().unwrap();
    let asked = Timestamp::of_platform(asked).unwrap();
    let end = asked.after(Duration::from_secs(31 * 60));
    let mut polls = Vec::new();
    while polls.last().is_none_or(|last| *last < end) {
        polls.push(story.poll_unanswered());
    }
    assert_eq!(polls.last(), Some(&end));
}

#[test]
fn a_field_that_is_not_required_is_optional() {
    let mut story = Story::created();
    story.callback("clarification_schema_required");
    assert_eq!(story.payment.status(), Status::AwaitingClarification);
    let view = story.view();
    let fields = [
        "customer.first_name",
        "customer.last_name",
        "customer.email",
    ];
    let shown = view["clarification_fields"].as_array().unwrap();
    assert_eq!(shown.len(), fields.len());
    for field in fields {
        assert!(shown.contains(&json!(field)), "{field}");
        let required = view["clarification_required"].as_array().unwrap();
        let is_required = field != "customer.email";
        assert_eq!(required.contains(&json!(field)), is_required, "{field}");
    }
    assert_eq!(
        story.last_data()["clarification_required"],
        view["clarification_required"]
    );
}
