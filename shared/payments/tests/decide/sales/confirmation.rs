//! Tests that a sale counts only if `payment.status` and the confirmation allow it.

use std::collections::BTreeSet;
use std::time::Duration;

use payments::decide::Command;
use payments::model::{CheckoutState, QuarantineReason, Status, Verdict};
use payments::service::callback::Verified;
use serde_json::json;

use crate::fixtures::*;

#[test]
fn a_successful_sale_of_an_unfinished_payment_is_held_and_causes_an_immediate_poll() {
    for (file, status, emitted) in [
        (
            "confirm_sale_done",
            Status::AwaitingConfirmation,
            &["payment.awaiting_confirmation"][..],
        ),
        ("external_processing_sale_done", Status::Processing, &[]),
        ("confirm_sale_done_processing", Status::Processing, &[]),
    ] {
        let payment = TestPayment::with_callbacks(&[file]);
        assert_eq!(payment.status(), status, "{file}");
        let sums = (payment.paid_amount(), payment.refundable_amount());
        assert_eq!(sums, (0, 0), "{file}");
        assert_eq!(poll_at(&payment), Some(payment.now), "{file}");
        assert_eq!(payment.kinds()[1..], *emitted, "{file}");
    }
}

#[test]
fn the_success_of_a_confirmed_sale_is_emitted_once_and_not_as_late() {
    let files = ["confirm_sale_done", "confirm_begun", "confirm_success"];
    let payment = TestPayment::with_callbacks(&files);
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.paid_amount(), 1000);
    let kinds = ["payment.awaiting_confirmation", "payment.succeeded"];
    assert_eq!(payment.kinds()[1..], kinds);
    assert_eq!(payment.last_data()["late"], json!(null));
}

#[test]
fn a_declined_confirmation_declines_the_payment_with_the_code_of_the_confirmation() {
    for end in [
        &["confirm_decline"][..],
        &["confirm_decline_before_reversal", "confirm_reversal"],
        &["confirm_reversal", "confirm_decline_before_reversal"],
        &["status_confirm_decline"],
    ] {
        let mut payment = TestPayment::with_callbacks(&["confirm_sale_done", "confirm_begun"]);
        for file in end {
            payment.report(file);
        }
        assert_eq!(payment.status(), Status::Declined, "{end:?}");
        assert_eq!(payment.refund_sums(), (0, 0, 0), "{end:?}");
        assert!(!payment.kinds().contains(&"payment.succeeded"), "{end:?}");
        assert_eq!(payment.last_data()["decline"]["code"], "20812", "{end:?}");
    }
}

#[test]
fn a_declined_confirmation_withdraws_an_emitted_success_and_a_later_credit_restores_it() {
    let mut payment = TestPayment::paid();
    payment.refund_succeeds("r-1", "7", 250);
    payment.callback("confirm_decline");
    assert_eq!(payment.status(), Status::Declined);
    let mut events = payment.events.iter();
    let declined = events.find(|event| event.kind.as_str() == "payment.declined");
    assert_eq!(data(declined.unwrap())["corrects"], "payment.succeeded");
    let kinds = ["refund.pending", "refund.succeeded", "payment.declined"];
    assert_eq!(payment.kinds()[2..], kinds);
    assert_eq!(poll_at(&payment), Some(payment.now));

    let credit = edited("confirm_success", |body| {
        body["payment"]["date"] = json!("2019-07-10T09:00:00+0000");
        body["operation"]["date"] = json!("2019-07-10T09:00:00+0000");
    });
    payment.deliver(&credit);
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.paid_amount(), 1000);
    assert_eq!(payment.last_kind(), "payment.succeeded");
    assert_eq!(payment.last_data()["corrects"], "payment.declined");
    assert_eq!(payment.last_data()["late"], true);
}

#[test]
fn a_confirmation_in_the_same_second_as_its_sale_counts_as_later() {
    for (file, expected) in [
        ("confirm_decline", Status::Declined),
        ("confirm_begun", Status::AwaitingConfirmation),
    ] {
        let reports = ["sale_success", file].map(|file| {
            edited(file, |body| {
                body["payment"]["date"] = json!("2019-07-01T09:00:00+0000");
                body["operation"]["date"] = json!("2019-07-01T09:00:00+0000");
            })
        });
        for order in permutations(&[0, 1]) {
            let mut payment = TestPayment::created();
            for index in order {
                payment.deliver(&reports[index]);
            }
            assert_eq!(payment.status(), expected, "{file}");
            assert_eq!(payment.paid_amount(), 0, "{file}");
        }
    }
}

#[test]
fn a_callback_with_an_older_declined_confirmation_changes_no_status_and_causes_a_poll() {
    let mut payment = TestPayment::paid();
    let older = edited("confirm_decline", |body| {
        body["payment"]["date"] = json!("2019-01-01T09:00:00+0000");
        body["operation"]["date"] = json!("2019-01-01T09:00:00+0000");
    });
    payment.deliver(&older);
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(poll_at(&payment), Some(payment.now));
}

#[test]
fn contradictory_confirmations_cause_a_poll_and_the_signed_answer_decides() {
    let credited = edited("status_confirm_decline", |body| {
        body["payment"]["status"] = "success".into();
        body["operations"][1]["status"] = "success".into();
    });
    for order in permutations(&["confirm_success", "confirm_decline"]) {
        let payment = TestPayment::with_callbacks(&["confirm_sale_done", order[0], order[1]]);
        assert!(payment.is_poll_due());
        for (answer, status) in [
            (corpus("status_confirm_decline"), Status::Declined),
            (&credited, Status::Succeeded),
        ] {
            let mut payment = payment.fork();
            payment.poll_now(NOW, answer);
            assert_eq!(payment.status(), status);
            assert!(!payment.needs_recheck());
        }
    }
}

#[test]
fn the_newest_of_contradictory_signed_answers_about_a_confirmation_decides() {
    let answer = |status: &str, minute: u32| {
        let date = format!("2019-07-02T11:{minute:02}:00+0000");
        edited("status_confirm_decline", |body| {
            body["payment"]["status"] = status.into();
            body["payment"]["date"] = date.clone().into();
            body["operations"][1]["status"] = status.into();
            body["operations"][1]["date"] = date.clone().into();
        })
    };
    for (newest, status) in [
        ("success", Status::Succeeded),
        ("decline", Status::Declined),
    ] {
        let older = if newest == "success" {
            "decline"
        } else {
            "success"
        };
        let answers = [answer(older, 10), answer(newest, 20)];
        for order in [[0, 1], [1, 0]] {
            let mut payment = TestPayment::with_callbacks(&["confirm_sale_done"]);
            for (number, index) in order.into_iter().enumerate() {
                let at = NOW.after(Duration::from_secs(number as u64 + 1));
                payment.poll_by(at, &answers[index]);
            }
            assert_eq!(payment.status(), status, "{newest} {order:?}");
        }
    }
}

/// One try of the shopper was successful, and another try is still open.
#[test]
fn a_processing_payment_counts_if_a_signed_answer_lists_its_sale_without_a_confirmation() {
    let mut payment = TestPayment::with_callbacks(&["cascade_first_paid"]);
    assert_eq!(payment.status(), Status::Processing);
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.poll_now(NOW, corpus("status_cascade_one_paid"));
    assert_eq!(payment.status(), Status::Succeeded);

    let with_confirmation = edited("status_confirm_waiting", |body| {
        body["payment"]["status"] = "processing".into();
    });
    let mut payment = TestPayment::created();
    payment.poll_now(NOW, &with_confirmation);
    assert_eq!(payment.status(), Status::AwaitingConfirmation);
    assert_eq!(payment.paid_amount(), 0);
}

#[test]
fn a_signed_answer_that_ends_a_paid_payment_without_a_confirmation_quarantines_it() {
    for status in ["decline", "canceled", "expired"] {
        let ended = edited("status_confirm_decline", |body| {
            body["payment"]["status"] = status.into();
            body["operations"].as_array_mut().unwrap().truncate(1);
            body["operations"][0]["date"] = json!("2019-07-03T00:00:00+0000");
        });
        let mut payment = TestPayment::paid();
        payment.poll_now(NOW, &ended);
        assert_eq!(payment.status(), Status::Quarantined, "{status}");
        let reasons = payment.quarantine_reasons();
        assert_eq!(reasons, [QuarantineReason::StatusDiffers].into());
        assert_eq!(payment.paid_amount(), 1000);
        payment.review(Verdict::Released).unwrap();
        assert_eq!(payment.status(), Status::Succeeded, "{status}");
    }
}

#[test]
fn a_confirmation_that_starts_after_an_emitted_success_emits_nothing() {
    let mut payment = TestPayment::paid();
    payment.callback("confirm_begun");
    assert_eq!(payment.status(), Status::AwaitingConfirmation);
    assert_eq!(payment.paid_amount(), 0);
    assert_eq!(poll_at(&payment), Some(payment.now));
    payment.callback("confirm_success");
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.kinds(), ["payment.created", "payment.succeeded"]);
}

/// Returns a report with this `payment.status` and the successful sale of the corpus.
fn sale_in(payment_status: &str, second: u32) -> Verified {
    edited("sale_success", |body| {
        let date = format!("2019-07-02T10:00:{second:02}+0000");
        body["payment"]["status"] = payment_status.into();
        body["payment"]["date"] = date.clone().into();
        body["operation"]["date"] = date.into();
    })
}

fn last_event_agrees(payment: &TestPayment) {
    let (emitted, view) = (payment.last_data(), payment.view());
    for field in ["status", "paid_amount", "refunded_amount"] {
        assert_eq!(emitted[field], view[field], "{:?}", payment.kinds());
    }
}

#[test]
fn a_checkout_does_not_expire_while_an_emitted_success_is_held() {
    let mut payment = TestPayment::accepted();
    payment.deliver(&sale_in("success", 0));
    payment.deliver(&sale_in("external processing", 5));
    assert_eq!(payment.status(), Status::Processing);
    let later = NOW.after(31 * MINUTE);
    assert_eq!(payment.checkout_state(later), Some(CheckoutState::Done));
    assert_eq!(change_of(Some(&payment), Command::Expire, later), None);
    payment.deliver(&sale_in("success", 9));
    assert_eq!(payment.status(), Status::Succeeded);
    assert_eq!(payment.kinds(), ["payment.created", "payment.succeeded"]);
    last_event_agrees(&payment);
}

#[test]
fn a_success_is_emitted_again_if_an_event_showed_the_payment_without_it() {
    for (held_by, status) in [
        (sale_in("external processing", 5), Status::Processing),
        (
            corpus("confirm_begun").clone(),
            Status::AwaitingConfirmation,
        ),
    ] {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(400)).unwrap();
        payment.refund_answer("r-1", &accepted("q-r-1"));
        payment.deliver(&held_by);
        assert_eq!(payment.status(), status);
        let fields = json!({ "merchant_refund_id": "r-1", "request_id": "q-r-1" });
        payment.deliver(&refund_operation("7", "decline", fields));
        assert_eq!(payment.last_kind(), "refund.declined");
        last_event_agrees(&payment);
        payment.deliver(&sale_in("success", 9));
        payment.callback("confirm_success");
        assert_eq!(payment.status(), Status::Succeeded);
        assert_eq!(payment.last_kind(), "payment.succeeded");
        let data = payment.last_data();
        assert_eq!(
            (&data["late"], &data["corrects"]),
            (&json!(null), &json!(null))
        );
        last_event_agrees(&payment);
    }
}

#[test]
fn reports_with_two_types_for_one_operation_have_the_same_outcome_in_any_order() {
    let of = |file, kind: &str, second| {
        edited(file, |body| {
            body["operation"]["id"] = json!(71);
            body["operation"]["type"] = json!(kind);
            let date = format!("2019-07-02T09:28:{second}+0000");
            body["operation"]["date"] = json!(date);
            body["payment"]["date"] = json!(date);
        })
    };
    let reports = [
        of("sale_success", "sale", "31"),
        of("confirm_decline", "payment confirmation", "32"),
        of("confirm_success", "payment confirmation", "33"),
        of("sale_decline_customer", "sale", "34"),
    ];
    let ends = permutations(&[0, 1, 2, 3]).into_iter().map(|order| {
        let mut payment = TestPayment::created();
        for index in order {
            payment.deliver(&reports[index]);
        }
        format!("{:?}", payment.outcome())
    });
    let ends = BTreeSet::from_iter(ends);
    assert_eq!(ends.len(), 1, "{ends:?}");
}

#[test]
fn a_report_that_gives_a_sale_another_type_does_not_undo_the_sale() {
    let refund = edited("sale_success", |body| {
        body["operation"]["type"] = json!("refund");
        body["operation"]["date"] = json!("2030-01-01T00:00:00+0000");
    });
    let mut outcomes = Vec::new();
    for order in permutations(&[corpus("sale_success"), &refund]) {
        let mut payment = TestPayment::created();
        payment.deliver(order[0]).deliver(order[1]);
        assert_eq!(payment.status(), Status::Succeeded);
        assert!(payment.needs_recheck());
        outcomes.push(payment.outcome());
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

#[test]
fn a_signed_answer_with_another_type_quarantines_a_reported_sale() {
    for (kind, status) in [
        ("customer action", "success"),
        ("customer action", "decline"),
        ("account verification", "success"),
        ("payment confirmation", "success"),
        ("refund", "success"),
        ("refund reverse", "success"),
    ] {
        let answer = edited("status_confirm_decline", |body| {
            body["payment"]["status"] = "success".into();
            body["operations"].as_array_mut().unwrap().truncate(1);
            body["operations"][0]["type"] = kind.into();
            body["operations"][0]["status"] = status.into();
        });
        let mut ends = Vec::new();
        for is_answer_first in [false, true] {
            let mut payment = TestPayment::accepted();
            if is_answer_first {
                payment.poll_now(NOW, &answer);
            }
            payment.callback("sale_success");
            if !is_answer_first {
                payment.poll_now(NOW, &answer);
            }
            assert_eq!(payment.status(), Status::Quarantined, "{kind}");
            let reasons = payment.quarantine_reasons();
            assert_eq!(reasons, [QuarantineReason::Contradiction].into(), "{kind}");
            assert_eq!(payment.last_kind(), "payment.quarantined");
            assert_eq!(
                (payment.paid_amount(), payment.refunded_amount()),
                (1000, 0)
            );
            ends.push(payment.outcome());
            payment.review(Verdict::Released).unwrap();
            assert_eq!(payment.status(), Status::Succeeded, "{kind}");
        }
        assert_eq!(ends[0], ends[1], "{kind}");
    }
}

#[test]
fn a_report_about_a_refund_does_not_confirm_a_sale() {
    let refund = |status: &str, of_payment: &str| {
        edited("refund_partial_1", |body| {
            body["operation"]["status"] = status.into();
            body["payment"]["status"] = of_payment.into();
        })
    };
    let mut waiting = TestPayment::with_callbacks(&["confirm_sale_done"]);
    waiting.deliver(&refund("success", "partially refunded"));
    assert_eq!(waiting.status(), Status::AwaitingConfirmation);
    assert_eq!(waiting.paid_amount(), 0);

    for status in ["decline", "processing", "awaiting confirmation"] {
        let mut paid = TestPayment::paid();
        paid.deliver(&refund("decline", status));
        assert_eq!(paid.status(), Status::Succeeded, "{status}");
        assert_eq!(paid.paid_amount(), 1000, "{status}");
    }
}
