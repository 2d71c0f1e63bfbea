//! Computes SHA-256 digests in hexadecimal. A digest replaces a value that must be recognised but not stored, or an
//! id that can contain any character.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Returns the digest of `bytes` as 64 lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns the first `digits` digits of the digest. Use this only if a collision gives no advantage to an attacker.
pub fn start_of_hex(bytes: &[u8], digits: usize) -> String {
    let digest = Sha256::digest(bytes);
    // One byte has two digits.
    let start = digest.get(..digits.div_ceil(2)).unwrap_or(&digest);
    let mut start = hex::encode(start);
    start.truncate(digits);
    start
}

/// Whether two digests are equal, compared in constant time.
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
    fn a_digest_is_cut_to_a_number_of_digits() {
        for (digits, expected) in [(0, ""), (3, "e3b"), (16, "e3b0c44298fc1c14")] {
            assert_eq!(start_of_hex(b"", digits), expected);
        }
        for digits in [64, 65] {
            assert_eq!(start_of_hex(b"", digits), hex(b""));
        }
    }

    #[test]
    fn digests_are_equal_only_if_every_digit_is_equal() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd"));
        assert!(!equal("abc", "abcd"));
    }
}
