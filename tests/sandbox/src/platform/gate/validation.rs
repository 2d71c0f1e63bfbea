//! Validates requests as Gate does: first the ids and the signature, then the other fields.

use serde_json::{Map, Value};

use super::customer_rules::CustomerRules;
use super::refusal::Refusal;
use super::request::GateRequest;
use crate::platform::messages::{Project, codes, verifies};
use crate::platform::records::{CURRENCY, CallbackOptions, RefundOrder, ReturnUrls, SaleOrder};

/// In minor units.
const AMOUNTS: std::ops::RangeInclusive<u64> = 1..=u64::MAX;
/// In seconds. Gate refuses a longer delay.
const MAX_CALLBACK_DELAY: u64 = 600;

/// Validates the fields that all requests have, and returns the payment id.
pub fn payment_id(request: &GateRequest, project: &Project) -> Result<String, Refusal> {
    let project_id = request.integer("general.project_id", 0..=u64::MAX)?;
    let payment_id = request.text("general.payment_id")?;
    if project_id != u64::from(project.id) {
        return Err(codes::PROJECT_UNKNOWN.into());
    }
    match request.value("general.signature") {
        None | Some(Value::Null) => Err(codes::EMPTY_SIGNATURE.into()),
        Some(Value::String(text)) if text.is_empty() => Err(codes::EMPTY_SIGNATURE.into()),
        Some(Value::String(text)) if verifies(&project.key, &request.canonical, text) => {
            Ok(payment_id)
        }
        Some(_) => Err(codes::INVALID_SIGNATURE.into()),
    }
}

pub fn sale(
    request: &GateRequest,
    payment_id: String,
    rules: &CustomerRules,
) -> Result<SaleOrder, Refusal> {
    let amount = request.integer("payment.amount", AMOUNTS)?;
    match request.text("payment.currency")?.as_str() {
        CURRENCY => {}
        code if code.chars().count() <= CURRENCY.len() => {
            return Err(codes::INVALID_CURRENCY.into());
        }
        _ => return Err(Refusal::field("payment.currency")),
    }
    request.text("customer.id")?;
    request.check_ip_address("customer.ip_address")?;
    let mut customer = request.object("customer");
    customer.extend(request.object("additional_data.customer"));
    rules.check(&customer)?;
    Ok(SaleOrder {
        payment_id,
        amount,
        description: request.optional_text("payment.description"),
        customer,
        return_urls: ReturnUrls {
            default: request.url("return_url.return")?,
            success: request.optional_url("return_url.success")?,
            decline: request.optional_url("return_url.decline")?,
        },
        callbacks: callback_options(request)?,
        page: None,
    })
}

pub fn refund(request: &GateRequest, requires_ip_address: bool) -> Result<RefundOrder, Refusal> {
    request.text("payment.description")?;
    if requires_ip_address {
        request.check_ip_address("customer.ip_address")?;
    }
    let amount = request.value("payment.amount");
    let sum = match (amount, request.value("payment.currency")) {
        (None, None) => None,
        (None, Some(_)) => return Err(codes::AMOUNT_REQUIRED.into()),
        (Some(_), None) => return Err(codes::CURRENCY_REQUIRED.into()),
        (Some(_), Some(currency)) => {
            let amount = request.integer("payment.amount", AMOUNTS)?;
            Some((amount, currency.as_str().unwrap_or_default().to_owned()))
        }
    };
    let refund_id = "payment.merchant_refund_id";
    let merchant_refund_id = match request.value(refund_id) {
        None => None,
        Some(_) => Some(request.text(refund_id)?),
    };
    Ok(RefundOrder {
        sum,
        merchant_refund_id,
    })
}

pub fn clarification(
    request: &GateRequest,
    rules: &CustomerRules,
) -> Result<Map<String, Value>, Refusal> {
    // A merchant's PHP writes an empty object as an empty array.
    match request.value("additional_data") {
        Some(Value::Object(_) | Value::Array(_)) => {
            rules.check_names(&request.object("additional_data.customer"))?;
            Ok(request.object("additional_data"))
        }
        _ => Err(Refusal::field("additional_data")),
    }
}

fn callback_options(request: &GateRequest) -> Result<CallbackOptions, Refusal> {
    let disabled = match request.value("callback.force_disable") {
        Some(Value::Bool(flag)) => *flag,
        Some(number) => number.as_u64() == Some(1),
        None => false,
    };
    let delay = match request.value("callback.delay") {
        None => 0,
        Some(_) => request.integer("callback.delay", 0..=MAX_CALLBACK_DELAY)?,
    };
    Ok(CallbackOptions {
        url: request.optional_url("general.merchant_callback_url")?,
        delay,
        disabled,
    })
}
