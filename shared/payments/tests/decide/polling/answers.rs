//! Tests the effects of a signed answer to a status poll.

use payments::decide::{Fact, decide};
use payments::model::Status;
use serde_json::json;

use crate::fixtures::*;

#[test]
fn an_answer_settles_a_contradiction_of_callbacks_and_later_callbacks_do_not_reopen_it() {
    let mut payment = TestPayment::contradicted();
    assert!(payment.needs_recheck());
    payment.poll("sale_success");
    assert!(!payment.needs_recheck());
    assert_eq!(poll_at(&payment), None);
    payment.callback("sale_decline_limit");
    assert!(!payment.needs_recheck());
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn an_answer_that_declines_a_contradicted_sale_withdraws_its_success() {
    let mut payment = TestPayment::contradicted();
    payment.poll("sale_decline_customer");
    assert_eq!(payment.status(), Status::Declined);
    let kinds = ["payment.created", "payment.succeeded", "payment.declined"];
    assert_eq!(payment.kinds(), kinds);
    assert_eq!(payment.last_data()["corrects"], "payment.succeeded");
}

#[test]
fn an_answer_with_another_amount_quarantines_a_contradicted_payment() {
    let mut payment = TestPayment::contradicted();
    payment.poll("amount_differs");
    assert_eq!(payment.status(), Status::Quarantined);
}

#[test]
fn a_success_that_a_callback_reports_after_a_declining_answer_causes_a_recheck() {
    let mut payment = TestPayment::created();
    payment.poll("sale_decline_customer");
    assert!(!payment.needs_recheck());
    payment.callback("sale_success");
    assert!(payment.needs_recheck());
    assert_eq!(poll_at(&payment), Some(NOW));
}

#[test]
fn an_answer_that_declines_one_of_two_sales_settles_the_double_payment() {
    let mut payment = TestPayment::with_callbacks(&["sale_success", "success_after_decline"]);
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(payment.needs_recheck());
    payment.poll("sale_decline_customer");
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn an_answer_settles_only_reports_that_arrived_before_its_poll() {
    let answer = |payment: &mut TestPayment, poll| {
        let report = corpus("sale_success").signed_report();
        payment.fact(Fact::StatusAnswer { report, poll }, NOW);
    };
    let mut payment = TestPayment::contradicted();
    payment.poll_unanswered();
    assert_eq!(payment.polling().polls_sent(), 1);
    payment.hint(NOW);
    assert_eq!(poll_at(&payment), Some(NOW));
    answer(&mut payment, 1);
    assert!(payment.needs_recheck());
    assert_eq!(poll_at(&payment), Some(NOW));
    // A repeated hint changes nothing while the poll is due.
    let hint = Fact::Hint(&corpus("sale_success").report);
    assert_eq!(decide(Some(&payment), hint, NOW), None);
    payment.poll_unanswered();
    assert_eq!(claim_poll(&payment, NOW), None, "the poll is claimed twice");
    answer(&mut payment, 2);
    assert!(!payment.needs_recheck());
    assert_eq!(poll_at(&payment), None);
}

#[test]
fn an_answer_about_another_payment_changes_nothing() {
    let mut payment = TestPayment::contradicted();
    payment.poll_unanswered();
    let of_another = edited("sale_success", |body| {
        body["payment"]["id"] = json!("another");
    });
    let fact = fact_of_answer(&of_another, 1).unwrap();
    assert_eq!(decide(Some(&payment), fact, NOW), None);
}

#[test]
fn a_not_found_is_recorded_and_settles_no_contradiction() {
    let mut payment = TestPayment::contradicted();
    payment.poll_unanswered();
    let (outcome, sequence, poll) = (payment.outcome(), payment.sequence(), poll_at(&payment));
    payment.not_found(true, NOW);
    assert_eq!(payment.polling().last_not_found(), 1);
    assert!(payment.needs_recheck());
    assert_eq!(payment.outcome(), outcome);
    assert_eq!((payment.sequence(), poll_at(&payment)), (sequence, poll));
}

#[test]
fn two_successes_of_one_operation_with_different_sums_cause_a_poll_and_the_answer_decides() {
    for (field, value) in [("amount", json!(900)), ("currency", json!("USD"))] {
        let other = edited("sale_success", |body| {
            body["operation"]["sum_initial"][field] = value.clone();
        });
        for order in permutations(&[corpus("sale_success"), &other]) {
            let mut payment = TestPayment::created();
            payment.deliver(order[0]).deliver(order[1]);
            assert_eq!(poll_at(&payment), Some(NOW), "{field}");
            for (answer, status) in [
                (corpus("sale_success"), Status::Succeeded),
                (&other, Status::Quarantined),
            ] {
                let mut payment = payment.fork();
                payment.poll_now(NOW, answer);
                assert_eq!(payment.status(), status, "{field}");
                assert!(!payment.needs_recheck(), "{field}");
            }
        }
    }
}
