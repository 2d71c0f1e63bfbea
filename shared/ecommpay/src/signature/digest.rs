//! Defines the signature as a value.
//!
//! Source ([list](crate::sources)): Signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// A signature: the 64 bytes of an HMAC-SHA-512.
#[derive(Debug, Clone, Copy)]
pub struct Signature([u8; 64]);

/// Compares two signatures in constant time.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Signature {}

impl Signature {
    pub(super) fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Decodes standard base64 with padding. Returns `None` if the text is not the base64 of 64 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Returns the 64 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Encodes as standard base64 with padding, 88 characters.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_signatures_are_equal_only_if_all_bytes_are_equal() {
        let one = Signature::from_bytes([7; 64]);
        assert_eq!(one, Signature::from_bytes([7; 64]));
        for at in 0..64 {
            let mut bytes = [7; 64];
            bytes[at] = 8;
            assert_ne!(one, Signature::from_bytes(bytes));
        }
    }

    #[test]
    fn only_the_padded_base64_of_64_bytes_is_decoded() {
        let good = Signature::from_bytes([7; 64]);
        assert_eq!(Signature::from_base64(&good.to_base64()), Some(good));
        let text = good.to_base64();
        for bad in [
            "",
            "x",
            &text[..84],
            &format!("{text}="),
            &text.replace("==", ""),
            &text.replace('B', "-"),
        ] {
            assert_eq!(Signature::from_base64(bad), None, "{bad}");
        }
    }
}
