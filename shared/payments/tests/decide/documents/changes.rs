//! Makes changes of stored payments: each command except `Create`, and facts of each kind except hints.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use payments::Timestamp;
use payments::decide::{Change, Command, Fact, Rejection, decide, execute};
use payments::model::schedule::Schedule;
use payments::model::{Payment, PlatformRecord, Verdict, Waiting};

use crate::fixtures::*;

/// A time at which the checkout has expired and the erasure of the customer's data is due.
pub const LATER: Timestamp = Timestamp::from_millis(NOW.unix_millis() + 40 * 24 * 3_600_000);

/// Returns the result of each command, except for `Create` and the status requests.
pub fn commands(payment: &Payment) -> Vec<(&'static str, Result<Option<Change>, Rejection>)> {
    let schedule = Schedule::default();
    let refund = refund_order("r-9", Some(100));
    let (order, refund_id, items) = (order(), id("r-1"), payment.quarantine());
    let requested = payment.clarification_request();
    let requested = requested.map(Waiting::digest).unwrap_or_default();
    let review = |verdict| Command::Review {
        verdict,
        by: "anna",
        items: &items,
    };
    [
        ("retry", Command::Retry { order: &order }),
        ("resend", Command::Resend),
        ("refund", Command::Refund(&refund)),
        ("repeat a refund", Command::RepeatRefund(&refund_id)),
        ("count a try", Command::CountClarificationTry(&requested)),
        ("release", review(Verdict::Released)),
        ("reject", review(Verdict::Rejected)),
        ("resolve not found", Command::ResolveNotFound(&schedule)),
        ("expire", Command::Expire),
        ("erase", Command::Erase(&schedule)),
        ("emit", Command::EmitPending),
    ]
    .map(|(name, command)| (name, execute(Some(payment), command, LATER)))
    .to_vec()
}

/// Returns the changes that status requests and facts cause.
pub fn facts(payment: &Payment) -> Vec<(String, Change)> {
    let mut changes = Vec::new();
    let schedule = Schedule::default();
    let poll = Command::Poll {
        schedule: &schedule,
        due_by: LATER,
    };
    for (name, poll) in [("poll", poll), ("poll now", Command::PollNow)] {
        let polled = execute(Some(payment), poll, LATER).unwrap();
        changes.extend(polled.map(|change| (name.to_owned(), change)));
    }
    let ids = &BTreeSet::from(["other".to_owned()]);
    let mut add = |name: &str, fact: Fact<'_>| {
        let change = decide(Some(payment), fact, LATER);
        changes.extend(change.map(|change| (name.to_owned(), change)));
    };
    for name in [
        "processing",
        "redirect_post",
        "clarification_several",
        "sale_success",
        "sale_decline_customer",
        "amount_differs",
        "payment_confirmation",
        "refund_with_merchant_id",
        "refund_partial_1",
        "reversal_success",
        "error_validation",
    ] {
        let report = corpus(name);
        add(name, report.fact());
        add(
            &format!("answer {name}"),
            fact_of_answer(report, 1).unwrap_or(report.fact()),
        );
    }
    let refund_id = &id("r-1");
    let (accepted, refused) = (accepted("q"), refused("2004"));
    for (name, answer) in [
        ("accepted", &accepted),
        ("refused", &refused),
        ("unclear", &Answer::Unclear),
    ] {
        let attempt = payment.attempt().number();
        add(
            &format!("sale {name}"),
            Fact::SaleAnswer { attempt, answer },
        );
        add(
            &format!("refund {name}"),
            Fact::RefundAnswer { refund_id, answer },
        );
    }
    for signed in [true, false] {
        add("not found", Fact::NotFound { poll: 1, signed });
    }
    let digest = "0123456789abcdef";
    add("clarified", Fact::ClarificationAccepted { digest });
    add("earlier payments", Fact::EarlierPayments { ids });
    for (operation, _) in payment.operations().take(2) {
        let fact = Fact::PlatformRecord {
            project_id: payment.project_id(),
            record: PlatformRecord::Missing(operation),
        };
        add("platform record", fact);
    }
    changes
}
