//! Defines the part of a reply that shows a payment.

use std::collections::BTreeSet;

use payments::model::{Payment, QuarantineReason, Status};
use serde::Serialize;

/// The status of a payment, its amounts in minor units, and its quarantine reasons.
#[derive(Debug, Serialize)]
pub struct Amounts {
    status: Status,
    paid_amount: u64,
    refunded_amount: u64,
    pending_refund_amount: u64,
    quarantine: BTreeSet<QuarantineReason>,
}

impl Amounts {
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
