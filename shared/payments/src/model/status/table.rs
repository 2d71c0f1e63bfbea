//! Defines the table that gives the status of a payment. `shared/README.md` shows this table.

use super::Status;
use super::sale_state::SaleState;
use crate::model::attempt::gate_request::GateRequest;
use crate::model::payment::Payment;

/// A row of the table.
pub struct Row {
    /// The status.
    pub status: Status,
    /// The condition, as the documentation shows it.
    pub condition: &'static str,
    /// What can change the status, as the documentation shows it.
    pub changed_by: &'static str,
    holds: fn(&Payment, SaleState) -> bool,
}

/// The first row whose condition holds gives the status.
pub const TABLE: [Row; 16] = [
    Row {
        status: Status::Unmatched,
        condition: "This service did not create the payment.",
        changed_by: "nothing",
        holds: |payment, _| payment.order.is_none(),
    },
    Row {
        status: Status::Refunded,
        condition: "An operator rejected the money, and all of it was refunded.",
        changed_by: "a returned refund, or a report that adds money or a quarantine item",
        holds: |payment, _| payment.is_rejected(),
    },
    Row {
        status: Status::Failed,
        condition: "An operator rejected another system's payment.",
        changed_by: "an operator, or a report about a sale of ours",
        holds: |payment, _| payment.is_rejected_foreign(),
    },
    Row {
        status: Status::Quarantined,
        condition: "The payment has at least one quarantine item that no operator has released, or rejected money that was not refunded.",
        changed_by: "an operator, a signed answer, a declined confirmation or a refund",
        holds: |payment, _| !payment.quarantine().is_empty(),
    },
    Row {
        status: Status::Succeeded,
        condition: "The money was received, and none of it was refunded.",
        changed_by: "a refund or a declined confirmation",
        holds: |payment, _| payment.has_money() && payment.refunded_amount() == 0,
    },
    Row {
        status: Status::PartiallyRefunded,
        condition: "The money was received, and a part of it was refunded.",
        changed_by: "a refund or a returned refund",
        holds: |payment, _| {
            payment.has_money() && payment.refunded_amount() < payment.paid_amount()
        },
    },
    Row {
        status: Status::Refunded,
        condition: "The money was received, and all of it was refunded.",
        changed_by: "a returned refund",
        holds: |payment, _| payment.has_money(),
    },
    Row {
        status: Status::Declined,
        condition: "The platform could not confirm that the money arrived.",
        changed_by: "the platform, if the money arrives later",
        holds: |_, sale| sale == SaleState::NotConfirmed,
    },
    Row {
        status: Status::AwaitingConfirmation,
        condition: "The shopper has paid, and the platform has not confirmed that the money arrived.",
        changed_by: "the platform",
        holds: |_, sale| sale == SaleState::AwaitingConfirmation,
    },
    Row {
        status: Status::Processing,
        condition: "A sale succeeded, and `payment.status` does not confirm it yet.",
        changed_by: "the platform's signed answer",
        holds: |_, sale| sale == SaleState::Held,
    },
    Row {
        status: Status::Declined,
        condition: "A sale was declined, and `payment.status` declined the whole payment.",
        changed_by: "a later sale that succeeds",
        holds: |payment, _| payment.declined_sale().is_some(),
    },
    Row {
        status: Status::Failed,
        condition: "The platform refused the sale request, or never received it.",
        changed_by: "the storefront, by the next attempt",
        holds: |payment, _| payment.refusal_code().is_some(),
    },
    Row {
        status: Status::AwaitingClarification,
        condition: "The platform requests data from the shopper.",
        changed_by: "the shopper or the storefront",
        holds: |payment, _| payment.clarification_request().is_some(),
    },
    Row {
        status: Status::AwaitingCustomer,
        condition: "The redirect URL is known, or a payment link is not used yet.",
        changed_by: "the shopper",
        holds: |payment, _| payment.redirect().is_some() || payment.has_unused_link(),
    },
    Row {
        status: Status::Created,
        condition: "The sale is being sent for the first time, and no operation was reported.",
        changed_by: "Gate's answer",
        holds: |payment, _| payment.is_being_created() && payment.reported.operations.is_empty(),
    },
    Row {
        status: Status::Processing,
        condition: "Anything else.",
        changed_by: "the platform",
        holds: |_, _| true,
    },
];

impl Payment {
    /// Returns the status of the first row whose condition holds.
    pub fn status(&self) -> Status {
        let sale = self.sale_state();
        let mut rows = TABLE.iter();
        let row = rows.find(|row| (row.holds)(self, sale));
        row.map_or(Status::Processing, |row| row.status)
    }

    /// Whether the sale request of the current attempt was not sent, or is being sent for the first time.
    fn is_being_created(&self) -> bool {
        let request = &self.attempt.request;
        *request == GateRequest::NotSent || request.is_first_try()
    }
}
