//! What an operation does and how it ends: the platform's words as types. Callbacks, status answers
//! and the Data API use the same words, so there is one mapping.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an operation does.
///
/// Source: Callbacks; Results; Confirmation; Payment links; the platform's plug-ins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum OperationType {
    /// Takes money from the shopper.
    Sale,
    /// Gives money back after the business day has closed.
    Refund,
    /// Gives money back before the business day closes.
    Reversal,
    /// Takes a refund back: the money is the merchant's again.
    RefundReversal,
    /// Says whether the money of a sale was credited. Moves none itself.
    Confirmation,
    /// The platform's support settles a payment by hand.
    ManualChange,
    /// A payment link made in the Dashboard. Moves no money.
    Invoice,
    /// Any other, in the platform's word.
    Other(String),
}

/// Other types that are known to move no money.
///
/// Source: Callbacks; the platform's plug-ins.
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
    /// The platform's word.
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

    /// Where an operation of this type stands, by its `operation.status`. `invoice sent` ends only the
    /// operation of a payment link.
    pub fn outcome(&self, status: &str) -> Outcome {
        match status {
            "invoice sent" if *self != OperationType::Invoice => Outcome::Pending,
            status => Outcome::of_status(status),
        }
    }

    /// Whether it gives money back: a refund, or a reversal before the business day closes.
    ///
    /// Source: Gate, refunds.
    pub fn gives_back(&self) -> bool {
        matches!(self, OperationType::Refund | OperationType::Reversal)
    }

    /// Whether it can belong to one of the merchant's refunds: it gives money back, or takes that back.
    ///
    /// Source: Gate, refunds; Refunds taken back.
    pub fn is_about_refund(&self) -> bool {
        self.gives_back() || *self == OperationType::RefundReversal
    }

    /// Whether it is known to move no money, whatever becomes of it.
    pub fn moves_no_money(&self) -> bool {
        match self {
            OperationType::Confirmation | OperationType::Invoice => true,
            OperationType::Other(word) => MOVE_NO_MONEY.contains(&word.as_str()),
            _ => false,
        }
    }

    /// Whether it may have moved money in a way that is not documented for Bancontact.
    pub fn is_unknown(&self) -> bool {
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

/// Where an operation stands.
///
/// Source: Results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not final; unknown statuses included.
    Pending,
    /// Final: refused, failed or canceled.
    Declined,
    /// Final: done.
    Succeeded,
}

impl Outcome {
    /// What `operation.status` says.
    ///
    /// The error statuses, `expired` and the canceled ones are final: the platform's plug-ins take
    /// them as declined. `invoice sent` is the final status of a payment link's own operation.
    ///
    /// Source: Results; Payment links; the platform's plug-ins.
    pub fn of_status(status: &str) -> Self {
        match status {
            "success" | "invoice sent" => Outcome::Succeeded,
            "decline" | "error" | "expired" | "internal error" | "external error" | "canceled"
            | "cancelled" | "invoice canceled" | "invoice cancelled" => Outcome::Declined,
            _ => Outcome::Pending,
        }
    }

    /// Whether nothing more is to come of the operation.
    pub fn is_final(self) -> bool {
        self != Outcome::Pending
    }
}

/// Whether `payment.status` says that money went back, in whole or in part.
///
/// Source: Results.
pub fn says_money_went_back(status: &str) -> bool {
    matches!(
        status,
        "partially refunded" | "refunded" | "partially reversed" | "reversed"
    )
}

/// Whether `payment.status` says that the money of the payment came, whatever went back since.
///
/// Source: Results.
pub fn says_money_came(status: &str) -> bool {
    status == "success" || says_money_went_back(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_kept() {
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
    fn an_operation_moves_money_unless_its_type_is_known_not_to() {
        for (word, moves_no_money, is_unknown) in [
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
            assert_eq!(kind.is_unknown(), is_unknown, "{word}");
        }
    }

    #[test]
    fn each_documented_status_has_one_outcome() {
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
}
