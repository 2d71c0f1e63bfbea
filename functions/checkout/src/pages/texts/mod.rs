//! Defines the texts of the pages. If a language lacks a text, the code does not compile.

mod de;
mod en;
mod fr;
mod nl;

use crate::language::Language;

/// All texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// The link to the shop.
    pub back_to_shop: &'static str,
    /// The browser is being redirected to the bank.
    pub hand_off: Notice,
    /// The button to the bank, for browsers without scripts.
    pub hand_off_button: &'static str,
    /// The redirect URL is not known yet.
    pub waiting: Notice,
    /// The result of the payment is not known yet.
    pub waiting_for_result: Notice,
    /// The link that loads the page again.
    pub waiting_link: &'static str,
    /// The redirect URL is late or lost.
    pub redirect_missing: &'static str,
    /// The platform requests data. The notice is above the form.
    pub clarification: Notice,
    /// The button of the form.
    pub clarification_button: &'static str,
    /// The alert above a form with problems.
    pub clarification_problems: &'static str,
    /// The alert above a form whose data was not sent to the platform.
    pub clarification_not_sent: &'static str,
    /// The alert above a form to which the platform gave no clear answer.
    pub clarification_no_answer: &'static str,
    /// The platform refused the data from the form.
    pub data_missing: Notice,
    /// The result of the payment is not certain.
    pub being_checked: Notice,
    /// The payment was declined.
    pub declined: Notice,
    /// The payment was not started.
    pub failed: Notice,
    /// The checkout has expired.
    pub expired: Notice,
    /// The token is unknown.
    pub unknown_token: Notice,
    /// This service failed.
    pub unavailable: Notice,
    /// The names of the fields.
    pub labels: Labels,
    /// How to fill in the fields.
    pub hints: Hints,
    /// Why a value is not accepted.
    pub problems: Problems,
}

/// A heading and its explanation.
#[derive(Debug)]
pub struct Notice {
    /// The heading: a few words.
    pub title: &'static str,
    /// The explanation: one to four sentences.
    pub text: &'static str,
}

/// The names of the fields.
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
    /// Added to the fields of a billing address.
    pub billing: &'static str,
    /// Added to fields that may be empty.
    pub optional: &'static str,
}

/// How to fill in the fields.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Hints {
    pub phone: &'static str,
    pub country: &'static str,
}

/// Why a value is not accepted; `{}` stands for a number.
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
    /// Returns the texts in this language.
    pub fn texts(self) -> &'static Texts {
        match self {
            Language::Nl => &nl::TEXTS,
            Language::Fr => &fr::TEXTS,
            Language::De => &de::TEXTS,
            Language::En => &en::TEXTS,
        }
    }
}
