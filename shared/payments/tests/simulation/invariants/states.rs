//! Checks the invariants of a committed payment, and of the change from one commit to the next.

use payments::model::schedule::{Next, Schedule};
use payments::model::{Evidence, Payment, Status, Verdict};
use payments::ports::Stored;

pub fn check_state(payment: &Payment) {
    let key = payment.key();
    let is_open = payment.is_open() || payment.polling().needs_recheck();
    let is_right = match Schedule::default().next(payment) {
        None => !is_open,
        Some(Next::Poll(_) | Next::Overdue(_)) => is_open,
        Some(Next::Expire(_) | Next::Erase(_)) => true,
    };
    assert!(
        is_right,
        "{key}: open without a next action, or polled without a reason"
    );
    let mut decisions = payment.decisions().iter();
    let is_released = decisions.any(|decision| decision.verdict == Verdict::Released);
    if payment.status().is_paid() && !is_released && !payment.is_rejected() {
        let ordered = payment.order().unwrap().amount.get();
        assert_eq!(payment.paid_amount(), ordered, "{key} {payment:#?}");
    }
    let (paid, refundable) = (payment.paid_amount(), payment.refundable_amount());
    assert!(refundable <= paid, "{key}");
}

pub fn check_change(before: &Stored, now: &Stored) {
    let (was, is) = (&before.payment, &now.payment);
    let key = was.key();
    let is_newer = now.version >= before.version && now.published >= before.published;
    assert!(is_newer, "{key}");
    assert!(is.sequence() >= was.sequence(), "{key}");
    let money = |payment: &Payment| {
        let order = payment.order();
        order.map(|order| (order.amount, order.currency, order.channel))
    };
    assert_eq!(money(is), money(was), "{key}: the order changed");
    let (was_status, is_status) = (was.status(), is.status());
    let change = format!("{key}: {was_status:?} became {is_status:?}");
    if is.attempt().number() > was.attempt().number() {
        assert_eq!(
            was_status,
            Status::Failed,
            "{key}: only a failed payment has a next attempt"
        );
        return;
    }
    // A payment leaves a final status only if it has a confirmation or a successful sale. The reports about a
    // confirmation or a sale can contradict each other, or arrive in the wrong order.
    let has = |kind: &str| {
        is.operations()
            .any(|(_, operation)| operation.kind().as_str() == kind)
    };
    let has_confirmation = has("payment confirmation");
    let has_sale = is
        .operations()
        .any(|(_, operation)| operation.is_successful_sale());
    assert!(
        !was_status.is_final() || is_status.is_final() || has_confirmation || has_sale,
        "{change}"
    );
    // Only a signed answer, a confirmation or a quarantine ends a success.
    let is_overruled = is
        .operations()
        .any(|(_, operation)| operation.evidence() == Evidence::Overruled);
    let polling = is.polling();
    let is_quarantined = is_status == Status::Quarantined
        && (polling.needs_recheck() || polling.last_answered() > 0);
    assert!(
        !was_status.is_paid()
            || is_status.is_paid()
            || is_overruled
            || is_quarantined
            || has_confirmation,
        "{change}"
    );
    let is_returned = has("refund reverse") || has("reversal");
    assert!(
        is.refunded_amount() >= was.refunded_amount() || is_returned,
        "{key}"
    );
    // The reserved amount is checked only when a refund is reserved, because a later report can add another refund.
    let is_next = now.version == before.version + 1;
    let ids = is.refunds().iter().filter_map(|refund| refund.refund_id());
    let mut new = ids.filter(|id| was.refund(id).is_none() && is_next);
    let reserved = is.refunded_amount() + is.pending_refund_amount();
    assert!(
        new.next().is_none() || reserved <= is.paid_amount(),
        "{key}: a refund reserves more than the remaining amount"
    );
}
