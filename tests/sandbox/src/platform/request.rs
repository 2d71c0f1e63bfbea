//! Reads the requests of merchants: signature first, then every field, as Gate does.

use std::net::IpAddr;

use ecommpay::json::Value;
use ecommpay::{ProjectKey, Signature, signature};
use serde_json::Map;
use url::Url;

use super::codes::{self, Refusal};
use super::faults::CustomerField;
use super::operation::CURRENCY;
use super::order::{CallbackOptions, RefundOrder, ReturnUrl, SaleOrder};

/// The project that a request must name and the key that must have signed it.
pub struct Project {
    /// Its number.
    pub id: u32,
    /// Its secret.
    pub key: ProjectKey,
}

/// What the project demands of a sale beyond the usual.
#[derive(Debug, Clone, Default)]
pub struct SaleRules {
    /// Fields without which a sale is refused.
    pub mandatory: Vec<CustomerField>,
    /// IPv6 addresses are refused.
    pub ipv4_only: bool,
    /// Names with diacritics are refused.
    pub no_diacritics: bool,
}

impl SaleRules {
    /// Checks the customer of a sale.
    pub fn check(&self, customer: &Map<String, serde_json::Value>) -> Result<(), Refusal> {
        let text = |field: &str| customer.get(field).and_then(serde_json::Value::as_str);
        for field in &self.mandatory {
            if text(field.name()).is_none_or(str::is_empty) {
                return Err(Refusal::field(field.path()));
            }
        }
        let address = text("ip_address").and_then(|address| address.parse::<IpAddr>().ok());
        if self.ipv4_only && address.is_some_and(|address| address.is_ipv6()) {
            return Err(Refusal::constraint("customer.ip_address", "ipv4"));
        }
        self.check_names(customer)
    }

    /// Checks the names among some data of the customer.
    pub fn check_names(&self, customer: &Map<String, serde_json::Value>) -> Result<(), Refusal> {
        for (name, path) in [
            ("first_name", "customer.first_name"),
            ("middle_name", "customer.middle_name"),
            ("last_name", "customer.last_name"),
        ] {
            let value = customer.get(name).and_then(serde_json::Value::as_str);
            if self.no_diacritics && !value.unwrap_or_default().chars().all(is_standard) {
                return Err(Refusal::constraint(path, "no-diacritics"));
            }
        }
        Ok(())
    }
}

/// The standard letters of names: Latin without diacritics and Cyrillic; any character that is no letter.
fn is_standard(character: char) -> bool {
    let is_cyrillic = matches!(character, '\u{400}'..='\u{52f}');
    let is_combining = matches!(character, '\u{300}'..='\u{36f}');
    character.is_ascii() || is_cyrillic || !character.is_alphabetic() && !is_combining
}

/// Checks what all requests have, and gives the payment id.
pub fn admit(message: &Value<'_>, project: &Project) -> Result<String, Refusal> {
    let named = integer(message, &["general", "project_id"]);
    let named = named.ok_or(Refusal::field("general.project_id"))?;
    let payment_id = text(message, &["general", "payment_id"], 255);
    let payment_id = payment_id.ok_or(Refusal::field("general.payment_id"))?;
    if named != u64::from(project.id) {
        return Err(codes::PROJECT_UNKNOWN.into());
    }
    let carried = match message.at(&["general", "signature"]) {
        None | Some(Value::Null) => return Err(codes::EMPTY_SIGNATURE.into()),
        Some(carried) => carried.as_str().unwrap_or_default(),
    };
    if carried.is_empty() {
        return Err(codes::EMPTY_SIGNATURE.into());
    }
    let canonical = signature::canonical(message);
    match Signature::from_base64(carried) {
        Some(signature) if project.key.verifies(&canonical, &signature) => Ok(payment_id),
        _ => Err(codes::INVALID_SIGNATURE.into()),
    }
}

/// The order in a sale request.
pub fn sale(
    message: &Value<'_>,
    payment_id: String,
    rules: &SaleRules,
) -> Result<SaleOrder, Refusal> {
    let amount = integer(message, &["payment", "amount"]).filter(|amount| *amount > 0);
    let amount = amount.ok_or(Refusal::field("payment.amount"))?;
    match text(message, &["payment", "currency"], 3).as_deref() {
        None => return Err(Refusal::field("payment.currency")),
        Some(CURRENCY) => {}
        Some(_) => return Err(codes::INVALID_CURRENCY.into()),
    }
    text(message, &["customer", "id"], 255).ok_or(Refusal::field("customer.id"))?;
    ip_address(message)?;
    let mut customer = object(message.get("customer"));
    customer.extend(object(message.at(&["additional_data", "customer"])));
    rules.check(&customer)?;
    let always = address(message, &["return_url", "return"], "return_url.return")?;
    Ok(SaleOrder {
        payment_id,
        amount,
        description: text(message, &["payment", "description"], 255),
        customer,
        return_url: ReturnUrl {
            always: always.ok_or(Refusal::field("return_url.return"))?,
            success: address(message, &["return_url", "success"], "return_url.success")?,
            decline: address(message, &["return_url", "decline"], "return_url.decline")?,
        },
        callbacks: callback_options(message)?,
        link: None,
    })
}

/// The order in a refund request; `with_address` if the customer's address is required.
pub fn refund(
    message: &Value<'_>,
    payment_id: String,
    with_address: bool,
) -> Result<RefundOrder, Refusal> {
    text(message, &["payment", "description"], 255).ok_or(Refusal::field("payment.description"))?;
    if with_address {
        ip_address(message)?;
    }
    let amount = message.at(&["payment", "amount"]);
    let sum = match (amount, message.at(&["payment", "currency"])) {
        (None, None) => None,
        (None, Some(_)) => return Err(codes::AMOUNT_REQUIRED.into()),
        (Some(_), None) => return Err(codes::CURRENCY_REQUIRED.into()),
        (Some(_), Some(currency)) => {
            let amount = integer(message, &["payment", "amount"]).filter(|amount| *amount > 0);
            let amount = amount.ok_or(Refusal::field("payment.amount"))?;
            Some((amount, currency.as_str().unwrap_or_default().to_owned()))
        }
    };
    let path = ["payment", "merchant_refund_id"];
    let merchant_refund_id = match message.at(&path) {
        None => None,
        Some(_) => {
            let id = text(message, &path, 255);
            Some(id.ok_or(Refusal::field("payment.merchant_refund_id"))?)
        }
    };
    Ok(RefundOrder {
        payment_id,
        sum,
        merchant_refund_id,
    })
}

/// The data in a clarification request.
pub fn clarification(
    message: &Value<'_>,
    rules: &SaleRules,
) -> Result<Map<String, serde_json::Value>, Refusal> {
    // PHP spells an empty object as an empty array.
    match message.get("additional_data") {
        Some(data @ (Value::Object(_) | Value::Array(_))) => {
            rules.check_names(&object(data.get("customer")))?;
            Ok(object(Some(data)))
        }
        _ => Err(Refusal::field("additional_data")),
    }
}

fn callback_options(message: &Value<'_>) -> Result<CallbackOptions, Refusal> {
    let disabled = match message.at(&["callback", "force_disable"]) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => *number == "1",
        _ => false,
    };
    let delay = match message.at(&["callback", "delay"]) {
        None => 0,
        Some(_) => {
            let delay = integer(message, &["callback", "delay"]).filter(|delay| *delay <= 600);
            delay.ok_or(Refusal::field("callback.delay"))?
        }
    };
    let path = ["general", "merchant_callback_url"];
    Ok(CallbackOptions {
        url: address(message, &path, "general.merchant_callback_url")?,
        delay,
        disabled,
    })
}

/// A JSON number without sign, fraction or exponent; a string of digits is none.
fn integer(message: &Value<'_>, path: &[&str]) -> Option<u64> {
    match message.at(path)? {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    }
}

/// A string of at least one and at most `limit` characters.
fn text(message: &Value<'_>, path: &[&str], limit: usize) -> Option<String> {
    let found = message.at(path)?.as_str()?;
    let fits = !found.is_empty() && found.chars().count() <= limit;
    fits.then(|| found.to_owned())
}

fn ip_address(message: &Value<'_>) -> Result<(), Refusal> {
    let found = text(message, &["customer", "ip_address"], 255);
    match found.map(|found| found.parse::<IpAddr>()) {
        Some(Ok(_)) => Ok(()),
        _ => Err(Refusal::field("customer.ip_address")),
    }
}

fn address(
    message: &Value<'_>,
    path: &[&str],
    name: &'static str,
) -> Result<Option<String>, Refusal> {
    match message.at(path) {
        None => Ok(None),
        Some(found) => {
            let url = found.as_str().filter(|url| is_web_address(url));
            url.map(|url| Some(url.to_owned()))
                .ok_or(Refusal::field(name))
        }
    }
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn object(value: Option<&Value<'_>>) -> Map<String, serde_json::Value> {
    let members = value.map(Value::members).unwrap_or_default();
    members
        .iter()
        .map(|(name, member)| (name.to_string(), plain(member)))
        .collect()
}

fn plain(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number
            .parse()
            .map_or_else(|_| (*number).into(), serde_json::Value::Number),
        Value::String(text) => text.to_string().into(),
        Value::Array(elements) => elements.iter().map(plain).collect(),
        Value::Object(_) => object(Some(value)).into(),
    }
}
