//! Sends the data that the platform requests for a sale or a refund.

mod field;

use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use ecommpay::gate::{self, Request};
use ecommpay::{Keyring, ProjectKey};

pub use self::field::{FieldKind, check, sendable};
use super::commit::Payments;
use super::error::ApplyError;
use super::signed_call;
use crate::decide::{self, Change, Command, Fact};
use crate::log::Line;
use crate::model::{Payment, Waiting};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore, Stored};

/// The platform's names of fields, for example `customer.last_name`, with their values.
pub type Answers = [(String, Text)];

/// The maximum number of times that data is sent for the same fields of a checkout or a refund. The platform can lock
/// a project that sends too many requests (`shared/decisions/functions/0042-clarification-tries.md`).
pub const MAX_TRIES: u32 = 20;

/// After this number of tries, only the storefront can send data. The tries of both count.
pub const MAX_SHOPPER_TRIES: u32 = 10;

/// Why the data did not reach the platform, or was not accepted.
#[derive(Debug)]
pub enum ClarificationError {
    /// The platform has not requested this data.
    NotRequested,
    /// No request to the platform can contain the requested data.
    NotSendable,
    /// The data was sent too often for the same fields.
    TooManyTries,
    /// The platform refused the data with this code.
    Refused(String),
    /// The platform gave no clear answer. The caller can send the data again.
    NoAnswer,
    /// This service failed. The caller can send the data again.
    Unavailable(ApplyError),
}

impl From<ApplyError> for ClarificationError {
    fn from(error: ApplyError) -> Self {
        ClarificationError::Unavailable(error)
    }
}

/// Sends the data that the platform requests for a payment or its refund, at most `max_tries` times for the same
/// fields. Does not store the data. A repeat does no harm, because the platform uses only the fields that it lacks.
pub async fn clarify<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate>(
    payments: &Payments<S, Q, C>,
    gate: &G,
    keyring: &Keyring,
    payment: &Payment,
    requested: Option<&Waiting>,
    answers: &Answers,
    max_tries: u32,
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
    let sign = |key: &ProjectKey| signed_request(payment, answers, key);
    sign(keyring.current()).ok_or(ClarificationError::NotSendable)?;
    let (stored, change) = count_try(payments, payment, &requested.digest(), max_tries).await?;
    let (project_id, path) = (payment.project_id(), gate::Clarification::PATH);
    let answer = signed_call::post(gate, project_id, keyring, path, sign).await;
    match answer.unwrap_or(Answer::Unclear) {
        Answer::Accepted { .. } => {
            let digest = requested.digest();
            let fact = Fact::ClarificationAccepted { digest: &digest };
            let applied = payments.apply_to_claim(stored, change.events, fact).await?;
            Ok(applied.into_payment())
        }
        Answer::Refused(refusal) => Err(ClarificationError::Refused(refusal.code)),
        Answer::Unclear => Err(ClarificationError::NoAnswer),
    }
}

/// Counts a try before the data is sent. Returns an error if the platform's request is no longer open.
async fn count_try<S: PaymentStore, Q, C: Clock>(
    payments: &Payments<S, Q, C>,
    payment: &Payment,
    digest: &str,
    max_tries: u32,
) -> Result<(Stored, Change), ClarificationError> {
    let (key, mut tries) = (payment.key(), 0);
    let counted = payments.update(&key, |stored, at| {
        let sent = stored.and_then(|payment| payment.clarification_tries(digest));
        let sent = sent.ok_or(ClarificationError::NotRequested)?;
        if sent >= max_tries {
            return Err(ClarificationError::TooManyTries);
        }
        tries = sent + 1;
        let counted = decide::execute(stored, Command::CountClarificationTry(digest), at);
        Ok(counted.unwrap_or_default())
    });
    let Some((stored, Some(change))) = counted.await? else {
        return Err(ClarificationError::NotRequested);
    };
    if tries == max_tries {
        Line::warn("the data that the platform requests is sent for the last time")
            .with("payment", key.to_string())
            .with("tries", u64::from(tries))
            .write();
    }
    Ok((stored, change))
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
