//! `payment.status` is held against what the operations say: money that is not confirmed is not paid.

use payments::decide::Command;
use payments::model::{QuarantineReason, Status, Verdict};
use serde_json::json;

use super::story::*;

#[test]
fn a_successful_sale_of_an_unfinished_payment_is_held_and_polled_at_once() {
    for (file, status, emitted) in [
        (
            "confirm_sale_done",
            Status::AwaitingConfirmation,
            Some("payment.awaiting_confirmation"),
        ),
        ("external_processing_sale_done", Status::Processing, None),
        ("confirm_sale_done_processing", Status::Processing, None),
    ] {
        let mut story = Story::created();
        story.callback(file);
        assert_eq!(story.payment.status(), status, "{file}");
        assert_eq!(story.payment.paid_amount(), 0, "{file}");
        assert_eq!(story.payment.refundable_amount(), 0, "{file}");
        assert_eq!(poll_at(&story.payment), Some(NOW), "{file}");
        let kinds = story.kinds();
        assert_eq!(
            kinds[1..],
            emitted.into_iter().collect::<Vec<_>>(),
            "{file}"
        );
    }
}

#[test]
fn a_sale_counts_once_the_platform_confirms_it() {
    let mut story = Story::created();
    story
        .callback("confirm_sale_done")
        .callback("confirm_begun")
        .callback("confirm_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.payment.paid_amount(), 1000, "no second payment");
    assert_eq!(
        story.kinds()[1..],
        ["payment.awaiting_confirmation", "payment.succeeded"]
    );
    assert_eq!(story.last_data()["late"], json!(null));
}

#[test]
fn a_declined_confirmation_declines_the_payment() {
    for ends in [
        &["confirm_decline"][..],
        &["confirm_decline_before_reversal", "confirm_reversal"],
        &["confirm_reversal", "confirm_decline_before_reversal"],
        &["status_confirm_decline"],
    ] {
        let mut story = Story::created();
        story
            .callback("confirm_sale_done")
            .callback("confirm_begun");
        ends.iter().for_each(|file| {
            story.report(file);
        });
        assert_eq!(story.payment.status(), Status::Declined, "{ends:?}");
        let payment = &story.payment;
        assert_eq!((payment.paid_amount(), payment.refunded_amount()), (0, 0));
        assert!(!story.kinds().contains(&"payment.succeeded"), "{ends:?}");
        assert_eq!(story.last_data()["decline"]["code"], "20812", "{ends:?}");
    }
}

#[test]
fn a_decline_after_an_emitted_success_withdraws_it_and_a_later_credit_restores_it() {
    let mut story = Story::created();
    story.callback("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    story.refund_answer("r-1", &accepted("q"));
    let back = json!({ "merchant_refund_id": "r-1" });
    story.deliver(&refund_operation("7", "success", back));
    story.callback("confirm_decline");
    assert_eq!(story.payment.status(), Status::Declined);
    let declined = story
        .events
        .iter()
        .find(|one| one.kind.as_str() == "payment.declined");
    assert_eq!(data(declined.unwrap())["corrects"], "payment.succeeded");
    assert_eq!(
        story.kinds()[2..],
        [
            "refund.pending",
            "refund.succeeded",
            "payment.declined",
            "payment.overrefunded"
        ]
    );
    assert_eq!(poll_at(&story.payment), Some(NOW));

    // The credit comes after all.
    let credit = edited("confirm_success", |body| {
        body["payment"]["date"] = json!("2019-07-10T09:00:00+0000");
        body["operation"]["date"] = json!("2019-07-10T09:00:00+0000");
    });
    story.deliver(&credit);
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    assert_eq!(story.payment.paid_amount(), 1000);
    let last = story.last_data();
    assert_eq!(story.kinds().last(), Some(&"payment.succeeded"));
    assert_eq!(last["corrects"], "payment.declined");
    assert_eq!(last["late"], true);
}

#[test]
fn within_a_second_a_confirmation_follows_its_sale() {
    for (file, expected) in [
        ("confirm_decline", Status::Declined),
        ("confirm_begun", Status::AwaitingConfirmation),
    ] {
        let at_once = |file| {
            edited(file, |body| {
                body["payment"]["date"] = json!("2019-07-01T09:00:00+0000");
                body["operation"]["date"] = json!("2019-07-01T09:00:00+0000");
            })
        };
        let (sale, confirmation) = (at_once("sale_success"), at_once(file));
        for order in [[&sale, &confirmation], [&confirmation, &sale]] {
            let mut story = Story::created();
            order.into_iter().for_each(|body| {
                story.deliver(body);
            });
            assert_eq!(story.payment.status(), expected, "{file}");
            assert_eq!(story.payment.paid_amount(), 0, "{file}");
        }
    }
}

#[test]
fn a_callback_that_declines_the_confirmation_of_money_that_counts_is_polled_about() {
    let mut story = Story::created();
    story.callback("sale_success");
    let stale = edited("confirm_decline", |body| {
        body["payment"]["date"] = json!("2019-01-01T09:00:00+0000");
        body["operation"]["date"] = json!("2019-01-01T09:00:00+0000");
    });
    story.deliver(&stale);
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(poll_at(&story.payment), Some(NOW));
}

#[test]
fn contradictory_confirmations_are_polled_and_the_newest_answer_decides() {
    for order in permutations(&["confirm_success", "confirm_decline"]) {
        let mut story = Story::created();
        story.callback("confirm_sale_done");
        for file in order {
            story.callback(file);
        }
        assert_eq!(poll_at(&story.payment), Some(NOW));
        let mut declined = story.branch();
        declined.run(Command::PollNow, NOW);
        declined.status_answer(corpus("status_confirm_decline"));
        assert_eq!(declined.payment.status(), Status::Declined);
        assert!(!declined.needs_recheck());

        let credited = edited("status_confirm_decline", |body| {
            body["payment"]["status"] = "success".into();
            body["operations"][1]["status"] = "success".into();
        });
        story.run(Command::PollNow, NOW).status_answer(&credited);
        assert_eq!(story.payment.status(), Status::Succeeded);
        assert!(!story.needs_recheck());
    }
}

/// Another try of the shopper is still open, and one has paid.
#[test]
fn a_processing_payment_counts_if_a_signed_answer_lists_its_sale_without_a_confirmation() {
    let mut story = Story::created();
    story.callback("cascade_first_paid");
    assert_eq!(story.payment.status(), Status::Processing);
    assert_eq!(poll_at(&story.payment), Some(NOW));
    story.run(Command::PollNow, NOW);
    story.status_answer(corpus("status_cascade_one_paid"));
    assert_eq!(story.payment.status(), Status::Succeeded);

    // With a confirmation it is held.
    let waiting = edited("status_confirm_waiting", |body| {
        body["payment"]["status"] = "processing".into();
    });
    let mut story = Story::created();
    story.run(Command::PollNow, NOW).status_answer(&waiting);
    assert_eq!(story.payment.status(), Status::AwaitingConfirmation);
    assert_eq!(story.payment.paid_amount(), 0);
}

#[test]
fn a_signed_answer_that_ends_a_paid_payment_without_a_confirmation_quarantines_it() {
    for status in ["decline", "canceled", "expired"] {
        let contested = edited("status_confirm_decline", |body| {
            body["payment"]["status"] = status.into();
            body["operations"].as_array_mut().unwrap().truncate(1);
            body["operations"][0]["date"] = json!("2019-07-03T00:00:00+0000");
        });
        let mut story = Story::created();
        story.callback("sale_success");
        story.run(Command::PollNow, NOW).status_answer(&contested);
        assert_eq!(story.payment.status(), Status::Quarantined, "{status}");
        assert_eq!(
            story.payment.quarantine_reasons(),
            [QuarantineReason::StatusDiffers].into(),
            "{status}"
        );
        assert_eq!(story.payment.paid_amount(), 1000);
        story.review(Verdict::Released).unwrap();
        assert_eq!(story.payment.status(), Status::Succeeded, "{status}");
    }
}

#[test]
fn a_report_about_a_refund_says_nothing_about_the_sale() {
    for file in [
        "refund_external_processing",
        "refund_awaiting_clarification",
        "refund_processing",
    ] {
        let mut story = Story::created();
        story.callback("sale_success").callback(file);
        assert_eq!(story.payment.status(), Status::Succeeded, "{file}");
        assert_eq!(story.payment.paid_amount(), 1000, "{file}");
        let mut story = Story::created();
        story.callback("confirm_sale_done").callback(file);
        assert_eq!(
            story.payment.status(),
            Status::AwaitingConfirmation,
            "{file}"
        );
        assert_eq!(story.payment.paid_amount(), 0, "{file}");
    }
}

/// It is emitted once: the answer to the status request decides.
#[test]
fn a_confirmation_that_starts_after_an_emitted_success_emits_nothing() {
    let mut story = Story::created();
    story.callback("sale_success").callback("confirm_begun");
    assert_eq!(story.payment.status(), Status::AwaitingConfirmation);
    assert_eq!(story.payment.paid_amount(), 0);
    assert_eq!(poll_at(&story.payment), Some(NOW));
    story.callback("confirm_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(story.kinds(), ["payment.created", "payment.succeeded"]);
}

#[test]
fn an_operation_of_two_types_ends_alike_in_every_order() {
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
        let mut story = Story::created();
        for index in order {
            story.deliver(&reports[index]);
        }
        format!("{:?}", story.outcome())
    });
    let ends: std::collections::BTreeSet<String> = ends.collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
}
