//! Reads a signed Payment Page link. The signature is checked before the parameters.

use std::collections::BTreeMap;
use std::fmt;

use ecommpay::signature;
use serde_json::{Map, Value};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use url::form_urlencoded;

use crate::platform::messages::{Project, verifies};
use crate::platform::records::{
    CURRENCY, CallbackOptions, PageOrder, PageUrls, ReturnUrls, SaleOrder, is_web_address,
};

/// The maximum time from now to `best_before`.
const LATEST_EXPIRY: Duration = Duration::days(30);
const WITH_MINUTES: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]:[offset_minute]"
);
const WITHOUT_MINUTES: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory]"
);

#[derive(Debug, Clone)]
pub struct Link {
    /// Without the return URLs and the buttons, which [`Link::into_order`] adds.
    pub order: SaleOrder,
    /// Identifies the link.
    pub signature: String,
    /// Where the bank redirects the browser, from the parameters `redirect_*`.
    redirects: PageUrls,
    /// Where the page's buttons lead, from the parameters `merchant_*`.
    pub buttons: PageUrls,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    Repeated(String),
    /// A semicolon separates the lines of the signed string.
    Semicolon(String),
    Invalid(String),
    Signature,
    Expired,
}

impl fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Repeated(name) => write!(formatter, "The parameter {name} is repeated."),
            LinkError::Semicolon(name) => {
                write!(formatter, "The parameter {name} contains a semicolon.")
            }
            LinkError::Invalid(name) => {
                write!(formatter, "The parameter {name} is missing or invalid.")
            }
            LinkError::Signature => formatter.write_str("The signature is missing or invalid."),
            LinkError::Expired => formatter.write_str("This link has expired."),
        }
    }
}

impl Link {
    pub fn read(query: &str, project: &Project, now: OffsetDateTime) -> Result<Self, LinkError> {
        let parameters = Parameters::read(query)?;
        let signature = parameters.verified_signature(project)?;
        parameters.expect("project_id", |id| id == project.id.to_string())?;
        let amount = parameters.required("payment_amount")?.parse().ok();
        let amount = amount.filter(|amount| *amount > 0);
        parameters.expect("payment_currency", |currency| currency == CURRENCY)?;
        parameters.required("customer_id")?;
        for (name, only) in [
            ("force_payment_method", "bancontact"),
            ("mode", "purchase"),
            ("operation_type", "sale"),
        ] {
            if parameters.get(name).is_some_and(|value| value != only) {
                return Err(invalid(name));
            }
        }
        parameters.check_expiry(now)?;
        Ok(Self {
            order: SaleOrder {
                payment_id: parameters.required("payment_id")?.to_owned(),
                amount: amount.ok_or_else(|| invalid("payment_amount"))?,
                description: parameters.get("payment_description").map(str::to_owned),
                customer: parameters.customer(),
                callbacks: CallbackOptions {
                    url: parameters.url("merchant_callback_url")?,
                    ..CallbackOptions::default()
                },
                ..SaleOrder::default()
            },
            signature,
            redirects: parameters.page_urls("redirect")?,
            buttons: parameters.page_urls("merchant")?,
        })
    }

    /// Returns the complete order. `own` is the URL of the platform's end page. This URL replaces each missing return
    /// URL.
    pub fn into_order(self, own: &str) -> SaleOrder {
        let or_own = |url: Option<String>| url.unwrap_or_else(|| own.to_owned());
        SaleOrder {
            return_urls: ReturnUrls {
                default: or_own(self.redirects.back),
                success: Some(or_own(self.redirects.success)),
                decline: Some(or_own(self.redirects.fail)),
            },
            page: Some(PageOrder {
                signature: self.signature,
                buttons: self.buttons,
            }),
            ..self.order
        }
    }
}

struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn read(query: &str) -> Result<Self, LinkError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name.contains(';') || value.contains(';') {
                return Err(LinkError::Semicolon(name.into_owned()));
            }
            let earlier = parameters.insert(name.to_string(), value.into_owned());
            if earlier.is_some() {
                return Err(LinkError::Repeated(name.into_owned()));
            }
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Accepts 1 to 255 characters.
    fn required(&self, name: &str) -> Result<&str, LinkError> {
        let fits = |value: &&str| (1..=255).contains(&value.chars().count());
        let value = self.get(name).filter(fits);
        value.ok_or_else(|| invalid(name))
    }

    fn expect(&self, name: &str, is_valid: impl Fn(&str) -> bool) -> Result<(), LinkError> {
        let value = self.required(name)?;
        match is_valid(value) {
            true => Ok(()),
            false => Err(invalid(name)),
        }
    }

    /// Returns the signature if it is valid.
    fn verified_signature(&self, project: &Project) -> Result<String, LinkError> {
        let signature = self.get("signature").ok_or(LinkError::Signature)?;
        // The signed string covers neither `signature` nor `frame_mode`.
        let canonical = signature::canonical_of(&self.0).map_err(|_| LinkError::Signature)?;
        match verifies(&project.key, &canonical, signature) {
            true => Ok(signature.to_owned()),
            false => Err(LinkError::Signature),
        }
    }

    fn check_expiry(&self, now: OffsetDateTime) -> Result<(), LinkError> {
        let Some(text) = self.get("best_before") else {
            return Ok(());
        };
        let time = OffsetDateTime::parse(text, WITH_MINUTES)
            .or_else(|_| OffsetDateTime::parse(text, WITHOUT_MINUTES));
        match time {
            Ok(time) if time <= now => Err(LinkError::Expired),
            Ok(time) if time <= now + LATEST_EXPIRY => Ok(()),
            _ => Err(invalid("best_before")),
        }
    }

    /// Callbacks name a field of the customer without the prefix `customer_`.
    fn customer(&self) -> Map<String, Value> {
        let named = self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("customer_")?;
            Some((name.to_owned(), value.clone().into()))
        });
        named.collect()
    }

    fn page_urls(&self, prefix: &str) -> Result<PageUrls, LinkError> {
        Ok(PageUrls {
            success: self.enabled_url(&format!("{prefix}_success"))?,
            fail: self.enabled_url(&format!("{prefix}_fail"))?,
            back: self.enabled_url(&format!("{prefix}_return"))?,
        })
    }

    /// Returns the URL `{name}_url`, or `None` if `{name}_enabled` is 0.
    fn enabled_url(&self, name: &str) -> Result<Option<String>, LinkError> {
        let url = self.url(&format!("{name}_url"))?;
        let enabled = format!("{name}_enabled");
        match self.get(&enabled) {
            None | Some("1" | "2") => Ok(url),
            Some("0") => Ok(None),
            Some(_) => Err(invalid(&enabled)),
        }
    }

    fn url(&self, name: &str) -> Result<Option<String>, LinkError> {
        match self.get(name) {
            None => Ok(None),
            Some(url) if is_web_address(url) => Ok(Some(url.to_owned())),
            Some(_) => Err(invalid(name)),
        }
    }
}

fn invalid(name: &str) -> LinkError {
    LinkError::Invalid(name.to_owned())
}
