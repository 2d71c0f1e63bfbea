//! What becomes of a callback, or would.

use ecommpay::json::JsonError;

use super::verify::{Refusal, Verified, verify};
use crate::decide::{self, Change};
use crate::events::EventKind;
use crate::model::ids::PaymentKey;
use crate::model::{Payment, Status};
use crate::ports::{Clock, EventQueue, PaymentStore};
use crate::service::commit::{Applied, Payments};
use crate::service::error::ApplyError;
use crate::service::project_keys::ProjectKeys;

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something, and that is announced.
    Applied,
    /// It says nothing new.
    Duplicate,
    /// It could stand for another body: the platform will be asked.
    Hint,
    /// It names no payment.
    NoPayment,
    /// Not taken.
    Refused(Refusal),
    /// The project keys cannot be read.
    NoKeys,
    /// What it changes could not be stored.
    NotCommitted,
    /// What it changed is stored, but not sent to every queue.
    NotPublished,
}

impl Outcome {
    /// The outcome's name in logs, metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Duplicate => "duplicate",
            Outcome::Hint => "hint",
            Outcome::NoPayment => "no_payment",
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

/// A callback that was dealt with.
#[derive(Debug)]
pub struct Handled {
    /// What became of it.
    pub outcome: Outcome,
    /// What it says; only of what is verified does anything reach the log.
    pub verified: Option<Verified>,
    /// The payment's status afterwards, if there is a payment.
    pub status: Option<Status>,
    /// The events that were sent.
    pub published: Vec<EventKind>,
    /// What went wrong on our side.
    pub error: Option<String>,
}

impl Handled {
    /// One of which nothing more is known than what became of it.
    pub fn only(outcome: Outcome) -> Self {
        Self {
            outcome,
            verified: None,
            status: None,
            published: Vec::new(),
            error: None,
        }
    }
}

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Verifies a callback, commits what it changes and announces it.
    pub async fn apply_callback(&self, body: &[u8], keys: &ProjectKeys) -> Handled {
        let apply = async |key: &PaymentKey, verified: &Verified| {
            outcome_of_apply(verified.hint, self.apply(key, verified.fact()).await)
        };
        handle(body, keys, apply).await
    }

    /// What would become of a callback by now, and which events would be sent: nothing is changed.
    pub async fn preview_callback(&self, body: &[u8], keys: &ProjectKeys) -> Handled {
        let look = async |key: &PaymentKey, verified: &Verified| match self.store.load(key).await {
            Ok(stored) => {
                let before = stored.as_ref().map(|stored| &stored.payment);
                let change = decide::decide(before, verified.fact(), self.clock.now());
                outcome_of_preview(verified.hint, before, change)
            }
            Err(error) => not_committed(&error),
        };
        handle(body, keys, look).await
    }
}

async fn handle(
    body: &[u8],
    keys: &ProjectKeys,
    take: impl AsyncFnOnce(&PaymentKey, &Verified) -> Handled,
) -> Handled {
    let verified = match verify(body, keys) {
        Ok(verified) => verified,
        Err(refusal) => return Handled::only(Outcome::Refused(refusal)),
    };
    let handled = match &verified.key {
        Some(key) => take(key, &verified).await,
        None => Handled::only(Outcome::NoPayment),
    };
    Handled {
        verified: Some(verified),
        ..handled
    }
}

fn not_committed(error: &impl ToString) -> Handled {
    Handled {
        error: Some(error.to_string()),
        ..Handled::only(Outcome::NotCommitted)
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
        ..Handled::only(outcome)
    }
}

fn outcome_of_apply(hint: bool, applied: Result<Option<Applied>, ApplyError>) -> Handled {
    match applied {
        Err(error) => not_committed(&error),
        Ok(None) => Handled::only(Outcome::NoPayment),
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
                ..Handled::only(outcome)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_outcome_has_its_own_name() {
        let all = [
            Outcome::Applied,
            Outcome::Duplicate,
            Outcome::Hint,
            Outcome::NoPayment,
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
