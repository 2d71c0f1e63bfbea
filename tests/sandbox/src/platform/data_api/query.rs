//! Reads a request for a page of operations.

use axum::http::StatusCode;
use ecommpay::data_api::PAGE;
use ecommpay::json::{self, Limits};
use ecommpay::{ProjectKey, signature};
use serde::Deserialize;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use crate::platform::messages::verifies;

pub const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const OFFSET: &[BorrowedFormatItem<'_>] =
    format_description!("[offset_hour sign:mandatory]:[offset_minute]");

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub message: String,
}

impl Refusal {
    fn bad_request(message: impl Into<String>) -> Self {
        let (status, message) = (StatusCode::BAD_REQUEST, message.into());
        Self { status, message }
    }

    fn unauthorized(message: &str) -> Self {
        let (status, message) = (StatusCode::UNAUTHORIZED, message.to_owned());
        Self { status, message }
    }
}

/// The simulated fields of a request. The platform knows more fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "token")]
    _token: String,
    #[serde(rename = "signature")]
    _signature: String,
    project_id: Vec<u64>,
    interval: Interval,
    #[serde(default = "utc")]
    tz: String,
    #[serde(default = "page_size")]
    limit: usize,
    #[serde(default)]
    offset: u32,
}

#[derive(Deserialize)]
struct Interval {
    from: String,
    to: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn page_size() -> usize {
    PAGE as usize
}

#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    pub from: OffsetDateTime,
    pub to: OffsetDateTime,
    pub limit: usize,
    pub offset: usize,
}

impl Query {
    /// Reads a body. Checks the token and the signature before the other fields.
    pub fn read(
        body: &[u8],
        project_id: u32,
        token: &str,
        key: &ProjectKey,
    ) -> Result<Self, Refusal> {
        let message = json::parse(body, Limits::CALLBACK)
            .map_err(|error| Refusal::bad_request(format!("The body is not JSON: {error}.")))?;
        if message.text_at("token").as_deref() != Some(token) {
            return Err(Refusal::unauthorized("The token is unknown."));
        }
        let signature = message.text_at("signature").unwrap_or_default();
        if !verifies(key, &signature::canonical(&message), &signature) {
            return Err(Refusal::unauthorized("The signature is invalid."));
        }
        let fields: Fields = serde_json::from_slice(body)
            .map_err(|error| Refusal::bad_request(format!("The request is invalid: {error}.")))?;
        fields.check(project_id)
    }
}

impl Fields {
    fn check(&self, project_id: u32) -> Result<Query, Refusal> {
        if self.project_id != [u64::from(project_id)] {
            return Err(Refusal::bad_request(
                "project_id must be a list that contains only the project's id.",
            ));
        }
        if !(1..=page_size()).contains(&self.limit) {
            return Err(Refusal::bad_request(format!("limit must be 1 to {PAGE}.")));
        }
        let zone = match self.tz.as_str() {
            "UTC" => Some(UtcOffset::UTC),
            offset => UtcOffset::parse(offset, OFFSET).ok(),
        };
        let zone = zone.ok_or_else(|| {
            Refusal::bad_request("tz must be UTC or an offset. Names of zones are not simulated.")
        })?;
        let time = |text: &str| match PrimitiveDateTime::parse(text, TIME) {
            Ok(time) => Ok(time.assume_offset(zone)),
            Err(_) => Err(Refusal::bad_request(
                "The times of interval must be YYYY-MM-DD hh:mm:ss.",
            )),
        };
        let (from, to) = (time(&self.interval.from)?, time(&self.interval.to)?);
        if from > to {
            return Err(Refusal::bad_request("interval.from is after interval.to."));
        }
        Ok(Query {
            from,
            to,
            limit: self.limit,
            offset: self.offset as usize,
        })
    }
}
