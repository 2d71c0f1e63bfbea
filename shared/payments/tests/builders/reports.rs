//! Builds the platform's reports, as JSON and as verified reports.

use ecommpay::ProjectKey;
use ecommpay::json::{Limits, parse};
use ecommpay::report::Report;
use ecommpay::signature::canonical;
use payments::decide::{Fact, SignedReport};
use serde_json::{Value, json};

pub fn euros(amount: u64) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

pub fn operation(id: &str, kind: &str, status: &str, amount: u64) -> Value {
    json!({ "id": id, "type": kind, "status": status, "sum_initial": euros(amount) })
}

/// Returns a callback. `status` and `sum` become `payment.status` and `payment.sum`.
pub fn callback(payment_id: &str, status: &str, sum: u64, operation: Value) -> Value {
    json!({
        "project_id": 211,
        "payment": { "id": payment_id, "status": status, "sum": euros(sum) },
        "operation": operation,
    })
}

/// Returns a status answer. `status` and `sum` become `payment.status` and `payment.sum`.
pub fn status_answer(payment_id: &str, status: &str, sum: u64, operations: &[Value]) -> Value {
    json!({
        "project_id": 211,
        "payment": { "id": payment_id, "status": status, "sum": euros(sum) },
        "operations": operations,
    })
}

/// Returns a report with only the ids of the project and the payment. A hint with this report causes a recheck.
pub fn without_content(project_id: u64, payment_id: &str) -> TestReport {
    TestReport::read(&json!({ "project_id": project_id, "payment": { "id": payment_id } }))
}

/// Returns the JSON text of `body` with its signature.
pub fn sign(body: &Value, secret: &str) -> String {
    let text = body.to_string();
    let message = parse(text.as_bytes(), Limits::ANSWER).unwrap();
    let signature = ProjectKey::new(secret).unwrap().sign(&canonical(&message));
    let mut signed = body.clone();
    signed["signature"] = signature.to_base64().into();
    signed.to_string()
}

/// A report after verification.
#[derive(Debug)]
pub struct TestReport {
    pub report: Report,
    canonical: String,
}

impl TestReport {
    pub fn read(body: &Value) -> Self {
        let text = body.to_string();
        let message = parse(text.as_bytes(), Limits::ANSWER).unwrap();
        Self {
            report: Report::read(&message),
            canonical: String::from_utf8(canonical(&message)).unwrap(),
        }
    }

    fn signed(&self) -> SignedReport<'_> {
        SignedReport {
            report: &self.report,
            canonical: &self.canonical,
        }
    }

    pub fn callback(&self) -> Fact<'_> {
        Fact::Callback(self.signed())
    }

    pub fn hint(&self) -> Fact<'_> {
        Fact::Hint(&self.report)
    }

    /// Returns the report as the answer to the status request with the number `poll`.
    pub fn answer_to(&self, poll: u32) -> Fact<'_> {
        let report = self.signed();
        Fact::StatusAnswer { report, poll }
    }
}
