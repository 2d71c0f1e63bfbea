//! Defines the status and the amounts of a payment, as replies contain them.

use std::collections::BTreeSet;

use payments::model::{Payment, QuarantineReason, Status};
use serde::Serialize;

/// The status and the amounts of a payment, in minor units.
#[derive(Debug, Serialize)]
pub struct Amounts {
    status: Status,
    paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    quarantine: BTreeSet<QuarantineReason>,
}

impl Amounts {
    /// Reads the status and the amounts of a payment.
    pub fn of(payment: &Payment) -> Self {
        Self {
            status: payment.status(),
            paid_amount: payment.paid_amount(),
            refunded_amount: payment.refunded_amount(),
            pending_refund_amount: payment.pending_refund_amount(),
            quarantine: payment.quarantine_reasons(),
        }
    }
}
