//! Tests reports with a date that is more than 15 minutes after the arrival of the report. Such a date is wrong, so the
//! report must not stay the newest for ever.

use std::collections::HashSet;

use payments::decide::decide;
use payments::model::{QuarantineReason, Status};
use payments::service::callback::Verified;
use serde_json::json;

use crate::fixtures::*;

const FUTURE: &str = "2099-01-01T00:00:00+0000";
const DATE: &str = "2019-07-02T09:28:29+0000";

/// Returns a report of the successful sale with this date, `payment.status` and `payment.sum`.
fn sale(date: &str, status: &str, sum: u64) -> Verified {
    edited("sale_success", |body| {
        for part in ["payment", "operation"] {
            body[part]["date"] = json!(date);
        }
        body["payment"]["status"] = json!(status);
        body["payment"]["sum"]["amount"] = json!(sum);
    })
}

/// Returns a signed answer that lists the sale, with the same date everywhere.
fn listed(date: &str, status: &str, sale_id: u64) -> Verified {
    edited("sale_success", |body| {
        let mut sale = body.as_object_mut().unwrap().remove("operation").unwrap();
        sale["id"] = json!(sale_id);
        sale["date"] = json!(date);
        body["operations"] = json!([sale]);
        body["payment"]["date"] = json!(date);
        body["payment"]["status"] = json!(status);
    })
}

impl TestPayment {
    /// Delivers a callback at this time, whatever its dates are.
    fn deliver_at(&mut self, callback: &Verified, at: payments::Timestamp) -> &mut Self {
        self.fact(callback.fact(), at)
    }
}

#[test]
fn a_callback_with_a_date_in_the_future_is_older_than_a_later_signed_answer() {
    // The last two dates cannot be parsed.
    for date in [FUTURE, "2019-07-03T00:00:00+0200", "2099-01-01", "tomorrow"] {
        let mut payment = TestPayment::paid();
        let wrong = sale(date, "awaiting confirmation", 1000);
        payment.deliver_at(&wrong, NOW);
        assert_eq!(payment.status(), Status::AwaitingConfirmation, "{date}");
        assert_eq!(poll_at(&payment), Some(NOW), "{date}");
        payment.poll_now(NOW.after(MINUTE), &sale(DATE, "success", 1000));
        assert_eq!(payment.status(), Status::Succeeded, "{date}");
        assert!(!payment.needs_recheck(), "{date}");
        // A repeated callback is no new report.
        for later in [MINUTE, HOUR, 2 * DAY] {
            let at = NOW.after(MINUTE + later);
            assert_eq!(decide(Some(&payment), wrong.fact(), at), None, "{date}");
        }
    }
}

#[test]
fn a_callback_with_a_date_in_the_future_counts_until_a_later_report() {
    let mut payment = TestPayment::paid();
    payment.deliver_at(&sale(FUTURE, "awaiting confirmation", 1000), NOW);
    // The date is replaced by the time 15 minutes after the arrival.
    for (date, status) in [
        ("2019-07-02T09:43:19+0000", Status::AwaitingConfirmation),
        ("2019-07-02T09:43:21+0000", Status::Succeeded),
    ] {
        let mut payment = payment.fork();
        payment.deliver_at(&sale(date, "success", 1000), NOW.after(HOUR));
        assert_eq!(payment.status(), status, "{date}");
    }
}

#[test]
fn a_callback_with_a_date_in_the_future_causes_a_poll_once() {
    let mut payment = TestPayment::paid();
    assert!(!payment.needs_recheck());
    let wrong = sale(FUTURE, "success", 1000);
    payment.deliver_at(&wrong, NOW);
    assert!(payment.needs_recheck());
    payment.poll_now(NOW.after(MINUTE), &sale(DATE, "success", 1000));
    assert!(!payment.needs_recheck());
    payment.deliver_at(&wrong, NOW.after(HOUR));
    assert!(!payment.needs_recheck());
}

#[test]
fn a_sum_with_a_date_in_the_future_does_not_replace_the_sum_of_a_later_signed_answer() {
    let mut payment = TestPayment::created();
    payment.deliver_at(&sale(FUTURE, "success", 1000), NOW);
    assert_eq!(payment.paid_amount(), 1000);
    payment.poll_now(NOW.after(MINUTE), &sale(DATE, "success", 900));
    assert_eq!(payment.paid_amount(), 900);
    assert_eq!(payment.status(), Status::Quarantined);
}

#[test]
fn a_signed_answer_with_a_date_in_the_future_hides_no_later_answer() {
    let id = 37_493_000_003_351;
    for next in [FUTURE, DATE] {
        let mut payment = TestPayment::paid();
        let at = NOW.after(MINUTE);
        payment.status_answer_at(&listed(FUTURE, "awaiting confirmation", id), at);
        assert_eq!(payment.status(), Status::AwaitingConfirmation, "{next}");
        payment.status_answer_at(&listed(next, "success", id), at.after(MINUTE));
        assert_eq!(payment.status(), Status::Succeeded, "{next}");
        payment.status_answer_at(&listed(next, "success", 77), at.after(HOUR));
        let reasons = payment.quarantine_reasons();
        assert!(reasons.contains(&QuarantineReason::Contradiction), "{next}");
    }
}

#[test]
fn a_declined_confirmation_with_a_date_in_the_future_causes_no_polls_after_the_signed_answer() {
    let credited = edited("status_confirm_decline", |body| {
        body["payment"]["status"] = "success".into();
        body["operations"][1]["status"] = "success".into();
    });
    let mut payment = TestPayment::with_callbacks(&["confirm_sale_done"]);
    payment.status_answer(&credited);
    let at = payment.now.after(DAY);
    let declined = edited("confirm_decline", |body| {
        body["payment"]["date"] = FUTURE.into();
        body["operation"]["date"] = FUTURE.into();
    });
    payment.deliver_at(&declined, at);
    assert!(payment.needs_recheck());
    payment.poll_now(at.after(MINUTE), &credited);
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(!payment.needs_recheck());
}

#[test]
fn an_operation_with_a_date_in_the_future_keeps_the_day_of_its_first_report() {
    let mut payment = TestPayment::created();
    let mut ends = HashSet::new();
    for day in 0..5 {
        let answer = listed(FUTURE, "success", 7);
        payment.status_answer_at(&answer, NOW.after(day * DAY));
        let (_, operation) = payment.operations().next().unwrap();
        ends.insert(operation.ended_at());
    }
    assert_eq!(ends, [Some(at("2019-07-02T09:43:20"))].into());
}

#[test]
fn reports_with_dates_in_the_future_that_arrive_together_end_the_same_in_any_order() {
    let reports = [
        sale(FUTURE, "awaiting confirmation", 1000),
        sale("2098-01-01T00:00:00+0000", "success", 900),
        sale(DATE, "success", 1000),
        edited("refund_partial_1", |body| {
            body["operation"]["date"] = FUTURE.into()
        }),
        listed(FUTURE, "success", 37_493_000_003_351),
    ];
    let mut ends = HashSet::new();
    for order in permutations(&[0, 1, 2, 3, 4]) {
        let mut payment = TestPayment::created();
        for index in order.iter().chain(&order) {
            match index {
                4 => payment.status_answer_at(&reports[4], NOW),
                callback => payment.deliver_at(&reports[*callback], NOW),
            };
        }
        ends.insert(format!("{:?}", payment.outcome()));
    }
    assert_eq!(ends.len(), 1);
}
