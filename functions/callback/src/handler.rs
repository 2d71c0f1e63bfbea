//! Bytes in, status out. The platform reads nothing but the status: 200 ends its repeats.

use lambda_http::http::StatusCode;
use lambda_http::{Error, Request, Response};
use payments::adapters::aws;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::ProjectKeySecret;
use payments::callback::{Refusal, Verified, verify};
use payments::config;
use payments::log::Line;

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
        let status = match self.keys.get().await {
            Ok(keys) => match verify(request.body().as_ref(), &keys) {
                Ok(verified) => self.take(verified).await,
                Err(refusal) => refuse(refusal),
            },
            Err(error) => {
                Line::error("callback: no keys")
                    .with("error", error.to_string())
                    .write();
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Ok(Response::builder().status(status).body(String::new())?)
    }

    async fn take(&self, verified: Verified) -> StatusCode {
        let (report, slot) = (&verified.report, verified.slot.as_str());
        let Some(key) = &verified.key else {
            Line::warn("callback: names no payment")
                .with("key", slot)
                .write();
            return StatusCode::OK;
        };
        let line = |line: Line| {
            line.with("payment", key.to_string())
                .with(
                    "operations",
                    report
                        .operations
                        .iter()
                        .filter_map(|o| o.id.as_deref())
                        .collect::<Vec<_>>(),
                )
                .with("platform_status", &report.payment_status)
                .with("key", slot)
                .with("hint", verified.hint)
        };
        match self.payments.apply(key, verified.fact()).await {
            Ok(applied) => {
                let status = applied.as_ref().map(|applied| applied.payment.status());
                let changed = applied.as_ref().is_some_and(|applied| applied.changed);
                line(Line::info("callback: taken"))
                    .with("status", status)
                    .with("changed", changed)
                    .write();
                match applied.map(|applied| applied.published) {
                    Some(Err(error)) => {
                        line(Line::error("callback: not announced"))
                            .with("error", error.to_string())
                            .write();
                        StatusCode::INTERNAL_SERVER_ERROR
                    }
                    _ => StatusCode::OK,
                }
            }
            Err(error) => {
                line(Line::error("callback: not committed"))
                    .with("error", error.to_string())
                    .write();
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

/// What is not true is told apart for the platform, not for an attacker: no detail.
fn refuse(refusal: Refusal) -> StatusCode {
    let (reason, status) = match refusal {
        Refusal::Malformed(ecommpay::json::JsonError::TooLarge) => {
            ("too large", StatusCode::PAYLOAD_TOO_LARGE)
        }
        Refusal::Malformed(_) => ("malformed", StatusCode::BAD_REQUEST),
        Refusal::Unsigned => ("bad signature", StatusCode::UNAUTHORIZED),
        Refusal::ForeignProject => ("foreign project", StatusCode::FORBIDDEN),
    };
    Line::warn("callback: refused")
        .with("reason", reason)
        .write();
    status
}
