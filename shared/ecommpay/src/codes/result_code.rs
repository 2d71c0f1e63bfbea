//! Defines a result code with its reason and its advice. Confidential reasons are left out.
//!
//! Source ([list](crate::sources)): Codes.

use super::action::Action;
use super::table::CODES;

/// One code of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultCode {
    number: u32,
    message: &'static str,
    action: Action,
}

impl ResultCode {
    /// Returns the entry for a code; `None` if the list does not have the code. The code must be written in plain
    /// digits, without a sign and without leading zeros.
    pub fn find(code: &str) -> Option<Self> {
        let has_other_spelling = code.starts_with('+') || code.starts_with('0') && code.len() > 1;
        if has_other_spelling {
            return None;
        }
        let number: u32 = code.parse().ok()?;
        let index = CODES
            .binary_search_by_key(&number, |(number, ..)| *number)
            .ok()?;
        CODES.get(index).copied().map(Self::from_entry)
    }

    fn from_entry((number, message, action): (u32, &'static str, Action)) -> Self {
        Self {
            number,
            message,
            action,
        }
    }

    /// Returns whether the reason must not reach the customer. This is so if a risk system, a sanctions list or a fraud
    /// rule decided, because a fraudster could use such a reason.
    fn is_confidential(self) -> bool {
        matches!(
            self.number,
            402 | 1401..=1499 | 10401..=10405 | 10807 | 20203 | 20401..=20402
        )
    }

    /// Returns the platform's message, for the staff of the shop; `None` if the reason is confidential.
    pub fn reason(self) -> Option<&'static str> {
        (!self.is_confidential()).then_some(self.message)
    }

    /// Returns advice for the shop. The advice has no confidential content. A confidential code has the advice of
    /// `DoNotRetry`, so that the advice does not reveal the reason.
    pub fn advice(self) -> &'static str {
        let action = match self.is_confidential() {
            true => Action::DoNotRetry,
            false => self.action,
        };
        match action {
            Action::Nothing => "The payment was made.",
            Action::Wait => "There is no result yet. Wait for it; do not pay again.",
            Action::Retry => "The payment was not made. It can be tried again.",
            Action::RetryLater => "The payment was not made. It can be tried again later.",
            Action::FixRequest | Action::FixOrRetryLater => {
                "The payment was not made. Check the order and the customer's data before trying again."
            }
            Action::DoNotRetry => "The payment was not made. Another payment method may work.",
            Action::Support | Action::SeeDocumentation => {
                "The payment was not made. The shop must investigate before it is tried again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = ResultCode> {
        CODES.iter().copied().map(ResultCode::from_entry)
    }

    #[test]
    fn the_list_is_sorted_and_complete_and_each_code_is_found() {
        assert_eq!(all().count(), 378);
        let numbers: Vec<u32> = all().map(|code| code.number).collect();
        assert!(numbers.is_sorted_by(|left, right| left < right));
        for code in all() {
            assert_eq!(ResultCode::find(&code.number.to_string()), Some(code));
        }
    }

    #[test]
    fn a_code_is_found_only_in_plain_digits() {
        let found = ResultCode::find("20101").unwrap();
        assert_eq!(found.message, "Decline due to amount or frequency limit");
        assert_eq!(found.action, Action::FixOrRetryLater);
        assert_eq!(ResultCode::find("0").map(|code| code.number), Some(0));
        for code in [
            "",
            "x",
            "-1",
            "99999999999",
            "4",
            "+100",
            "0100",
            "00",
            " 100",
        ] {
            assert_eq!(ResultCode::find(code), None, "{code}");
        }
    }

    #[test]
    fn a_confidential_code_has_the_same_advice_as_other_codes_without_a_retry() {
        let advice = |is_confidential: bool| {
            let codes = all().filter(move |code| {
                code.action == Action::DoNotRetry && code.is_confidential() == is_confidential
            });
            codes.map(ResultCode::advice).collect::<BTreeSet<_>>()
        };
        assert_eq!(advice(false).len(), 1);
        assert_eq!(advice(true), advice(false));
        let mut confidential = all().filter(|code| code.is_confidential());
        assert!(confidential.all(|code| advice(false).contains(code.advice())));
    }

    #[test]
    fn a_code_is_confidential_if_its_message_names_a_risk_decision() {
        let words = [
            "RCS",
            "risk",
            "Suspicious",
            "Suspected",
            "Fraud",
            "Compromised",
            "sanction",
        ];
        for code in all() {
            let names_risk = words.iter().any(|word| code.message.contains(word));
            assert_eq!(code.is_confidential(), names_risk, "{code:?}");
            assert_eq!(code.reason().is_none(), names_risk);
            assert!(!code.advice().contains(code.message), "{code:?}");
        }
    }
}
