//! Verifies and reads a callback.
//!
//!     cargo run -q -p ecommpay --example callback -- --key KEY FILE|-
//!
//! The program prints the content of the callback as JSON, with `null` for missing values. If the callback must be
//! refused, the program prints `valid: false` and the reason, and exits with an error.

mod input;

use std::process::ExitCode;

use clap::Parser;
use ecommpay::json::{Limits, Value, parse};
use ecommpay::operation::Outcome;
use ecommpay::report::{Operation, Report};
use ecommpay::signature::{of_message, verify};
use ecommpay::{Keyring, ProjectKey};
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// The project's secret key
    #[arg(long)]
    key: String,
    /// The file with the body of the callback; - for standard input
    file: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(read) => {
            println!("{read:#}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!(
                "{:#}",
                json!({ "valid": false, "reason": reason.to_string() })
            );
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let body = input::read(&arguments.file)?;
    let keyring = Keyring::new(ProjectKey::new(&arguments.key)?, None);
    let message = parse(&body, Limits::CALLBACK)?;
    let signature = of_message(&message).ok_or("the message carries no signature")?;
    verify(&message, &signature, &keyring)
        .ok_or("the signature belongs to another message or another key")?;

    let report = Report::read(&message);
    // Only the member `operation` is printed. In other formats, the operations are in a list `operations`.
    let operation = message.get("operation").and(report.operations.first());
    let redirect = message.get("redirect_data").zip(report.redirect.as_ref());
    Ok(json!({
        "valid": true,
        "payment_id": report.payment_id,
        "payment_status": report.payment_status,
        "operation_id": message.at(&["operation", "id"]).map(raw),
        "operation_type": operation.map(|operation| &operation.kind),
        "operation_status": operation.map(|operation| &operation.status),
        "code": message.at(&["operation", "code"]).map(raw),
        "final_for_payment": report.is_final(),
        "redirect": redirect.map(|(data, _)| json!({
            "method": data.get("method").map(raw),
            "url": data.get("url").map(raw),
            "body": data.get("body").map(raw),
        })),
        "clarification_fields": message.get("clarification_fields").map(raw),
        "refunded_amount": operation.and_then(refunded_amount),
    }))
}

/// Returns the amount that a refund or a reversal gave back: `sum_initial` if the operation succeeded, otherwise 0.
/// Returns `None` for every other operation, and for a success without `sum_initial`.
fn refunded_amount(operation: &Operation) -> Option<u64> {
    match operation.outcome() {
        _ if !operation.kind.gives_back() => None,
        Outcome::Succeeded => Some(operation.sum_initial.as_ref()?.amount),
        Outcome::Pending | Outcome::Declined => Some(0),
    }
}

/// Converts a value of the callback without interpreting it.
fn raw(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => json!(flag),
        Value::Number(token) => number(token),
        Value::String(text) => json!(text),
        Value::Array(elements) => elements.iter().map(raw).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (name.to_string(), raw(member)));
            serde_json::Value::Object(members.collect())
        }
    }
}

/// Converts an unsigned integer of up to 64 bits to a number, and every other number to text.
fn number(token: &str) -> serde_json::Value {
    token
        .parse::<u64>()
        .map_or_else(|_| json!(token), |integer| json!(integer))
}
