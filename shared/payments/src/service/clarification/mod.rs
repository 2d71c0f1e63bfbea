//! Sends the data that the platform requests for a sale or a refund.

mod field;

use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use ecommpay::gate::{self, Request};
use ecommpay::{Keyring, ProjectKey};

pub use self::field::{FieldKind, check};
use super::apply::Applied;
use super::commit::Payments;
use super::error::ApplyError;
use super::signed_call;
use crate::decide::Fact;
use crate::model::{Payment, Waiting};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};

/// The platform's names of fields, for example `customer.last_name`, with their values.
pub type Answers = [(String, Text)];

/// Why the data did not reach the platform, or was not accepted.
#[derive(Debug)]
pub enum ClarificationError {
    /// The platform has not requested this data, or the data cannot be signed.
    NotRequested,
    /// The platform refused the data with this code.
    Refused(String),
    /// The platform gave no clear answer. The data may be sent again.
    NoAnswer,
    /// A failure of ours. The data may be sent again.
    Unavailable(ApplyError),
}

impl From<ApplyError> for ClarificationError {
    fn from(error: ApplyError) -> Self {
        ClarificationError::Unavailable(error)
    }
}

/// Sends the data that the platform requests for a payment or for a refund of the payment. The request to Gate names
/// only the payment. A repeat is safe, because the platform uses only the fields that it still lacks. This service does
/// not store the data.
pub async fn clarify<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate>(
    payments: &Payments<S, Q, C>,
    gate: &G,
    keyring: &Keyring,
    payment: &Payment,
    requested: Option<&Waiting>,
    answers: &Answers,
) -> Result<Payment, ClarificationError> {
    let requested = requested.ok_or(ClarificationError::NotRequested)?;
    let is_requested = |name: &String| {
        let mut fields = requested.clarification_fields().iter();
        fields.any(|field| field.name == *name)
    };
    if !answers.iter().all(|(name, _)| is_requested(name)) {
        return Err(ClarificationError::NotRequested);
    }
    if payment.needs_newer_release() {
        return Err(ApplyError::NeedsNewerRelease.into());
    }
    let (project_id, path) = (payment.project_id(), gate::Clarification::PATH);
    let sign = |key: &ProjectKey| signed_request(payment, answers, key);
    let answer = signed_call::post(gate, project_id, keyring, path, sign).await;
    match answer.ok_or(ClarificationError::NotRequested)? {
        Answer::Accepted { .. } => {
            let digest = requested.digest();
            let fact = Fact::ClarificationAccepted { digest: &digest };
            let applied = payments.apply(&payment.key(), fact).await?;
            Ok(applied.map_or_else(|| payment.clone(), Applied::into_payment))
        }
        Answer::Refused(refusal) => Err(ClarificationError::Refused(refusal.code)),
        Answer::Unclear => Err(ClarificationError::NoAnswer),
    }
}

fn signed_request(payment: &Payment, answers: &Answers, key: &ProjectKey) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment.payment_id()).ok()?;
    let general = gate::General::new(payment.project_id(), payment_id);
    let answers = answers
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()));
    let request = gate::Clarification::new(general, answers).ok()?;
    request.sign(key).ok()
}
