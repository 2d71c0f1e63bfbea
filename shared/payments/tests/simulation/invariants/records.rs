//! Checks that the amounts and the status of our payment agree with the platform's account.

use std::collections::BTreeSet;

use payments::model::{Outcome, Payment, RefundStatus, Status, Verdict};

use crate::platform::{Account, Operation, Scenario};

pub fn check_records(payment: &Payment, account: &Account) {
    let key = payment.key();
    if account.scenario == Scenario::Foreign {
        return check_foreign(payment);
    }
    assert!(!payment.is_foreign(), "{key}: {account:#?} {payment:#?}");
    let (paid, refunded) = (account.paid(), account.refunded());
    assert_eq!(
        payment.paid_amount(),
        paid,
        "{key}: {account:#?} {payment:#?}"
    );
    assert_eq!(payment.refunded_amount(), refunded, "{key}: {account:#?}");
    let status = payment.status();
    assert!(
        expected_statuses(payment, account).contains(&status),
        "{key}: {status:?} {account:#?} {payment:#?}"
    );
    assert!(
        !payment.polling().needs_recheck(),
        "{key}: {account:#?} {payment:#?}"
    );
    let mut intents = BTreeSet::new();
    for operation in account
        .operations
        .iter()
        .filter(|operation| operation.is_refunded())
    {
        let intent = operation.intent.as_ref();
        let is_first = intent.is_none_or(|intent| intents.insert(intent));
        assert!(is_first, "{key}: refunded twice: {account:?}");
    }
    for operation in account
        .operations
        .iter()
        .filter(|operation| !operation.is_open())
    {
        check_operation(payment, operation);
    }
}

/// Checks a payment that another system made. Without a release, the money of this payment does not count and cannot be
/// refunded.
fn check_foreign(payment: &Payment) {
    let mut decisions = payment.decisions().iter();
    if decisions.any(|decision| decision.verdict == Verdict::Released) {
        return;
    }
    let status = payment.status();
    match payment.order() {
        None => assert_eq!(status, Status::Unmatched),
        Some(_) => {
            let is_paid = status.is_paid() && !payment.is_rejected();
            assert!(!is_paid && payment.refundable_amount() == 0, "{payment:#?}");
        }
    }
}

fn expected_statuses(payment: &Payment, account: &Account) -> Vec<Status> {
    let by_money = match (account.paid(), account.refunded()) {
        (0, _) => Status::Declined,
        (_, 0) => Status::Succeeded,
        (paid, refunded) if refunded < paid => Status::PartiallyRefunded,
        _ => Status::Refunded,
    };
    let has = |verdict| {
        payment
            .decisions()
            .iter()
            .any(|decision| decision.verdict == verdict)
    };
    match account.scenario {
        Scenario::External => vec![Status::Unmatched],
        scenario if scenario.needs_review() && account.paid() > 0 => {
            let reviewed = match (has(Verdict::Released), has(Verdict::Rejected)) {
                (true, _) => Some(by_money),
                (false, true) => Some(Status::Refunded),
                (false, false) => None,
            };
            reviewed.into_iter().chain([Status::Quarantined]).collect()
        }
        _ => vec![by_money],
    }
}

/// Checks an operation that has ended at the platform.
fn check_operation(payment: &Payment, operation: &Operation) {
    let name = format!("{}: {operation:?}", payment.key());
    let id = operation.id.to_string();
    let is_success = operation.status == "success";
    let Some(known) = payment.operation(&id) else {
        // This service can lack a declined sale, because an ended payment is not polled.
        assert!(operation.kind == "sale" && !is_success, "{name}");
        return;
    };
    let is_known_success = known.outcome() == Outcome::Succeeded;
    assert_eq!(is_known_success, is_success, "{name}");
    let Some(refund_id) = &operation.merchant_refund_id else {
        return;
    };
    if !operation.is_refund() {
        return;
    }
    let refunds = payment.refunds().iter();
    let refunds: Vec<_> = refunds
        .filter(|refund| refund.operation_id() == Some(&id))
        .collect();
    assert_eq!(refunds.len(), 1, "{name}");
    let ours = refunds[0].refund_id().map(|id| id.as_str());
    assert_eq!(ours, Some(refund_id.as_str()), "{name}");
    let expected: &[RefundStatus] = match is_success {
        true => &[RefundStatus::Succeeded, RefundStatus::Returned],
        false => &[RefundStatus::Declined],
    };
    assert!(expected.contains(&refunds[0].status()), "{name}");
}
