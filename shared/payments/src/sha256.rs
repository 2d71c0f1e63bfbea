//! SHA-256 in hexadecimal: what we keep of things that we must recognise but not know.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The digest of `bytes` as 64 lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The first so many digits of the digest, where nobody gains by finding two that are the same.
pub fn start_of_hex(bytes: &[u8], digits: usize) -> String {
    let mut digest = hex(bytes);
    digest.truncate(digits);
    digest
}

/// Whether two digests are equal, in constant time.
pub fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_comparison() {
        assert_eq!(
            hex(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "abcd"));
    }
}
