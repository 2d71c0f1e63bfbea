//! Computes the amounts of a payment: paid, refunded, reserved and refundable.

use std::collections::{BTreeMap, BTreeSet};

use ecommpay::report::Sum;

use super::payment::Payment;
use super::refunds::refund::Refund;
use super::refunds::returns::Returns;
use super::reported::operation::Operation;
use super::status::sale_state::SaleState;

impl Payment {
    /// Returns the amount received, in minor units of the payment's currency. Money in another currency counts as 0.
    ///
    /// The amount is the sum that `received_sum` returns. Later captures (see `captures`) are added, up to the sum of
    /// all captures. In two cases, the amount is the sum of all captures instead: no report states the amount received,
    /// or the money of a sale does not count.
    pub fn paid_amount(&self) -> u64 {
        if !self.has_money() {
            return 0;
        }
        let sale = self.sale_state();
        // `payment.sum` can include a sale whose money does not count.
        let has_uncounted_sale = !sale.is_counted() && sale != SaleState::None;
        let Some(received) = self.received_sum().filter(|_| !has_uncounted_sale) else {
            return self.captured_amount(|_| true);
        };
        let amount = match is_in(self.currency(), &received.sum) {
            true => received.sum.amount,
            false => 0,
        };
        let later = self.captured_amount(|capture| received.is_before(capture));
        if later == 0 {
            return amount;
        }
        // The sum can already include a capture with a later date.
        let limit = amount.max(self.captured_amount(|_| true));
        amount.saturating_add(later).min(limit)
    }

    /// Returns the amount of the captures for which `is_such` holds. The amount of a capture is its `sum_converted`, or
    /// else its `sum_initial`. A sum in another currency than the payment's is skipped.
    pub(super) fn captured_amount(&self, is_such: impl Fn(&Operation) -> bool) -> u64 {
        let currency = self.currency();
        let amount = |capture: &Operation| {
            let mut sums = capture.final_sums();
            let sum = sums.find(|sum| is_in(currency, sum));
            sum.map(|sum| sum.amount)
        };
        let captures = self.captures().filter(|capture| is_such(capture));
        captures.filter_map(amount).fold(0, u64::saturating_add)
    }

    /// Returns the captures: the operations that took the money. These are the operations of the first group that
    /// exists:
    /// 1. the successful sales, if their money counts or is contested
    /// 2. the successful operations of undocumented type in signed answers
    /// 3. the successful sales, although their money does not count
    fn captures(&self) -> impl Iterator<Item = &Operation> {
        let operations = || self.reported.operations.values();
        let has_undocumented = operations().any(Operation::is_undocumented_capture);
        let is_counted = self.sale_state().is_counted() || !has_undocumented;
        let by_sales = self.has_successful_sale() && is_counted;
        operations().filter(move |operation| match by_sales {
            true => operation.is_successful_sale(),
            false => operation.is_undocumented_capture(),
        })
    }

    /// Whether money was received. A sale must count or be contested, or a signed answer must list a successful
    /// operation of undocumented type. For an external payment, this type must be `manual change`, because another
    /// type may be a payout.
    pub fn has_money(&self) -> bool {
        let is_external = self.order.is_none();
        let is_capture = |operation: &Operation| {
            operation.is_undocumented_capture() && (!is_external || operation.is_manual_change())
        };
        let mut operations = self.reported.operations.values();
        self.sale_state().is_counted() || operations.any(is_capture)
    }

    /// Returns the currencies in which money arrived, except the currency of the order. Money in these currencies
    /// counts as 0 and is refunded by hand.
    pub(super) fn foreign_currencies(&self) -> BTreeSet<String> {
        let Some(order) = &self.order else {
            return BTreeSet::new();
        };
        let mut currencies: BTreeSet<String> = match self.received_sum() {
            Some(received) => [received.sum.currency].into(),
            None => {
                let currencies = self.captures().filter_map(Operation::currency);
                currencies.map(str::to_owned).collect()
            }
        };
        currencies.remove(order.currency.code());
        currencies
    }

    /// Whether money arrived in another currency than ordered.
    pub(crate) fn has_foreign_money(&self) -> bool {
        !self.foreign_currencies().is_empty()
    }

    /// Returns the currency of the order, or else of the money received.
    pub fn currency(&self) -> Option<&str> {
        let ordered = self.order.as_ref().map(|order| order.currency.code());
        let captured = || self.captures().find_map(Operation::currency);
        ordered
            .or_else(|| Some(self.newest_sum()?.sum.currency.as_str()))
            .or_else(captured)
    }
}

impl Payment {
    /// Returns the amount of the successful refunds and reversals, less the returns. A reversal of money that was
    /// never confirmed does not count.
    pub fn refunded_amount(&self) -> u64 {
        self.refunds_and_reversals()
            .saturating_sub(self.returned_amount())
    }

    /// Returns the amount by which the returns in signed answers exceed all refunds and reversals, or the refunds to
    /// which they belong. The greater of these two amounts counts.
    pub(super) fn confirmed_excess_returns(&self) -> u64 {
        let signed = || {
            let returns = self.successful_returns();
            returns.filter(|(_, operation)| operation.is_signed())
        };
        if signed().next().is_none() {
            return 0;
        }
        let amounts = RefundAmounts::of(self);
        signed()
            .map(|(id, operation)| amounts.of_operation(id, operation))
            .fold(0, u64::saturating_add)
            .saturating_sub(self.refunds_and_reversals())
            .max(self.returns().signed_excess)
    }

    pub(super) fn refunds_and_reversals(&self) -> u64 {
        self.refunds_and_reversals_of(|_| true)
    }

    /// Returns the amount of the refunds and reversals for which `is_such` holds.
    pub(super) fn refunds_and_reversals_of(&self, is_such: impl Fn(&Operation) -> bool) -> u64 {
        let amounts = RefundAmounts::of(self);
        let stored = self
            .counted_refunds()
            .filter(|(_, operation)| is_such(operation))
            .map(|(id, operation)| amounts.of_operation(id, operation))
            .fold(0, u64::saturating_add);
        match self.is_not_confirmed() {
            true => stored,
            // `overflow.refunded` includes refunds that are not stored.
            false => stored.max(self.reported.overflow.refunded),
        }
    }

    /// Returns the successful refunds and reversals. A reversal of money that was never confirmed is left out.
    pub(super) fn counted_refunds(&self) -> impl Iterator<Item = (&String, &Operation)> {
        let excluded: BTreeSet<&String> = match self.is_not_confirmed() {
            true => self.unconfirmed_reversals().map(|(id, _)| id).collect(),
            false => BTreeSet::new(),
        };
        let operations = self.reported.operations.iter();
        operations.filter(move |(id, operation)| {
            operation.has_succeeded() && operation.gives_back() && !excluded.contains(id)
        })
    }

    pub(super) fn returned_amount(&self) -> u64 {
        self.returned_by(&self.returns())
    }

    pub(super) fn returned_by(&self, returns: &Returns) -> u64 {
        // `overflow.returned` includes returns that are not stored.
        returns.amount.max(self.reported.overflow.returned)
    }

    /// Whether all the money received was refunded, in any currency.
    pub(super) fn is_fully_refunded(&self) -> bool {
        if !self.has_foreign_money() {
            let paid = self.paid_amount();
            return paid > 0 && self.refunded_amount() >= paid;
        }
        // Money in another currency is refunded by hand. Only the operations show these refunds and their returns.
        let foreign_amount = |is_such: fn(&Operation) -> bool| {
            let ordered = self.order.as_ref().map(|order| order.currency.code());
            let operations = self.reported.operations.values();
            operations
                .filter(|operation| operation.has_succeeded() && is_such(operation))
                .filter_map(Operation::sum)
                .filter(|sum| Some(sum.currency.as_str()) != ordered)
                .map(|sum| sum.amount)
                .fold(0, u64::saturating_add)
        };
        let is_capture =
            |operation: &Operation| operation.is_sale() || operation.is_undocumented_capture();
        let received = match self.received_sum() {
            Some(received) => received.sum.amount,
            None => foreign_amount(is_capture),
        };
        let refunded = foreign_amount(Operation::gives_back);
        let returned = foreign_amount(Operation::is_refund_reversal);
        received > 0 && refunded.saturating_sub(returned) >= received
    }

    /// Returns the amount of a refund in the payment's `currency`. For an external or successful refund, this is the
    /// amount of its operation. For any other refund, or if the operation has no sum in this currency, it is the
    /// requested amount. For an external refund, it is then 0.
    pub(crate) fn amount_of_refund(&self, refund: &Refund, currency: Option<&str>) -> u64 {
        let is_shown = refund.refund_id().is_none() || refund.status().has_succeeded();
        let id = refund.operation_id().filter(|_| is_shown);
        let Some(operation) = id.and_then(|id| self.operation(id)) else {
            return refund.amount();
        };
        let reported = operation.sum().filter(|sum| is_in(currency, sum));
        match (reported, refund.refund_id()) {
            (Some(sum), _) => sum.amount,
            (None, Some(_)) => refund.requested_amount(),
            (None, None) => 0,
        }
    }

    /// Returns our successful refunds with another amount than requested, as `operation.id` and operation.
    pub(crate) fn differing_refunds(&self) -> impl Iterator<Item = (&str, &Operation)> {
        let differing = self.refunds.iter();
        let differing = differing.filter(|refund| refund.amount() != refund.requested_amount());
        differing.filter_map(|refund| {
            let id = refund.operation_id()?;
            Some((id, self.operation(id)?))
        })
    }

    /// Returns the amount reserved for refunds that are pending or unknown.
    pub fn pending_refund_amount(&self) -> u64 {
        self.refunds
            .iter()
            .filter(|refund| refund.status().is_reserved())
            .map(Refund::amount)
            .fold(0, u64::saturating_add)
    }

    /// Whether the refunded and reserved amounts together exceed the paid amount, for example after refunds in the
    /// Dashboard.
    pub(crate) fn exceeds_paid_amount(&self) -> bool {
        let refunded = self.refunded_amount();
        refunded.saturating_add(self.pending_refund_amount()) > self.paid_amount()
    }

    /// Returns the amount that can be refunded: the remaining amount. It is 0 for another system's payment, and while
    /// the amount of an external refund is unknown.
    pub fn refundable_amount(&self) -> u64 {
        if self.is_foreign() || self.has_refund_of_unknown_amount() {
            return 0;
        }
        self.remaining_amount()
    }

    /// Returns the paid amount less the refunded and reserved amounts.
    pub(crate) fn remaining_amount(&self) -> u64 {
        self.paid_amount()
            .saturating_sub(self.refunded_amount())
            .saturating_sub(self.pending_refund_amount())
    }
}

/// The data from which the amounts of refund operations and returns follow. It is computed once for all operations.
pub(super) struct RefundAmounts<'a> {
    currency: Option<&'a str>,
    /// The requested amounts by `operation.id`. Empty if every refund operation has a sum in the payment's currency.
    requested: BTreeMap<String, u64>,
}

impl<'a> RefundAmounts<'a> {
    pub(super) fn of(payment: &'a Payment) -> Self {
        let currency = payment.currency();
        let has_sum =
            |operation: &Operation| operation.sum().is_some_and(|sum| is_in(currency, sum));
        let mut operations = payment.reported.operations.values();
        let requested = match operations.all(|one| !one.gives_back() || has_sum(one)) {
            true => BTreeMap::new(),
            false => payment.requested_amounts(),
        };
        Self {
            currency,
            requested,
        }
    }

    /// Returns the amount of a refund operation or a return. Without a sum in the payment's currency, returns the
    /// requested amount, or 0 for an external refund.
    pub(super) fn of_operation(&self, id: &str, operation: &Operation) -> u64 {
        self.known(id, operation).unwrap_or_default()
    }

    /// Returns the amount like [`Self::of_operation`]; `None` if the amount is unknown.
    pub(super) fn known(&self, id: &str, operation: &Operation) -> Option<u64> {
        let reported = operation.sum().filter(|sum| is_in(self.currency, sum));
        reported
            .map(|sum| sum.amount)
            .or_else(|| self.requested.get(id).copied())
    }
}

/// Whether a sum is in the payment's currency. An unknown currency matches every sum.
fn is_in(currency: Option<&str>, sum: &Sum) -> bool {
    currency.is_none_or(|currency| currency == sum.currency)
}
