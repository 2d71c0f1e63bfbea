//! Tests repeats of lost refunds. A refund is lost if its request had no clear answer. Error 3230 means that the
//! platform already has a refund with this id.

use ecommpay::answer::Answer;
use payments::decide::Command;
use payments::model::{RefundStatus, Status};
use payments::service::callback::Verified;
use serde_json::{Value, json};

use crate::fixtures::*;

/// Returns a paid payment with lost refunds of 2.50 EUR each.
fn lost(refund_ids: &[&str]) -> TestPayment {
    let mut payment = TestPayment::paid();
    for refund_id in refund_ids {
        payment.reserve(refund_id, Some(250)).unwrap();
        payment.refund_answer(refund_id, &Answer::Unclear);
    }
    payment
}

/// Returns a payment whose lost refunds were requested again, because a status answer did not list these refunds.
fn sent_again(refund_ids: &[&str]) -> TestPayment {
    let mut payment = lost(refund_ids);
    payment.poll("sale_success");
    for refund_id in refund_ids {
        assert!(payment.can_repeat(refund_id), "{refund_id}");
        payment.execute(Command::RepeatRefund(&id(refund_id)), NOW);
    }
    payment
}

fn created_in_second(second: u32) -> Value {
    json!({ "request_id": null, "created_date": format!("2019-07-02T09:28:{second:02}+0000") })
}

#[test]
fn a_lost_refund_is_repeated_only_after_an_answer_to_a_later_poll() {
    let mut payment = TestPayment::paid();
    // The poll is sent before the refund request. The answer to the poll arrives after the refund request.
    payment.execute(Command::PollNow, NOW);
    payment.reserve("r-1", Some(250)).unwrap();
    payment.refund_answer("r-1", &Answer::Unclear);
    payment.status_answer(corpus("sale_success"));
    assert_eq!(payment.polling().last_answered(), 1);
    assert!(!payment.can_repeat("r-1"));
    payment.poll_now(NOW, corpus("sale_success"));
    assert!(payment.can_repeat("r-1"));
}

#[test]
fn a_refund_stays_unknown_while_its_repeat_is_sent_and_other_reports_arrive() {
    let mut payment = sent_again(&["r-1"]);
    let events = payment.refund_events();
    let external = json!({ "merchant_refund_id": "erp-7" });
    payment.deliver(&refund_operation("8", "decline", external));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
    // A status answer during the repeat starts no second repeat.
    payment.poll_now(NOW, corpus("sale_success"));
    assert!(!payment.can_repeat("r-1"));
    payment.refund_answer("r-1", &Answer::Unclear);
    let new = payment.refund_events().split_off(events.len());
    assert_eq!(new, ["8 declined"]);
}

#[test]
fn a_lost_refund_is_not_repeated_after_not_found() {
    for signed in [false, true] {
        let mut payment = lost(&["r-1"]);
        payment
            .execute(Command::PollNow, NOW)
            .not_found(signed, NOW);
        assert!(!payment.can_repeat("r-1"));
        assert_eq!(payment.pending_refund_amount(), 250);
    }
}

#[test]
fn a_refund_whose_repeat_is_answered_3230_gets_the_only_operation_created_between_the_requests() {
    let mut days_later = created_in_second(22);
    days_later["created_date"] = json!("2019-07-09T09:00:00+0000");
    let before = json!({ "created_date": "2019-07-01T09:00:00+0000" });
    let of_another_system = json!({ "merchant_refund_id": "erp-7" });
    let reports = [
        refund_operation("7", "success", created_in_second(22)),
        refund_operation("9", "success", days_later),
        refund_operation("5", "success", before),
        refund_operation("8", "decline", of_another_system),
    ];
    let mut exists = sent_again(&["r-1"]);
    exists.refund_answer("r-1", &refused("3230"));
    assert_eq!(exists.refund_status("r-1"), RefundStatus::Unknown);
    exists.poll_now(NOW, corpus("sale_success"));
    assert!(!exists.can_repeat("r-1"));
    for order in permutations(&[0, 1, 2, 3]) {
        let mut payment = exists.fork();
        for index in &order {
            payment.deliver(&reports[*index]);
        }
        let refund = payment.our_refund("r-1");
        assert_eq!(refund.operation_id(), Some("7"), "{order:?}");
        assert_eq!(refund.status(), RefundStatus::Succeeded, "{order:?}");
        assert_eq!(payment.refunds().len(), 4);
    }
}

#[test]
fn a_refund_that_the_platform_refused_is_no_candidate_for_an_operation_without_an_id() {
    let mut payment = sent_again(&["r-2"]);
    payment.reserve("r-1", Some(250)).unwrap();
    payment
        .refund_answer("r-1", &refused("3281"))
        .refund_answer("r-2", &refused("3230"))
        .deliver(&refund_operation("7", "success", created_in_second(22)));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Declined);
    assert_eq!(payment.refund_status("r-2"), RefundStatus::Succeeded);
    assert_eq!(payment.pending_refund_amount(), 0);
}

#[test]
fn an_operation_that_can_belong_to_two_refunds_belongs_to_neither_until_a_report_names_the_refund()
{
    let mut payment = sent_again(&["r-1", "r-2"]);
    payment
        .refund_answer("r-1", &refused("3230"))
        .refund_answer("r-2", &Answer::Unclear)
        .deliver(&refund_operation("7", "success", created_in_second(22)));
    for refund_id in ["r-1", "r-2"] {
        let status = payment.refund_status(refund_id);
        assert_eq!(status, RefundStatus::Unknown, "{refund_id}");
        assert!(!payment.can_repeat(refund_id));
    }
    let reserved = payment
        .refunds()
        .iter()
        .filter(|one| one.refund_id().is_some());
    let reserved: u64 = reserved.map(|refund| refund.amount()).sum();
    assert_eq!(payment.pending_refund_amount(), reserved);
    let named = json!({ "merchant_refund_id": "r-2" });
    payment.deliver(&refund_operation("7", "success", named));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
    assert_eq!(payment.refund_status("r-2"), RefundStatus::Succeeded);
}

#[test]
fn error_3230_does_not_decline_a_repeated_refund() {
    let mut payment = sent_again(&["r-1"]);
    payment.refund_answer("r-1", &accepted("q2"));
    let error = edited("error_validation", |body| {
        body["errors"][0]["code"] = json!("3230");
        body["operation"]["request_id"] = json!("q2");
    });
    payment.deliver(&error);
    assert_eq!(payment.pending_refund_amount(), 250);
    let declined = json!({ "request_id": "q2", "code": "3230" });
    payment.deliver(&refund_operation("8", "decline", declined));
    assert_eq!(payment.pending_refund_amount(), 250);
}

#[test]
fn a_repeat_that_the_platform_blocks_because_of_an_earlier_try_does_not_end_the_refund() {
    for code in ["3285", "3283", "3060", "20602"] {
        let mut payment = sent_again(&["r-1"]);
        payment.refund_answer("r-1", &refused(code));
        payment.poll_now(NOW, corpus("sale_success"));
        payment.execute(Command::RepeatRefund(&id("r-1")), NOW);
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
        assert_eq!(payment.refund_sums(), (0, 250, 750), "{code}");
    }
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment.refund_answer("r-1", &refused("3285"));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Declined);
}

/// Returns a callback about a refund request that ended with an error.
fn refund_error(code: &str, request_id: &str) -> Verified {
    edited("error_validation", |body| {
        body["errors"][0]["code"] = json!(code);
        body["operation"]["type"] = json!("refund");
        body["operation"]["request_id"] = json!(request_id);
    })
}

#[test]
fn a_refund_whose_processing_failed_stays_reserved_and_is_repeated_after_an_answer() {
    for code in ["501", "602", "10602", "20602"] {
        let mut first_try = TestPayment::paid();
        first_try.reserve("r-1", Some(400)).unwrap();
        let mut later = first_try.fork();
        first_try.refund_answer("r-1", &refused(code));
        later
            .refund_answer("r-1", &accepted("q1"))
            .deliver(&refund_error(code, "q1"));
        for mut payment in [first_try, later] {
            assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
            assert_eq!(payment.refund_sums(), (0, 400, 600), "{code}");
            assert!(poll_at(&payment).is_some() && !payment.can_repeat("r-1"));
            payment.poll_now(NOW, corpus("sale_success"));
            assert!(payment.can_repeat("r-1"), "{code}");
            payment
                .execute(Command::RepeatRefund(&id("r-1")), NOW)
                .refund_answer("r-1", &accepted("q-r-1"));
            assert_eq!(payment.refund_status("r-1"), RefundStatus::Pending);
            payment.refund_reported("r-1", "9001", 400);
            assert_eq!(payment.refund_sums(), (400, 0, 600), "{code}");
        }
    }
}

/// Returns a signed answer that lists the sale and a declined refund of 4.00 EUR.
fn declined_refund_answer(code: &str) -> Verified {
    refund_answer("decline", code)
}

fn refund_answer(status: &str, code: &str) -> Verified {
    edited("status_many_operations", |body| {
        body["payment"]["status"] = json!("success");
        body["payment"]["sum"]["amount"] = json!(1000);
        let operations = body["operations"].as_array_mut().unwrap();
        operations.retain(|operation| operation["type"] == "sale");
        let mut refund = operations[0].clone();
        refund["id"] = json!("9001");
        refund["type"] = json!("refund");
        refund["status"] = json!(status);
        refund["code"] = json!(code);
        refund["request_id"] = json!("q1");
        refund["sum_initial"] = reports::euros(400);
        operations.push(refund);
    })
}

#[test]
fn a_declined_refund_whose_processing_failed_stays_reserved_for_a_day_and_then_ends() {
    for code in ["501", "602", "10602", "20602"] {
        let fields = json!({
            "merchant_refund_id": "r-1",
            "request_id": "q1",
            "code": code,
            "sum_initial": reports::euros(400),
        });
        let callback = refund_operation("9001", "decline", fields);
        let answer = declined_refund_answer(code);
        let mut requested = TestPayment::paid();
        requested.reserve("r-1", Some(400)).unwrap();
        for gate in [accepted("q1"), Answer::Unclear] {
            let mut payment = requested.fork();
            payment.refund_answer("r-1", &gate);
            payment.deliver(&callback);
            assert!(payment.needs_recheck(), "{code}");
            payment.poll_by(NOW.after(HOUR), &answer);
            assert!(!payment.needs_recheck(), "{code}");
            assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
            assert_eq!(payment.last_kind(), "refund.unknown");
            assert_eq!(payment.refund_sums(), (0, 400, 600), "{code}");
            assert!(!payment.can_repeat("r-1"), "the platform has the refund");
            while payment.refund_status("r-1") == RefundStatus::Unknown {
                let due = poll_at(&payment).unwrap();
                assert!(due < NOW.after(3 * DAY), "{code}");
                payment.poll_by(due, &answer);
            }
            assert!(payment.updated_at() >= NOW.after(DAY));
            assert_eq!(payment.refund_sums(), (0, 0, 1000), "{code}");
            assert_eq!(payment.our_refund("r-1").code(), Some(code));
            assert_eq!(payment.last_kind(), "refund.declined");
            assert_eq!(poll_at(&payment), None);
        }
    }
}

#[test]
fn a_refund_that_succeeds_after_its_processing_failed_causes_no_quarantine() {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(400)).unwrap();
    payment.refund_answer("r-1", &accepted("q1"));
    payment.poll_by(NOW.after(HOUR), &declined_refund_answer("20602"));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
    payment.poll_by(NOW.after(HOUR * 2), &refund_answer("success", "0"));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Succeeded);
    assert_eq!(payment.status(), Status::PartiallyRefunded);
    assert_eq!(payment.last_kind(), "refund.succeeded");
}

#[test]
fn a_signed_success_and_a_newer_signed_failed_processing_quarantine_until_a_newer_success() {
    let at = |status: &str, code: &str, minute: u32| {
        let mut answer = refund_answer(status, code);
        let refund = answer.report.operations.last_mut().unwrap();
        refund.date = Some(format!("2019-07-02T10:{minute:02}:00+0000"));
        answer
    };
    let (success, decline) = (at("success", "0", 0), at("decline", "501", 10));
    for answers in [[&success, &decline], [&decline, &success]] {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(400)).unwrap();
        payment.refund_answer("r-1", &accepted("q1"));
        for answer in answers {
            payment.poll_now(NOW.after(HOUR), answer);
        }
        assert_eq!(payment.status(), Status::Quarantined);
        assert_eq!(payment.refund_sums(), (400, 0, 600));
        payment.poll_now(NOW.after(HOUR), &at("success", "0", 20));
        assert_eq!(payment.status(), Status::PartiallyRefunded);
    }
}

/// The callback has an operation id. The code is in the error of the callback, and not in the operation.
#[test]
fn a_refund_error_with_an_operation_id_leaves_the_refund_unknown_if_its_processing_failed() {
    for (code, status) in [
        ("20602", RefundStatus::Unknown),
        ("2004", RefundStatus::Declined),
    ] {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(400)).unwrap();
        payment.refund_answer("r-1", &accepted("q1"));
        payment.deliver(&edited("error_validation", |body| {
            body["errors"][0]["code"] = json!(code);
            body["operation"]["type"] = json!("refund");
            body["operation"]["id"] = json!("9001");
            body["operation"]["request_id"] = json!("q1");
        }));
        assert_eq!(payment.refund_status("r-1"), status, "{code}");
    }
}

#[test]
fn a_refund_from_the_dashboard_whose_processing_failed_stays_reserved_for_a_day() {
    let mut payment = TestPayment::paid();
    let fields = json!({ "code": "20602", "request_id": "q1", "sum_initial": reports::euros(400) });
    payment.deliver(&refund_operation("9001", "decline", fields));
    assert_eq!(payment.refund_sums(), (0, 400, 600));
    let answer = declined_refund_answer("20602");
    payment.poll_by(NOW.after(HOUR), &answer);
    assert_eq!(payment.refund_sums(), (0, 400, 600));
    payment.poll_by(NOW.after(2 * DAY), &answer);
    assert_eq!(payment.refund_sums(), (0, 0, 1000));
    assert_eq!(payment.last_kind(), "refund.declined");
}

/// Another system of the project has a refund with this id, so the platform never made our refund.
#[test]
fn a_refund_whose_id_exists_at_its_first_try_is_declined_by_the_next_answer_without_it() {
    let mut requested = TestPayment::paid();
    requested.reserve("r-1", Some(400)).unwrap();
    let mut refused_first = requested.fork();
    refused_first.refund_answer("r-1", &refused("3230"));
    let mut accepted_first = requested;
    accepted_first.refund_answer("r-1", &accepted("q1"));
    let mut by_error = accepted_first.fork();
    by_error.deliver(&refund_error("3230", "q1"));
    assert!(by_error.needs_recheck());
    assert_eq!(by_error.refund_status("r-1"), RefundStatus::Pending);
    let mut by_operation = accepted_first;
    let declined = json!({ "request_id": "q1", "code": "3230" });
    by_operation.deliver(&refund_operation("8", "decline", declined));
    for mut payment in [refused_first, by_error, by_operation] {
        assert_eq!(payment.refund_sums(), (0, 400, 600));
        assert!(!payment.can_repeat("r-1"));
        payment.poll_now(NOW, corpus("sale_success"));
        let mut listed = payment.fork();
        let mut fields = created_in_second(22);
        fields["sum_initial"] = reports::euros(400);
        listed.deliver(&refund_operation("9", "success", fields));
        assert!(
            !listed.can_repeat("r-1"),
            "the operation could be the refund"
        );
        payment.execute(Command::RepeatRefund(&id("r-1")), NOW);
        assert_eq!(payment.our_refund("r-1").code(), Some("3230"));
        assert_eq!(payment.refund_sums(), (0, 0, 1000));
        assert_eq!(payment.last_kind(), "refund.declined");
        payment.refund_reported("r-1", "9", 400);
        assert_eq!(
            payment.refund_sums(),
            (400, 0, 600),
            "a late success counts"
        );
    }
}

/// Here, error 3230 means that the platform has the first try of this refund.
#[test]
fn a_repeated_refund_whose_id_exists_stays_reserved_after_an_answer_without_it() {
    let mut payment = sent_again(&["r-1"]);
    payment
        .refund_answer("r-1", &accepted("q2"))
        .deliver(&refund_error("3230", "q2"))
        .poll_now(NOW, corpus("sale_success"));
    assert!(!payment.can_repeat("r-1"));
    assert_eq!(payment.pending_refund_amount(), 250);
}

#[test]
fn a_refusal_of_a_refund_counts_more_than_a_failed_processing_in_any_order() {
    for codes in permutations(&["10602", "2004", "501"]) {
        let mut payment = TestPayment::paid();
        payment.reserve("r-1", Some(400)).unwrap();
        payment.refund_answer("r-1", &accepted("q1"));
        for code in &codes {
            payment.deliver(&refund_error(code, "q1"));
        }
        let refund = payment.our_refund("r-1");
        assert_eq!(refund.code(), Some("2004"), "{codes:?}");
    }
}

#[test]
fn a_lost_refund_is_not_repeated_while_less_than_its_amount_is_left() {
    let mut payment = lost(&["r-1"]);
    let by_hand = json!({ "merchant_refund_id": "erp-7", "sum_initial": reports::euros(800) });
    payment.deliver(&refund_operation("8", "success", by_hand));
    payment.poll_now(NOW, corpus("sale_success"));
    assert!(!payment.can_repeat("r-1"));
    assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
    assert_eq!(payment.refund_sums(), (800, 250, 0));
    let mut returned = payment.fork();
    let fields = json!({ "type": "refund reverse", "sum_initial": reports::euros(800) });
    returned.deliver(&refund_operation("9", "success", fields));
    assert!(returned.can_repeat("r-1"), "enough money is left again");
    let declined = json!({ "merchant_refund_id": "r-1", "sum_initial": reports::euros(250) });
    payment.deliver(&refund_operation("9", "decline", declined));
    assert_eq!(payment.refund_sums(), (800, 0, 200));
}

/// Returns a callback about a refund of ours that is declined with this code.
fn declined(code: &str, date: &str) -> Verified {
    let fields = json!({ "merchant_refund_id": "r-1", "code": code, "date": date });
    refund_operation("7", "decline", fields)
}

/// A declined refund is open again if a newer report says that only a duplicate request was declined.
#[test]
fn a_lost_refund_that_is_open_again_can_be_repeated() {
    let reports = [
        declined("20101", "2019-07-02T09:40:01+0000"),
        declined("3230", "2019-07-02T09:40:02+0000"),
    ];
    for order in permutations(&[0, 1]) {
        let mut payment = lost(&["r-1"]);
        for index in &order {
            payment.deliver(&reports[*index]);
        }
        payment.poll_now(NOW, &reports[1]);
        assert_eq!(payment.refund_status("r-1"), RefundStatus::Unknown);
        assert!(payment.can_repeat("r-1"), "{order:?}");
        assert!(
            payment.our_refund("r-1").description().is_some(),
            "{order:?}"
        );
    }
}
