//! Finds external refunds whose amount is unknown.

use crate::model::ledger::RefundAmounts;
use crate::model::payment::Payment;
use crate::model::quarantine::QuarantineReason;
use crate::model::reported::operation::Operation;

/// The reasons of the quarantine item of a refund without a sum in the payment's currency.
const REASONS: [QuarantineReason; 2] = [
    QuarantineReason::AmountMissing,
    QuarantineReason::CurrencyDiffers,
];

impl Payment {
    /// Whether an external refund is pending or succeeded, and no report names its sum in the payment's currency. Such a
    /// refund counts as 0, so the remaining amount can be too high. A refund no longer counts as unknown after an
    /// operator has released its quarantine item.
    pub(in crate::model) fn has_refund_of_unknown_amount(&self) -> bool {
        let amounts = RefundAmounts::of(self);
        let is_unknown = |id: &str, operation: &Operation| {
            operation.gives_back()
                && !operation.is_declined()
                && amounts.known(id, operation).is_none()
        };
        let operations = self.operations();
        let mut unknown = operations
            .filter(|(id, operation)| is_unknown(id, operation))
            .peekable();
        if unknown.peek().is_none() {
            return false;
        }
        let items = self.quarantine();
        let is_in_review = |id: &str| {
            let mut items = items.iter();
            items.any(|item| {
                item.operation_id.as_deref() == Some(id) && REASONS.contains(&item.reason)
            })
        };
        // Without an order, the payment has no quarantine items.
        let has_items = self.order.is_some();
        unknown.any(|(id, operation)| !operation.has_succeeded() || !has_items || is_in_review(id))
    }
}
