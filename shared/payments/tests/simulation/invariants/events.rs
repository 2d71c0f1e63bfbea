//! Checks that each outcome was emitted once, and that the last event agrees with the payment.

use std::collections::{BTreeMap, BTreeSet};

use payments::events::view::{PaymentView, RefundView};
use payments::events::{Event, EventKind};
use payments::model::{Payment, Refund, RefundStatus, Status, Verdict};
use serde_json::{Value, json};

use crate::platform::{Account, Scenario};

/// Checks the emitted events of a payment. `events` are all events of the payment.
pub fn check_emitted(payment: &Payment, events: &[&Event], account: Option<&Account>) {
    let Some(last) = events.last() else { return };
    if account.is_some_and(|account| account.scenario == Scenario::Foreign) {
        return check_foreign(payment, events);
    }
    check_outcomes(payment, events, account);
    for refund in payment.refunds() {
        check_refund(payment, refund, events);
    }
    check_differences(payment, events);
    check_refunded_amount(payment, events);
    let (status, last) = (payment.status(), body_of(last));
    let at = payment.updated_at();
    let state = json!(PaymentView::new(payment, at));
    for name in [
        "status",
        "paid_amount",
        "refunded_amount",
        "refunds",
        "quarantine",
    ] {
        let emitted = without_ordered_sum(last["data"][name].clone());
        let is = without_ordered_sum(state[name].clone());
        assert!(
            emitted == is || !status.is_final(),
            "{}: {name}: emitted as {emitted}, but {is} now",
            payment.key()
        );
    }
}

/// Checks that no event says that another system's payment is paid or refunded, unless an operator released the
/// payment.
fn check_foreign(payment: &Payment, events: &[&Event]) {
    let mut decisions = payment.decisions().iter();
    let is_released = decisions.any(|decision| decision.verdict == Verdict::Released);
    let is_about_money = |event: &&&Event| {
        event.kind == EventKind::PaymentSucceeded || event.kind.as_str().starts_with("refund.")
    };
    let found = events.iter().find(is_about_money);
    assert!(
        payment.order().is_none() || is_released || found.is_none(),
        "{found:?} {payment:#?}"
    );
}

/// Removes from the quarantine items each `payment.sum` that equals the ordered sum. The last event can lack such a
/// sum, because no event is emitted if a later report adds the ordered sum. Returns any other value unchanged.
fn without_ordered_sum(mut value: Value) -> Value {
    for item in value.as_array_mut().into_iter().flatten() {
        let ordered = item["ordered"].clone();
        let is_ordered = |sum: &Value| {
            sum["field"] == "payment.sum"
                && sum["amount"] == ordered["amount"]
                && sum["currency"] == ordered["currency"]
        };
        if let Some(reported) = item.get_mut("reported").and_then(Value::as_array_mut) {
            reported.retain(|sum| !is_ordered(sum));
        }
    }
    value
}

fn body_of(event: &Event) -> Value {
    serde_json::from_str(&event.body).unwrap()
}

fn check_outcomes(payment: &Payment, events: &[&Event], account: Option<&Account>) {
    let key = payment.key();
    let times = |kind: EventKind| events.iter().filter(|event| event.kind == kind).count();
    let succeeded = times(EventKind::PaymentSucceeded);
    let status = payment.status();
    match account.map_or(Scenario::Usual, |account| account.scenario) {
        // A success can have been emitted before a signed answer overruled this success.
        Scenario::Contradicted => {}
        Scenario::Confirmed { .. } => {
            let was_credited = account.is_some_and(|account| account.was_credited);
            assert!(
                was_credited || succeeded == 0,
                "{key}: {account:#?} {payment:#?}"
            );
        }
        scenario => {
            let needs_review = scenario.needs_review();
            if needs_review {
                // After a release, new quarantine items can quarantine the payment again.
                let mut decisions = payment.decisions().iter();
                let is_released = decisions.any(|decision| decision.verdict == Verdict::Released);
                let was_paid_in_full = matches!(
                    scenario,
                    Scenario::SecondCharge | Scenario::UnknownOperation
                );
                assert!(
                    succeeded == 0 || is_released || was_paid_in_full,
                    "{key}: {payment:#?}"
                );
            } else {
                let is_paid = status.is_paid() && !payment.is_rejected();
                assert_eq!(succeeded, usize::from(is_paid), "{key}: {account:#?}");
            }
            assert!(times(EventKind::PaymentDeclined) <= 1, "{key}");
            let quarantined = times(EventKind::PaymentQuarantined);
            assert!(quarantined == 0 || needs_review, "{key}");
            let unmatched = times(EventKind::PaymentUnmatched) > 0;
            assert_eq!(unmatched, status == Status::Unmatched, "{key}");
        }
    }
    // Each attempt has a separate checkout.
    let attempts = 1 + times(EventKind::PaymentFailed);
    assert!(times(EventKind::CheckoutExpired) <= attempts, "{key}");
}

fn check_refund(payment: &Payment, refund: &Refund, events: &[&Event]) {
    let view = json!(RefundView::new(payment, refund));
    let is_this = |emitted: &Value| match refund.refund_id() {
        Some(_) => emitted["refund_id"] == view["refund_id"],
        None => emitted["refund_id"].is_null() && emitted["operation_id"] == view["operation_id"],
    };
    for (kind, status) in [
        (EventKind::RefundSucceeded, RefundStatus::Succeeded),
        (EventKind::RefundDeclined, RefundStatus::Declined),
    ] {
        let events = events.iter().filter(|event| event.kind == kind);
        let data = events.map(|event| body_of(event)["data"].take());
        let of_this = data.filter(|data| is_this(&data["refund"]));
        let (corrections, firsts): (Vec<_>, Vec<_>) =
            of_this.partition(|data| data["corrects"] == "refund.returned");
        let (all, firsts) = (corrections.len() + firsts.len(), firsts.len());
        let is_right = match refund.status() {
            current if current == status => all >= 1 && firsts <= 1,
            // A returned refund can have been emitted as succeeded before its return.
            RefundStatus::Returned => firsts <= 1,
            _ => all == 0,
        };
        assert!(
            is_right,
            "{}: {kind:?} of {view}: {all} {firsts}",
            payment.key()
        );
    }
}

fn check_differences(payment: &Payment, events: &[&Event]) {
    let mut differences = BTreeSet::new();
    let is_difference = |event: &&&Event| event.kind == EventKind::ReconciliationDifference;
    for event in events.iter().filter(is_difference) {
        let data = body_of(event)["data"].take();
        let operation = &data["operation"]["operation_id"];
        let is_new = differences.insert(format!("{operation} {}", data["difference"]));
        assert!(
            is_new,
            "{}: a discrepancy was emitted twice: {data}",
            payment.key()
        );
    }
}

/// Checks that a consumer that reads only events about refunds can compute the refunded amount.
fn check_refunded_amount(payment: &Payment, events: &[&Event]) {
    let mut refunds: BTreeMap<String, i64> = BTreeMap::new();
    let is_about_refund = |event: &&&Event| event.kind.as_str().starts_with("refund.");
    for event in events.iter().filter(is_about_refund) {
        let data = body_of(event)["data"].take();
        let refund = &data["refund"];
        let name = match refund["refund_id"].as_str() {
            Some(refund_id) => refund_id.to_owned(),
            None => format!("external {}", refund["operation_id"]),
        };
        let operations = data["operations"].as_array().unwrap().iter();
        let mut of_refund =
            operations.filter(|operation| operation["operation_id"] == refund["operation_id"]);
        let is_return = of_refund.any(|operation| operation["type"] == "refund reverse");
        let number = |field: &str| refund[field].as_i64().unwrap();
        let amount = match refund["status"].as_str().unwrap() {
            "returned" if is_return => -number("amount"),
            "succeeded" | "returned" => number("amount") - number("returned_amount"),
            _ => 0,
        };
        refunds.insert(name, amount);
    }
    // If a later report showed that an external refund is ours, the payment no longer lists this external refund.
    let is_known = |name: &str| {
        let mut refunds = payment.refunds().iter();
        refunds.any(|refund| match refund.refund_id() {
            Some(refund_id) => refund_id.as_str() == name,
            None => name == format!("external {:?}", refund.operation_id().unwrap()),
        })
    };
    let known = refunds.iter().filter(|(name, _)| is_known(name));
    let emitted: i64 = known.map(|(_, amount)| amount).sum();
    let refunded = i64::try_from(payment.refunded_amount()).unwrap();
    let has_sale = payment.has_money() || payment.order().is_none();
    let mut operations = payment.operations();
    let is_reversed = operations.any(|(_, operation)| operation.kind().as_str() == "reversal");
    assert!(
        emitted == refunded || !has_sale || is_reversed,
        "{}: emitted {emitted}, refunded {refunded}: {refunds:#?}",
        payment.key()
    );
}
