//! Defines the types of operations, and the outcome of each status.
//!
//! Callbacks, status answers and the Data API use the same types and statuses. Therefore the readers of all three use
//! this module.
//!
//! Sources ([list](crate::sources)): Gate, refunds; Confirmation; Payment links; Reversed refunds; Callbacks;
//! Results; the platform's plug-ins.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OperationType {
    /// Charges the shopper.
    Sale,
    /// Gives money back to the shopper after the business day has closed.
    Refund,
    /// Gives money back to the shopper before the business day closes.
    Reversal,
    /// Undoes a refund: the merchant has the money again.
    RefundReversal,
    /// Reports whether the money of a sale was credited, and moves no money.
    Confirmation,
    /// The platform's support settles a payment manually.
    ManualChange,
    /// A payment link created in the Dashboard. Moves no money.
    Invoice,
    /// Any other type. Contains the platform's name of the type.
    Other(String),
}

/// The types of [`OperationType::Other`] that are known to move no money.
const MOVE_NO_MONEY: [&str; 7] = [
    "account verification",
    "contract registration",
    "create_cash_voucher",
    "customer action",
    "recurring cancel",
    "recurring registration",
    "recurring update",
];

impl OperationType {
    /// Returns the platform's name of the type.
    pub fn as_str(&self) -> &str {
        match self {
            OperationType::Sale => "sale",
            OperationType::Refund => "refund",
            OperationType::Reversal => "reversal",
            OperationType::RefundReversal => "refund reverse",
            OperationType::Confirmation => "payment confirmation",
            OperationType::ManualChange => "manual change",
            OperationType::Invoice => "invoice",
            OperationType::Other(word) => word,
        }
    }

    /// Returns the outcome of an operation of this type with this `operation.status`.
    ///
    /// `invoice sent` is a success only for the type `invoice`, which moves no money. For every other type, this status
    /// is pending, so that the operation never counts as a payment.
    pub fn outcome(&self, status: &str) -> Outcome {
        match status {
            "invoice sent" if *self != OperationType::Invoice => Outcome::Pending,
            status => Outcome::of_status(status),
        }
    }

    /// Returns whether the operation gives money back to the shopper: a refund or a reversal.
    pub fn gives_back(&self) -> bool {
        matches!(self, OperationType::Refund | OperationType::Reversal)
    }

    /// Returns whether the operation can belong to a refund of the merchant: a refund, a reversal, or the reversal of a
    /// refund.
    pub fn is_about_refund(&self) -> bool {
        self.gives_back() || *self == OperationType::RefundReversal
    }

    /// Returns whether an operation of this type is known to move no money, whatever its outcome.
    pub fn moves_no_money(&self) -> bool {
        match self {
            OperationType::Confirmation | OperationType::Invoice => true,
            OperationType::Other(word) => MOVE_NO_MONEY.contains(&word.as_str()),
            _ => false,
        }
    }

    /// Returns whether this is an undocumented type: `manual change`, and every [`OperationType::Other`] that can move
    /// money.
    pub fn is_undocumented(&self) -> bool {
        match self {
            OperationType::ManualChange => true,
            OperationType::Other(_) => !self.moves_no_money(),
            _ => false,
        }
    }
}

impl From<&str> for OperationType {
    fn from(word: &str) -> Self {
        match word {
            "sale" => OperationType::Sale,
            "refund" => OperationType::Refund,
            "reversal" => OperationType::Reversal,
            "refund reverse" => OperationType::RefundReversal,
            "payment confirmation" => OperationType::Confirmation,
            "manual change" => OperationType::ManualChange,
            "invoice" => OperationType::Invoice,
            other => OperationType::Other(other.to_owned()),
        }
    }
}

impl From<String> for OperationType {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<OperationType> for String {
    fn from(kind: OperationType) -> Self {
        match kind {
            OperationType::Other(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for OperationType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not final. Undocumented statuses are also pending.
    Pending,
    /// Final: declined, failed, expired or canceled.
    Declined,
    /// Final: successful.
    Succeeded,
}

impl Outcome {
    /// Returns the outcome for an `operation.status`.
    ///
    /// The error statuses, `expired` and the statuses of a cancellation count as declined, as in the platform's
    /// plug-ins.
    pub fn of_status(status: &str) -> Self {
        match status {
            "success" | "invoice sent" => Outcome::Succeeded,
            "decline" | "error" | "expired" | "internal error" | "external error" | "canceled"
            | "cancelled" | "invoice canceled" | "invoice cancelled" => Outcome::Declined,
            _ => Outcome::Pending,
        }
    }

    /// Returns whether the outcome can no longer change.
    pub fn is_final(self) -> bool {
        self != Outcome::Pending
    }
}

/// Returns whether `payment.status` reports a refund or a reversal, in whole or in part.
pub fn is_refunded_status(status: &str) -> bool {
    matches!(
        status,
        "partially refunded" | "refunded" | "partially reversed" | "reversed"
    )
}

/// Returns whether `payment.status` reports that the payment was paid, even if the money was refunded later.
pub fn is_paid_status(status: &str) -> bool {
    status == "success" || is_refunded_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_an_operation_type_is_preserved() {
        for word in [
            "sale",
            "refund",
            "reversal",
            "refund reverse",
            "payment confirmation",
            "manual change",
            "invoice",
            "customer action",
            "payout",
            "",
        ] {
            assert_eq!(String::from(OperationType::from(word)), word);
            assert_eq!(OperationType::from(word).as_str(), word);
        }
    }

    #[test]
    fn an_operation_type_may_move_money_unless_it_is_known_to_move_no_money() {
        for (word, moves_no_money, is_undocumented) in [
            ("sale", false, false),
            ("refund", false, false),
            ("refund reverse", false, false),
            ("payment confirmation", true, false),
            ("invoice", true, false),
            ("customer action", true, false),
            ("account verification", true, false),
            ("manual change", false, true),
            ("payout", false, true),
            ("capture settlement", false, true),
        ] {
            let kind = OperationType::from(word);
            assert_eq!(kind.moves_no_money(), moves_no_money, "{word}");
            assert_eq!(kind.is_undocumented(), is_undocumented, "{word}");
        }
    }

    #[test]
    fn each_status_has_its_outcome() {
        for (status, outcome) in [
            ("success", Outcome::Succeeded),
            ("decline", Outcome::Declined),
            ("error", Outcome::Declined),
            ("expired", Outcome::Declined),
            ("external error", Outcome::Declined),
            ("internal error", Outcome::Declined),
            ("canceled", Outcome::Declined),
            ("cancelled", Outcome::Declined),
            ("invoice sent", Outcome::Succeeded),
            ("invoice canceled", Outcome::Declined),
            ("processing", Outcome::Pending),
            ("external processing", Outcome::Pending),
            ("awaiting confirmation", Outcome::Pending),
            ("awaiting finalization", Outcome::Pending),
            ("", Outcome::Pending),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }

    #[test]
    fn invoice_sent_is_a_success_of_a_payment_link_only() {
        let outcome = |kind: OperationType| kind.outcome("invoice sent");
        assert_eq!(outcome(OperationType::Invoice), Outcome::Succeeded);
        assert_eq!(outcome(OperationType::Sale), Outcome::Pending);
    }
}
