//! Tests refunds of ours that the platform makes more than once.

use ecommpay::answer::Answer;
use payments::decide::Rejection;
use payments::model::{RefundStatus, Status};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::{answer_listing, operation_of_r_1};
use crate::fixtures::*;

/// The operation `id` has successfully made the refund r-1, as a callback reports.
fn success(id: &str, amount: u64, mut names: Value) -> Verified {
    names["sum_initial"] = reports::euros(amount);
    refund_operation(id, "success", names)
}

/// Returns a paid payment with a refund r-1 of this amount that the operation 7 has made.
fn refunded(amount: u64) -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", amount);
    payment
}

#[test]
fn a_further_success_of_a_refund_is_an_external_refund_with_an_event_and_a_recheck() {
    for names in [
        json!({ "merchant_refund_id": "r-1", "request_id": "q-2" }),
        json!({ "merchant_refund_id": "R-1", "request_id": "q-r-1" }),
        json!({ "request_id": "q-r-1" }),
    ] {
        let mut payment = refunded(300);
        assert!(!payment.needs_recheck());
        payment.deliver(&success("8", 300, names.clone()));
        assert_eq!(payment.refund_sums(), (600, 0, 400), "{names}");
        assert_eq!(
            payment.refund_events()[1..],
            ["r-1 succeeded", "8 succeeded"]
        );
        let data = payment.last_data();
        assert_eq!(data["refunded_amount"], 600);
        assert_eq!(data["repeats"], "r-1");
        assert_eq!(data["refund"]["refund_id"], json!(null));
        assert_eq!(data["refund"]["operation_id"], "8");
        assert_eq!(payment.our_refund("r-1").operation_id(), Some("7"));
        assert!(payment.needs_recheck(), "{names}");
    }
}

#[test]
fn a_further_success_in_a_signed_answer_has_an_event_and_needs_no_recheck() {
    let mut payment = refunded(500);
    let operations = ["7", "8"].map(|id| operation_of_r_1(id, "refund", "success", 500));
    let answer = answer_listing("refunded", 0, &operations);
    payment.poll_now(NOW, &answer);
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!(payment.last_data()["status"], "refunded");
    assert_eq!(
        payment.refund_events()[1..],
        ["r-1 succeeded", "8 succeeded"]
    );
    assert!(!payment.needs_recheck());
}

#[test]
fn two_successes_after_a_declined_try_are_one_refund_of_ours_and_one_external_in_any_order() {
    let names = || json!({ "merchant_refund_id": "r-1" });
    let mut declined = names();
    declined["sum_initial"] = reports::euros(300);
    let tries = [
        refund_operation("7", "decline", declined),
        success("8", 300, names()),
        success("9", 300, names()),
    ];
    let mut outcomes = Vec::new();
    for order in permutations(&[0, 1, 2]) {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(300)).unwrap();
        payment.refund_answer("r-1", &Answer::Unclear);
        for index in &order {
            payment.deliver(&tries[*index]);
            let once = (*payment).clone();
            payment.deliver(&tries[*index]);
            assert_eq!(*payment, once, "a duplicate changed the payment: {order:?}");
        }
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
        assert_eq!(payment.our_refund("r-1").operation_id(), Some("8"));
        assert_eq!(payment.refund_sums(), (600, 0, 400), "{order:?}");
        assert_eq!(payment.last_data()["refunded_amount"], 600, "{order:?}");
        outcomes.push(payment.outcome());
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
}

#[test]
fn the_success_with_the_requested_amount_is_ours_in_any_order() {
    let named = || json!({ "merchant_refund_id": "r-1" });
    let tries = [success("7", 200, named()), success("8", 300, named())];
    for order in [[0, 1], [1, 0]] {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(300)).unwrap();
        payment.refund_answer("r-1", &accepted("q-r-1"));
        for index in order {
            payment.deliver(&tries[index]);
        }
        let refund = payment.our_refund("r-1");
        assert_eq!((refund.amount(), refund.operation_id()), (300, Some("8")));
        assert_eq!(payment.refund_sums(), (500, 0, 500));
        assert_eq!(payment.last_data()["refunded_amount"], 500);
    }
}

#[test]
fn two_successes_of_a_refund_above_the_paid_amount_cause_an_overrefunded_event() {
    let mut payment = refunded(700);
    payment.deliver(&success("8", 700, json!({ "merchant_refund_id": "r-1" })));
    assert!(payment.needs_recheck());
    let operations = ["7", "8"].map(|id| operation_of_r_1(id, "refund", "success", 700));
    let answer = answer_listing("refunded", 0, &operations);
    payment.poll_by(NOW, &answer);
    assert_eq!(payment.last_kind(), "payment.overrefunded");
}

#[test]
fn a_return_of_each_success_of_a_refund_counts_without_a_quarantine() {
    let mut payment = refunded(300);
    let names = || json!({ "merchant_refund_id": "r-1" });
    payment.deliver(&success("8", 300, names()));
    let mut operations = Vec::from(
        [("7", "refund"), ("8", "refund"), ("9", "refund reverse")]
            .map(|(id, kind)| operation_of_r_1(id, kind, "success", 300)),
    );
    payment.poll_by(NOW, &answer_listing("partially refunded", 700, &operations));
    assert_eq!(payment.refund_sums(), (300, 0, 700));
    operations.push(operation_of_r_1("10", "refund reverse", "success", 300));
    let answer = answer_listing("success", 1000, &operations);
    payment.poll_now(NOW.after(HOUR), &answer);
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.status(), Status::Succeeded);
    let returned = ["r-1 returned", "8 returned"].map(str::to_owned);
    assert!(
        payment.refund_events().ends_with(&returned),
        "{:?}",
        payment.refund_events()
    );
}

#[test]
fn the_id_of_a_reported_refund_or_return_is_refused() {
    let mut payment = TestPayment::paid();
    let names = json!({ "merchant_refund_id": "r-1", "request_id": "other" });
    payment.deliver(&success("7", 300, names));
    assert_eq!(payment.refunded_amount(), 300);
    for id in ["r-1", "R-1"] {
        assert_eq!(payment.reserve(id, Some(500)), Err(Rejection::OtherContent));
    }
    payment.reserve("r-2", Some(500)).unwrap();

    let mut payment = TestPayment::paid();
    let refund = reports::operation("7", "refund", "success", 1000);
    let returned = operation_of_r_1("8", "refund reverse", "success", 1000);
    let answer = answer_listing("success", 1000, &[refund, returned]);
    payment.poll_now(NOW, &answer);
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(
        payment.reserve("r-1", Some(300)),
        Err(Rejection::OtherContent)
    );
}

/// Each return must find the success that it takes back. The work for one return must not grow with their number.
#[test]
fn many_returns_that_name_one_refund_take_back_all_its_successes() {
    let sale = reports::operation("1", "sale", "success", 1_000);
    let operations = |kind: &'static str, first: usize| {
        let ids = (first..first + 900).map(|id| id.to_string());
        ids.map(move |id| operation_of_r_1(&id, kind, "success", 1))
    };
    let listed: Vec<Value> = std::iter::once(sale.clone())
        .chain(operations("refund", 1_000))
        .chain(operations("refund reverse", 2_000))
        .collect();
    let answer = |listed: &[Value]| {
        let answer = reports::status_answer(PAYMENT, "success", 1_000, listed);
        reports::TestReport::read(&answer)
    };
    let mut payment = TestPayment::accepted();
    payment.fact(answer(&[sale]).answer_to(0), NOW);
    payment.reserve("r-1", Some(1)).unwrap();
    payment.fact(answer(&listed).answer_to(0), NOW.after(HOUR));
    assert_eq!(payment.refund_sums(), (0, 0, 1_000));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Returned);
    assert_eq!(payment.status(), Status::Succeeded);
}
