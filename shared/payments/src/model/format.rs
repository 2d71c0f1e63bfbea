//! Numbers the formats of the stored document of a payment (`shared/decisions/state/0038-two-releases.md`).

use serde::{Deserialize, Serialize};

/// The format of a stored document: which fields and words the document can have.
///
/// A document has the greatest format in which a release has ever written it. If this format is greater than
/// [`Format::CURRENT`], the document can have fields and words that this release does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Format(u32);

impl Format {
    /// The format of a document without a number.
    pub const FIRST: Format = Format(1);
    /// The greatest format that this release knows.
    pub const CURRENT: Format = Format(1);

    /// Returns the format in which functions write. `number` is the parameter `DocumentFormat`. A greater number than
    /// [`Format::CURRENT`] can remain after a rollback, and counts as [`Format::CURRENT`].
    pub fn to_write(number: u32) -> Self {
        Self(number).clamp(Self::FIRST, Self::CURRENT)
    }

    /// Returns the number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_writes_no_format_that_its_release_does_not_know() {
        assert_eq!(Format::to_write(0), Format::FIRST);
        assert_eq!(Format::to_write(1), Format::FIRST);
        assert_eq!(Format::to_write(u32::MAX), Format::CURRENT);
    }
}
