//! Makes new storefront keys.

use std::fmt;

/// The length of a key's id. 12 random characters have 71 bits, so two ids never collide in practice.
const ID_LENGTH: usize = 12;
/// The length of a key's secret. 43 random characters have 256 bits.
const SECRET_LENGTH: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new key. It can be shown only now, because the store has only its SHA-256.
pub struct NewKey(String);

impl NewKey {
    /// Creates a random key.
    pub fn random() -> Result<Self, getrandom::Error> {
        let (id, secret) = (random_text(ID_LENGTH)?, random_text(SECRET_LENGTH)?);
        Ok(Self(format!("sk_{id}_{secret}")))
    }

    /// Returns the key in plain text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NewKey(hidden)")
    }
}

/// Returns random letters and digits. Drops bytes of 248 (4 * 62) or more, because otherwise the first characters of
/// the alphabet would be more probable.
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
    fn keys_are_random_and_hidden_in_debug_output() {
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
        assert_eq!(seen.len(), ALPHABET.len(), "every letter occurs");
    }
}
