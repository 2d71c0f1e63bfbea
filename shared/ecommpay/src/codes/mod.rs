//! The platform's result codes (`operation.code`, error `code`): what they say, what to do, and
//! what may be told to whom.
//!
//! One list of 378 codes serves all methods: 0 is success; 100 to 999 concern the platform, 2xxx
//! and 3xxx the request and the rules, 9999, 19999 and 29999 say "wait", 10xxx belong to cards and
//! 20xxx to alternative methods such as Bancontact, 30xxx are the merchant's own.

mod table;

/// What a code asks for.
///
/// Source: Codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing: it worked.
    Nothing,
    /// Wait: there is no result yet.
    Wait,
    /// The customer may try again at once.
    Retry,
    /// The same may work later.
    RetryLater,
    /// Something in the request must be changed.
    FixRequest,
    /// Either of the two.
    FixOrRetryLater,
    /// Not again with the same instrument.
    DoNotRetry,
    /// Only the platform's support can help.
    Support,
    /// The platform's documentation has a page of its own for it.
    SeeDocumentation,
}

/// One code of the list.
///
/// Source: Codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultCode {
    /// The number.
    pub number: u32,
    /// The platform's words. For the shop at most, and only if the code is not confidential.
    pub message: &'static str,
    /// What it asks for.
    pub action: Action,
}

impl ResultCode {
    /// The entry of a code as messages spell it, in plain digits; `None` for a code that the list
    /// does not have.
    pub fn find(code: &str) -> Option<Self> {
        let has_other_spelling = code.starts_with('+') || code.starts_with('0') && code.len() > 1;
        if has_other_spelling {
            return None;
        }
        let number: u32 = code.parse().ok()?;
        let index = table::CODES
            .binary_search_by_key(&number, |(number, ..)| *number)
            .ok()?;
        let (number, message, action) = *table::CODES.get(index)?;
        Some(Self {
            number,
            message,
            action,
        })
    }

    /// Every code of the list, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        table::CODES.iter().map(|(number, message, action)| Self {
            number: *number,
            message,
            action: *action,
        })
    }

    /// Whether the reason must not reach the customer: the decision of a risk system, a sanctions
    /// list or a fraud rule. Who learns it learns how to get around it.
    pub fn is_confidential(self) -> bool {
        matches!(
            self.number,
            402 | 1401..=1499 | 10401..=10405 | 10807 | 20203 | 20401..=20402
        )
    }

    /// The reason as the shop may show it to its staff; `None` if it is confidential.
    pub fn reason(self) -> Option<&'static str> {
        (!self.is_confidential()).then_some(self.message)
    }

    /// What the shop can do about it, in words that may be shown to anybody: those for a confidential
    /// code are those for any other that must not be tried again.
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
                "The payment was not made. The shop has to look into it before it is tried again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_whole_and_in_order() {
        assert_eq!(ResultCode::all().count(), 378);
        let numbers: Vec<u32> = ResultCode::all().map(|code| code.number).collect();
        assert!(numbers.is_sorted_by(|left, right| left < right));
        for code in ResultCode::all() {
            assert_eq!(ResultCode::find(&code.number.to_string()), Some(code));
        }
    }

    #[test]
    fn codes_are_found_as_messages_spell_them() {
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
    fn the_advice_for_a_confidential_code_does_not_give_it_away() {
        let told = |confidential: bool| {
            let codes = ResultCode::all().filter(move |code| {
                code.action == Action::DoNotRetry && code.is_confidential() == confidential
            });
            codes.map(ResultCode::advice).collect::<BTreeSet<_>>()
        };
        assert_eq!(told(false).len(), 1);
        assert_eq!(told(true), told(false));
        let confidential = ResultCode::all().filter(|code| code.is_confidential());
        assert!(
            confidential
                .map(ResultCode::advice)
                .all(|advice| told(false).contains(advice))
        );
    }

    #[test]
    fn what_a_risk_system_decided_is_told_to_nobody() {
        let suspicious = [
            "RCS",
            "risk",
            "Suspicious",
            "Suspected",
            "Fraud",
            "Compromised",
            "sanction",
        ];
        for code in ResultCode::all() {
            let speaks_of_risk = suspicious.iter().any(|word| code.message.contains(word));
            assert_eq!(code.is_confidential(), speaks_of_risk, "{code:?}");
            assert_eq!(code.reason().is_none(), speaks_of_risk);
            assert!(!code.advice().contains(code.message), "{code:?}");
        }
    }
}
