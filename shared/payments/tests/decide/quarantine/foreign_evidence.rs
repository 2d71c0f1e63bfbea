//! Tests which reports and answers of Gate are evidence that another system made a sale.

use ecommpay::answer::Answer;
use payments::decide::Command;
use payments::model::Status;
use payments::service::callback::Verified;
use serde_json::{Value, json};

use super::foreign::{answered, check_hidden, error, sale};
use crate::fixtures::*;

/// Returns a report about a sale with other dates and another `request_id`. `null` removes a field.
pub fn dated(date: Value, created_date: Value, request_id: Value) -> Verified {
    edited("sale_success", |body| {
        let operation = body["operation"].as_object_mut().unwrap();
        for (name, value) in [
            ("date", date),
            ("created_date", created_date),
            ("request_id", request_id),
        ] {
            match value.is_null() {
                true => operation.remove(name),
                false => operation.insert(name.into(), value),
            };
        }
    })
}

/// The date of the checkout is 2019-07-02T09:28:20 in UTC.
#[test]
fn only_an_operation_older_than_the_checkout_shows_that_a_payment_is_foreign() {
    let now = "2019-07-02T09:28:29+0000";
    for (date, created_date, is_foreign) in [
        (now, now, false),
        // The clocks can differ by 15 minutes.
        ("2019-07-02T09:13:20+0000", now, false),
        ("2019-07-02T09:13:19+0000", now, true),
        (now, "2019-07-02T09:13:20+0000", false),
        (now, "2019-07-02T09:13:19+0000", true),
        (now, "2018-10-01T00:00:00+0000", true),
        // The same times in another zone.
        (now, "2019-07-02T11:13:20+0200", false),
        (now, "2019-07-02T11:13:19+0200", true),
        // Dates that say nothing.
        ("", "", false),
        (now, "0000-00-00T00:00:00+0000", false),
        (now, "0001-01-01T00:00:00+0000", false),
        (now, "1970-01-01T00:00:00+0000", false),
        (now, "2018-10-01", false),
        (now, "2018-10-01 00:00:00", false),
        // Our sale can be paid long after the checkout.
        ("2019-08-01T09:28:29+0000", now, false),
    ] {
        for order in [order(), link_order()] {
            for is_answer in [false, true] {
                let mut payment = TestPayment::created_with(&order);
                let sale = dated(json!(date), json!(created_date), json!("another"));
                match is_answer {
                    true => payment.status_answer(&sale),
                    false => payment.deliver(&sale),
                };
                let case = format!("{date} {created_date} {is_answer} {:?}", order.channel);
                assert_eq!(payment.is_foreign(), is_foreign, "{case}");
                match is_foreign {
                    true => check_hidden(&mut payment, 1000),
                    false => assert_eq!(payment.status(), Status::Succeeded, "{case}"),
                }
            }
        }
    }
    let mut payment = TestPayment::with_link();
    payment.deliver(&dated(Value::Null, Value::Null, Value::Null));
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn the_creation_date_in_a_signed_answer_decides_whether_a_sale_is_older_than_the_checkout() {
    let (old, new) = (
        json!("2018-10-01T00:00:00+0000"),
        json!("2019-07-02T09:28:29+0000"),
    );
    let report = |date: &Value, created: &Value| dated(date.clone(), created.clone(), json!("x"));
    for (callback, answer, is_foreign) in [
        (report(&old, &old), report(&new, &new), false),
        (report(&new, &new), report(&new, &old), true),
        // Without a creation date, the date of the callback can still be true.
        (report(&old, &old), report(&new, &Value::Null), true),
        (
            report(&old, &old),
            report(&new, &json!("1970-01-01T00:00:00+0000")),
            true,
        ),
    ] {
        for is_answer_first in [false, true] {
            let mut payment = TestPayment::with_link();
            if is_answer_first {
                payment.status_answer(&answer);
            }
            payment.deliver(&callback).status_answer(&answer);
            assert_eq!(payment.is_foreign(), is_foreign, "{is_answer_first}");
            let status = match is_foreign {
                true => Status::Quarantined,
                false => Status::Succeeded,
            };
            assert_eq!(payment.status(), status);
        }
    }
}

#[test]
fn a_complete_answer_that_dates_a_sale_after_the_checkout_outweighs_an_older_date_in_a_callback() {
    let (old, new) = ("2018-10-01T00:00:00+0000", "2019-07-02T09:28:29+0000");
    let callback = dated(json!(old), Value::Null, json!("x"));
    let answer = |date: &str, is_complete: bool| {
        edited("sale_success", |body| {
            let body = body.as_object_mut().unwrap();
            let mut sale = body.remove("operation").unwrap();
            sale["date"] = json!(date);
            sale["request_id"] = json!("x");
            sale.as_object_mut().unwrap().remove("created_date");
            let mut operations = vec![sale];
            if !is_complete {
                operations.push(json!({ "type": "invoice", "status": "invoice sent" }));
            }
            body.insert("operations".into(), json!(operations));
        })
    };
    for (answer, is_foreign) in [
        (answer(new, true), false),
        (answer(new, false), true),
        (answer(old, true), true),
        // A wrong date.
        (answer("1970-01-01T00:00:00+0000", true), true),
        (answer("2099-01-01T00:00:00+0000", true), true),
    ] {
        for is_answer_first in [false, true] {
            let mut payment = TestPayment::with_link();
            if is_answer_first {
                payment.status_answer_at(&answer, NOW);
            }
            payment.deliver(&callback);
            payment.status_answer_at(&answer, NOW).deliver(&callback);
            assert_eq!(payment.is_foreign(), is_foreign, "{answer:?}");
        }
    }
    let mut payment = TestPayment::with_link();
    for answer in [answer(old, true), answer(new, true), answer(old, true)] {
        payment.status_answer_at(&answer, NOW);
    }
    assert!(payment.is_foreign());
}

/// Returns a signed answer that lists sales, each with an id, a `request_id`, a status and a creation date.
fn listed_sales(sales: &[(&str, &str, &str, Value)]) -> Verified {
    edited("sale_success", |body| {
        let sale = body.as_object_mut().unwrap().remove("operation").unwrap();
        let sales = sales.iter().map(|(id, request_id, status, created)| {
            let mut sale = sale.clone();
            sale["id"] = json!(id);
            sale["request_id"] = json!(request_id);
            sale["status"] = json!(status);
            sale["date"] = created.clone();
            sale["created_date"] = created.clone();
            sale
        });
        body["operations"] = sales.collect();
    })
}

/// The callback about the error of our accepted sale is lost. Then another system uses the payment id.
#[test]
fn a_sale_is_foreign_if_complete_answers_never_list_the_accepted_sale() {
    let later = || json!("2019-07-03T09:28:29+0000");
    let other = || ("77", "other", "success", later());
    let soon = json!("2019-07-02T09:43:20+0000");
    for (answer, is_foreign) in [
        (listed_sales(&[other()]), true),
        (
            listed_sales(&[("76", "first", "error", later()), other()]),
            true,
        ),
        // The sale can be the sale of our request, with another `request_id`.
        (
            listed_sales(&[("77", "other", "success", soon.clone())]),
            false,
        ),
        (
            listed_sales(&[("77", "other", "success", Value::Null)]),
            false,
        ),
        (
            listed_sales(&[("1", "unknown", "decline", soon), other()]),
            false,
        ),
        // Our sale is listed, so the other sale can be its next try.
        (
            listed_sales(&[("1", "ours", "decline", later()), other()]),
            false,
        ),
        // The list is possibly incomplete.
        (dated(later(), later(), json!("other")), false),
    ] {
        let mut payment = answered(&[accepted("ours")]);
        payment.poll_by(NOW.after(2 * DAY), &answer);
        assert_eq!(payment.is_foreign(), is_foreign, "{:?}", answer.report);
        match is_foreign {
            true => check_hidden(&mut payment, 1000),
            false => assert_eq!(payment.status(), Status::Succeeded),
        }
    }
    let answer = listed_sales(&[other()]);
    // The first try has no clear answer, so its sale can have any `request_id`.
    let mut payment = answered(&[Answer::Unclear, accepted("ours")]);
    payment.poll_by(NOW.after(2 * DAY), &answer);
    assert_eq!(payment.status(), Status::Succeeded);
    // A callback reported our sale.
    let mut payment = answered(&[accepted(REQUEST)]);
    payment.deliver(&edited("redirect_get", |_| {}));
    payment.poll_by(NOW.after(2 * DAY), &answer);
    assert!(!payment.is_foreign());
    let mut payment = TestPayment::with_link();
    payment.poll_by(NOW.after(2 * DAY), &answer);
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_sale_is_foreign_if_gate_refused_the_only_try_of_each_attempt() {
    let (refusal, unclear) = (refused("2004"), Answer::Unclear);
    let duplicate = refused("3041");
    let refusals = [refusal.clone(), refusal.clone()];
    let cases = [
        (vec![refusal.clone()], true),
        (refusals.to_vec(), true),
        (vec![refusal.clone(), duplicate.clone()], true),
        (vec![refusal.clone(), unclear.clone()], false),
        (vec![refusal.clone(), accepted("q1")], false),
        (vec![unclear.clone()], false),
        // The processing of the sale failed, so the platform can have the sale.
        (vec![refused("501")], false),
        (vec![refused("602")], false),
        (vec![refused("20602"), refusal.clone()], false),
        // The repeat is refused, but the platform has possibly accepted the first try.
        (vec![unclear.clone(), refusal.clone()], false),
        // Another system makes the payment just now, so our try made no sale.
        (vec![refused("2147")], true),
        (vec![refused("3613"), duplicate.clone()], true),
        (
            vec![refused("2147"), refused("3613"), duplicate.clone()],
            true,
        ),
        (vec![refused("2147"), refusal.clone()], true),
        (vec![refused("2147"), unclear.clone()], false),
        (
            vec![refused("2147"), unclear.clone(), duplicate.clone()],
            false,
        ),
        (
            vec![unclear.clone(), refused("2147"), duplicate.clone()],
            false,
        ),
        (vec![refused("2147"), accepted("q1")], false),
        // There is no result yet.
        (vec![refused("9999"), duplicate.clone()], false),
        (vec![unclear, duplicate], false),
        (vec![accepted(REQUEST)], false),
        (vec![accepted("q1")], false),
    ];
    for (answers, is_foreign) in cases {
        for is_answer in [false, true] {
            let mut payment = answered(&answers);
            match is_answer {
                true => payment.status_answer(&sale(1000)),
                false => payment.deliver(&sale(1000)),
            };
            assert_eq!(payment.is_foreign(), is_foreign, "{answers:?}");
            match is_foreign {
                true => check_hidden(&mut payment, 1000),
                false => assert_eq!(payment.status(), Status::Succeeded, "{answers:?}"),
            }
        }
    }
    // A sale without a `request_id` can be ours.
    let mut payment = answered(&refusals);
    payment.deliver(&dated(json!(""), json!(""), Value::Null));
    assert_eq!(payment.status(), Status::Succeeded);
    // The report arrives before Gate's answer.
    let mut payment = TestPayment::created();
    payment.deliver(&sale(1000)).sale_answer(&refusal);
    assert_eq!(payment.status(), Status::Quarantined);
    assert_eq!(payment.refundable_amount(), 0);
}

#[test]
fn an_old_sale_is_foreign_if_it_does_not_have_our_request_id() {
    let old = json!("2018-10-01T00:00:00+0000");
    for (request_id, is_foreign) in [
        (json!(REQUEST), false),
        (json!("another"), true),
        (Value::Null, true),
    ] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&accepted(REQUEST));
        payment.deliver(&dated(old.clone(), old.clone(), request_id));
        match is_foreign {
            true => check_hidden(&mut payment, 1000),
            false => assert_eq!(payment.status(), Status::Succeeded),
        }
    }
}

/// A sale that Gate accepted fails by callback. Then another system uses the payment id.
#[test]
fn a_sale_with_another_request_id_is_foreign_after_our_sale_failed() {
    for (code, request_id, is_foreign) in [
        ("2004", Some("ours"), true),
        ("3041", Some("ours"), true),
        ("3041", None, true),
        // The error concerns another request, or says nothing about the request.
        ("2004", Some("another"), false),
        ("2004", None, false),
        ("2147", Some("ours"), false),
    ] {
        for is_answer in [false, true] {
            for operation_id in [None, Some("1")] {
                let mut payment = TestPayment::created();
                payment.sale_answer(&accepted("ours"));
                payment.deliver(&error(code, request_id, operation_id));
                assert!(!payment.is_foreign());
                match is_answer {
                    true => payment.status_answer(&sale(1000)),
                    false => payment.deliver(&sale(1000)),
                };
                assert_eq!(payment.is_foreign(), is_foreign, "{code} {request_id:?}");
                if is_foreign {
                    check_hidden(&mut payment, 1000);
                }
            }
        }
    }
    // The code 3041 changes no state, and another code of the same request is its result.
    for codes in [["3041", "402"], ["402", "3041"]] {
        let mut payment = TestPayment::created();
        payment.sale_answer(&accepted("ours"));
        payment.deliver(&error("3041", Some("ours"), None));
        assert_eq!(payment.status(), Status::Processing);
        for code in codes {
            payment.deliver(&error(code, Some("ours"), None));
        }
        assert_eq!(payment.view()["decline"]["code"], "402");
    }
    // The sale is ours after all.
    let mut payment = TestPayment::created();
    payment.sale_answer(&accepted(REQUEST));
    payment.deliver(&error("2004", Some(REQUEST), None));
    payment.deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}

/// Gate refused the first try. The platform also sends a callback about this request, with an operation.
#[test]
fn the_error_of_our_own_request_is_no_evidence() {
    let mut payment = answered(&[refused("2004")]);
    payment.deliver(&error("2004", Some("ours"), Some("1")));
    assert!(!payment.is_foreign());
    payment.execute(Command::Retry { order: &order() }, NOW);
    payment.sale_answer(&Answer::Unclear);
    payment.deliver(&edited("redirect_get", |_| {}));
    assert!(payment.redirect().is_some());
    payment.deliver(&sale(1000));
    assert_eq!(payment.status(), Status::Succeeded);
}

#[test]
fn a_failed_processing_of_an_accepted_sale_is_no_evidence() {
    for code in ["501", "602", "10602", "20602"] {
        let mut payment = answered(&[accepted("ours")]);
        payment.deliver(&error(code, Some("ours"), None));
        payment.deliver(&sale(1000));
        assert_eq!(payment.status(), Status::Succeeded, "{code}");
    }
}

/// A clarification or a cascade can give the operation another `request_id`, in any order of the ids.
#[test]
fn a_sale_stays_ours_if_a_later_report_has_another_request_id() {
    for other in ["0", "z"] {
        let mut payment = answered(&[accepted(REQUEST)]);
        payment.deliver(&edited("redirect_get", |_| {}));
        payment.deliver(&error("3041", None, None));
        payment.deliver(&edited("sale_success", |body| {
            body["operation"]["request_id"] = other.into();
        }));
        assert_eq!(payment.status(), Status::Succeeded, "{other}");
    }
}

/// The first sale of a cascade is declined, or stays open. The code 3041 changes no state.
#[test]
fn the_second_sale_of_a_cascade_stays_ours_after_an_error() {
    for (first, code, request_id) in [
        ("sale_decline_customer", "3041", Some("ours")),
        ("sale_decline_customer", "2004", Some("ours")),
        ("processing", "3041", Some("ours")),
        ("processing", "3041", None),
    ] {
        let mut payment = answered(&[accepted("ours")]);
        payment.deliver(&edited(first, |body| {
            body["payment"]["status"] = "processing".into();
            body["operation"]["id"] = "1".into();
            body["operation"]["request_id"] = "ours".into();
        }));
        payment.deliver(&error(code, request_id, None));
        payment.deliver(&sale(1000));
        assert!(!payment.is_foreign(), "{first} {code}");
        assert_eq!(payment.paid_amount(), 1000, "{first} {code}");
    }
}

/// Our pending sale failed, and the callback about the error names no operation.
#[test]
fn a_pending_sale_that_failed_does_not_make_another_systems_sale_ours() {
    let mut payment = answered(&[accepted("ours")]);
    payment.deliver(&edited("processing", |body| {
        body["operation"]["id"] = "1".into();
        body["operation"]["request_id"] = "ours".into();
    }));
    payment.deliver(&error("2004", Some("ours"), None));
    payment.deliver(&sale(1000));
    check_hidden(&mut payment, 1000);
}

#[test]
fn an_old_sale_without_money_does_not_hide_a_new_sale() {
    let old = "2018-10-01T00:00:00+0000";
    for status in ["error", "decline"] {
        for mut payment in [TestPayment::with_link(), answered(&[Answer::Unclear])] {
            payment.deliver(&edited("sale_success", |body| {
                body["payment"]["status"] = "processing".into();
                let operation = &mut body["operation"];
                operation["id"] = "1".into();
                operation["status"] = status.into();
                operation["request_id"] = "another".into();
                operation["created_date"] = old.into();
                operation["date"] = old.into();
            }));
            payment.deliver(&sale(1000));
            assert_eq!(payment.status(), Status::Succeeded, "{status}");
        }
    }
}
