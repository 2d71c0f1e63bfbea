//! Sends one status request and verifies the answer.

use ecommpay::ProjectKey;
use ecommpay::answer::StatusAnswer;
use ecommpay::fields::{ProjectId, Text};
use ecommpay::gate::{self, Request};
use ecommpay::json::{self, Limits, Value};
use ecommpay::report::{self, Report};
use ecommpay::signature::{self, SignedForms};

use super::error::PollError;
use super::poller::StatusPoller;
use crate::model::SignedReport;
use crate::ports::Gate;
use crate::service::signed_call;

pub(super) enum StatusReply {
    /// "Not found" about another payment or another project.
    Unrelated,
    /// A signed report, which can still name another payment.
    Report(Box<Signed>),
    /// "Not found" (3061): the platform does not know the payment.
    NotFound {
        /// Whether the answer has a valid signature. An invalid signature is refused earlier.
        signed: bool,
    },
}

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
    /// Sends a status request and returns the verified answer. A report needs a valid signature. The codes 3061 (not
    /// found) and 3062 (not readable yet) can be unsigned, because the platform need not sign an answer without
    /// payment data. An invalid signature is never accepted.
    pub(super) async fn request_status(
        &self,
        project_id: ProjectId,
        payment_id: &str,
    ) -> Result<StatusReply, PollError> {
        let keyring = self.keyring(project_id)?;
        let sign = |key: &ProjectKey| signed_request(project_id, payment_id, key);
        let path = gate::Status::PATH;
        let answer = signed_call::query(self.gate, project_id, keyring, path, sign).await;
        let (answer, keyring) = answer.ok_or(PollError::NotSignable)??;
        let message = json::parse(&answer, Limits::ANSWER)?;
        let signature = signature::of_message(&message);
        let forms = SignedForms::of(&message);
        let is_valid = match &signature {
            Some(signature) => forms.verify(signature, &keyring).is_some(),
            None if has_signature_member(&message) => false,
            None => !matches!(StatusAnswer::read(&message), StatusAnswer::Report(_)),
        };
        if !is_valid {
            return Err(PollError::NotSigned);
        }
        if !report::has_sound_shape(&message) {
            return Err(PollError::UnsoundShape);
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
                let canonical = forms.into_as_written();
                Ok(StatusReply::Report(Box::new(Signed {
                    report,
                    canonical: String::from_utf8_lossy(&canonical).into_owned(),
                })))
            }
        }
    }
}

/// Whether a message has any value in one of the two locations of a signature.
fn has_signature_member(message: &Value<'_>) -> bool {
    message.get("signature").is_some() || message.at(&["general", "signature"]).is_some()
}

/// Whether an answer names no other payment id and no other project.
fn is_about(message: &Value<'_>, project_id: ProjectId, payment_id: &str) -> bool {
    let report = Report::read(message);
    let project_id = u64::from(project_id.get());
    let named = report.payment_id.as_deref();
    named.is_none_or(|named| named.eq_ignore_ascii_case(payment_id))
        && report.project_id.is_none_or(|named| named == project_id)
}

fn signed_request(project_id: ProjectId, payment_id: &str, key: &ProjectKey) -> Option<Vec<u8>> {
    let payment_id = Text::new(payment_id).ok()?;
    let general = gate::General::new(project_id, payment_id);
    gate::Status { general }.sign(key).ok()
}
