//! Tests to which refund an operation of the platform belongs.

use ecommpay::answer::Answer;
use payments::decide::Command;
use payments::model::RefundStatus;
use serde_json::json;

use crate::fixtures::*;

/// Returns a paid payment with a requested refund of 2.50 EUR.
fn requested() -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment
}

#[test]
fn an_operation_belongs_to_the_refund_with_its_request_id() {
    let mut payment = requested();
    // The callback arrives before Gate's answer, which has the request id.
    payment.callback("refund_partial_1");
    assert_eq!(payment.refunds().len(), 2);
    let answer = accepted("9d11b2ca618ec3ba0f588af8af3c4fc9f5fa58f174");
    payment.refund_answer("r-1", &answer);
    assert_eq!(payment.refunds().len(), 1);
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
    assert_eq!(payment.refund_sums(), (250, 0, 750));
}

#[test]
fn a_refund_with_several_operations_succeeds_if_one_operation_succeeds() {
    let tries = [("7", "decline"), ("9", "success"), ("8", "decline")]
        .map(|(id, status)| refund_operation(id, status, json!({ "merchant_refund_id": "r-1" })));
    for order in permutations(&[0, 1, 2]) {
        let mut payment = requested();
        for index in &order {
            payment.deliver(&tries[*index]);
        }
        let status = payment.refund_status("r-1");
        assert_eq!(status, RefundStatus::Succeeded, "{order:?}");
        assert_eq!(payment.refunds().len(), 1);
        let mut successes = payment.refund_events();
        successes.retain(|event| event.starts_with("r-1 succeeded"));
        let expected = match order[0] {
            1 => "r-1 succeeded",
            _ => "r-1 succeeded corrects refund.declined",
        };
        assert_eq!(successes, [expected], "{order:?}");
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
    let mut outcomes = Vec::new();
    for order in permutations(&[0, 1, 2]) {
        let mut payment = requested();
        payment.refund_answer("r-1", &Answer::Unclear);
        for index in order {
            payment.deliver(&reports[index]);
            let once = (*payment).clone();
            payment.deliver(&reports[index]);
            assert_eq!(*payment, once, "a duplicate changed the payment");
        }
        let events = payment.refund_events();
        let successes = events
            .iter()
            .filter(|event| event.starts_with("r-1 succeeded"));
        assert_eq!(successes.count(), 1, "{events:?}");
        outcomes.push(payment.outcome());
    }
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
    }
}

#[test]
fn an_operation_without_our_id_causes_no_event_for_15_minutes_if_it_can_belong_to_our_refund() {
    let mut payment = requested();
    payment.refund_answer("r-1", &Answer::Unclear);
    let without_id = refund_operation("7", "success", json!({ "request_id": null }));
    payment.deliver(&without_id);
    assert_eq!(payment.refund_events(), ["r-1 pending", "r-1 unknown"]);
    assert!(poll_at(&payment).unwrap() <= NOW.after(15 * MINUTE));
    let mut named = payment.fork();
    let with_id = json!({ "merchant_refund_id": "r-1" });
    named.deliver(&refund_operation("7", "success", with_id));
    assert_eq!(named.refund_events(), ["r-1 succeeded"]);
    assert_eq!(named.refunds().len(), 1);
    // After 15 minutes without a report that names our refund, the operation counts as an external refund.
    payment.execute(Command::EmitPending, NOW.after(16 * MINUTE));
    assert_eq!(payment.refund_events()[2..], ["7 succeeded"]);
}

#[test]
fn a_refund_from_the_dashboard_counts_as_soon_as_it_is_reported() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_operation("7", "success", json!({})));
    assert_eq!(payment.refund_sums(), (250, 0, 750));
    assert_eq!(payment.last_kind(), "refund.succeeded");
    let emitted = &payment.last_data()["refund"];
    for refund in [emitted, &payment.view()["refunds"][0]] {
        assert_eq!(refund["refund_id"], json!(null));
        assert_eq!(refund["operation_id"], "7");
        assert_eq!(refund["amount"], 250);
    }
}

#[test]
fn an_operation_that_names_another_refund_id_is_external() {
    let mut payment = requested();
    payment.refund_answer("r-1", &accepted("q1"));
    let named = json!({ "merchant_refund_id": "erp-7", "request_id": "q1" });
    payment.deliver(&refund_operation("7", "success", named));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Pending);
    assert_eq!(payment.refund_sums(), (250, 250, 500));
    assert_eq!(payment.refunds()[1].refund_id(), None);
}

#[test]
fn a_blank_id_names_no_refund() {
    for blank in ["", " "] {
        let mut payment = requested();
        payment.refund_answer("r-1", &accepted(blank));
        let ids = json!({ "request_id": blank, "merchant_refund_id": blank });
        payment.deliver(&refund_operation("7", "success", ids));
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Pending);
        assert_eq!(payment.refund_sums(), (250, 250, 500));
    }
}

#[test]
fn an_operation_with_the_request_id_of_two_refunds_belongs_to_the_first_with_its_amount() {
    let success = |amount: u64| {
        let fields = json!({ "request_id": "q1", "sum_initial": reports::euros(amount) });
        refund_operation("7", "success", fields)
    };
    for (second, amount, ended) in [
        (300, 250, Some("r-1")),
        (300, 300, Some("r-2")),
        (250, 250, Some("r-1")),
        (300, 200, None),
    ] {
        for order in permutations(&["r-1", "r-2", "7"]) {
            let mut payment = requested();
            payment.reserve("r-2", Some(second)).unwrap();
            for fact in &order {
                match *fact {
                    "7" => payment.deliver(&success(amount)),
                    refund_id => payment.refund_answer(refund_id, &accepted("q1")),
                };
            }
            for id in ["r-1", "r-2"] {
                let has_ended = payment.refund_status(id) == RefundStatus::Succeeded;
                assert_eq!(has_ended, ended == Some(id), "{amount} {id} {order:?}");
            }
            assert_eq!(payment.refunded_amount(), amount);
        }
    }
}

#[test]
fn an_operation_that_is_older_than_a_refund_does_not_belong_to_it_by_a_shared_request_id() {
    let mut payment = requested();
    payment.refund_answer("r-1", &accepted("q1"));
    payment.reserve("r-2", Some(300)).unwrap();
    payment.refund_answer("r-2", &accepted("q1"));
    let date = "2019-07-02T09:00:00+0000";
    let fields = json!({
        "request_id": "q1",
        "date": date,
        "created_date": date,
        "sum_initial": reports::euros(300),
    });
    payment.deliver(&refund_operation("7", "success", fields));
    assert_eq!(payment.refund_status("r-2"), RefundStatus::Pending);
    assert_eq!(payment.refund_sums(), (300, 550, 150));
}

#[test]
fn an_external_refund_that_is_declined_as_a_duplicate_ends_as_declined() {
    let mut payment = TestPayment::paid();
    payment.deliver(&refund_operation("7", "processing", json!({})));
    assert_eq!(payment.refund_sums(), (0, 250, 750));
    payment.deliver(&refund_operation("7", "decline", json!({ "code": "3230" })));
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.last_kind(), "refund.declined");
    assert_eq!(payment.refunds()[0].code(), Some("3230"));
}

#[test]
fn an_ended_refund_stays_ended_when_another_request_gets_its_request_id() {
    for (status, ended, second, sums) in [
        ("success", RefundStatus::Succeeded, 300, (250, 300, 450)),
        ("success", RefundStatus::Succeeded, 250, (250, 250, 500)),
        ("decline", RefundStatus::Declined, 300, (0, 300, 700)),
    ] {
        let mut payment = requested();
        payment.refund_answer("r-1", &accepted("q1"));
        payment.deliver(&refund_operation(
            "7",
            status,
            json!({ "request_id": "q1" }),
        ));
        payment.reserve("r-2", Some(second)).unwrap();
        payment.refund_answer("r-2", &accepted("q1"));
        assert_eq!(payment.refund_status("r-1"), ended);
        assert_eq!(payment.refund_status("r-2"), RefundStatus::Pending);
        assert_eq!(payment.refund_sums(), sums);
        let events = payment.refund_events();
        let count = events
            .iter()
            .filter(|event| *event == "r-1 pending")
            .count();
        assert_eq!(count, 1, "{events:?}");
        // If a report names a refund, the operation belongs to this refund.
        let named = json!({ "request_id": "q1", "merchant_refund_id": "r-2" });
        payment.deliver(&refund_operation("7", status, named));
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Pending);
        assert_eq!(payment.refund_status("r-2"), ended);
    }
}

#[test]
fn a_foreign_refund_id_in_the_form_of_a_digest_names_no_refund() {
    // A payment with many operations stores the id "r-1" in this form: `#` and the first 12 digits of the SHA-256 of
    // the id.
    let digest = json!({ "merchant_refund_id": "#a5fa777a3dc6" });
    let mut payment = requested();
    payment.deliver(&refund_operation("7", "success", digest));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Pending);
    assert_eq!(payment.refund_sums(), (250, 250, 500));
}

/// Only one report has the `request_id` of the refund. In half of the cases, a second refund has the same `request_id`.
#[test]
fn a_pending_refund_keeps_its_reservation_and_its_event_while_its_attribution_changes() {
    let report = |status: &str, ids| refund_operation("7", status, ids);
    let reports = [
        report("processing", json!({ "request_id": "" })),
        report("processing", json!({ "request_id": "q1" })),
        report("processing", json!({ "request_id": null })),
    ];
    let named = json!({ "request_id": "q1", "merchant_refund_id": "r-1" });
    let ended = report("success", named);
    for is_shared in [false, true] {
        for answer in [accepted("q1"), Answer::Unclear] {
            for order in permutations(&[0, 1, 2]) {
                let mut payment = requested();
                payment.reserve("r-2", Some(300)).unwrap();
                payment.refund_answer("r-1", &answer);
                for (step, index) in order.iter().enumerate() {
                    if is_shared && step == 1 {
                        payment.refund_answer("r-2", &accepted("q1"));
                    }
                    payment.deliver(&reports[*index]);
                    for id in ["r-1", "r-2"] {
                        assert!(payment.refund_status(id).is_reserved(), "{id} {order:?}");
                    }
                    assert!(payment.refund_sums().1 >= 550, "{order:?}");
                }
                payment.deliver(&ended);
                assert_eq!(payment.refund_sums(), (250, 300, 450), "{order:?}");
                let events = payment.refund_events();
                let count = |event: &str| events.iter().filter(|known| *known == event).count();
                for event in ["r-1 pending", "r-1 succeeded", "r-2 pending"] {
                    assert_eq!(
                        count(event),
                        1,
                        "{is_shared} {answer:?} {order:?} {events:?}"
                    );
                }
                let is_external = |event: &String| event.starts_with("7 ");
                assert!(!events.iter().any(is_external), "{order:?} {events:?}");
            }
        }
    }
}
