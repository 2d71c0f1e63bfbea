//! Records an operator's decision about quarantine items.

use std::collections::BTreeSet;

use ecommpay::fields::Text;

use super::refund::{MAX_REQUESTED, Requester, reserve};
use crate::decide::change::Change;
use crate::decide::command::Rejection;
use crate::decide::emit;
use crate::model::ids::MerchantId;
use crate::model::timestamp::Timestamp;
use crate::model::{AllItems, Decision, Payment, QuarantineItem, RefundOrder, Verdict};
use crate::sha256;

const MAX_DECISIONS: usize = 50;
/// The maximum number of items in all decisions. Each stored operation can have several items. A decision beyond this
/// limit stores one digest of all its items instead.
const MAX_ITEMS: usize = 2_500;

/// Records a decision about the items that were shown to the operator. A rejection refunds the money, so every
/// quarantine item must have been shown. Returns `Ok(None)` if none of the shown items is in quarantine.
pub(super) fn review(
    payment: &Payment,
    verdict: Verdict,
    by: &str,
    shown: &BTreeSet<QuarantineItem>,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    let quarantine = payment.quarantine();
    let items = &quarantine & shown;
    if items.is_empty() {
        return Ok(None);
    }
    let is_complete = items == quarantine;
    let new = payment.without_verdict(verdict, items);
    let known = payment.decisions().iter();
    let stored: usize = known.map(|decision| decision.items.len()).sum();
    let are_listed = stored + new.len() <= MAX_ITEMS;
    if payment.decisions().len() >= MAX_DECISIONS || !are_listed && !is_complete {
        return Err(Rejection::TooManyDecisions);
    }
    let (items, all_items) = match are_listed {
        true => (new.iter().map(QuarantineItem::digest).collect(), None),
        false => (BTreeSet::new(), Some(AllItems::of(&new))),
    };
    let mut after = payment.clone();
    after.add_decision(Decision {
        verdict,
        by: by.to_owned(),
        at,
        items,
        all_items,
    });
    match verdict {
        Verdict::Released => release(payment, after, at),
        Verdict::Rejected if !quarantine.is_subset(shown) => Err(Rejection::NotRefundable),
        Verdict::Rejected => reject(payment, after, by, at),
    }
}

fn release(
    payment: &Payment,
    mut after: Payment,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if payment.paid_amount() == 0 {
        return Err(Rejection::NoMoney);
    }
    after.update_derived(at);
    Ok(Some(emit::emit(after, at)))
}

/// Requests a refund of the refundable amount. Money in another currency is refunded by hand.
fn reject(
    payment: &Payment,
    mut after: Payment,
    by: &str,
    at: Timestamp,
) -> Result<Option<Change>, Rejection> {
    if payment.paid_amount() == 0 && !payment.has_foreign_money() {
        return Err(Rejection::NoMoney);
    }
    if payment.refundable_amount() == 0 {
        after.update_derived(at);
        return Ok(Some(emit::emit(after, at)));
    }
    let order = full_refund(payment, by, at).ok_or(Rejection::NotRefundable)?;
    reserve(&after, &order, Requester::Rejection, at)
}

/// Returns a refund of the refundable amount, with an unused id. The platform possibly requires that refund ids are
/// unique across payments, so a storefront must not be able to use this id first. Therefore the id depends on the
/// operator and the time of the decision.
fn full_refund(payment: &Payment, by: &str, at: Timestamp) -> Option<RefundOrder> {
    let decision = format!("{} {by} {}", payment.key(), at.unix_millis());
    let digest = sha256::start_of_hex(decision.as_bytes(), 16);
    let refund_id = (1..=MAX_REQUESTED)
        .filter_map(|number| MerchantId::new(format!("rejected-{digest}-{number}")))
        .find(|id| payment.refund(id).is_none() && !payment.is_refund_id_reported(id))?;
    Some(RefundOrder {
        refund_id,
        amount: None,
        description: Text::new("payment rejected").ok()?,
        ip_address: None,
        content: String::new(),
    })
}
