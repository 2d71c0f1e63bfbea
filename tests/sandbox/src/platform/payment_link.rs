//! Reads the signed link to Payment Page: its signature first, then every parameter.

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::{Signature, signature};
use serde_json::{Map, Value};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use url::{Url, form_urlencoded};

use super::operation::CURRENCY;
use super::order::{CallbackOptions, ReturnUrl};
use super::request::Project;

/// How far ahead `best_before` can be.
const LONGEST_AHEAD: Duration = Duration::days(30);
const WITH_MINUTES: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]:[offset_minute]"
);
const WITHOUT_MINUTES: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]"
);

/// What a good link orders.
#[derive(Debug, Clone)]
pub struct Link {
    /// Identifies the link.
    pub signature: String,
    /// In the merchant's spelling.
    pub payment_id: String,
    /// Minor units.
    pub amount: u64,
    /// The merchant's words.
    pub description: Option<String>,
    /// Whatever is said about the customer.
    pub customer: Map<String, Value>,
    /// How callbacks are wanted.
    pub callbacks: CallbackOptions,
    /// Where the browser goes by itself.
    pub redirects: Ways,
    /// Where a button leads.
    pub buttons: Ways,
}

/// The ways from Payment Page to the merchant.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// After a success.
    pub success: Option<String>,
    /// After a decline.
    pub fail: Option<String>,
    /// Before the end.
    pub back: Option<String>,
}

/// Why a link opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLink {
    /// A parameter is there twice.
    Twice(String),
    /// A parameter holds what separates the lines of the signed string.
    Separator(String),
    /// A parameter is missing or has a value that it cannot have.
    Wrong(&'static str),
    /// There is no signature of the project's key, or it is another message's.
    Signature,
    /// Its time is over.
    Expired,
}

impl fmt::Display for BadLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadLink::Twice(name) => write!(formatter, "The parameter {name} is there twice."),
            BadLink::Separator(name) => {
                write!(formatter, "The parameter {name} holds a semicolon.")
            }
            BadLink::Wrong(name) => write!(formatter, "The parameter {name} is missing or wrong."),
            BadLink::Signature => formatter.write_str("The signature is missing or wrong."),
            BadLink::Expired => formatter.write_str("The time to pay with this link is over."),
        }
    }
}

impl Link {
    /// Reads the query of the address.
    pub fn read(query: &str, project: &Project, now: OffsetDateTime) -> Result<Self, BadLink> {
        let parameters = Parameters::read(query)?;
        let signature = parameters.admit(project)?;
        parameters.expect("project_id", |id| id == project.id.to_string())?;
        let amount = parameters.required("payment_amount")?.parse().ok();
        parameters.expect("payment_currency", |currency| currency == CURRENCY)?;
        parameters.required("customer_id")?;
        for (name, only) in [
            ("force_payment_method", "bancontact"),
            ("mode", "purchase"),
            ("operation_type", "sale"),
        ] {
            if parameters.get(name).is_some_and(|value| value != only) {
                return Err(BadLink::Wrong(name));
            }
        }
        parameters.check_time(now)?;
        Ok(Self {
            signature,
            payment_id: parameters.required("payment_id")?.to_owned(),
            amount: amount
                .filter(|amount| *amount > 0)
                .ok_or(BadLink::Wrong("payment_amount"))?,
            description: parameters.get("payment_description").map(str::to_owned),
            customer: parameters.customer(),
            callbacks: CallbackOptions {
                url: parameters.address("merchant_callback_url")?,
                ..CallbackOptions::default()
            },
            redirects: Ways {
                success: parameters.way("redirect_success_url", "redirect_success_enabled")?,
                fail: parameters.way("redirect_fail_url", "redirect_fail_enabled")?,
                back: parameters.way("redirect_return_url", "redirect_return_enabled")?,
            },
            buttons: Ways {
                success: parameters.way("merchant_success_url", "merchant_success_enabled")?,
                fail: parameters.way("merchant_fail_url", "merchant_fail_enabled")?,
                back: parameters.way("merchant_return_url", "merchant_return_enabled")?,
            },
        })
    }

    /// Where the bank sends the browser; `own` is this payment's page here, for what the merchant
    /// has not said.
    pub fn return_url(&self, own: &str) -> ReturnUrl {
        let or_own = |way: &Option<String>| way.clone().unwrap_or_else(|| own.to_owned());
        ReturnUrl {
            always: or_own(&self.redirects.back),
            success: Some(or_own(&self.redirects.success)),
            decline: Some(or_own(&self.redirects.fail)),
        }
    }
}

struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn read(query: &str) -> Result<Self, BadLink> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name.contains(';') || value.contains(';') {
                return Err(BadLink::Separator(name.into_owned()));
            }
            if let Some(_earlier) = parameters.insert(name.to_string(), value.into_owned()) {
                return Err(BadLink::Twice(name.into_owned()));
            }
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Text of 1 to 255 characters.
    fn required(&self, name: &'static str) -> Result<&str, BadLink> {
        let fits = |value: &&str| (1..=255).contains(&value.chars().count());
        self.get(name).filter(fits).ok_or(BadLink::Wrong(name))
    }

    fn expect(&self, name: &'static str, good: impl Fn(&str) -> bool) -> Result<(), BadLink> {
        let value = self.required(name)?;
        good(value).then_some(()).ok_or(BadLink::Wrong(name))
    }

    /// Gives the signature if it is the project's.
    fn admit(&self, project: &Project) -> Result<String, BadLink> {
        let carried = self.get("signature").ok_or(BadLink::Signature)?;
        // As signed: without `signature`, and without `frame_mode`, which no signature covers.
        let canonical = signature::canonical_of(&self.0).map_err(|_| BadLink::Signature)?;
        match Signature::from_base64(carried) {
            Some(signature) if project.key.verifies(&canonical, &signature) => {
                Ok(carried.to_owned())
            }
            _ => Err(BadLink::Signature),
        }
    }

    fn check_time(&self, now: OffsetDateTime) -> Result<(), BadLink> {
        let Some(text) = self.get("best_before") else {
            return Ok(());
        };
        let time = OffsetDateTime::parse(text, WITH_MINUTES)
            .or_else(|_| OffsetDateTime::parse(text, WITHOUT_MINUTES));
        match time {
            Err(_) => Err(BadLink::Wrong("best_before")),
            Ok(time) if time > now + LONGEST_AHEAD => Err(BadLink::Wrong("best_before")),
            Ok(time) if time <= now => Err(BadLink::Expired),
            Ok(_) => Ok(()),
        }
    }

    /// The data of the customer, under the names that callbacks use.
    fn customer(&self) -> Map<String, Value> {
        let named = self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("customer_")?;
            Some((name.to_owned(), value.clone().into()))
        });
        named.collect()
    }

    fn address(&self, name: &'static str) -> Result<Option<String>, BadLink> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
        match Url::parse(text) {
            Ok(url) if is_web(&url) => Ok(Some(text.to_owned())),
            _ => Err(BadLink::Wrong(name)),
        }
    }

    /// An address, if it is not switched off.
    fn way(&self, url: &'static str, enabled: &'static str) -> Result<Option<String>, BadLink> {
        let address = self.address(url)?;
        match self.get(enabled) {
            None | Some("1" | "2") => Ok(address),
            Some("0") => Ok(None),
            Some(_) => Err(BadLink::Wrong(enabled)),
        }
    }
}
