//! Defines the switches for the charge of the bank and for the confirmation procedure.

use serde::{Deserialize, Deserializer, Serialize};

use crate::platform::records::{CreditingResult, Status, read_one_of, read_optional};

/// What the bank charges instead of the ordered amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WrongAmount {
    /// `true`: one cent less than the ordered amount. `false`: the ordered amount.
    Switch(bool),
    /// In minor units.
    Amount(u64),
}

impl WrongAmount {
    pub fn charged(self, amount: u64) -> u64 {
        match self {
            WrongAmount::Switch(false) => amount,
            WrongAmount::Switch(true) => amount.saturating_sub(1),
            WrongAmount::Amount(other) => other,
        }
    }
}

/// A field of messages that shows the charged amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SumField {
    /// `payment.sum`
    PaymentSum,
    /// `operation.sum_initial`
    SumInitial,
    /// `operation.sum_converted`
    SumConverted,
}

/// The confirmation procedure that starts after the shopper has paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmationProcedure {
    /// `payment.status` in the callback of the successful sale. The platform's documentation does not name this status.
    #[serde(deserialize_with = "read_first_status")]
    pub first_status: Status,
    pub result: CreditingResult,
    /// The time from the start to the result, in seconds of the platform's clock.
    pub after_s: u64,
}

impl Default for ConfirmationProcedure {
    fn default() -> Self {
        Self {
            first_status: Status::AwaitingConfirmation,
            result: CreditingResult::Credit,
            after_s: 7 * 24 * 60 * 60,
        }
    }
}

fn read_first_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let allowed = [
        Status::AwaitingConfirmation,
        Status::Processing,
        Status::ExternalProcessing,
        Status::Success,
    ];
    read_one_of(deserializer, &allowed)
}

pub fn read_held_status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Status>, D::Error> {
    let allowed = [Status::Processing, Status::ExternalProcessing];
    read_optional(deserializer, &allowed)
}
