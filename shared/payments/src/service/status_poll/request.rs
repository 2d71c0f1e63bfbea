//! One status request, and the verification of its answer.

use ecommpay::answer::StatusAnswer;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::{self, Limits, Value};
use ecommpay::report::{self, Report};
use ecommpay::{Keyring, signature};

use super::error::PollError;
use super::poller::StatusPoller;
use crate::model::SignedReport;
use crate::ports::Gate;

/// A verified answer to a status request.
pub(super) enum StatusReply {
    /// "Not found" about another payment. It says nothing about this one.
    Unrelated,
    /// The platform's signed report.
    Report(Box<Signed>),
    /// The platform does not know the payment.
    NotFound {
        /// Whether the answer is signed.
        signed: bool,
    },
}

/// A signed report.
pub(super) struct Signed {
    pub(super) report: Report,
    canonical: String,
}

impl Signed {
    pub(super) fn report(&self) -> SignedReport<'_> {
        SignedReport {
            report: &self.report,
            canonical: &self.canonical,
        }
    }
}

impl<S, Q, C, G: Gate> StatusPoller<'_, S, Q, C, G> {
    /// Sends a status request. Returns the answer if it is signed. Only the codes 3061 and 3062 may arrive
    /// unsigned: the platform need not sign an answer that has service information only.
    pub(super) async fn request_status(
        &self,
        project_id: ProjectId,
        payment_id: &str,
    ) -> Result<StatusReply, PollError> {
        let keyring = self.keyring(project_id)?;
        let body = signed(project_id, payment_id, keyring).ok_or(PollError::NotSignable)?;
        let answer = self.gate.query(gate::Status::PATH, body).await?;
        let message = json::parse(&answer, Limits::ANSWER)?;
        let signature = signature::of_message(&message);
        let is_valid = match &signature {
            Some(signature) => signature::verify(&message, signature, keyring).is_some(),
            None if has_signature_member(&message) => false,
            None => !matches!(StatusAnswer::read(&message), StatusAnswer::Report(_)),
        };
        if !is_valid || !report::has_sound_shape(&message) {
            return Err(PollError::NotSigned);
        }
        match StatusAnswer::read(&message) {
            StatusAnswer::NotFound if !is_about(&message, project_id, payment_id) => {
                Ok(StatusReply::Unrelated)
            }
            StatusAnswer::NotFound => Ok(StatusReply::NotFound {
                signed: signature.is_some(),
            }),
            StatusAnswer::NotReadable => Err(PollError::NotReadable),
            StatusAnswer::Report(report) => {
                let canonical = signature::canonical(&message);
                Ok(StatusReply::Report(Box::new(Signed {
                    report,
                    canonical: String::from_utf8_lossy(&canonical).into_owned(),
                })))
            }
        }
    }
}

/// Whether a message has a member where its signature belongs, valid or not.
fn has_signature_member(message: &Value<'_>) -> bool {
    message.get("signature").is_some() || message.at(&["general", "signature"]).is_some()
}

/// Whether an answer names this payment, or none.
fn is_about(message: &Value<'_>, project_id: ProjectId, payment_id: &str) -> bool {
    let report = Report::read(message);
    let project_id = u64::from(project_id.get());
    let named = report.payment_id.as_deref();
    named.is_none_or(|named| named.eq_ignore_ascii_case(payment_id))
        && report.project_id.is_none_or(|named| named == project_id)
}

fn signed(project_id: ProjectId, payment_id: &str, keyring: &Keyring) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment_id).ok()?;
    let general = gate::General::new(project_id, payment_id);
    gate::Status { general }.sign(keyring.current()).ok()
}
