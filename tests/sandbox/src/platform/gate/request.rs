//! Reads a request to Gate, with typed access to its fields.

use std::net::IpAddr;

use ecommpay::json::{self, Limits};
use ecommpay::signature;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::platform::records::is_web_address;

/// The longest text that Gate accepts, in characters.
const MAX_TEXT: usize = 255;

/// A request to Gate. The methods read a field by its path, such as `payment.amount`. A refusal names this path.
pub struct GateRequest {
    /// The string that the merchant has signed.
    pub canonical: Vec<u8>,
    fields: Value,
}

impl GateRequest {
    /// Reads a body. Returns `None` if the body is not valid JSON or exceeds a limit.
    pub fn read(body: &[u8]) -> Option<Self> {
        let message = json::parse(body, Limits::CALLBACK).ok()?;
        Some(Self {
            canonical: signature::canonical(&message),
            fields: serde_json::from_slice(body).ok()?,
        })
    }

    /// Returns the value of a field. The value can be `null`.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.fields.pointer(&format!("/{}", path.replace('.', "/")))
    }

    /// Returns an object. Returns an empty object if the field is missing or has another type.
    pub fn object(&self, path: &str) -> Map<String, Value> {
        let object = self.value(path).and_then(Value::as_object);
        object.cloned().unwrap_or_default()
    }

    /// Returns a text of 1 to 255 characters. Returns `None` if the field is missing or has any other value.
    pub fn optional_text(&self, path: &str) -> Option<String> {
        let text = self.value(path)?.as_str()?;
        let fits = !text.is_empty() && text.chars().count() <= MAX_TEXT;
        fits.then(|| text.to_owned())
    }

    /// Returns a text of 1 to 255 characters.
    pub fn text(&self, path: &str) -> Result<String, Refusal> {
        let text = self.optional_text(path);
        text.ok_or_else(|| Refusal::field(path))
    }

    /// Returns a JSON number in `range`, without sign, fraction or exponent. A string of digits is refused.
    pub fn integer(
        &self,
        path: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, Refusal> {
        let number = self.value(path).and_then(Value::as_u64);
        let number = number.filter(|number| range.contains(number));
        number.ok_or_else(|| Refusal::field(path))
    }

    /// Checks that the value of a field is an IP address.
    pub fn check_ip_address(&self, path: &str) -> Result<(), Refusal> {
        match self.text(path)?.parse::<IpAddr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::field(path)),
        }
    }

    /// Returns a URL of the merchant, or `None` if the field is missing.
    pub fn optional_url(&self, path: &str) -> Result<Option<String>, Refusal> {
        match self.value(path) {
            None => Ok(None),
            Some(_) => self.url(path).map(Some),
        }
    }

    /// Returns a URL of the merchant.
    pub fn url(&self, path: &str) -> Result<String, Refusal> {
        let url = self.value(path).and_then(Value::as_str);
        let url = url.filter(|url| is_web_address(url));
        url.map(str::to_owned).ok_or_else(|| Refusal::field(path))
    }
}
