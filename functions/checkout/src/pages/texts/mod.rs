//! What the pages say. A text that a language lacks does not compile.

mod de;
mod en;
mod fr;
mod nl;

use crate::language::Language;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// Leads to the storefront.
    pub back_to_shop: &'static str,
    /// On the way to the bank.
    pub hand_off: Notice,
    /// Leads to the bank, where no script runs.
    pub hand_off_button: &'static str,
    /// The bank's address is not there yet.
    pub waiting: Notice,
    /// Looks at once whether it is there.
    pub waiting_link: &'static str,
    /// The platform waits for the shopper at the bank and has not said where that is.
    pub redirect_missing: &'static str,
    /// The platform asks for data, above the form.
    pub clarification: Notice,
    /// Sends the form.
    pub clarification_button: &'static str,
    /// Above a form in which something is wrong.
    pub clarification_problems: &'static str,
    /// The platform asks for data, and there is no form for it.
    pub data_missing: Notice,
    /// The result is not certain.
    pub being_checked: Notice,
    /// Not paid.
    pub declined: Notice,
    /// Never started.
    pub failed: Notice,
    /// The time to pay is over.
    pub expired: Notice,
    /// Nobody has this token.
    pub unknown_token: Notice,
    /// A failure of ours.
    pub unavailable: Notice,
    /// The names of what is asked for.
    pub labels: Labels,
    /// How to fill in what is asked for.
    pub hints: Hints,
    /// What is wrong with what was filled in.
    pub problems: Problems,
}

/// A heading and what it means.
#[derive(Debug)]
pub struct Notice {
    /// A few words.
    pub title: &'static str,
    /// One to three sentences.
    pub text: &'static str,
}

/// The names of what is asked for.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Labels {
    pub last_name: &'static str,
    pub first_name: &'static str,
    pub middle_name: &'static str,
    pub email: &'static str,
    pub phone: &'static str,
    pub address: &'static str,
    pub city: &'static str,
    pub state: &'static str,
    pub postal_code: &'static str,
    pub country: &'static str,
    pub day_of_birth: &'static str,
    /// Beside the parts of a billing address.
    pub billing: &'static str,
    /// Beside what may be left empty.
    pub optional: &'static str,
}

/// How to fill in what is asked for.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Hints {
    pub phone: &'static str,
    pub country: &'static str,
}

/// What is wrong with what was filled in; `{}` stands for a number.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Problems {
    pub missing: &'static str,
    pub too_short: &'static str,
    pub too_long: &'static str,
    pub forbidden_character: &'static str,
    pub email: &'static str,
    pub phone: &'static str,
    pub country: &'static str,
    pub day_of_birth: &'static str,
}

impl Language {
    /// What the pages say in this language.
    pub fn texts(self) -> &'static Texts {
        match self {
            Language::Nl => &nl::TEXTS,
            Language::Fr => &fr::TEXTS,
            Language::De => &de::TEXTS,
            Language::En => &en::TEXTS,
        }
    }
}
