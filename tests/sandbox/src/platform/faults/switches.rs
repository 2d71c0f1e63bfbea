//! Defines the switches of one payment and their effects on its sale, its charge and its refunds.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, NotFoundForm, RequestKind};
use super::charge::{ConfirmationProcedure, SumField, WrongAmount, read_held_status};
use crate::platform::gate::customer_rules::{CustomerField, CustomerRules};
use crate::platform::records::{
    Charge, ClarificationForm, FieldNames, Money, OperationType, Requirement, SalePlan, Status,
};

/// The switches of one payment, explained in `control/start_page.html`. The defaults simulate the documented behaviour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    // Callbacks
    pub duplicate: u8,
    pub delay_ms: u64,
    pub hold: bool,
    pub drop: bool,
    pub reorder: bool,
    pub tamper: bool,
    pub intermediate_once: bool,

    // Sales
    pub no_redirect: bool,
    pub redirect_method: RedirectMethod,
    pub sale_error: bool,
    pub sale_request_id: Option<String>,
    pub decline_after_redirect_s: Option<u64>,
    pub mandatory_fields: Vec<CustomerField>,
    pub mandatory_fields_missing: WhenMissing,
    pub ipv4_only: bool,
    pub no_diacritics: bool,
    pub clarification_form: ClarificationForm,

    // Money
    pub wrong_amount: Option<WrongAmount>,
    pub wrong_amount_in: Option<Vec<SumField>>,
    pub wrong_currency: Option<String>,
    #[serde(deserialize_with = "read_held_status")]
    pub hold_payment: Option<Status>,
    pub confirmation: Option<ConfirmationProcedure>,
    pub refund_external_s: Option<u64>,
    pub refund_clarification: FieldNames,

    // Answers to requests
    pub answer: Answer,
    pub answer_to: Option<Vec<RequestKind>>,
    pub slow_ms: Option<u64>,
    pub answer_times: Option<u32>,
    pub not_found_form: NotFoundForm,

    // Data API
    pub unlisted: Vec<OperationType>,
    pub listed_amount: Option<u64>,
    pub list_transaction_status: bool,
}

impl Faults {
    pub fn customer_rules(&self) -> CustomerRules {
        CustomerRules {
            mandatory: match self.mandatory_fields_missing {
                WhenMissing::Refuse => self.mandatory_fields.clone(),
                WhenMissing::Clarify => Vec::new(),
            },
            ipv4_only: self.ipv4_only,
            no_diacritics: self.no_diacritics,
        }
    }

    pub fn sale_plan(&self) -> SalePlan {
        SalePlan {
            redirect: !self.no_redirect,
            error: self.sale_error,
            requirement: self.sale_requirement(),
        }
    }

    fn sale_requirement(&self) -> Requirement {
        let fields = match self.mandatory_fields_missing {
            WhenMissing::Refuse => CustomerField::with_last_name(&[]),
            WhenMissing::Clarify => CustomerField::with_last_name(&self.mandatory_fields),
        };
        let names = fields.into_iter().map(|field| field.name().to_owned());
        Requirement {
            fields: FieldNames::from([("customer".to_owned(), names.collect())]),
            form: self.clarification_form,
        }
    }

    pub fn refund_requirement(&self) -> Requirement {
        Requirement {
            fields: self.refund_clarification.clone(),
            form: self.clarification_form,
        }
    }

    /// Returns the charge for an order of `amount`.
    pub fn charge(&self, amount: u64) -> Charge {
        let moved = self
            .wrong_amount
            .map_or(amount, |wrong| wrong.charged(amount));
        let shown_in = self.wrong_amount_in.as_deref();
        let shown_in = shown_in.unwrap_or(&[SumField::PaymentSum, SumField::SumConverted]);
        let shown = |field: SumField| {
            let mut sum = Money::euros(amount);
            if shown_in.contains(&field) {
                sum.amount = moved;
                if let Some(currency) = &self.wrong_currency {
                    sum.currency = currency.clone();
                }
            }
            sum
        };
        // The platform's support decides about a held payment, so the confirmation procedure does not apply.
        let confirmation = self.confirmation.filter(|_| self.hold_payment.is_none());
        Charge {
            moved,
            sum_initial: shown(SumField::SumInitial),
            sum_converted: shown(SumField::SumConverted),
            payment_sum: shown(SumField::PaymentSum),
            held: self.hold_payment,
            confirmation: confirmation.map(|procedure| procedure.first_status),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenMissing {
    /// The platform refuses the request.
    #[default]
    Refuse,
    /// The platform requests clarification.
    Clarify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectMethod {
    /// The browser opens a URL.
    #[default]
    Get,
    /// The browser posts a form.
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
    fn switches_are_read_and_unknown_switches_are_refused() {
        let faults = read(r#"{"wrong_amount":900,"answer":"error_500","redirect_method":"POST"}"#);
        let faults = faults.unwrap();
        assert_eq!(faults.charge(1000).moved, 900);
        assert_eq!(faults.answer, Answer::Error500);
        assert_eq!(read("{}").unwrap(), Faults::default());
        let error = read(r#"{"explode":true}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `explode`"), "{error}");
        assert!(read(r#"{"answer":"maybe"}"#).is_err());
        assert!(read(r#"{"hold_payment":"success"}"#).is_err());
    }

    #[test]
    fn written_switches_can_be_read_again() {
        let faults = r#"{"hold_payment":"external processing","confirmation":{}}"#;
        for faults in [Faults::default(), read(faults).unwrap()] {
            let text = serde_json::to_string(&faults).unwrap();
            assert_eq!(read(&text).unwrap(), faults);
        }
    }
}
