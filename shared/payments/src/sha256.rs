//! Computes SHA-256 digests in hexadecimal. A digest replaces a value that must be recognised but not stored, or an id
//! that may contain any character.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Returns the digest of `bytes` as 64 lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns the first `digits` digits of the digest, for uses in which a collision gives no advantage.
pub fn start_of_hex(bytes: &[u8], digits: usize) -> String {
    let mut digest = hex(bytes);
    digest.truncate(digits);
    digest
}

/// Whether two digests are equal. The comparison takes constant time.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_in_lower_case_hexadecimal() {
        assert_eq!(
            hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn digests_are_equal_only_if_every_digit_is_equal() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd"));
        assert!(!equal("abc", "abcd"));
    }
}
