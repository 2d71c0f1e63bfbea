//! The status that follows from everything known.

use ecommpay::operation::{OperationType, Outcome, is_paid_status, is_refunded_status};
use serde::{Deserialize, Serialize};

use super::{GateRequest, Operation, Payment, PaymentStatus};

/// The status of a payment, as storefronts and events show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored; nothing sent yet.
    Created,
    /// The sale is on its way, or its answer is not known.
    Processing,
    /// Redirect data is there.
    AwaitingCustomer,
    /// The platform asks for data.
    AwaitingClarification,
    /// The shopper has paid; the platform has not confirmed that the money came.
    AwaitingConfirmation,
    /// Paid.
    Succeeded,
    /// Not paid.
    Declined,
    /// Not started.
    Failed,
    /// Money arrived that an operator must review.
    Quarantined,
    /// A part went back.
    PartiallyRefunded,
    /// All went back.
    Refunded,
    /// It was not created here.
    Unmatched,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 12] = [
        Status::Created,
        Status::Processing,
        Status::AwaitingCustomer,
        Status::AwaitingClarification,
        Status::AwaitingConfirmation,
        Status::Succeeded,
        Status::Declined,
        Status::Failed,
        Status::Quarantined,
        Status::PartiallyRefunded,
        Status::Refunded,
        Status::Unmatched,
    ];

    /// Whether the result of the payment is known.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Created
                | Status::Processing
                | Status::AwaitingCustomer
                | Status::AwaitingClarification
                | Status::AwaitingConfirmation
        )
    }

    /// Whether the shopper can still pay in this attempt.
    pub fn is_undecided(self) -> bool {
        !self.is_final() && self != Status::AwaitingConfirmation
    }

    /// Whether the sale of the payment was done as ordered.
    pub fn is_paid(self) -> bool {
        matches!(
            self,
            Status::Succeeded | Status::PartiallyRefunded | Status::Refunded
        )
    }
}

/// What the platform's reports say about the money of the sales, before it is held against the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaleState {
    /// No sale has succeeded.
    None,
    /// A sale succeeded, and `payment.status` agrees.
    Counts,
    /// A sale succeeded, and a signed answer says that the payment did not.
    Contested,
    /// The platform could not confirm that the money came.
    NotConfirmed,
    /// The platform has not confirmed yet that the money came.
    AwaitingConfirmation,
    /// A sale succeeded, and `payment.status` does not say so yet.
    Held,
}

impl SaleState {
    /// Whether the money of the sales was received.
    pub(super) fn is_counted(self) -> bool {
        matches!(self, SaleState::Counts | SaleState::Contested)
    }
}

/// A row of the table that yields the status.
pub struct Row {
    /// The status.
    pub status: Status,
    /// Its condition, for people.
    pub condition: &'static str,
    /// Who moves the payment on from there.
    pub moved_on_by: &'static str,
    holds: fn(&Payment, SaleState) -> bool,
}

/// The table that yields the status: the first row whose condition holds counts.
///
/// The diagram in `shared/README.md` has every change of the status.
pub const TABLE: [Row; 15] = [
    Row {
        status: Status::Unmatched,
        condition: "It was not created here.",
        moved_on_by: "none: it stays so",
        holds: |payment, _| payment.order.is_none(),
    },
    Row {
        status: Status::Refunded,
        condition: "An operator rejected every quarantine item, and all the money went back.",
        moved_on_by: "a report that adds a quarantine item",
        holds: |payment, _| payment.is_rejected(),
    },
    Row {
        status: Status::Quarantined,
        condition: "It has at least one quarantine item that no operator has released.",
        moved_on_by: "an operator; a signed answer that settles a contradiction of callbacks or no longer contests the sale; a declined confirmation; a refund",
        holds: |payment, _| !payment.quarantine().is_empty(),
    },
    Row {
        status: Status::Succeeded,
        condition: "The money was received, and none of it was refunded.",
        moved_on_by: "a refund; a declined confirmation",
        holds: |payment, _| payment.has_money() && payment.refunded_amount() == 0,
    },
    Row {
        status: Status::PartiallyRefunded,
        condition: "The money was received, and a part of it was refunded.",
        moved_on_by: "a refund, or one that is taken back",
        holds: |payment, _| {
            payment.has_money() && payment.refunded_amount() < payment.paid_amount()
        },
    },
    Row {
        status: Status::Refunded,
        condition: "The money was received, and all of it was refunded.",
        moved_on_by: "a refund that is taken back",
        holds: |payment, _| payment.has_money(),
    },
    Row {
        status: Status::Declined,
        condition: "The platform could not confirm that the money came.",
        moved_on_by: "the platform, if the money comes after all",
        holds: |_, sale| sale == SaleState::NotConfirmed,
    },
    Row {
        status: Status::AwaitingConfirmation,
        condition: "The shopper has paid, and the platform has not confirmed that the money came.",
        moved_on_by: "the platform",
        holds: |_, sale| sale == SaleState::AwaitingConfirmation,
    },
    Row {
        status: Status::Processing,
        condition: "A sale succeeded, and `payment.status` does not say so yet.",
        moved_on_by: "the platform's signed answer",
        holds: |_, sale| sale == SaleState::Held,
    },
    Row {
        status: Status::Declined,
        condition: "A sale was declined together with the payment.",
        moved_on_by: "a later sale that succeeds",
        holds: |payment, _| payment.declined_sale().is_some(),
    },
    Row {
        status: Status::Failed,
        condition: "The platform refused the sale request, or never received it.",
        moved_on_by: "the storefront, by the next attempt",
        holds: |payment, _| payment.refusal_code().is_some(),
    },
    Row {
        status: Status::AwaitingClarification,
        condition: "The platform asks the shopper for data.",
        moved_on_by: "the shopper or the storefront",
        holds: |payment, _| payment.clarification_request().is_some(),
    },
    Row {
        status: Status::AwaitingCustomer,
        condition: "The redirect URL is known, or a payment link is not used yet.",
        moved_on_by: "the shopper",
        holds: |payment, _| payment.redirect().is_some() || payment.has_unused_link(),
    },
    Row {
        status: Status::Created,
        condition: "The sale is being sent for the first time, and nothing was reported.",
        moved_on_by: "Gate's answer",
        holds: |payment, _| payment.is_unanswered() && payment.reported.operations.is_empty(),
    },
    Row {
        status: Status::Processing,
        condition: "Anything else.",
        moved_on_by: "the platform",
        holds: |_, _| true,
    },
];

impl Payment {
    /// The sales that succeeded, whether their money counts or not.
    pub fn successful_sales(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.reported.operations.values();
        operations.filter(|operation| operation.is_successful_sale())
    }

    fn confirmations(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.reported.operations.values();
        operations.filter(|operation| operation.is_confirmation())
    }

    /// The newest `payment.status` about a sale or its confirmation.
    fn newest_status_of<'a>(&'a self, sale: Option<&'a Operation>) -> Option<&'a PaymentStatus> {
        let operations = sale.into_iter().chain(self.confirmations());
        operations
            .filter_map(|operation| operation.payment_status.as_ref())
            .max()
    }

    /// What the reports say about the money of the sales.
    ///
    /// A successful sale counts only if the newest `payment.status` reported with it or with a
    /// confirmation agrees. `processing` agrees if a signed answer says it
    /// and no confirmation is pending or declined: another try of the shopper is still open.
    pub(crate) fn sale_state(&self) -> SaleState {
        let has_confirmation = |outcome| self.confirmations().any(|one| one.outcome() == outcome);
        let is_declined = has_confirmation(Outcome::Declined);
        let is_pending = has_confirmation(Outcome::Pending);
        let agrees = |status: &PaymentStatus| match status.as_str() {
            "processing" => status.signed && !is_pending && !is_declined,
            // After a declined confirmation, the unconfirmed money went back.
            "reversed" | "partially reversed" => !is_declined,
            other => is_paid_status(other),
        };
        let statuses = || {
            let sales = self.successful_sales();
            sales.map(|sale| self.newest_status_of(Some(sale)))
        };
        if statuses().flatten().any(agrees) {
            return SaleState::Counts;
        }
        let newest = statuses()
            .flatten()
            .chain(self.newest_status_of(None))
            .max();
        let newest_is = |words: &[&str]| newest.is_some_and(|one| words.contains(&one.as_str()));
        let has_sale = self.successful_sales().next().is_some();
        if is_declined && (newest_is(&["decline"]) || self.unconfirmed_reversals().next().is_some())
        {
            return SaleState::NotConfirmed;
        }
        let is_signed = newest.is_some_and(|status| status.signed);
        let is_off = newest_is(&["decline", "canceled", "cancelled", "expired"]);
        if has_sale && !is_declined && is_signed && is_off {
            return SaleState::Contested;
        }
        let waits = |status: &PaymentStatus| status.as_str() == "awaiting confirmation";
        let is_awaited = match has_sale {
            true => is_declined || statuses().flatten().any(waits),
            false => newest.is_some_and(waits),
        };
        match has_sale {
            _ if is_pending || is_awaited => SaleState::AwaitingConfirmation,
            true => SaleState::Held,
            false => SaleState::None,
        }
    }

    /// Successful reversals dated at or after the first declined confirmation. Their money was never
    /// credited.
    pub(super) fn unconfirmed_reversals(&self) -> impl Iterator<Item = (&String, &Operation)> {
        let is_declined = |one: &&Operation| one.outcome() == Outcome::Declined;
        let declines = self.confirmations().filter(is_declined);
        let declined = declines
            .filter_map(|one| one.order())
            .map(|order| order.0.as_str())
            .min();
        let operations = self.reported.operations.iter();
        operations.filter(move |(_, one)| {
            let date = one.order().map(|order| order.0.as_str());
            let is_later = declined.is_some_and(|declined| date >= Some(declined));
            *one.kind() == OperationType::Reversal && one.has_succeeded() && is_later
        })
    }

    /// Whether the platform could not confirm that the money came.
    pub(crate) fn is_not_confirmed(&self) -> bool {
        self.sale_state() == SaleState::NotConfirmed
    }

    /// The newest `payment.status` about a sale that succeeded or about a confirmation.
    pub(crate) fn newest_money_status(&self) -> Option<&str> {
        let operations = self.successful_sales().chain(self.confirmations());
        let statuses = operations.filter_map(|operation| operation.payment_status.as_ref());
        statuses.max().map(PaymentStatus::as_str)
    }

    /// Whether a sale has succeeded, whether its money counts or not.
    pub(crate) fn has_successful_sale(&self) -> bool {
        self.successful_sales().next().is_some()
    }

    /// Whether money was received: by a sale that counts or is contested, or by an operation of
    /// undocumented type that a signed answer lists as succeeded.
    pub fn has_money(&self) -> bool {
        let is_ours = self.order.is_some();
        let took = |one: &Operation| {
            let is_manual = *one.kind() == OperationType::ManualChange;
            one.is_unknown_money() && (is_ours || is_manual)
        };
        self.sale_state().is_counted() || self.reported.operations.values().any(took)
    }

    /// The status that follows from everything known: the first row of [`TABLE`] whose condition holds.
    pub fn status(&self) -> Status {
        let sale = self.sale_state();
        let mut rows = TABLE.iter();
        let row = rows.find(|row| (row.holds)(self, sale));
        row.map_or(Status::Processing, |row| row.status)
    }

    fn is_unanswered(&self) -> bool {
        matches!(
            self.attempt.request,
            GateRequest::NotSent | GateRequest::Sending { repeat: false, .. }
        )
    }

    /// The platform's code for a declined or failed payment.
    pub(crate) fn end_code(&self, status: Status) -> Option<&str> {
        match status {
            Status::Declined => self.declining_operation()?.code(),
            Status::Failed => self.refusal_code(),
            _ => None,
        }
    }

    /// The operation whose decline ended the payment.
    pub fn declining_operation(&self) -> Option<&Operation> {
        let is_declined = |one: &&Operation| one.outcome() == Outcome::Declined;
        match self.sale_state() {
            SaleState::NotConfirmed => self
                .confirmations()
                .filter(is_declined)
                .max_by(|one, other| one.order().cmp(&other.order())),
            _ => self.declined_sale(),
        }
    }

    fn declined_sale(&self) -> Option<&Operation> {
        let failed = &self.attempt.failed_requests;
        let is_of_failed = |one: &Operation| {
            let request_id = one.request_id.as_ref();
            request_id.is_some_and(|request_id| failed.contains(request_id))
        };
        self.sales()
            .filter(|operation| operation.ends_payment() && !is_of_failed(operation))
            .max_by(|one, other| one.order().cmp(&other.order()))
    }

    /// Whether `payment.status` claims a money movement that no reported operation explains.
    pub(crate) fn is_unexplained(&self, status: Option<&str>) -> bool {
        let status = status.unwrap_or_default();
        let claims_money =
            is_refunded_status(status) || matches!(status, "success" | "partially paid");
        // Of an external payment any money will do: a payout, a capture.
        let is_external = self.order.is_none();
        let explains = |operation: &Operation| {
            let is_money = is_external && !operation.gives_back() || operation.is_sale();
            operation.has_succeeded() && (is_money || operation.is_unknown_money())
        };
        claims_money && !self.reported.operations.values().any(explains)
    }
}
