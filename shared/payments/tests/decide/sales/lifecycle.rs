//! A payment from its creation to its end.

use payments::decide::Command;
use payments::model::Status;

use crate::fixtures::*;

#[test]
fn each_status_of_a_payment_is_emitted_once() {
    let mut payment = TestPayment::created();
    assert_eq!(payment.status(), Status::Created);
    payment.sale_answer(&accepted("r"));
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("redirect_get");
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    let url = &payment.redirect().unwrap().url;
    assert!(url.starts_with("https://bancontact.girogate.be/"), "{url}");
    payment
        .callback("sale_success")
        .callback("sale_success")
        .callback("sale_success_reordered");
    assert_eq!(payment.status(), Status::Succeeded);
    let kinds = [
        "payment.created",
        "payment.awaiting_customer",
        "payment.succeeded",
    ];
    assert_eq!(payment.kinds(), kinds);
    let sequences = payment.events.iter().map(|event| event.sequence);
    assert_eq!(Vec::from_iter(sequences), [1, 2, 3]);
    assert_eq!(payment.events[2].id, format!("211/{PAYMENT}/3"));
}

#[test]
fn a_shopper_can_try_again_after_a_decline_that_does_not_end_the_payment() {
    let mut payment = TestPayment::with_callbacks(&["awaiting_customer"]);
    assert_eq!(payment.status(), Status::Processing);
    payment.callback("redirect_second_url");
    assert_eq!(payment.status(), Status::AwaitingCustomer);
    payment.callback("success_after_decline");
    let kinds = ["payment.awaiting_customer", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert!(payment.last_data()["late"].is_null());
}

#[test]
fn a_success_after_a_decline_counts_and_is_emitted_as_late() {
    let payment = TestPayment::with_callbacks(&["sale_decline_customer", "success_after_decline"]);
    let kinds = ["payment.declined", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert_eq!(payment.last_data()["late"], true);
}

#[test]
fn a_decline_after_a_success_changes_no_status_and_causes_a_recheck() {
    let payment = TestPayment::with_callbacks(&["sale_success", "sale_decline_customer"]);
    assert_eq!(payment.status(), Status::Succeeded);
    assert!(payment.needs_recheck());
}

#[test]
fn a_success_without_a_sale_causes_a_recheck_and_does_not_count_as_paid() {
    let mut payment = TestPayment::with_callbacks(&["payment_confirmation"]);
    assert_eq!(payment.status(), Status::Processing);
    assert!(payment.needs_recheck() && poll_at(&payment).is_some());
    payment.poll("payment_confirmation");
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.paid_amount(), 0);
}

#[test]
fn a_retry_of_a_failed_payment_ignores_reports_about_the_earlier_request() {
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment
        .callback("redirect_get")
        .callback("error_validation");
    assert_eq!(payment.status(), Status::Failed);
    let order = payment.order().unwrap().clone();
    let retry = Command::Retry { order: &order };
    payment.execute(retry, NOW);
    assert_eq!(
        change_of(Some(&payment), retry, NOW),
        None,
        "only a failed payment can be retried"
    );
    assert_eq!(payment.last_kind(), "payment.created");
    let pending = change_of(Some(&payment), Command::EmitPending, NOW);
    assert_eq!(pending, None);
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(payment.redirect(), None);
    payment
        .callback("redirect_get")
        .callback("error_validation")
        .callback("sale_decline_customer");
    assert_eq!(payment.status(), Status::Processing);
}

#[test]
fn the_platform_status_is_the_latest_stage_of_the_reports_in_the_same_second() {
    let stages = [
        ("processing", "processing"),
        ("sale_decline_risk", "decline"),
        ("sale_success", "success"),
        ("refund_partial_1", "partially refunded"),
        ("refund_partial_2_rest", "refunded"),
    ];
    let reports = stages.map(|(file, status)| {
        edited(file, |body| {
            body["payment"]["status"] = status.into();
            body["operation"]["date"] = "2019-07-02T09:28:29+0000".into();
        })
    });
    for order in permutations(&[0, 1, 2, 3, 4]) {
        let mut payment = TestPayment::created();
        let mut latest = 0;
        for stage in order {
            payment.deliver(&reports[stage]);
            latest = latest.max(stage);
            assert_eq!(payment.platform_status(), Some(stages[latest].1));
        }
    }
}
