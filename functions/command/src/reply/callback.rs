//! Defines the result of `verify_callback` and `apply_callback`.

use ecommpay::report;
use payments::model::Status;
use payments::service::callback::{Explanation, Handled, Outcome};
use serde::Serialize;

use super::event_types::event_types;
use super::not_done::NotDone;

/// The result of `apply_callback`, or the result that `verify_callback` predicts.
#[derive(Debug, Serialize)]
pub struct CallbackDone {
    /// The same word as in the log of the callback function.
    pub outcome: &'static str,
    /// The key of the project that signed the callback: `current` or `previous`. `None` if the callback is refused.
    key: Option<&'static str>,
    project_id: Option<u64>,
    payment_id: Option<String>,
    /// True if the callback is only a hint: its body can be read in two ways, or its report is too large.
    hint: bool,
    /// The platform's status of the payment.
    platform_status: Option<String>,
    operations: Vec<Operation>,
    /// The status of the payment after the callback; `None` if there is no payment.
    status: Option<Status>,
    /// The types of the published events, or of the events that `verify_callback` predicts.
    events: Vec<&'static str>,
    /// Why the verification of the callback fails; `None` if the callback is valid.
    pub why: Option<Explanation>,
}

/// An operation, with its type and status in the platform's spelling.
#[derive(Debug, Serialize)]
struct Operation {
    operation_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    amount: Option<u64>,
    currency: Option<String>,
}

impl CallbackDone {
    /// Returns an error if this service failed.
    pub fn new(handled: Handled, why: Option<Explanation>) -> Result<Self, NotDone> {
        let outcome = handled.outcome.as_str();
        if matches!(
            handled.outcome,
            Outcome::NoKeys | Outcome::NotCommitted | Outcome::NotPublished
        ) {
            let error = handled.error.unwrap_or_default();
            return Err(NotDone::failed(outcome, error));
        }
        let done = Self {
            outcome,
            key: None,
            project_id: None,
            payment_id: None,
            hint: false,
            platform_status: None,
            operations: Vec::new(),
            status: handled.status,
            events: event_types(&handled.published),
            why,
        };
        Ok(match handled.verified {
            None => done,
            Some(verified) => Self {
                key: Some(verified.slot.as_str()),
                project_id: verified.report.project_id,
                payment_id: verified.report.payment_id,
                hint: verified.hint,
                platform_status: verified.report.payment_status,
                operations: verified
                    .report
                    .operations
                    .into_iter()
                    .map(Operation::from)
                    .collect(),
                ..done
            },
        })
    }
}

impl From<report::Operation> for Operation {
    fn from(operation: report::Operation) -> Self {
        let sum = operation.sum_initial;
        Self {
            operation_id: operation.id,
            kind: operation.kind.into(),
            status: operation.status,
            amount: sum.as_ref().map(|sum| sum.amount),
            currency: sum.map(|sum| sum.currency),
        }
    }
}
