//! Tests that an operator's decision settles exactly the quarantine items that the operator saw.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use payments::model::{RefundStatus, Status, Verdict};
use payments::service::apply::Applied;
use payments::service::review::ReviewError::{self, *};
use payments::service::review::refund_of_rejection;
use serde_json::json;

use super::system::*;
use crate::builders::reports::{callback, operation, sign, status_answer};
use crate::builders::*;

/// Reports a successful sale of this amount. The order is for 10.00 EUR.
async fn pay(system: &System, operation_id: &str, amount: u64) {
    let sale = operation(operation_id, "sale", "success", amount);
    system
        .callback(&callback(PAYMENT, "success", amount, sale))
        .await;
}

async fn quarantined(answers: &[Answer], amount: u64) -> System {
    let system = System::created(answers).await;
    pay(&system, "7", amount).await;
    assert_eq!(system.status(), Status::Quarantined);
    system
}

async fn review(system: &System, verdict: Verdict) -> Result<Applied, ReviewError> {
    let items = system.payment(PAYMENT).quarantine();
    match verdict {
        Verdict::Released => system.payments.release(&key(PAYMENT), "anna", &items).await,
        Verdict::Rejected => system.refunds().reject(&key(PAYMENT), "anna", &items).await,
    }
}

#[tokio::test]
async fn a_released_payment_is_paid_and_emits_its_success() {
    let system = quarantined(&[], 900).await;
    let items = system.payment(PAYMENT).quarantine();
    let released = review(&system, Verdict::Released).await.unwrap();
    assert_eq!(released.payment.status(), Status::Succeeded);
    assert!(released.changed && released.published.is_ok());
    let decision = &released.payment.decisions()[0];
    assert_eq!(decision.by, "anna");
    assert_eq!(
        (decision.verdict, released.payment.items_of(decision)),
        (Verdict::Released, items)
    );
    assert_eq!(system.sent().last().unwrap(), "3 payment.succeeded");
    assert_matches!(
        review(&system, Verdict::Released).await,
        Err(NotQuarantined)
    );
}

#[tokio::test]
async fn a_rejected_payment_is_refunded_once_and_never_counts_as_paid() {
    let system = quarantined(&[accepted("sale"), accepted("refund")], 900).await;
    for _ in 0..2 {
        let rejected = review(&system, Verdict::Rejected).await.unwrap().payment;
        assert_eq!(rejected.pending_refund_amount(), 900);
        assert_eq!(rejected.status(), Status::Quarantined, "not refunded yet");
    }
    assert_eq!(system.refund_requests().len(), 1);
    let refund_id = system.payment(PAYMENT).refunds()[0]
        .refund_id()
        .unwrap()
        .to_string();
    assert!(refund_id.starts_with("rejected-"), "{refund_id}");
    system.callback(&refund_callback(&refund_id, 900, 0)).await;
    assert_eq!(system.status(), Status::Refunded);
    assert_matches!(
        review(&system, Verdict::Rejected).await,
        Err(AlreadyRefunded)
    );
    let sent = [
        "payment.created",
        "payment.quarantined",
        "refund.pending",
        "payment.declined",
        "refund.succeeded",
    ];
    let numbered = (1..)
        .zip(sent)
        .map(|(number, kind)| format!("{number} {kind}"));
    assert_eq!(system.sent(), Vec::from_iter(numbered));
}

/// If a release were possible, the storefront would ship the goods while the money is being refunded.
#[tokio::test]
async fn a_release_is_refused_while_a_rejection_refunds_the_money() {
    let system = quarantined(&[], 900).await;
    review(&system, Verdict::Rejected).await.unwrap();
    let payment = system.payment(PAYMENT);
    assert_eq!(payment.status(), Status::Quarantined);
    assert!(payment.pending_refund_amount() > 0);
    assert_matches!(review(&system, Verdict::Released).await, Err(BeingRefunded));
    assert_eq!(system.payment(PAYMENT), payment);
}

/// A storefront's own refund does not prevent the release.
#[tokio::test]
async fn a_release_is_allowed_after_gate_refused_the_refund_of_a_rejection() {
    let answers = [accepted("sale"), accepted("part"), refused("3283")];
    let system = quarantined(&answers, 1234).await;
    system.refund_order("r-1", 300).await.unwrap();
    system.callback(&refund_callback("r-1", 300, 934)).await;
    review(&system, Verdict::Rejected).await.unwrap();
    let payment = system.payment(PAYMENT);
    assert_eq!(payment.refunds()[1].status(), RefundStatus::Declined);
    assert_eq!(payment.refunded_amount(), 300);
    let released = review(&system, Verdict::Released).await.unwrap();
    assert_eq!(released.payment.status(), Status::PartiallyRefunded);
}

#[tokio::test]
async fn a_release_is_allowed_after_the_refund_of_a_rejection_was_returned() {
    let system = quarantined(&[accepted("sale"), accepted("refund")], 900).await;
    review(&system, Verdict::Rejected).await.unwrap();
    let refund = system.payment(PAYMENT).refunds()[0].clone();
    let refund_id = refund.refund_id().unwrap().to_string();
    system.callback(&refund_callback(&refund_id, 900, 0)).await;
    let returned = operation("9", "refund reverse", "success", 900);
    let mut returned = callback(PAYMENT, "success", 900, returned);
    returned["payment"]["merchant_refund_id"] = json!(refund_id);
    system.callback(&returned).await;
    assert_eq!(system.status(), Status::Quarantined);
    let released = review(&system, Verdict::Released).await.unwrap();
    assert_eq!(released.payment.status(), Status::Succeeded);
}

/// A storefront can choose a refund id that looks like the refund id of a rejection.
#[tokio::test]
async fn a_refund_of_a_storefront_never_counts_as_the_refund_of_a_rejection() {
    let own = "rejected-0123456789abcdef-1";
    let refunding = async || {
        let answers = [accepted("sale"), accepted("own"), refused("3283")];
        let system = quarantined(&answers, 1234).await;
        system.refund_order(own, 300).await.unwrap();
        system
    };
    let released = review(&refunding().await, Verdict::Released).await.unwrap();
    assert_eq!(released.payment.status(), Status::Succeeded);
    let rejected = review(&refunding().await, Verdict::Rejected)
        .await
        .unwrap()
        .payment;
    let refund = refund_of_rejection(&rejected).unwrap();
    assert_ne!(refund.refund_id().unwrap().as_str(), own);
    assert_eq!(
        (refund.amount(), refund.status()),
        (934, RefundStatus::Declined)
    );
}

#[tokio::test]
async fn a_decision_is_refused_unless_it_lists_exactly_the_items_in_quarantine() {
    let system = System::empty();
    let (key, nothing) = (key(PAYMENT), BTreeSet::new());
    assert_matches!(
        system.payments.release(&key, "anna", &nothing).await,
        Err(NotFound)
    );
    system
        .create_order(&storefront("shop"), 1000)
        .await
        .unwrap();
    assert_matches!(
        review(&system, Verdict::Rejected).await,
        Err(NotQuarantined)
    );
    pay(&system, "7", 900).await;
    let seen = system.payment(PAYMENT).quarantine();
    pay(&system, "8", 900).await;
    assert_ne!(system.payment(PAYMENT).quarantine(), seen);
    for items in [&seen, &nothing] {
        let released = system.payments.release(&key, "anna", items).await;
        let rejected = system.refunds().reject(&key, "anna", items).await;
        for other in [released, rejected] {
            assert_matches!(other, Err(OtherItems));
        }
    }
    assert!(system.payment(PAYMENT).decisions().is_empty());
    assert!(system.refund_requests().is_empty());
}

#[tokio::test]
async fn a_decision_is_refused_when_no_operation_names_a_sum() {
    let system = System::created(&[]).await;
    let mut answer = status_answer(PAYMENT, "success", 0, &[]);
    answer["payment"].as_object_mut().unwrap().remove("sum");
    answer["operations"] = json!([{ "id": 7, "type": "manual change", "status": "success" }]);
    system.poll(Some(sign(&answer, SECRET))).await.unwrap();
    let payment = system.payment(PAYMENT);
    assert_eq!(
        (payment.status(), payment.paid_amount()),
        (Status::Quarantined, 0)
    );
    for verdict in [Verdict::Released, Verdict::Rejected] {
        assert_matches!(review(&system, verdict).await, Err(NoMoney));
    }
    assert_eq!(system.payment(PAYMENT), payment);
    assert!(system.refund_requests().is_empty());
}

/// The rejection of another system's payment sends no refund, so the payment still has its money.
#[tokio::test]
async fn another_systems_payment_can_be_released_after_its_rejection() {
    let system = System::created(&[refused("3041")]).await;
    pay(&system, "7", 1000).await;
    review(&system, Verdict::Rejected).await.unwrap();
    assert_eq!(system.refund_requests().len(), 0);
    let released = review(&system, Verdict::Released).await.unwrap();
    assert_eq!(released.payment.status(), Status::Succeeded);
    assert_eq!(released.payment.refundable_amount(), 1000);
}
