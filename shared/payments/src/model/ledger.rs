//! The money of a payment: what came, what went back, what can still be refunded.

use ecommpay::operation::OperationType;
use ecommpay::report::Sum;

use super::status::SaleState;
use super::{Operation, Payment, Refund};

impl Payment {
    /// What came, in minor units of the payment's currency: the newest `payment.sum` that tells it;
    /// where no report does, what the provider moved by the successful sales. Money in another currency
    /// counts as 0.
    pub fn paid_amount(&self) -> u64 {
        if !self.has_money() {
            return 0;
        }
        let currency = self.currency();
        let counts = |sum: &&Sum| currency.is_none_or(|currency| currency == sum.currency);
        let moved = |one: &Operation| {
            let counting = one.counting()?;
            let sums = [&counting.sum_converted, &counting.sum_initial];
            let mut sums = sums.into_iter().flatten().filter(counts);
            sums.next().map(|sum| sum.amount)
        };
        let sum_of = |captures: &dyn Fn(&Operation) -> bool| {
            let captures = self.captures().filter(|one| captures(one));
            captures.filter_map(moved).fold(0, u64::saturating_add)
        };
        // The sums of reports include a sale whose money does not count.
        let sale = self.sale_state();
        let has_uncounted_sale = !sale.is_counted() && sale != SaleState::None;
        let sums = self.sum_that_came().zip(self.newest_sum());
        let Some((came, newest)) = sums.filter(|_| !has_uncounted_sale) else {
            return sum_of(&|_| true);
        };
        // A charge after that report is not in its sum. One whose own callback named a sum is.
        let date = &newest.operation_date;
        let is_later = |one: &Operation| {
            let has_newer_date = one.order().is_some_and(|order| *date < order.0);
            one.payment_sum.is_none() && has_newer_date
        };
        let came = Some(&came).filter(counts).map_or(0, |sum| sum.amount);
        came.saturating_add(sum_of(&is_later))
    }

    /// The operations that took the money: the successful sales; where there is none or their money does
    /// not count, the operations of undocumented types that a signed answer lists as succeeded.
    pub fn captures(&self) -> impl Iterator<Item = &Operation> {
        let has_sale = self.successful_sales().next().is_some();
        let mut unknown = self.reported.operations.values();
        let has_unknown = unknown.any(Operation::is_unknown_money);
        let by_sales = has_sale && (self.sale_state().is_counted() || !has_unknown);
        let operations = self.reported.operations.values();
        operations.filter(move |one| match by_sales {
            true => one.is_successful_sale(),
            false => one.is_unknown_money(),
        })
    }

    /// Whether money came in another currency than was ordered. It counts as 0 and goes back by hand.
    pub(crate) fn has_foreign_money(&self) -> bool {
        let ordered = self.order.as_ref().map(|order| order.currency.code());
        let came = self.sum_that_came();
        let is_foreign = |currency: &str| ordered.is_some_and(|ordered| ordered != currency);
        match came {
            Some(sum) => is_foreign(&sum.currency),
            None => self
                .captures()
                .filter_map(Operation::currency)
                .any(is_foreign),
        }
    }

    /// Whether a callback names less than the order, and other reports named all of it.
    pub(crate) fn is_lower_sum_in_doubt(&self) -> bool {
        self.has_money() && self.names_less_in_doubt()
    }

    /// What went back: successful refunds and reversals less those that were taken back, each operation
    /// counted once. A reversal of money that was never confirmed is none.
    pub fn refunded_amount(&self) -> u64 {
        let (refunded, returned) = self.refunded_and_returned();
        refunded.saturating_sub(returned)
    }

    /// What went back, and how much of it was taken back.
    pub(super) fn refunded_and_returned(&self) -> (u64, u64) {
        let is_unconfirmed = self.sale_state() == SaleState::NotConfirmed;
        let of_unconfirmed = |id: &String| {
            is_unconfirmed && self.unconfirmed_reversals().any(|(other, _)| other == id)
        };
        let sum = |counts: &dyn Fn(&Operation) -> bool| {
            let operations = self.reported.operations.iter();
            operations
                .filter(|(id, one)| one.has_succeeded() && counts(one) && !of_unconfirmed(id))
                .map(|(id, one)| self.given_back_by(id, one))
                .fold(0, u64::saturating_add)
        };
        (
            sum(&Operation::gives_back),
            sum(&Operation::is_refund_reversal),
        )
    }

    /// Whether more was taken back of refunds than is known to have been refunded.
    pub(crate) fn has_excess_returns(&self) -> bool {
        let (refunded, returned) = self.refunded_and_returned();
        returned > refunded
    }

    /// Whether all that came has gone back, money in other currencies included.
    pub(super) fn has_all_gone_back(&self) -> bool {
        if !self.has_foreign_money() {
            let paid = self.paid_amount();
            return paid > 0 && self.refunded_amount() >= paid;
        }
        // By hand, so only the operations tell.
        let in_foreign = |counts: &dyn Fn(&Operation) -> bool| {
            let ordered = self.order.as_ref().map(|order| order.currency.code());
            let operations = self.reported.operations.values();
            operations
                .filter(|one| one.has_succeeded() && counts(one))
                .filter_map(Operation::sum)
                .filter(|sum| Some(sum.currency.as_str()) != ordered)
                .map(|sum| sum.amount)
                .fold(0, u64::saturating_add)
        };
        let came = self.sum_that_came();
        let came = came.map_or_else(
            || in_foreign(&|one| one.is_sale() || one.is_unknown_money()),
            |sum| sum.amount,
        );
        came > 0 && in_foreign(&Operation::gives_back) >= came
    }

    /// How much a refund gives back: what its operation says; where that says nothing, or says it in
    /// another currency than was paid, what we requested, and nothing if it was not ours.
    pub(crate) fn given_back_by(&self, id: &str, operation: &Operation) -> u64 {
        let same_currency = |currency: &str| self.currency().is_none_or(|paid| paid == currency);
        let as_reported = operation.sum().filter(|sum| same_currency(&sum.currency));
        let requested = || {
            let ours = |refund: &&Refund| refund.refund_id.is_some() && refund.is_made_by(id);
            let refund = self.refunds.iter().find(ours);
            refund.map_or(0, |refund| refund.amount)
        };
        as_reported.map_or_else(requested, |sum| sum.amount)
    }

    /// How much the refund at an index gives back, as far as it is known.
    pub(crate) fn amount_of_refund(&self, index: usize) -> u64 {
        let Some(refund) = self.refunds.get(index) else {
            return 0;
        };
        let id = refund.operation_id.as_ref();
        let operation = id.and_then(|id| Some((id, self.reported.operations.get(id)?)));
        operation.map_or(refund.amount, |(id, operation)| {
            self.given_back_by(id, operation)
        })
    }

    /// The currency that was ordered, or else paid.
    pub fn currency(&self) -> Option<&str> {
        let ordered = self.order.as_ref().map(|order| order.currency.code());
        let captured = || self.captures().find_map(Operation::currency);
        ordered
            .or_else(|| Some(self.newest_sum()?.sum.currency.as_str()))
            .or_else(captured)
    }

    /// What is held back for refunds that are not settled.
    pub fn pending_refund_amount(&self) -> u64 {
        self.refunds
            .iter()
            .filter(|refund| refund.status.is_reserved())
            .map(|refund| refund.amount)
            .fold(0, u64::saturating_add)
    }

    /// What can still be refunded.
    pub fn refundable_amount(&self) -> u64 {
        self.paid_amount()
            .saturating_sub(self.refunded_amount())
            .saturating_sub(self.pending_refund_amount())
    }

    /// The amounts and places of every sum that the platform named of the money that came.
    pub(crate) fn reported_sums(&self) -> Vec<ReportedSum> {
        let of_payment = self.named_sums().into_iter();
        let of_payment = of_payment.map(|sum| ReportedSum {
            operation_id: None,
            field: "payment.sum",
            sum,
        });
        let moves_money = |one: &Operation| {
            one.has_succeeded() && !one.kind().moves_no_money() && !one.gives_back()
        };
        let operations = self.reported.operations.iter();
        let of_operations = operations
            .filter(|(_, one)| moves_money(one) && *one.kind() != OperationType::RefundReversal)
            .flat_map(|(id, one)| {
                let of_report = |report: &super::reported::operation_report::FinalReport| {
                    let initial = report.sum_initial.clone().map(|sum| ("sum_initial", sum));
                    let moved = report.sum_converted.clone();
                    let moved = moved.map(|sum| ("sum_converted", sum));
                    [initial, moved]
                };
                let sums = one.finals.iter().flat_map(of_report).flatten();
                let mut sums: Vec<_> = sums.collect();
                sums.sort_unstable();
                sums.dedup();
                sums.into_iter().map(|(field, sum)| ReportedSum {
                    operation_id: Some(id.clone()),
                    field,
                    sum,
                })
            });
        of_payment.chain(of_operations).collect()
    }
}

/// A sum that the platform named.
pub(crate) struct ReportedSum {
    /// The operation; `None`: the payment.
    pub(crate) operation_id: Option<String>,
    /// The field that named it.
    pub(crate) field: &'static str,
    pub(crate) sum: Sum,
}
