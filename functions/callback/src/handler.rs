//! Bytes in, status out, and one line in the log.

use std::time::Instant;

use lambda_http::{Error, Request, Response};
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::ProjectKeySecret;
use payments::adapters::{aws, opening};
use payments::callback::{Handled, Outcome, Refusal};
use payments::config;

use crate::outcome::{answer, line};

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

    /// What the first callback would otherwise wait for.
    pub async fn open(&self) {
        let opened = async { tokio::join!(self.payments.open(), self.keys.open()) };
        opening::within_limit(opened).await;
    }

    /// With payments and keys of the caller's.
    pub fn new(payments: LivePayments, keys: ProjectKeySecret) -> Self {
        Self { payments, keys }
    }

    /// One callback.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let start = Instant::now();
        let handled = self.take(request.body().as_ref()).await;
        line(&handled, start.elapsed()).write();
        let answer = Response::builder().status(answer(handled.outcome));
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
        let handled = self.payments.take_callback(body, &keys).await;
        // A key that two projects have may be known of one of them only.
        if !matches!(
            handled.outcome,
            Outcome::Refused(Refusal::Unsigned | Refusal::ForeignProject)
        ) {
            return handled;
        }
        // Perhaps the key is newer than what is known.
        match self.keys.instead_of(&keys).await {
            Some(keys) => self.payments.take_callback(body, &keys).await,
            None => handled,
        }
    }
}
