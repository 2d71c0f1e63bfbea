//! The switches that make the platform misbehave, or use a procedure that only some projects have, for all new
//! payments or for one.

mod answer;
mod board;
mod charge;

use serde::{Deserialize, Serialize};

pub use answer::{Answer, Kind, ListedKind, NotFoundForm};
pub use board::FaultBoard;
pub use charge::{ConfirmationProcedure, CreditingResult, HeldStatus, SumField, WrongAmount};

use super::clarification::{Fields, Form, Requirement};
use super::request::SaleRules;

/// The behaviour of the platform for one payment. The defaults are the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// How many further copies of every callback are sent.
    pub duplicate: u8,
    /// A pause before every callback, in real milliseconds.
    pub delay_ms: u64,
    /// Callbacks wait until this is switched off.
    pub hold: bool,
    /// Callbacks get lost on the way (and are repeated as if the merchant had not answered).
    pub drop: bool,
    /// Every other callback waits for the one after it, at most three seconds.
    pub reorder: bool,
    /// Callbacks are changed after they were signed.
    pub tamper: bool,
    /// Intermediate callbacks are sent once and not repeated.
    pub intermediate_once: bool,
    /// The bank takes another amount than was ordered.
    pub wrong_amount: WrongAmount,
    /// The fields of messages that show what the bank took; the others show the order.
    pub wrong_amount_in: Vec<SumField>,
    /// The currency in those fields.
    pub wrong_currency: Option<String>,
    /// The paid payment stays in this status until support settles it.
    pub hold_payment: Option<HeldStatus>,
    /// The crediting of the money is confirmed later.
    pub confirmation: Option<ConfirmationProcedure>,
    /// The sale stays in `processing`; no callback brings an address for the browser.
    pub no_redirect: bool,
    /// How the browser is sent to the bank.
    pub redirect_method: RedirectMethod,
    /// An unpaid payment is declined this many seconds of the platform's clock after the redirect.
    pub decline_after_redirect_s: Option<u64>,
    /// The sale is accepted and then ends in `error`.
    pub sale_error: bool,
    /// Fields of the customer that a sale must have.
    pub mandatory_fields: Vec<CustomerField>,
    /// What happens to a sale without them.
    pub mandatory_fields_missing: WhenMissing,
    /// Sales with an IPv6 address of the customer are refused.
    pub ipv4_only: bool,
    /// Sales with diacritics in a name of the customer are refused.
    pub no_diacritics: bool,
    /// The form of `clarification_fields`.
    pub clarification_form: Form,
    /// Refunds first enter `external processing`, as does the payment, for this many seconds of the platform's clock.
    pub refund_external_s: Option<u64>,
    /// The data that refunds ask for, such as `{"account": ["number"]}`.
    pub refund_clarification: Fields,
    /// How the requests of [`Faults::answer_to`] are answered.
    pub answer: Answer,
    /// The requests that `answer` applies to.
    pub answer_to: Vec<Kind>,
    /// The duration of a `slow` answer, in real milliseconds.
    pub slow_ms: u64,
    /// After this many answers, `answer` is `ok` again; without it, never.
    pub answer_times: Option<u32>,
    /// The form of a status answer about an unknown payment.
    pub not_found_form: NotFoundForm,
    /// Operations that the Data API does not list.
    pub unlisted: Vec<ListedKind>,
    /// The amount that the Data API lists instead of the true one, in minor units.
    pub listed_amount: Option<u64>,
    /// The Data API lists the status of the payment too, as `transaction_status`.
    pub list_transaction_status: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            duplicate: 0,
            delay_ms: 0,
            hold: false,
            drop: false,
            reorder: false,
            tamper: false,
            intermediate_once: false,
            wrong_amount: WrongAmount::Switch(false),
            wrong_amount_in: vec![SumField::PaymentSum, SumField::SumConverted],
            wrong_currency: None,
            hold_payment: None,
            confirmation: None,
            no_redirect: false,
            redirect_method: RedirectMethod::Get,
            decline_after_redirect_s: None,
            sale_error: false,
            mandatory_fields: Vec::new(),
            mandatory_fields_missing: WhenMissing::Refuse,
            ipv4_only: false,
            no_diacritics: false,
            clarification_form: Form::List,
            refund_external_s: None,
            refund_clarification: Fields::new(),
            answer: Answer::Ok,
            answer_to: vec![Kind::Sale, Kind::Refund],
            slow_ms: 10_000,
            answer_times: None,
            not_found_form: NotFoundForm::Payment,
            unlisted: Vec::new(),
            listed_amount: None,
            list_transaction_status: false,
        }
    }
}

impl Faults {
    /// What sale requests must fulfil.
    pub fn sale_rules(&self) -> SaleRules {
        let refuses = self.mandatory_fields_missing == WhenMissing::Refuse;
        SaleRules {
            mandatory: match refuses {
                true => self.mandatory_fields.clone(),
                false => Vec::new(),
            },
            ipv4_only: self.ipv4_only,
            no_diacritics: self.no_diacritics,
        }
    }

    /// The data that a sale asks for: the last name always.
    pub fn sale_requirement(&self) -> Requirement {
        let mut fields = vec![CustomerField::LastName];
        if self.mandatory_fields_missing == WhenMissing::Clarify {
            fields.extend(&self.mandatory_fields);
        }
        fields.sort_unstable();
        fields.dedup();
        let names = fields.into_iter().map(|field| field.name().to_owned());
        Requirement {
            fields: Fields::from([("customer".to_owned(), names.collect())]),
            form: self.clarification_form,
        }
    }

    /// The data that a refund asks for.
    pub fn refund_requirement(&self) -> Requirement {
        Requirement {
            fields: self.refund_clarification.clone(),
            form: self.clarification_form,
        }
    }
}

/// A field of the customer that can be mandatory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerField {
    /// `customer.first_name`
    FirstName,
    /// `customer.last_name`
    LastName,
    /// `customer.email`
    Email,
}

impl CustomerField {
    /// Its name in the customer object.
    pub fn name(self) -> &'static str {
        match self {
            CustomerField::FirstName => "first_name",
            CustomerField::LastName => "last_name",
            CustomerField::Email => "email",
        }
    }

    /// Its path in a request.
    pub fn path(self) -> &'static str {
        match self {
            CustomerField::FirstName => "customer.first_name",
            CustomerField::LastName => "customer.last_name",
            CustomerField::Email => "customer.email",
        }
    }
}

/// What happens to a sale that lacks a mandatory field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// The request is refused.
    Refuse,
    /// The platform asks for it.
    Clarify,
}

/// How the browser is sent to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// It follows an address.
    Get,
    /// It posts a form.
    Post,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Faults, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn switches_are_read_and_unknown_ones_refused() {
        let faults = read(r#"{"wrong_amount":900,"answer":"error_500","redirect_method":"POST"}"#);
        let faults = faults.unwrap();
        assert_eq!(faults.wrong_amount.paid(1000), 900);
        assert_eq!(faults.answer, Answer::Error500);
        assert_eq!(read("{}").unwrap(), Faults::default());
        let error = read(r#"{"explode":true}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `explode`"), "{error}");
        assert!(read(r#"{"answer":"maybe"}"#).is_err());
    }

    #[test]
    fn an_answer_can_be_wrong_a_few_times_only() {
        let mut board = FaultBoard::default();
        let faults = read(r#"{"answer":"lost","answer_times":1}"#).unwrap();
        board.set("Order-1", faults);
        let mut next = |id, kind| board.next_answer(id, kind).0;
        assert_eq!(next("order-1", Kind::Status), Answer::Ok);
        assert_eq!(next("order-1", Kind::Sale), Answer::Lost);
        assert_eq!(next("ORDER-1", Kind::Sale), Answer::Ok);
        assert_eq!(next("order-2", Kind::Sale), Answer::Ok);
    }

    #[test]
    fn answers_of_one_kind_can_be_wrong() {
        let mut board = FaultBoard::default();
        let faults = read(r#"{"answer":"error_400","answer_to":["clarification"]}"#).unwrap();
        board.set("order-1", faults);
        let mut next = |kind| board.next_answer("order-1", kind).0;
        assert_eq!(next(Kind::Sale), Answer::Ok);
        assert_eq!(next(Kind::Clarification), Answer::Error400);
    }

    #[test]
    fn the_defaults_are_those_of_the_first_request() {
        let mut board = FaultBoard::default();
        board.defaults.drop = true;
        board.next_answer("order-1", Kind::Sale);
        board.defaults.drop = false;
        assert!(board.of("order-1").drop);
        assert!(!board.of("order-2").drop);
    }
}
