//! Refunds a payment.
//!
//! Sources ([list](crate::sources)): Bancontact; Gate, refunds.

use std::fmt;

use serde::Serialize;

use super::request::{General, Request};
use crate::fields::{Currency, MinorUnits, Text};

/// `POST /v2/payment/bancontact/refund`: refunds a payment, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// The project and the payment.
    pub general: General,
    /// The amount.
    pub payment: RefundPayment,
    /// The customer's IP address, which Bancontact requires.
    pub customer: RefundCustomer,
}

impl Request for Refund {
    const PATH: &'static str = "/v2/payment/bancontact/refund";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}

/// The amount of a refund. This crate always sends the amount and the currency. Without them, the platform would refund
/// the remaining amount, which can change after the merchant has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundPayment {
    /// Minor units.
    pub amount: MinorUnits,
    /// The currency of the payment.
    pub currency: Currency,
    /// The description of the refund, which the platform requires.
    pub description: Text,
    /// The merchant's id of the refund. This id makes the request idempotent: the platform refuses a second refund with
    /// the same id and answers with the code 3230.
    pub merchant_refund_id: Text,
}

/// The customer of a refund. `Debug` hides all fields.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RefundCustomer {
    /// The customer's IP address.
    pub ip_address: Text,
}

impl fmt::Debug for RefundCustomer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RefundCustomer(hidden)")
    }
}
