//! Bytes in, status out, and one line in the log.

use std::time::Instant;

use lambda_http::{Error, Request, Response};
use payments::adapters::aws;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::ProjectKeySecret;
use payments::apply::{Applied, ApplyError};
use payments::callback::{Verified, verify};
use payments::config;

use crate::outcome::{Handled, Outcome};

/// What a callback needs.
pub struct Callbacks {
    payments: LivePayments,
    keys: ProjectKeySecret,
}

impl Callbacks {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        let keys = ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?);
        Ok(Self::new(live::payments(&aws)?, keys))
    }

    /// With payments and keys of the caller's.
    pub fn new(payments: LivePayments, keys: ProjectKeySecret) -> Self {
        Self { payments, keys }
    }

    /// One callback.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let start = Instant::now();
        let handled = self.take(request.body().as_ref()).await;
        handled.line(start.elapsed()).write();
        let answer = Response::builder().status(handled.outcome.answer());
        Ok(answer.body(String::new())?)
    }

    async fn take(&self, body: &[u8]) -> Handled {
        let keys = match self.keys.get().await {
            Ok(keys) => keys,
            Err(error) => {
                return Handled {
                    error: Some(error.to_string()),
                    ..Handled::only(Outcome::NoKeys)
                };
            }
        };
        match verify(body, &keys) {
            Ok(verified) => self.apply(verified).await,
            Err(refusal) => Handled::only(Outcome::Refused(refusal)),
        }
    }

    async fn apply(&self, verified: Verified) -> Handled {
        let handled = match &verified.key {
            Some(key) => {
                let applied = self.payments.apply(key, verified.fact()).await;
                what_became_of(verified.hint, applied)
            }
            None => Handled::only(Outcome::NoPayment),
        };
        Handled {
            verified: Some(verified),
            ..handled
        }
    }
}

fn what_became_of(hint: bool, applied: Result<Option<Applied>, ApplyError>) -> Handled {
    match applied {
        Err(error) => Handled {
            error: Some(error.to_string()),
            ..Handled::only(Outcome::NotCommitted)
        },
        Ok(None) => Handled::only(Outcome::NoPayment),
        Ok(Some(applied)) => {
            let status = Some(applied.payment.status());
            let (outcome, sent, error) = match applied.published {
                Err(error) => (Outcome::NotAnnounced, Vec::new(), Some(error.to_string())),
                Ok(sent) if hint => (Outcome::Hint, sent, None),
                Ok(sent) if applied.changed => (Outcome::Applied, sent, None),
                Ok(sent) => (Outcome::Duplicate, sent, None),
            };
            Handled {
                status,
                sent,
                error,
                ..Handled::only(outcome)
            }
        }
    }
}
