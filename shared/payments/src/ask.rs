//! Asks the platform about what is silent or doubtful.

use std::time::Duration;

use ecommpay::fields::Text;
use ecommpay::gate::{self, Request};
use ecommpay::json::{self, JsonError, Limits};
use ecommpay::report::Report;
use ecommpay::{Keyring, signature};
use thiserror::Error;
use tokio::time::Instant;

use crate::apply::{ApplyError, Payments};
use crate::callback::ProjectKeys;
use crate::decide::{Fact, News, claim_check};
use crate::event::{self, EventKind};
use crate::ids::PaymentKey;
use crate::payment::Payment;
use crate::ports::{Clock, EventQueue, Gate, Index, PaymentStore, Unanswered};
use crate::publish::PublishError;
use crate::round::{Bounds, Round};
use crate::timestamp::Timestamp;

/// How many questions are open at once: the platform is not to be flooded.
const AT_ONCE: usize = 4;
/// What is due at this very moment is due.
const TICK: Duration = Duration::from_millis(1);
/// How many questions one round puts.
const MOST: usize = 400;

/// A question brought nothing; the next one is planned.
#[derive(Debug, Error)]
pub enum AskError {
    /// We have no key of the payment's project.
    #[error("there is no key of its project")]
    NoKey,
    /// Its id has characters that cannot be signed without doubt.
    #[error("its id cannot be signed")]
    NotSignable,
    /// No answer came.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The answer is not sound JSON.
    #[error("the answer is not sound: {0}")]
    NotSound(#[from] JsonError),
    /// The answer is not signed by a key of the project.
    #[error("the answer is not signed")]
    NotSigned,
    /// The question could not be claimed, or the answer not stored.
    #[error(transparent)]
    NotCommitted(#[from] ApplyError),
    /// What the answer changed is stored and not announced.
    #[error(transparent)]
    NotAnnounced(#[from] PublishError),
}

impl<S: PaymentStore + Sync, Q: EventQueue + Sync, C: Clock + Sync> Payments<S, Q, C> {
    /// Asks about every payment whose time has come, or comes within `ahead`.
    pub async fn ask_all<G: Gate + Sync>(
        &self,
        gate: &G,
        keys: &ProjectKeys,
        ahead: Duration,
        deadline: Instant,
    ) -> Round {
        let before = self.clock.now().after(ahead + TICK);
        let bounds = Bounds {
            at_once: AT_ONCE,
            most: MOST,
            deadline,
        };
        let turn = |key: PaymentKey| async move {
            let keyring = keys.get(&key.project_id());
            let asked = self.ask(&key, before, gate, keyring).await;
            asked.map_err(|error| error.to_string())
        };
        self.round(Index::Check, before, bounds, turn).await
    }

    /// Asks about one payment, if it was due before a moment, and takes in the answer. Gives the
    /// events that were sent.
    pub async fn ask<G: Gate>(
        &self,
        key: &PaymentKey,
        before: Timestamp,
        gate: &G,
        keyring: Option<&Keyring>,
    ) -> Result<Vec<EventKind>, AskError> {
        // Claimed before it is asked: of two rounds at once one asks, and what fails waits for its
        // next time.
        let claimed = self.update(key, |payment, at| {
            let claimed = payment.and_then(|payment| claim_check(payment, before, at));
            Ok::<_, ApplyError>(claimed)
        });
        let Some((mut stored, Some(change))) = claimed.await? else {
            return Ok(Vec::new());
        };
        let told = self.publish(&mut stored, Some(change)).await;
        let mut events = told.unwrap_or_default();
        let answered = self.question(&stored.payment, gate, keyring, &mut events);
        if let Err(error) = answered.await {
            event::warn_of(key, &events);
            return Err(error);
        }
        Ok(events)
    }

    /// Puts the question that was claimed, and takes in the answer. Adds the events that were sent.
    async fn question<G: Gate>(
        &self,
        payment: &Payment,
        gate: &G,
        keyring: Option<&Keyring>,
        events: &mut Vec<EventKind>,
    ) -> Result<(), AskError> {
        let keyring = keyring.ok_or(AskError::NoKey)?;
        let body = signed(payment, keyring).ok_or(AskError::NotSignable)?;
        let answer = gate.ask(gate::Status::PATH, body).await?;
        let message = json::parse(&answer, Limits::ANSWER)?;
        let signature = signature::of_message(&message).ok_or(AskError::NotSigned)?;
        signature::verify(&message, &signature, keyring).ok_or(AskError::NotSigned)?;
        let canonical = signature::canonical(&message);
        let fact = Fact::StatusAnswer {
            news: News {
                report: &Report::read(&message),
                canonical: &String::from_utf8_lossy(&canonical),
            },
            question: payment.questions,
        };
        if let Some(applied) = self.apply(&payment.key(), fact).await? {
            events.extend(applied.published?);
            // Only an answer that was taken in shows anything.
            if applied.payment.answered == payment.questions {
                let payment = &applied.payment;
                self.repeat_refunds(gate, keyring, payment, events).await?;
            }
        }
        Ok(())
    }
}

fn signed(payment: &Payment, keyring: &Keyring) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment.payment_id.clone()).ok()?;
    let general = gate::General::new(payment.project_id, payment_id);
    gate::Status { general }.sign(keyring.current()).ok()
}
