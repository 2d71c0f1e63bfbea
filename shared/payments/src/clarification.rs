//! What the platform asks for, of the shopper or for a refund: sending the answers.

mod field;
mod input;

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use ecommpay::gate::{self, Request};

use crate::apply::{Applied, ApplyError, Payments};
use crate::decide::Fact;
use crate::model::{Payment, Waiting};
use crate::ports::{Clock, EventQueue, Gate, PaymentStore};
use crate::problem::Problem;

pub use self::field::{FieldKind, check};
pub use self::input::read_answers;

/// Answers by the platform's names of what it asked for, as in `customer.last_name`.
pub type Answers = [(String, Text)];

/// Why the answers did not arrive.
#[derive(Debug)]
pub enum ClarificationError {
    /// Nothing like this is asked for now.
    NotAsked,
    /// The platform refused them with this code.
    Refused(String),
    /// The platform did not answer; they may be sent again.
    Unanswered,
    /// A failure of ours; they may be sent again.
    Unavailable(ApplyError),
}

impl From<ApplyError> for ClarificationError {
    fn from(error: ApplyError) -> Self {
        ClarificationError::Unavailable(error)
    }
}

impl From<ClarificationError> for Problem {
    fn from(error: ClarificationError) -> Self {
        match error {
            ClarificationError::NotAsked => Problem::conflict("The platform asks for nothing now."),
            ClarificationError::Refused(code) => Problem::platform_refused(&code),
            ClarificationError::Unanswered => Problem::unavailable(),
            ClarificationError::Unavailable(error) => {
                Problem::unavailable_because("clarification: failed", error)
            }
        }
    }
}

/// Sends answers to what a payment, or one of its refunds, waits for. Gate's request names only the
/// payment. Each time is safe: the platform takes what it still misses, and asks for the rest. The
/// answers are not kept here.
pub async fn clarify<S: PaymentStore, Q: EventQueue, C: Clock, G: Gate>(
    payments: &Payments<S, Q, C>,
    gate: &G,
    keyring: &Keyring,
    payment: &Payment,
    asked: Option<&Waiting>,
    answers: &Answers,
) -> Result<Payment, ClarificationError> {
    let asked = asked.ok_or(ClarificationError::NotAsked)?;
    let is_asked = |name: &String| {
        let mut fields = asked.clarification_fields().iter();
        fields.any(|field| field.name == *name)
    };
    if !answers.iter().all(|(name, _)| is_asked(name)) {
        return Err(ClarificationError::NotAsked);
    }
    let body = signed(payment, answers, keyring).ok_or(ClarificationError::NotAsked)?;
    match gate.post(gate::Clarification::PATH, body).await {
        Answer::Accepted { .. } => {
            let digest = asked.digest();
            let fact = Fact::ClarificationAccepted { digest: &digest };
            let applied = payments.apply(&payment.key(), fact).await?;
            Ok(applied.map_or_else(|| payment.clone(), Applied::into_payment))
        }
        Answer::Refused(refusal) => Err(ClarificationError::Refused(refusal.code)),
        Answer::Unclear => Err(ClarificationError::Unanswered),
    }
}

fn signed(payment: &Payment, answers: &Answers, keyring: &Keyring) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment.payment_id()).ok()?;
    let general = gate::General::new(payment.project_id(), payment_id);
    let answers = answers
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()));
    let request = gate::Clarification::new(general, answers).ok()?;
    request.sign(keyring.current()).ok()
}
