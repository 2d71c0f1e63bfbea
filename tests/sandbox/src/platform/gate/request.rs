//! Reads a request to Gate, with typed access to its fields.

use std::net::IpAddr;

use ecommpay::json::{self, Limits};
use ecommpay::signature;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::platform::records::is_web_address;

/// The maximum number of characters that Gate accepts in a text.
const MAX_TEXT: usize = 255;

/// A request to Gate. Its methods read a field by a path such as `payment.amount`. A refusal names this path.
pub struct GateRequest {
    pub canonical: Vec<u8>,
    fields: Value,
}

impl GateRequest {
    /// Returns `None` if the body is not valid JSON or exceeds a limit.
    pub fn read(body: &[u8]) -> Option<Self> {
        let message = json::parse(body, Limits::CALLBACK).ok()?;
        Some(Self {
            canonical: signature::canonical(&message),
            fields: serde_json::from_slice(body).ok()?,
        })
    }

    /// The value can be `null`.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.fields.pointer(&format!("/{}", path.replace('.', "/")))
    }

    /// Returns an empty object if the field is missing or has another type.
    pub fn object(&self, path: &str) -> Map<String, Value> {
        let object = self.value(path).and_then(Value::as_object);
        object.cloned().unwrap_or_default()
    }

    /// Returns a text of 1 to 255 characters, or `None` for any other value.
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

    /// Returns a whole number without a sign. A number in a string is refused.
    pub fn integer(
        &self,
        path: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, Refusal> {
        let number = self.value(path).and_then(Value::as_u64);
        let number = number.filter(|number| range.contains(number));
        number.ok_or_else(|| Refusal::field(path))
    }

    pub fn check_ip_address(&self, path: &str) -> Result<(), Refusal> {
        match self.text(path)?.parse::<IpAddr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::field(path)),
        }
    }

    pub fn optional_url(&self, path: &str) -> Result<Option<String>, Refusal> {
        match self.value(path) {
            None => Ok(None),
            Some(_) => self.url(path).map(Some),
        }
    }

    pub fn url(&self, path: &str) -> Result<String, Refusal> {
        let url = self.value(path).and_then(Value::as_str);
        let url = url.filter(|url| is_web_address(url));
        url.map(str::to_owned).ok_or_else(|| Refusal::field(path))
    }
}
