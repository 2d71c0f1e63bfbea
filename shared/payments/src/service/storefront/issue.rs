//! What a new key is made of.

use std::fmt;

/// Random letters and digits of a key's id: enough that two keys never have the same.
const ID_LENGTH: usize = 12;
/// And of its secret: 256 bits.
const SECRET_LENGTH: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new key. It is shown once, to whoever has asked for it; we keep its SHA-256 only.
pub struct NewKey(String);

impl NewKey {
    /// A random one.
    pub fn random() -> Result<Self, getrandom::Error> {
        let (id, secret) = (random_text(ID_LENGTH)?, random_text(SECRET_LENGTH)?);
        Ok(Self(format!("sk_{id}_{secret}")))
    }

    /// The key itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NewKey(hidden)")
    }
}

/// A storefront's name: it owns payments and stands in keys of the table. In lower case only, so
/// that no two differ by nothing else.
pub fn name(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    match (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("not 1 to 64 of the letters a to z, digits, dots, dashes and underscores"),
    }
}

/// An origin that shoppers may return to, as [`takes_return_url`](crate::model::storefront::Storefront::takes_return_url) compares it. Plain
/// HTTP only on this machine.
pub fn origin(text: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(text).map_err(|_| "not an address like https://shop.example")?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
        return Err("neither https nor, for localhost, http");
    }
    if text.contains('*') {
        return Err("a pattern, and origins are compared as they are");
    }
    let origin = url.origin().ascii_serialization();
    // With anything else than scheme, host and port, a part of it would count for nothing.
    let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    match bare && url.query().is_none() && url.fragment().is_none() && !text.contains('\\') {
        true => Ok(origin),
        false => Err("more than scheme, host and port"),
    }
}

/// Each letter and digit is as likely as any other: what does not divide evenly is thrown away.
fn random_text(length: usize) -> Result<String, getrandom::Error> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        let letters = bytes.iter().filter(|byte| **byte < 248);
        let letters = letters.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        text.extend(
            letters
                .take(length - text.len())
                .map(|letter| char::from(*letter)),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::service::storefront::key_id;

    #[test]
    fn keys_are_random_and_hide_themselves() {
        let keys: Vec<NewKey> = (0..200).map(|_| NewKey::random().unwrap()).collect();
        let ids: BTreeSet<&str> = keys
            .iter()
            .map(|key| key_id(key.reveal()).unwrap())
            .collect();
        assert_eq!(ids.len(), 200);
        let mut seen = BTreeSet::new();
        for key in &keys {
            let secret = key.reveal().rsplit('_').next().unwrap();
            assert_eq!((key.reveal().len(), secret.len()), (3 + 12 + 1 + 43, 43));
            assert!(secret.bytes().all(|byte| ALPHABET.contains(&byte)));
            seen.extend(secret.bytes());
            assert_eq!(format!("{key:?}"), "NewKey(hidden)");
        }
        assert_eq!(seen.len(), ALPHABET.len(), "every letter comes");
    }

    #[test]
    fn names_are_plain() {
        for good in ["shop", "shop.example-2_b", "0", &"a".repeat(64)] {
            assert_eq!(name(good).as_deref(), Ok(good));
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
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_are_bare_and_safe() {
        for (good, origin_of_it) in [
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
            assert_eq!(origin(good).as_deref(), Ok(origin_of_it), "{good}");
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
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
