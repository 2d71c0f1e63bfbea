//! Sends the data that the platform requests.
//!
//! Source ([list](crate::sources)): Gate, clarification.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::request::{General, Request};
use crate::fields::{FieldError, FieldName, Text};

/// The maximum number of parts of a field name that can be sent. For example, `customer.last_name` has two parts.
const MAX_PARTS: usize = 8;

/// `POST /v2/payment/clarification`: sends the data that the platform requests in `clarification_fields`.
///
/// The data can be incomplete. In this case, the platform requests the missing data again. The platform waits 30
/// minutes after each of its requests. `Debug` hides the data.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Clarification {
    /// The project and the payment.
    pub general: General,
    additional_data: Data,
}

type Data = BTreeMap<FieldName, Entry>;

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Entry {
    Text(Text),
    Object(Data),
}

impl Clarification {
    /// Creates a request from pairs of a field name and a text. Each dot in a name starts a nested object:
    /// `customer.last_name` becomes `{"customer": {"last_name": "Janssens"}}`.
    ///
    /// Fails if a name or a text is invalid, or if the request could share its signature with another request:
    ///
    /// - if there is no text, because the signature does not cover an empty object;
    /// - if a text has a `:`, because `b:c` in the field `a` has the same signature as `c` in the field `a.b`;
    /// - if two names are equal, or if one name is an object that contains the other, such as `a` and `a.b`.
    pub fn new<'a>(
        general: General,
        answers: impl IntoIterator<Item = (&'a str, Text)>,
    ) -> Result<Self, FieldError> {
        let mut additional_data = Data::new();
        for (name, text) in answers {
            if text.as_str().contains(':') {
                return Err(FieldError::Form("a text without :"));
            }
            put(&mut additional_data, name, text)?;
        }
        match additional_data.is_empty() {
            true => Err(FieldError::Empty),
            false => Ok(Self {
                general,
                additional_data,
            }),
        }
    }
}

/// Returns the names that one request can carry together. Leaves out a name with an invalid part or too many parts.
/// Also leaves out a name that is the object of another name, such as `a` beside `a.b`.
pub fn sendable_names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let is_valid = |name: &&str| {
        let is_valid_part = |part| FieldName::new(part).is_ok();
        name.split('.').count() <= MAX_PARTS && name.split('.').all(is_valid_part)
    };
    let names: BTreeSet<&str> = names.into_iter().filter(is_valid).collect();
    let is_object = |name: &str| {
        let mut rests = names.iter().filter_map(|other| other.strip_prefix(name));
        rests.any(|rest| rest.starts_with('.'))
    };
    let sendable = names.iter().copied().filter(|name| !is_object(name));
    sendable.collect()
}

fn put(data: &mut Data, name: &str, text: Text) -> Result<(), FieldError> {
    const TAKEN: FieldError = FieldError::Form("a name that does not conflict with another name");
    match name.split_once('.') {
        None => match data.insert(FieldName::new(name)?, Entry::Text(text)) {
            None => Ok(()),
            Some(_) => Err(TAKEN),
        },
        Some((object, rest)) => {
            let object = data.entry(FieldName::new(object)?);
            match object.or_insert_with(|| Entry::Object(Data::new())) {
                Entry::Object(data) => put(data, rest, text),
                Entry::Text(_) => Err(TAKEN),
            }
        }
    }
}

impl fmt::Debug for Clarification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Clarification")
            .field("general", &self.general)
            .finish_non_exhaustive()
    }
}

impl Request for Clarification {
    const PATH: &'static str = "/v2/payment/clarification";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}
