//! Decides whether the money of a sale counts. `shared/README.md` has these rules as a table.

use ecommpay::operation::{OperationType, Outcome, is_paid_status};

use crate::model::payment::Payment;
use crate::model::quarantine::MAX_CLOCK_DIFFERENCE;
use crate::model::reported::operation::Operation;
use crate::model::reported::payment_status::{PaymentStatus, is_intermediate};

/// What the reports say about the money of the sales. The state does not depend on the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaleState {
    /// No sale has succeeded, and none is being confirmed.
    None,
    /// A sale succeeded, and the newest `payment.status` lets its money count.
    Counts,
    /// A sale succeeded, but a signed answer says that the payment did not succeed.
    Contested,
    /// The platform could not confirm that the money arrived.
    NotConfirmed,
    /// The platform has not confirmed yet that the money arrived.
    AwaitingConfirmation,
    /// A sale succeeded, but `payment.status` does not confirm it yet.
    Held,
}

impl SaleState {
    /// Whether the money of the sales is part of the paid amount.
    pub(in crate::model) fn is_counted(self) -> bool {
        matches!(self, SaleState::Counts | SaleState::Contested)
    }
}

impl Payment {
    /// Returns the sales that succeeded, even if their money does not count.
    pub fn successful_sales(&self) -> impl Iterator<Item = &Operation> {
        self.sales().filter(|sale| sale.has_succeeded())
    }

    /// Whether a sale succeeded, even if its money does not count.
    pub(crate) fn has_successful_sale(&self) -> bool {
        self.successful_sales().next().is_some()
    }

    pub(super) fn confirmations(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.reported.operations.values();
        operations.filter(|operation| operation.is_confirmation())
    }

    fn has_confirmation(&self, outcome: Outcome) -> bool {
        let mut confirmations = self.confirmations();
        confirmations.any(|confirmation| confirmation.outcome() == outcome)
    }

    pub(crate) fn sale_state(&self) -> SaleState {
        let is_declined = self.has_confirmation(Outcome::Declined);
        let is_pending = self.has_confirmation(Outcome::Pending);
        let effective = |status| self.effective_status(status);
        let confirms = |(status, is_signed): (&str, bool)| match status {
            // In a signed answer, `processing` is about another try of the shopper, which is still open.
            "processing" => is_signed && !is_pending && !is_declined,
            // After a declined confirmation, a reversal returns money that was never credited.
            "reversed" | "partially reversed" => !is_declined,
            other => is_paid_status(other),
        };
        let of_confirmations = self.newest_confirmation_status();
        let deciding = || {
            let sales = self.successful_sales();
            sales.filter_map(|sale| sale.payment_status.as_ref().max(of_confirmations))
        };
        if deciding().map(effective).any(confirms) {
            return SaleState::Counts;
        }
        let newest = deciding().chain(of_confirmations).max().map(effective);
        let newest_is = |words: &[&str]| newest.is_some_and(|(word, _)| words.contains(&word));
        let is_reversed = self.unconfirmed_reversals().next().is_some();
        if is_declined && (newest_is(&["decline"]) || is_reversed) {
            return SaleState::NotConfirmed;
        }
        let has_sale = self.has_successful_sale();
        let is_signed = newest.is_some_and(|(_, is_signed)| is_signed);
        let ends_payment = newest_is(&["decline", "canceled", "cancelled", "expired"]);
        if has_sale && !is_declined && is_signed && ends_payment {
            return SaleState::Contested;
        }
        let is_awaited = |(status, _): (&str, bool)| status == "awaiting confirmation";
        let awaits_confirmation = match has_sale {
            true => is_declined || deciding().map(effective).any(is_awaited),
            false => newest.is_some_and(is_awaited),
        };
        match has_sale {
            _ if is_pending || awaits_confirmation => SaleState::AwaitingConfirmation,
            true => SaleState::Held,
            false => SaleState::None,
        }
    }

    fn newest_confirmation_status(&self) -> Option<&PaymentStatus> {
        self.confirmations()
            .filter_map(|operation| operation.payment_status.as_ref())
            .max()
    }

    /// Returns the newest `payment.status` about a successful sale or a confirmation.
    pub(crate) fn newest_sale_status(&self) -> Option<&str> {
        let operations = self.successful_sales().chain(self.confirmations());
        let statuses = operations.filter_map(|operation| operation.payment_status.as_ref());
        let newest = statuses.max()?;
        Some(self.effective_status(newest).0)
    }

    /// Returns the `payment.status` that counts instead of a stored one, and whether it is from a signed answer. The
    /// final status in the newest complete answer replaces an intermediate status of a callback. For this, the answer
    /// must have arrived later than the dates of the callback by more than the possible difference of the clocks. The
    /// time of arrival is used, because the dates in an answer only say when the payment last changed. A pending or
    /// declined confirmation prevents the replacement, because the status can be about the confirmation.
    fn effective_status<'a>(&'a self, status: &'a PaymentStatus) -> (&'a str, bool) {
        let is_replaceable = !status.signed
            && is_intermediate(status.as_str())
            && self.confirmations().all(Operation::has_succeeded);
        let answer = self.reported.newest_answer.as_ref();
        let answer = answer.filter(|_| is_replaceable).filter(|answer| {
            let time = status.time();
            time.is_some_and(|time| time.after(MAX_CLOCK_DIFFERENCE) < answer.received_at)
        });
        match answer.and_then(|answer| answer.final_status.as_deref()) {
            Some(replacement) => (replacement, true),
            None => (status.as_str(), status.signed),
        }
    }

    /// Returns the successful reversals since the first declined confirmation. Their money was never credited.
    pub(in crate::model) fn unconfirmed_reversals(
        &self,
    ) -> impl Iterator<Item = (&String, &Operation)> {
        let declined = self.confirmations().filter(|one| one.is_declined());
        let first_decline = declined.filter_map(Operation::first_date).min();
        let operations = self.reported.operations.iter();
        operations.filter(move |(_, operation)| {
            let is_later = first_decline.is_some() && operation.first_date() >= first_decline;
            let is_reversal = *operation.kind() == OperationType::Reversal;
            is_reversal && operation.has_succeeded() && is_later
        })
    }

    pub(crate) fn is_not_confirmed(&self) -> bool {
        self.sale_state() == SaleState::NotConfirmed
    }

    /// Whether the money of a sale does not count yet, but can count later.
    pub(crate) fn is_sale_undecided(&self) -> bool {
        matches!(
            self.sale_state(),
            SaleState::Held | SaleState::AwaitingConfirmation
        )
    }
}
