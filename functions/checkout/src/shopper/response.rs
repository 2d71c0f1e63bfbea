//! Makes redirects, and the page that a shopper sees after a failure of this service.

use std::fmt;

use lambda_http::Response;
use lambda_http::http::{HeaderValue, StatusCode, header};
use payments::log::Line;

use crate::language::Language;
use crate::pages;

/// Returns a redirect with status 303. `language` is the language of the page that replaces an invalid redirect.
pub(super) fn see_other(url: &str, language: Language) -> Response<String> {
    let Ok(location) = HeaderValue::from_str(url) else {
        let reason = "the URL of a redirect is not valid in a header";
        return unavailable(reason, language, None);
    };
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Logs the reason and returns a page that does not show the reason. `shop_url` is present if the checkout was found.
pub(super) fn unavailable(
    reason: impl fmt::Display,
    language: Language,
    shop_url: Option<&str>,
) -> Response<String> {
    Line::error("a shopper's request cannot be served")
        .with("error", reason.to_string())
        .write();
    pages::unavailable(language, shop_url)
}
