//! Bytes in, status out, and one line in the log.

use std::time::Instant;

use lambda_http::{Error, Request, Response};
use payments::adapters::aws;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::ProjectKeySecret;
use payments::callback::{Handled, Outcome};
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
        match self.keys.get().await {
            Ok(keys) => self.payments.take_callback(body, &keys).await,
            Err(error) => Handled {
                error: Some(error.to_string()),
                ..Handled::only(Outcome::NoKeys)
            },
        }
    }
}
