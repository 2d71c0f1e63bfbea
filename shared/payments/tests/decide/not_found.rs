//! Status requests that the platform answers with "not found", signed or not, and with 3062.

use std::time::Duration;

use ecommpay::answer::{Answer, StatusAnswer};
use ecommpay::json::{self, Limits};
use payments::decide::Fact;
use payments::model::{GateRequest, Status};

use super::conclusions::{conclude, with_a_link};
use super::story::*;

const MINUTE: Duration = Duration::from_secs(60);

/// The bodies that say "not found": with a payment object, and without one.
const FORMS: [&str; 2] = [
    r#"{"project_id":211,"payment":{"id":"ECT_TEST_1562051806691899","status":"error"},"errors":[{"code":"3061"}]}"#,
    r#"{"status":"error","code":"3061","message":"Transaction not found"}"#,
];

/// A status request is sent at a moment, and answered "not found".
fn not_found(story: &mut Story, at: payments::Timestamp, body: &str, signed: bool) {
    let message = json::parse(body.as_bytes(), Limits::ANSWER).unwrap();
    assert_eq!(StatusAnswer::read(&message), StatusAnswer::NotFound);
    let claimed = claim_poll(&story.payment, after(at), at);
    story.take(claimed);
    let poll = story.payment.polling().polls_sent();
    story.fact(Fact::NotFound { poll, signed }, at);
}

#[test]
fn an_abandoned_link_ends_with_not_found_in_either_form_signed_or_not() {
    let end = order().expires_at.after(60 * MINUTE);
    for body in FORMS {
        for signed in [false, true] {
            let mut story = with_a_link();
            not_found(&mut story, end, body, signed);
            story.take(conclude(&story.payment, end));
            assert_eq!(story.payment.status(), Status::Failed);
            assert_eq!(story.payment.refusal_code(), Some("expired"));
            assert_eq!(story.kinds().last(), Some(&"payment.failed"));
        }
    }
}

#[test]
fn a_lost_sale_is_sent_again_after_not_found_in_either_form_signed_or_not() {
    for body in FORMS {
        for signed in [false, true] {
            let mut story = Story::created();
            story.sale_answer(&Answer::Unclear);
            let polled = NOW.after(MINUTE);
            not_found(&mut story, polled, body, signed);
            story.take(conclude(&story.payment, polled));
            assert!(matches!(
                story.payment.attempt().request(),
                GateRequest::Sending { repeat: true, .. }
            ));
        }
    }
}

#[test]
fn not_found_changes_no_money() {
    for signed in [false, true] {
        for (file, status) in [
            ("sale_success", Status::Succeeded),
            ("amount_differs", Status::Quarantined),
            ("sale_decline_customer", Status::Declined),
            ("confirm_sale_done", Status::AwaitingConfirmation),
        ] {
            let mut story = Story::created();
            story.sale_answer(&Answer::Unclear).callback(file);
            let paid = story.payment.paid_amount();
            let late = NOW.after(3 * 3600 * Duration::from_secs(1));
            not_found(&mut story, late, FORMS[1], signed);
            assert_eq!(conclude(&story.payment, late), None, "{file}");
            assert_eq!(story.payment.status(), status, "{file}");
            assert_eq!(story.payment.paid_amount(), paid, "{file}");
        }
    }
}

/// Only a signed answer says that nothing was there.
#[test]
fn an_unsigned_not_found_settles_no_recheck() {
    let day = Duration::from_secs(24 * 3600);
    for signed in [false, true] {
        let mut story = Story::created();
        story.sale_answer(&refused("2004"));
        story.fact(Fact::Hint(&corpus("sale_success").report), NOW);
        let mut last = NOW;
        while let Some(due) = poll_at(&story.payment) {
            not_found(&mut story, due, FORMS[1], signed);
            last = due;
        }
        assert_eq!(last, NOW.after(31 * day));
        story.take(conclude(&story.payment, last));
        assert_eq!(story.needs_recheck(), !signed);
    }
}

/// 3062: the payment is accepted, and cannot be read just now.
#[test]
fn an_answer_3062_is_no_not_found() {
    for body in [
        r#"{"project_id":211,"payment":{"id":"ECT_TEST_1562051806691899","status":"error"},"errors":[{"code":"3062"}]}"#,
        r#"{"status":"error","code":"3062"}"#,
    ] {
        let message = json::parse(body.as_bytes(), Limits::ANSWER).unwrap();
        assert_eq!(StatusAnswer::read(&message), StatusAnswer::NotReadable);
    }
    let details = corpus("status_details_not_received");
    assert!(answer_with(details, 1).is_none(), "no fact");
    // Even as a signed report it ends neither a link nor a sale.
    let end = order().expires_at.after(60 * MINUTE);
    let mut sale = Story::created();
    sale.sale_answer(&Answer::Unclear);
    for mut story in [with_a_link(), sale] {
        let status = story.payment.status();
        let claimed = claim_poll(&story.payment, after(end), end);
        story.take(claimed);
        let fact = Fact::StatusAnswer {
            report: details.signed_report(),
            poll: story.payment.polling().polls_sent(),
        };
        story.fact(fact, end);
        assert_eq!(conclude(&story.payment, end), None);
        assert_eq!(story.payment.status(), status);
    }
}
