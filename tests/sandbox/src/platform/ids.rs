//! Ids in the platform's spellings: operation numbers, request ids, unguessable page names.

use std::fmt::Write as _;

use ecommpay::ProjectKey;
use ecommpay::signature::keyring::EmptyKey;
use time::OffsetDateTime;

use super::order::Marks;

/// A source of ids that do not repeat, neither within one run nor in the next.
pub struct Ids {
    seed: ProjectKey,
    count: u64,
    first_operation: u64,
}

impl Ids {
    /// Ids of a run that starts now; `secret` makes the page names unguessable.
    pub fn new(secret: &str, now: OffsetDateTime) -> Result<Self, EmptyKey> {
        let nanoseconds = now.unix_timestamp_nanos();
        let milliseconds = u64::try_from(nanoseconds / 1_000_000).unwrap_or_default();
        Ok(Self {
            seed: ProjectKey::new(&format!("{secret}/{nanoseconds}"))?,
            count: 0,
            first_operation: 37_493_000_003_351 + milliseconds % 1_000_000_000_000,
        })
    }

    /// The next operation's number.
    pub fn operation(&mut self) -> u64 {
        self.count += 1;
        self.first_operation + self.count
    }

    /// The ids of a new operation that begins now.
    pub fn marks(&mut self, request_id: &str) -> Marks {
        Marks {
            operation_id: self.operation(),
            request_id: request_id.to_owned(),
            now: OffsetDateTime::now_utc(),
        }
    }

    /// A request id of 40 hexadecimal digits.
    pub fn request(&mut self) -> String {
        self.hex(40)
    }

    /// A request id in the long form, 90 characters: two digests and a number.
    pub fn long_request(&mut self) -> String {
        let (first, second) = (self.hex(40), self.hex(40));
        format!("{first}-{second}-{:08}", self.count % 100_000_000)
    }

    /// 32 hexadecimal digits that cannot be guessed.
    pub fn secret(&mut self) -> String {
        self.hex(32)
    }

    fn hex(&mut self, digits: usize) -> String {
        self.count += 1;
        let digest = self.seed.sign(&self.count.to_be_bytes());
        let mut text = String::with_capacity(128);
        for byte in digest.as_bytes() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.truncate(digits);
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_platforms_lengths_and_do_not_repeat() {
        let mut ids = Ids::new("secret", OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(ids.request().len(), 40);
        assert_eq!(ids.long_request().len(), 90);
        assert_eq!(ids.operation(), 37_493_000_003_355);
        assert_ne!(ids.secret(), ids.secret());
        let mut later = Ids::new("secret", OffsetDateTime::now_utc()).unwrap();
        let mut first = Ids::new("secret", OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_ne!(later.request(), first.request());
    }
}
