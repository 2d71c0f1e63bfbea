//! An operator's decision about quarantined money.

use std::collections::BTreeSet;

use ecommpay::fields::Text;

use super::Rejection;
use super::refund::{MOST_REFUNDS, reserve};
use crate::decide::{Change, emit};
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{Decision, Payment, QuarantineItem, RefundOrder, Verdict};
use crate::sha256;

/// `Ok(None)`: nothing that the operator has looked at is in quarantine.
pub(super) fn review(
    payment: &Payment,
    verdict: Verdict,
    by: &str,
    seen: &BTreeSet<QuarantineItem>,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    let quarantine = payment.quarantine();
    let items = &quarantine & seen;
    if items.is_empty() {
        return Ok(None);
    }
    let mut after = payment.clone();
    after.add_decision(Decision {
        verdict,
        by: by.to_owned(),
        at,
        items,
    });
    let has_no_money = payment.paid_amount() == 0;
    match verdict {
        Verdict::Released if has_no_money => Err(Rejection::NoMoney),
        Verdict::Released => {
            after.settle(at);
            Ok(Some(emit::emit(after, at)))
        }
        Verdict::Rejected if !quarantine.is_subset(seen) => Err(Rejection::NotRefundable),
        // It goes back by hand.
        Verdict::Rejected if has_no_money && payment.has_foreign_money() => {
            Ok(Some(emit::emit(after, at)))
        }
        Verdict::Rejected if has_no_money => Err(Rejection::NoMoney),
        // All of it is on its way back already.
        Verdict::Rejected if payment.refundable_amount() == 0 => Ok(Some(emit::emit(after, at))),
        Verdict::Rejected => {
            let order = refund_of_all(payment).ok_or(Rejection::NotRefundable)?;
            reserve(&after, &order, at)
        }
    }
}

/// How the ids of refunds start that a rejection makes: another one for each payment, should the
/// platform compare them over all payments.
pub(crate) fn rejection_refund_prefix(payment: &Payment) -> String {
    let digest = sha256::start_of_hex(payment.key().to_string().as_bytes(), 16);
    format!("rejected-{digest}-")
}

/// A refund of all that is left.
fn refund_of_all(payment: &Payment) -> Option<RefundOrder> {
    let start = rejection_refund_prefix(payment);
    let refund_id = (1..=MOST_REFUNDS)
        .filter_map(|number| MerchantId::new(format!("{start}{number}")))
        .find(|id| payment.refund(id).is_none())?;
    Some(RefundOrder {
        refund_id,
        amount: None,
        description: Text::new("payment rejected").ok()?,
        ip_address: None,
        content: String::new(),
    })
}
