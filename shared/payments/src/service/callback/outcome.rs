//! Applies a callback, or previews its result. The outcome is for logs, metrics and answers.

use ecommpay::json::JsonError;

use super::verify::{Refusal, Verified, verify};
use crate::decide::{self, Change};
use crate::events::EventKind;
use crate::log::over_limit;
use crate::model::ids::PaymentKey;
use crate::model::{Payment, Status, is_storable};
use crate::ports::{Clock, EventQueue, PaymentStore};
use crate::service::apply::Applied;
use crate::service::commit::Payments;
use crate::service::error::ApplyError;
use crate::service::project_keys::ProjectKeys;

/// The outcome of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The callback changed the payment, and all its events are published.
    Applied,
    /// The callback changed nothing.
    Duplicate,
    /// The callback is only a hint, so it made a status poll due.
    Hint,
    /// The callback names no payment.
    NoPayment,
    /// Our key signed the body, but the body is not a callback. For example, a shopper can send the parameters of a
    /// Payment Page link.
    NotACallback,
    /// The callback is refused.
    Refused(Refusal),
    /// The project keys cannot be read.
    NoKeys,
    /// The change could not be committed.
    NotCommitted,
    /// The change is committed, but its events are not published to every queue.
    NotPublished,
}

impl Outcome {
    /// Returns the name of the outcome in logs, metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Duplicate => "duplicate",
            Outcome::Hint => "hint",
            Outcome::NoPayment => "no_payment",
            Outcome::NotACallback => "not_a_callback",
            Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)) => "too_large",
            Outcome::Refused(Refusal::Malformed(_)) => "malformed",
            Outcome::Refused(Refusal::Unsigned) => "bad_signature",
            Outcome::Refused(Refusal::ForeignProject) => "foreign_project",
            Outcome::NoKeys => "no_keys",
            Outcome::NotCommitted => "not_committed",
            Outcome::NotPublished => "not_published",
        }
    }
}

/// The result of a callback.
#[derive(Debug)]
pub struct Handled {
    /// The outcome.
    pub outcome: Outcome,
    /// The callback, if it was verified. An unverified body must not reach the log.
    pub verified: Option<Verified>,
    /// The status of the payment after the callback, if there is a payment.
    pub status: Option<Status>,
    /// The kinds of the published events. A preview has the kinds of the events that would be emitted.
    pub published: Vec<EventKind>,
    /// The error of this service, if any.
    pub error: Option<String>,
    /// Whether the change was not committed because other requests changed the payment during each try.
    pub is_contention: bool,
}

impl Handled {
    /// Creates a result without details.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            verified: None,
            status: None,
            published: Vec::new(),
            error: None,
            is_contention: false,
        }
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Verifies a callback, commits its change and publishes the events.
    pub async fn apply_callback(&self, body: &[u8], keys: &ProjectKeys) -> Handled {
        let apply = async |key: &PaymentKey, verified: &Verified| {
            if !is_storable(&verified.report) {
                over_limit("callback", Some(key));
            }
            outcome_of_apply(verified.hint, self.apply(key, verified.fact()).await)
        };
        handle(body, keys, apply).await
    }

    /// Returns the result that [`Self::apply_callback`] would have now, without any effect.
    pub async fn preview_callback(&self, body: &[u8], keys: &ProjectKeys) -> Handled {
        let preview = async |key: &PaymentKey, verified: &Verified| match self.store.load(key).await
        {
            Ok(stored) => {
                let before = stored.as_ref().map(|stored| &stored.payment);
                let change = decide::decide(before, verified.fact(), self.clock.now());
                outcome_of_preview(verified.hint, before, change)
            }
            Err(error) => not_committed(&error),
        };
        handle(body, keys, preview).await
    }
}

async fn handle(
    body: &[u8],
    keys: &ProjectKeys,
    apply: impl AsyncFnOnce(&PaymentKey, &Verified) -> Handled,
) -> Handled {
    let verified = match verify(body, keys) {
        Ok(verified) => verified,
        Err(refusal) => return Handled::new(Outcome::Refused(refusal)),
    };
    let handled = match &verified.key {
        Some(key) => apply(key, &verified).await,
        None if !verified.is_callback => Handled::new(Outcome::NotACallback),
        None => Handled::new(Outcome::NoPayment),
    };
    Handled {
        verified: Some(verified),
        ..handled
    }
}

fn not_committed(error: &impl ToString) -> Handled {
    Handled {
        error: Some(error.to_string()),
        ..Handled::new(Outcome::NotCommitted)
    }
}

fn outcome_of_preview(hint: bool, before: Option<&Payment>, change: Option<Change>) -> Handled {
    let after = change.as_ref().map(|change| &change.payment).or(before);
    let outcome = match &change {
        _ if after.is_none() => Outcome::NoPayment,
        _ if hint => Outcome::Hint,
        Some(_) => Outcome::Applied,
        None => Outcome::Duplicate,
    };
    let events = change.iter().flat_map(|change| &change.events);
    Handled {
        status: after.map(Payment::status),
        published: events.map(|event| event.kind).collect(),
        ..Handled::new(outcome)
    }
}

fn outcome_of_apply(hint: bool, applied: Result<Option<Applied>, ApplyError>) -> Handled {
    match applied {
        Err(error) => Handled {
            is_contention: matches!(error, ApplyError::Contention),
            ..not_committed(&error)
        },
        Ok(None) => Handled::new(Outcome::NoPayment),
        Ok(Some(applied)) => {
            let status = Some(applied.payment.status());
            let (outcome, published, error) = match applied.published {
                Err(error) => (Outcome::NotPublished, Vec::new(), Some(error.to_string())),
                Ok(published) if hint => (Outcome::Hint, published, None),
                Ok(published) if applied.changed => (Outcome::Applied, published, None),
                Ok(published) => (Outcome::Duplicate, published, None),
            };
            Handled {
                status,
                published,
                error,
                ..Handled::new(outcome)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_outcome_has_a_name_of_its_own() {
        let all = [
            Outcome::Applied,
            Outcome::Duplicate,
            Outcome::Hint,
            Outcome::NoPayment,
            Outcome::NotACallback,
            Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)),
            Outcome::Refused(Refusal::Malformed(JsonError::NotUtf8)),
            Outcome::Refused(Refusal::Unsigned),
            Outcome::Refused(Refusal::ForeignProject),
            Outcome::NoKeys,
            Outcome::NotCommitted,
            Outcome::NotPublished,
        ];
        let names: BTreeSet<&str> = all.iter().map(|outcome| outcome.as_str()).collect();
        assert_eq!(names.len(), all.len());
    }
}
