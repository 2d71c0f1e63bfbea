//! Makes operation ids, request ids and secret tokens in the formats of the platform.

use ecommpay::ProjectKey;
use ecommpay::signature::keyring::EmptyKey;
use time::OffsetDateTime;

use super::records::Stamp;

/// Generates ids that are unique in this run and differ from the ids of earlier runs.
pub struct Ids {
    seed: ProjectKey,
    count: u64,
    first_operation: u64,
}

impl Ids {
    /// Without `secret`, the tokens cannot be predicted.
    pub fn new(secret: &str, now: OffsetDateTime) -> Result<Self, EmptyKey> {
        let nanoseconds = now.unix_timestamp_nanos();
        let milliseconds = u64::try_from(nanoseconds / 1_000_000).unwrap_or_default();
        Ok(Self {
            seed: ProjectKey::new(&format!("{secret}/{nanoseconds}"))?,
            count: 0,
            first_operation: 37_493_000_003_351 + milliseconds % 1_000_000_000_000,
        })
    }

    fn operation(&mut self) -> u64 {
        self.count += 1;
        self.first_operation + self.count
    }

    /// Returns the ids and the time of a new operation. The request id has 40 hexadecimal digits.
    pub fn stamp(&mut self) -> Stamp {
        let request_id = self.hex(40);
        self.stamp_of(&request_id)
    }

    /// Returns the ids and the time of a new operation of the request `request_id`.
    pub fn stamp_of(&mut self, request_id: &str) -> Stamp {
        Stamp {
            operation_id: self.operation(),
            request_id: request_id.to_owned(),
            now: OffsetDateTime::now_utc(),
        }
    }

    /// Returns a request id of 90 characters, as Gate makes it.
    pub fn gate_request(&mut self) -> String {
        let (first, second) = (self.hex(40), self.hex(40));
        format!("{first}-{second}-{:08}", self.count % 100_000_000)
    }

    /// Returns a token of 32 hexadecimal digits.
    pub fn secret(&mut self) -> String {
        self.hex(32)
    }

    fn hex(&mut self, digits: usize) -> String {
        self.count += 1;
        let digest = self.seed.sign(&self.count.to_be_bytes());
        let bytes = digest.as_bytes().iter().take(digits / 2);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_of_the_platforms_ids_and_do_not_repeat() {
        let mut ids = Ids::new("secret", OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(ids.gate_request().len(), 90);
        assert_eq!(ids.operation(), 37_493_000_003_354);
        assert_ne!(ids.secret(), ids.secret());
        let mut later = Ids::new("secret", OffsetDateTime::now_utc()).unwrap();
        let mut first = Ids::new("secret", OffsetDateTime::UNIX_EPOCH).unwrap();
        let (later, first) = (later.stamp().request_id, first.stamp().request_id);
        assert_eq!(later.len(), 40);
        assert_ne!(later, first);
    }
}
