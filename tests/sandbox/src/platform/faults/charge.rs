//! What the bank takes from the shopper, and what the platform makes of it.

use serde::{Deserialize, Serialize};

use super::Faults;
use crate::platform::operation::{Money, Status};
use crate::platform::records::{Charge, Crediting};

/// The amount that the bank takes instead of the ordered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WrongAmount {
    /// `true`: one minor unit less.
    Switch(bool),
    /// This amount, in minor units.
    Paid(u64),
}

impl WrongAmount {
    /// The amount that the bank takes for an order of `amount`.
    pub fn paid(self, amount: u64) -> u64 {
        match self {
            WrongAmount::Switch(false) => amount,
            WrongAmount::Switch(true) => amount.saturating_sub(1),
            WrongAmount::Paid(other) => other,
        }
    }
}

/// A place in messages that shows what the bank took.
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

/// The confirmation procedure after the shopper has paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfirmationProcedure {
    /// `payment.status` in the sale's callback.
    pub first_status: FirstStatus,
    /// How the procedure ends by itself.
    pub result: CreditingResult,
    /// When it ends by itself, in seconds of the platform's clock.
    pub after_s: u64,
}

impl Default for ConfirmationProcedure {
    fn default() -> Self {
        Self {
            first_status: FirstStatus::AwaitingConfirmation,
            result: CreditingResult::Credit,
            after_s: 7 * 24 * 60 * 60,
        }
    }
}

/// `payment.status` in the sale's callback, which no document states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstStatus {
    /// As in the operation that follows.
    #[serde(rename = "awaiting confirmation")]
    AwaitingConfirmation,
    /// As in a cascade.
    #[serde(rename = "processing")]
    Processing,
    /// With the provider.
    #[serde(rename = "external processing")]
    ExternalProcessing,
    /// As if the money were there.
    #[serde(rename = "success")]
    Success,
}

impl FirstStatus {
    fn status(self) -> Status {
        match self {
            FirstStatus::AwaitingConfirmation => Status::AwaitingConfirmation,
            FirstStatus::Processing => Status::Processing,
            FirstStatus::ExternalProcessing => Status::ExternalProcessing,
            FirstStatus::Success => Status::Success,
        }
    }
}

/// The end of a confirmation procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditingResult {
    /// The money is credited.
    Credit,
    /// It is not; the payment is declined.
    Decline,
    /// It is not; the sale is reversed.
    DeclineAndReverse,
    /// Only a control call ends it.
    None,
}

impl CreditingResult {
    /// The provider's report, if there is one.
    pub fn crediting(self) -> Option<Crediting> {
        match self {
            CreditingResult::Credit => Some(Crediting::Credited),
            CreditingResult::Decline => Some(Crediting::Declined),
            CreditingResult::DeclineAndReverse => Some(Crediting::DeclinedAndReversed),
            CreditingResult::None => None,
        }
    }
}

/// The status in which a payment is held until support settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeldStatus {
    /// ReviewError.
    #[serde(rename = "processing")]
    Processing,
    /// ReviewError, at the provider.
    #[serde(rename = "external processing")]
    ExternalProcessing,
}

impl HeldStatus {
    fn status(self) -> Status {
        match self {
            HeldStatus::Processing => Status::Processing,
            HeldStatus::ExternalProcessing => Status::ExternalProcessing,
        }
    }
}

impl Faults {
    /// What the bank takes for an order of `amount`, and what messages say of it.
    pub fn charge(&self, amount: u64) -> Charge {
        let moved = self.wrong_amount.paid(amount);
        let shown = |field: SumField| {
            if !self.wrong_amount_in.contains(&field) {
                return Money::euros(amount);
            }
            let currency = self.wrong_currency.clone();
            Money {
                amount: moved,
                currency: currency.unwrap_or(Money::euros(0).currency),
            }
        };
        let held = self.hold_payment.map(HeldStatus::status);
        // Support decides about a held payment, not the provider.
        let confirmation = self.confirmation.filter(|_| held.is_none());
        Charge {
            moved,
            sum_initial: shown(SumField::SumInitial),
            sum_converted: shown(SumField::SumConverted),
            payment_sum: shown(SumField::PaymentSum),
            held,
            confirmation: confirmation.map(|one| one.first_status.status()),
        }
    }
}
