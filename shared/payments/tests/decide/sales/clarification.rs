//! Tests clarification requests: fields that the platform requests from the shopper or for a refund.

use payments::decide::Fact;
use payments::model::{Payment, RefundStatus, Status, Waiting};
use serde_json::json;

use crate::fixtures::*;

/// The id of the refund in the body `refund_awaiting_clarification` of the corpus.
const REFUND: &str = "rf-0002";

/// Returns a payment with a refund that waits for clarification.
fn waiting_refund() -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.reserve(REFUND, Some(400)).unwrap();
    payment.refund_answer(REFUND, &accepted("q"));
    payment.callback("refund_awaiting_clarification");
    payment
}

#[test]
fn a_refund_that_waits_for_clarification_shows_and_emits_the_requested_fields() {
    let payment = waiting_refund();
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.view()["clarification_fields"], json!([]));
    let shown = &payment.view()["refunds"][0];
    assert_eq!(shown["refund_id"], REFUND);
    assert_eq!(shown["status"], "pending");
    assert_eq!(shown["clarification_fields"], json!(["account.number"]));
    assert_eq!(payment.last_kind(), "refund.pending");
    assert_eq!(payment.last_data()["refund"], *shown);
}

/// Finds the clarification request under test.
type Find = fn(&Payment) -> Option<&Waiting>;

#[test]
fn an_accepted_clarification_hides_the_request_until_a_newer_request_arrives() {
    let of_sale: Find = |payment| payment.clarification_request();
    let of_refund: Find = |payment| payment.clarification_request_of(&payment.refunds()[0]);
    let sale = TestPayment::with_callbacks(&["clarification_last_name"]);
    for (mut payment, find, callback) in [
        (sale, of_sale, "clarification_last_name"),
        (waiting_refund(), of_refund, "refund_awaiting_clarification"),
    ] {
        let digest = find(&payment).unwrap().digest();
        payment.fact(Fact::ClarificationAccepted { digest: &digest }, NOW);
        assert!(find(&payment).is_none(), "{callback}");
        let events = payment.events.len();
        payment.callback(callback);
        assert!(find(&payment).is_none(), "{callback}: a repeated callback");
        assert_eq!(payment.events.len(), events, "{callback}");
        let newer = edited(callback, |body| {
            body["payment"]["date"] = json!("2019-07-02T10:30:00+0000");
            body["operation"]["date"] = json!("2019-07-02T10:30:00+0000");
        });
        payment.deliver(&newer);
        assert!(find(&payment).is_some(), "{callback}");
        assert_eq!(payment.events.len(), events + 1, "{callback}");
    }
}

#[test]
fn a_clarified_refund_succeeds() {
    let mut payment = waiting_refund();
    let succeeded = edited("refund_awaiting_clarification", |body| {
        body["operation"]["status"] = "success".into();
        body["operation"]["date"] = json!("2019-07-02T10:40:00+0000");
        body.as_object_mut().unwrap().remove("clarification_fields");
    });
    payment.deliver(&succeeded);
    let refund = payment.refund(&id(REFUND)).unwrap();
    assert_eq!(refund.status(), RefundStatus::Succeeded);
    let shown = &payment.view()["refunds"][0];
    assert_eq!(shown["clarification_fields"], json!([]));
}

/// Without the fields, the platform declines the operation after 30 minutes.
#[test]
fn a_sale_or_refund_that_waits_for_clarification_is_polled_after_31_minutes() {
    let mut sale = TestPayment::accepted();
    sale.callback("clarification_last_name");
    assert_eq!(sale.status(), Status::AwaitingClarification);
    for (mut payment, callback) in [
        (sale, "clarification_last_name"),
        (waiting_refund(), "refund_awaiting_clarification"),
    ] {
        let date = corpus(callback).report.operations[0].date.as_deref();
        let requested = payments::Timestamp::of_platform(date.unwrap()).unwrap();
        let end = requested.after(31 * MINUTE);
        let mut last = payment.poll_unanswered();
        while last < end {
            last = payment.poll_unanswered();
        }
        assert_eq!(last, end, "{callback}");
    }
}

#[test]
fn a_field_that_the_schema_does_not_require_is_optional() {
    let payment = TestPayment::with_callbacks(&["clarification_schema_required"]);
    assert_eq!(payment.status(), Status::AwaitingClarification);
    let (view, emitted) = (payment.view(), payment.last_data());
    let fields = |name: &str| {
        let mut fields = view[name].as_array().unwrap().clone();
        fields.sort_by_key(ToString::to_string);
        json!(fields)
    };
    let required = json!(["customer.first_name", "customer.last_name"]);
    assert_eq!(fields("clarification_required"), required);
    let all = json!([
        "customer.email",
        "customer.first_name",
        "customer.last_name"
    ]);
    assert_eq!(fields("clarification_fields"), all);
    let name = "clarification_required";
    assert_eq!(emitted[name], view[name]);
}

/// Both requests are in one signed answer and have the same date.
#[test]
fn data_for_one_refund_does_not_hide_the_request_for_another_refund() {
    let mut payment = TestPayment::paid();
    for id in ["r-1", "r-2"] {
        payment.reserve(id, Some(400)).unwrap();
        payment.refund_answer(id, &accepted(&format!("q-{id}")));
    }
    payment.status_answer(&edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        body["clarification_fields"] = json!({ "account": ["number"] });
        let operations = body["operations"].as_array_mut().unwrap();
        operations.truncate(2);
        let mut refund = operations.pop().unwrap();
        refund["status"] = "awaiting clarification".into();
        refund["sum_initial"]["amount"] = 400.into();
        for (number, id) in [(1, "r-1"), (2, "r-2")] {
            refund["id"] = number.into();
            refund["request_id"] = format!("q-{id}").into();
            operations.push(refund.clone());
        }
    }));
    let request = |payment: &TestPayment, index: usize| {
        let request = payment.clarification_request_of(&payment.refunds()[index]);
        request.map(Waiting::digest)
    };
    let first = request(&payment, 0).unwrap();
    assert!(request(&payment, 1).is_some());
    payment.fact(Fact::ClarificationAccepted { digest: &first }, NOW);
    assert_eq!(request(&payment, 0), None);
    assert!(request(&payment, 1).is_some());
}
