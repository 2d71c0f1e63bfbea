//! Parses the settings that an operator enters for a storefront: its name, its return origins, and the prefix of its
//! payment ids.

use url::Url;

use crate::model::ids::MerchantId;

/// Parses a storefront's name. The name is a part of item keys, so only a few characters are allowed. Upper-case
/// letters are refused, so that no two names differ only in case.
pub fn parse_name(text: &str) -> Result<String, &'static str> {
    let is_allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    match (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 64 characters: a to z, digits, dots, dashes and underscores"),
    }
}

/// Parses the prefix of a storefront's payment ids.
pub fn parse_prefix(text: &str) -> Result<MerchantId, &'static str> {
    MerchantId::new(text)
        .ok_or("must be 1 to 64 characters: letters, digits, dots, dashes and underscores")
}

/// Parses a return origin: scheme, host and port. Returns the form that
/// [`allows_return_url`](crate::model::storefront::Storefront::allows_return_url) compares. Plain HTTP is allowed
/// only for the local machine.
pub fn parse_origin(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "must have a form like https://shop.example")?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return Err("the scheme must be https, or http for localhost");
    }
    if text.contains('*') {
        return Err("must not contain `*`, because origins are compared exactly");
    }
    let origin = url.origin().ascii_serialization();
    // Any other part of the URL is refused, because it would have no effect, and the operator would not notice this.
    let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    match is_bare && url.query().is_none() && url.fragment().is_none() && !text.contains('\\') {
        true => Ok(origin),
        false => Err("must have only a scheme, a host and a port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_only_lower_case_letters_digits_dots_dashes_and_underscores() {
        for good in ["shop", "shop.example-2_b", "0", &"a".repeat(64)] {
            assert_eq!(parse_name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "Shop",
            "my shop",
            "a/b",
            "a#b",
            "caf\u{e9}",
            &"a".repeat(65),
        ] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_has_only_scheme_host_and_port_and_is_https_or_local() {
        for (good, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://SHOP.example:443/", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("http://localhost:8081", "http://localhost:8081"),
            ("http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
            ("http://[::1]:8081", "http://[::1]:8081"),
        ] {
            assert_eq!(parse_origin(good).as_deref(), Ok(expected), "{good}");
        }
        for bad in [
            "",
            "shop.example",
            "//shop.example",
            "https://",
            "http://shop.example",
            "http://localhost.shop.example",
            "http://127.0.0.1.shop.example",
            "ftp://localhost",
            "javascript:alert(1)",
            "https://shop.example/thanks",
            "https://shop.example/?a=1",
            "https://shop.example?",
            "https://shop.example#a",
            "https://user@shop.example",
            "https://:pw@shop.example",
            "https:\\\\shop.example",
            "https://*.shop.example",
        ] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }
}
