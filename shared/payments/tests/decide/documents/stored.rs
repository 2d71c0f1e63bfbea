//! Reads the stored documents of every format in `tests/data/documents`.
//!
//! The folder of a format has documents that a release of this format wrote. A release must read the documents of all
//! earlier formats. `UPDATE_SNAPSHOTS=1` writes the folder of the current format and no other folder. A change of the
//! code that changes an existing file needs a new format.

use std::path::{Path, PathBuf};

use payments::decide::Command;
use payments::model::document::{self, Residue};
use payments::model::schedule::Schedule;
use payments::model::{Format, Payment, Verdict};
use serde_json::{Value, json};

use crate::builders::reports::{self, TestReport};
use crate::campaigns::with_two_thousand_operations;
use crate::fixtures::*;
use ecommpay::answer::Answer;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/documents")
}

/// Returns one payment of each kind, with the name of the kind.
pub fn payments() -> Vec<(&'static str, Payment)> {
    let reviewed = |verdict| {
        let mut payment = TestPayment::with_callbacks(&["amount_differs"]);
        payment.review(verdict).unwrap();
        payment
    };
    let mut refunded = TestPayment::paid();
    refunded.refund_succeeds("r-1", "1001", 400);
    let mut refund_unknown = TestPayment::paid();
    refund_unknown.reserve("r-1", Some(250)).unwrap();
    refund_unknown.refund_answer("r-1", &Answer::Unclear);
    let mut repeated = TestPayment::created();
    repeated.sale_answer(&Answer::Unclear);
    let mut failed = TestPayment::created();
    failed.sale_answer(&refused("2004"));
    let mut second_attempt = failed.fork();
    second_attempt.execute(Command::Retry { order: &order() }, NOW);
    let mut erased = TestPayment::paid();
    let schedule = Schedule::default();
    erased.execute(Command::Erase(&schedule), NOW.after(32 * DAY));
    let mut polled = TestPayment::with_callbacks(&["awaiting_customer"]);
    polled.poll("sale_success");
    let expired = {
        let mut payment = TestPayment::accepted();
        payment.execute(Command::Expire, NOW.after(HOUR));
        payment
    };
    let mut refunded_elsewhere = TestPayment::paid();
    refunded_elsewhere.callback("refund_partial_1");
    let all = [
        ("created", TestPayment::created()),
        ("link", TestPayment::with_link()),
        ("expired", expired),
        ("outcome_unknown", repeated),
        ("second_attempt", second_attempt),
        ("redirect", TestPayment::with_callbacks(&["redirect_post"])),
        (
            "clarification",
            TestPayment::with_callbacks(&["clarification_several"]),
        ),
        ("paid", TestPayment::paid()),
        ("polled", polled),
        ("refunded", refunded),
        ("refund_unknown", refund_unknown),
        ("refund_repeated", refund_repeated()),
        ("refund_clarified", refund_clarified()),
        (
            "quarantined",
            TestPayment::with_callbacks(&["amount_differs"]),
        ),
        ("released", reviewed(Verdict::Released)),
        ("rejected", reviewed(Verdict::Rejected)),
        ("erased", erased),
        ("external", TestPayment::external(corpus("sale_success"))),
        ("refunded_elsewhere", refunded_elsewhere),
        ("clarified_twice", clarified_twice()),
        ("unnamed_sale", unnamed_sale()),
        ("unlisted", unlisted()),
        ("locked", locked()),
        ("reported_again", reported_again()),
        ("foreign", foreign()),
        ("future_dates", future_dates()),
        ("dated_by_answer", dated_by_answer()),
    ];
    all.into_iter()
        .map(|(name, payment)| (name, Payment::clone(&payment)))
        .collect()
}

/// Returns a payment for which the requested data was sent twice.
fn clarified_twice() -> TestPayment {
    let mut payment = TestPayment::with_callbacks(&["clarification_several"]);
    let digest = payment.clarification_request().unwrap().digest();
    for _ in 0..2 {
        payment.execute(Command::CountClarificationTry(&digest), NOW);
    }
    payment
}

/// Returns a payment with a refund whose request was sent again.
fn refund_repeated() -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    payment.refund_answer("r-1", &Answer::Unclear);
    payment.poll("sale_success");
    payment.execute(Command::RepeatRefund(&id("r-1")), NOW);
    payment
}

/// Returns a payment with a refund for which the requested data was sent.
fn refund_clarified() -> TestPayment {
    let mut payment = TestPayment::paid();
    payment.reserve("r-1", Some(250)).unwrap();
    let requested = edited("refund_partial_1", |body| {
        body["operation"]["status"] = json!("awaiting clarification");
        body["payment"]["merchant_refund_id"] = json!("r-1");
        body["clarification_fields"] = json!({ "account": ["number"] });
    });
    payment.deliver(&requested);
    let request = payment.clarification_request_of(&payment.refunds()[0]);
    let digest = request.unwrap().digest();
    payment.execute(Command::CountClarificationTry(&digest), NOW);
    payment
}

/// Returns a payment whose first attempt failed in processing. The platform can still report a sale of this attempt.
fn unnamed_sale() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&refused("501"));
    payment.execute(Command::Retry { order: &order() }, NOW);
    payment.sale_answer(&accepted("second"));
    payment.callback("error_validation");
    payment
}

/// Returns a payment with a sale that the newest signed answer does not list.
fn unlisted() -> TestPayment {
    let mut payment = TestPayment::paid();
    let mut other = reports::operation("1", "sale", "success", 1000);
    other["date"] = json!("2019-07-02T09:40:00+0000");
    let body = reports::status_answer(PAYMENT, "success", 1000, &[other]);
    let answer = TestReport::read(&body);
    payment.claim_or_poll_now(NOW.after(HOUR));
    let poll = payment.polling().polls_sent();
    payment.fact(answer.answer_to(poll), NOW.after(HOUR));
    payment
}

/// Returns a payment whose sale was sent again. Gate refused the first try because of a lock: another request for the
/// payment was in progress.
fn locked() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.sale_answer(&refused("2147"));
    payment.execute(Command::Resend, NOW.after(MINUTE));
    payment
}

/// Returns a payment whose sale was reported again with a later date.
fn reported_again() -> TestPayment {
    let mut payment = TestPayment::paid();
    let again = edited("sale_success", |body| {
        body["operation"]["date"] = json!("2019-07-02T10:28:29+0000");
    });
    payment.deliver(&again);
    payment
}

/// Returns a payment with a sale of another system. The sale is older than the checkout.
fn foreign() -> TestPayment {
    let mut payment = TestPayment::created();
    payment.callback("error_duplicate_payment");
    for request_id in ["other-1", "other-2"] {
        let report = edited("sale_success", |body| {
            body["operation"]["request_id"] = json!(request_id);
            body["operation"]["created_date"] = json!("2019-06-02T09:28:20+0000");
        });
        payment.deliver(&report);
    }
    payment
}

/// Returns a payment with a callback and a signed answer whose dates are in the future.
fn future_dates() -> TestPayment {
    let future = json!("2099-01-01T00:00:00+0000");
    let [callback, answer] = ["redirect_get", "sale_success"].map(|file| {
        edited(file, |body| {
            body["operation"]["date"] = future.clone();
            body["operation"]["request_id"] = json!("r");
        })
    });
    let mut payment = TestPayment::accepted();
    payment.fact(callback.fact(), NOW);
    payment.claim_or_poll_now(NOW.after(MINUTE));
    payment.status_answer_at(&answer, NOW.after(MINUTE));
    payment
}

/// Returns a payment with a sale that a callback dates before the checkout, and one complete signed answer after the
/// checkout. Another complete signed answer dates a second sale before the checkout.
fn dated_by_answer() -> TestPayment {
    let (old, new) = ("2019-06-02T09:28:20+0000", "2019-07-02T09:28:29+0000");
    let mut payment = TestPayment::created();
    payment.deliver(&edited("sale_success", |body| {
        body["operation"]["date"] = json!(old);
    }));
    let sale = |id: u64, date: &str| {
        json!({
            "id": id, "type": "sale", "status": "success", "date": date,
            "sum_initial": reports::euros(1000),
        })
    };
    payment.poll_now(
        NOW,
        &edited("sale_success", |body| {
            body.as_object_mut().unwrap().remove("operation");
            body["operations"] = json!([sale(37_493_000_003_351, new), sale(7, old)]);
        }),
    );
    payment
}

#[test]
fn the_stored_documents_of_this_format_do_not_change() {
    let folder = folder().join(Format::CURRENT.number().to_string());
    let large = ("two_thousand_operations", with_two_thousand_operations());
    for (name, payment) in payments().into_iter().chain([large]) {
        let document = document::write(&payment, &Residue::default());
        assert!(document.starts_with("{\"format\":"), "{name}");
        snapshots::check(&folder.join(format!("{name}.json")), &document).unwrap();
    }
}

#[test]
fn the_documents_of_every_format_are_read_and_written_without_a_loss() {
    let mut formats = 0;
    for format in std::fs::read_dir(folder()).unwrap() {
        formats += 1;
        for file in std::fs::read_dir(format.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let stored = std::fs::read_to_string(&path).unwrap();
            let (payment, residue) = document::read(&stored).unwrap();
            let written = document::write(&payment, &residue);
            let [stored, written] =
                [stored, written].map(|text| serde_json::from_str::<Value>(&text).unwrap());
            assert_eq!(written, stored, "{}", path.display());
        }
    }
    assert_eq!(formats, Format::CURRENT.number());
}
