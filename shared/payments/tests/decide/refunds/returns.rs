//! Tests returns: refunds that the bank or the platform takes back (`refund reverse`).

use std::time::Duration;

use payments::model::{QuarantineReason, RefundStatus, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::fixtures::*;

/// Returns a callback about a `refund reverse`, which can name its refund.
pub(super) fn returned(id: &str, amount: u64, refund_id: Option<&str>) -> Verified {
    edited("refund_reverse_of_partial", |body| {
        body["operation"]["id"] = id.into();
        body["operation"]["sum_initial"]["amount"] = amount.into();
        body["operation"]["sum_converted"]["amount"] = amount.into();
        if let Some(refund_id) = refund_id {
            body["payment"]["merchant_refund_id"] = refund_id.into();
        }
    })
}

/// Returns a signed answer with a sale of 10.00 EUR and further operations, each as (id, type, amount).
pub(super) fn answer_with(operations: &[(&str, &str, u64)]) -> Verified {
    edited("status_many_operations", |body| {
        body["payment"]["status"] = "success".into();
        body["payment"]["sum"]["amount"] = 1000.into();
        let all = body["operations"].as_array_mut().unwrap();
        all.truncate(2);
        let template = all.pop().unwrap();
        all.extend(operations.iter().map(|(id, kind, amount)| {
            let mut operation = template.clone();
            operation["id"] = (*id).into();
            operation["type"] = (*kind).into();
            operation["request_id"] = format!("q-{id}").into();
            operation["sum_initial"]["amount"] = (*amount).into();
            operation
        }));
    })
}

#[test]
fn a_returned_refund_no_longer_counts_and_its_money_can_be_refunded_again() {
    for named in [None, Some("r-1")] {
        let mut payment = TestPayment::paid();
        payment.refund_succeeds("r-1", "7", 400);
        assert_eq!(payment.refund_sums(), (400, 0, 600));
        payment.deliver(&returned("8", 400, named));
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Returned);
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.refund_sums(), (0, 0, 1000));
        assert_eq!(payment.refunds().len(), 1);
        assert_eq!(payment.last_kind(), "refund.returned");
        let emitted = &payment.last_data()["refund"];
        assert_eq!(emitted["refund_id"], "r-1");
        assert_eq!(emitted["returned_amount"], 400);
        assert_eq!(emitted["status"], "returned");

        let events = payment.events.len();
        payment.deliver(&returned("8", 400, named));
        assert_eq!(
            payment.events.len(),
            events,
            "a duplicate must cause no event"
        );
        // A request with a known refund id creates no new refund.
        assert_eq!(payment.reserve("r-1", Some(400)), Ok(false));
        assert_eq!(payment.reserve("r-2", None), Ok(true));
        assert_eq!(payment.refund_sums(), (0, 1000, 0));
    }
}

#[test]
fn a_partly_returned_refund_stays_succeeded() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 400);
    payment.deliver(&returned("8", 150, Some("r-1")));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
    assert_eq!(payment.last_kind(), "refund.returned");
    assert_eq!(payment.last_data()["refund"]["returned_amount"], 150);
    assert_eq!(payment.refund_sums(), (250, 0, 750));
    assert_eq!(payment.status(), Status::PartiallyRefunded);
}

#[test]
fn a_return_that_two_refunds_match_is_attributed_only_by_the_refund_id() {
    let mut two = TestPayment::paid();
    two.refund_succeeds("r-1", "7", 300);
    two.refund_succeeds("r-2", "8", 300);
    let mut payment = two.fork();
    payment.deliver(&returned("9", 300, Some("R-2")));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
    assert_eq!(payment.refund_status("r-2"), RefundStatus::Returned);

    // Without the refund id, the return counts only when a signed answer lists it.
    let mut payment = two;
    payment.deliver(&returned("9", 300, None));
    assert_eq!(payment.refund_sums(), (600, 0, 400));
    assert_eq!(payment.last_kind(), "refund.succeeded");
    assert!(payment.needs_recheck());
    let all = [
        ("7", "refund", 300),
        ("8", "refund", 300),
        ("9", "refund reverse", 300),
    ];
    payment.poll_now(NOW, &answer_with(&all));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
    assert_eq!(payment.refund_status("r-2"), RefundStatus::Succeeded);
    let emitted = &payment.last_data()["refund"];
    assert_eq!(emitted["refund_id"], Value::Null);
    assert_eq!(emitted["operation_id"], "9");
    assert_eq!(payment.refund_sums(), (300, 0, 700));
}

#[test]
fn a_rejection_whose_refund_was_returned_can_be_repeated() {
    let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    let first = payment.refunds()[0].refund_id().unwrap().clone();
    payment.refund_answer(first.as_str(), &accepted("q-1"));
    payment.refund_reported(first.as_str(), "7", 950);
    assert_eq!(payment.status(), Status::Refunded);
    payment.deliver(&returned("8", 950, Some(first.as_str())));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refund_sums(), (0, 0, 950));

    assert_eq!(payment.review(Verdict::Rejected), Ok(true));
    let second = &payment.refunds()[1];
    assert_ne!(second.refund_id(), Some(&first));
    assert_eq!(second.status(), RefundStatus::Pending);
    assert_eq!(payment.refund_sums(), (0, 950, 0));
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(!payment.kinds().contains(&"payment.succeeded"));
}

#[test]
fn a_return_that_is_reported_before_its_refund_waits_for_the_refund_and_causes_a_poll() {
    let mut payment = TestPayment::with_callbacks(&["sale_success", "refund_reverse_of_partial"]);
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.last_kind(), "payment.succeeded");
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.callback("refund_partial_1");
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.refunds().len(), 1);
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Returned);
    assert_eq!(payment.last_kind(), "refund.returned");
}

#[test]
fn an_answer_with_a_refund_and_its_return_causes_events_about_both() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(400)).unwrap();
    payment.refund_answer("r-1", &accepted("q-7"));
    let both = answer_with(&[("7", "refund", 400), ("8", "refund reverse", 400)]);
    payment.poll_now(NOW, &both);
    let kinds = ["refund.pending", "refund.succeeded", "refund.returned"];
    assert_eq!(payment.kinds()[2..], kinds);
    assert_eq!(payment.last_data()["refund"]["returned_amount"], 400);
}

#[test]
fn a_signed_return_above_the_refunded_amount_quarantines_the_payment_until_a_release() {
    let mut payment = TestPayment::paid();
    payment.poll_now(NOW, &answer_with(&[("8", "refund reverse", 400)]));
    assert_eq!(payment.status(), Status::Quarantined);
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::ReturnedExceedsRefunded].into());
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(payment.refundable_amount(), 1000);
    assert_eq!(payment.review(Verdict::Released), Ok(true));
    assert_eq!(payment.status(), Status::Succeeded);
    // The release settles only the excess of 4.00 EUR. The next answer returns 5.00 EUR more.
    let more = [("8", "refund reverse", 400), ("9", "refund reverse", 500)];
    let later = NOW.after(Duration::from_millis(1));
    payment.poll_now(later, &answer_with(&more));
    assert_eq!(payment.status(), Status::Quarantined);
}

#[test]
fn a_return_that_is_reported_before_its_refund_is_polled_even_if_an_answer_listed_another_return() {
    let mut payment = TestPayment::paid();
    let first = [("7", "refund", 400), ("8", "refund reverse", 400)];
    payment.poll_now(NOW, &answer_with(&first));
    payment.deliver(&returned("10", 500, None));
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(payment.needs_recheck());
    assert!(!payment.kinds().contains(&"payment.quarantined"));

    let both = [
        ("7", "refund", 400),
        ("8", "refund reverse", 400),
        ("9", "refund", 500),
        ("10", "refund reverse", 500),
    ];
    payment.poll_now(NOW.after(Duration::from_millis(1)), &answer_with(&both));
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(!payment.needs_recheck());
    let kinds = payment.kinds();
    let successes = kinds.iter().filter(|kind| **kind == "payment.succeeded");
    assert_eq!(successes.count(), 1);
}

#[test]
fn the_refundable_amount_never_exceeds_the_paid_amount() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 400);
    for (id, amount) in [("8", 400), ("9", 600)] {
        payment.deliver(&returned(id, amount, None));
        assert_eq!(payment.refunded_amount(), 0, "{id}");
        assert_eq!(payment.refundable_amount(), payment.paid_amount(), "{id}");
        assert_eq!(payment.paid_amount(), 1000, "{id}");
    }
}

#[test]
fn a_return_without_an_amount_in_the_ordered_currency_counts_as_zero_and_quarantines_the_payment() {
    let usd = json!({ "amount": 400, "currency": "USD" });
    let zero = json!({ "amount": 0, "currency": "EUR" });
    for (sum, reason) in [
        (Value::Null, QuarantineReason::AmountMissing),
        (zero, QuarantineReason::AmountMissing),
        (usd, QuarantineReason::CurrencyDiffers),
    ] {
        for named in [None, Some("r-1")] {
            let mut payment = TestPayment::paid();
            payment.refund_succeeds("r-1", "7", 400);
            let unclear = edited("refund_reverse_of_partial", |body| {
                body["operation"]["id"] = "8".into();
                body["operation"]["sum_initial"] = sum.clone();
                if let Some(refund_id) = named {
                    body["payment"]["merchant_refund_id"] = refund_id.into();
                }
            });
            payment.deliver(&unclear);
            assert_eq!(payment.status(), Status::Quarantined);
            assert_eq!(payment.quarantine_reasons(), [reason].into());
            assert_eq!(payment.last_kind(), "payment.quarantined");
            assert_eq!(poll_at(&payment), Some(payment.now));
            assert_eq!(payment.refund_sums(), (400, 0, 600));
            assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
            assert_eq!(payment.refunds().len(), 1);

            let listed = [("7", "refund", 400), ("8", "refund reverse", 400)];
            payment.poll_now(NOW, &answer_with(&listed));
            assert_eq!(payment.status(), Status::Succeeded);
            assert_eq!(payment.refund_sums(), (0, 0, 1000));
            assert!(payment.kinds().contains(&"refund.returned"));
        }
    }
}

/// Returns a callback about a successful refund from the Dashboard.
pub(super) fn refund_of_dashboard(id: &str, amount: u64) -> Verified {
    let fields = json!({ "sum_initial": reports::euros(amount) });
    refund_operation(id, "success", fields)
}

#[test]
fn a_return_does_not_reduce_other_refunds_before_its_own_refund_is_reported() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 400);
    payment.deliver(&returned("9", 300, None));
    assert_eq!(payment.refund_sums(), (400, 0, 600));
    assert_eq!(payment.last_kind(), "refund.succeeded");
    assert!(payment.needs_recheck());
    assert!(payment.reserve("r-2", Some(601)).is_err());

    payment.deliver(&refund_of_dashboard("8", 300));
    assert_eq!(payment.refund_sums(), (400, 0, 600));
    assert_eq!(payment.last_kind(), "refund.returned");
}

#[test]
fn a_partial_return_without_a_refund_id_counts_when_a_signed_answer_lists_it() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 400);
    payment.deliver(&returned("8", 150, None));
    assert_eq!(payment.refund_sums(), (400, 0, 600));
    let both = [("7", "refund", 400), ("8", "refund reverse", 150)];
    payment.poll_now(NOW, &answer_with(&both));
    assert_eq!(payment.refund_sums(), (250, 0, 750));
    assert_eq!(payment.last_kind(), "refund.returned");
}

#[test]
fn a_return_that_names_a_refund_counts_at_most_the_amount_of_this_refund() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 200);
    payment.refund_succeeds("r-2", "8", 300);
    payment.deliver(&returned("9", 250, Some("r-1")));
    assert_eq!(payment.refund_sums(), (300, 0, 700));
    assert!(payment.needs_recheck());

    let all = [
        ("7", "refund", 200),
        ("8", "refund", 300),
        ("9", "refund reverse", 250),
    ];
    payment.poll_now(NOW, &answer_with(&all));
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refund_sums(), (300, 0, 700));
}

#[test]
fn a_return_above_all_refunds_does_not_make_refunded_money_refundable() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 300);
    payment.deliver(&returned("8", 400, None));
    assert_eq!(payment.refund_sums(), (300, 0, 700));
    assert!(payment.reserve("r-2", Some(1000)).is_err());
    let both = [("7", "refund", 300), ("8", "refund reverse", 400)];
    payment.poll_now(NOW, &answer_with(&both));
    assert_eq!(payment.status(), Status::Quarantined);
    let reasons = payment.quarantine_reasons();
    assert_eq!(reasons, [QuarantineReason::ReturnedExceedsRefunded].into());
}

/// The return can belong to either of two refunds, so it counts only when a signed answer lists it.
#[test]
fn an_overrefund_is_emitted_only_if_a_return_that_waits_for_an_answer_does_not_explain_it() {
    let mut payment = TestPayment::paid();
    for (refund_id, operation_id) in [("r-1", "7"), ("r-2", "8")] {
        payment.refund_succeeds(refund_id, operation_id, 400);
    }
    payment.deliver(&returned("9", 400, None));
    payment.deliver(&refund_of_dashboard("10", 300));
    assert_eq!(payment.refund_sums(), (1100, 0, 0));
    assert!(payment.needs_recheck());
    assert!(!payment.kinds().contains(&"payment.overrefunded"));

    let refunds = [
        ("7", "refund", 400),
        ("8", "refund", 400),
        ("10", "refund", 300),
    ];
    let with_return = [&refunds[..], &[("9", "refund reverse", 400)]].concat();
    let mut explained = payment.fork();
    explained.poll_now(NOW, &answer_with(&with_return));
    assert_eq!(explained.refund_sums(), (700, 0, 300));
    assert!(!explained.kinds().contains(&"payment.overrefunded"));

    let ten_days = Duration::from_secs(240 * 3_600);
    payment.poll_by(NOW.after(ten_days), &answer_with(&refunds));
    assert_eq!(payment.refund_sums(), (1100, 0, 0));
    assert_eq!(payment.last_kind(), "payment.overrefunded");
}
