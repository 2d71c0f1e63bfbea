//! Defines the maximum size of a message.

/// The maximum size of a message in each dimension that costs memory or time. The reader refuses a larger message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Levels of nested arrays and objects; a scalar at the top level has depth 0.
    pub depth: usize,
    /// Members of all objects and elements of all arrays together.
    pub keys: usize,
    /// Bytes of the canonical string. Each value has a line with its whole path, so a long key counts again for each
    /// value below the key. A short text has a lower limit ([`Limits::canonical_of`]).
    pub canonical: usize,
}

/// The maximum size of the canonical string, as a multiple of the size of the text. In messages of the platform, this
/// multiple is below 2.
const MAX_GROWTH: usize = 4;
/// The canonical string of a short text can have up to this size, in bytes.
const SHORT_CANONICAL: usize = 4 * 1024;

impl Limits {
    /// The limits of a callback.
    pub const CALLBACK: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        keys: 2_000,
        canonical: 1024 * 1024,
    };
    /// The limits of a status answer, which can list thousands of operations.
    pub const ANSWER: Limits = Limits {
        bytes: 4 * 1024 * 1024,
        keys: 100_000,
        canonical: 16 * 1024 * 1024,
        ..Limits::CALLBACK
    };

    /// Returns the maximum size of the canonical string for a text with `bytes` bytes. Anyone can send an unsigned
    /// text, so the work for a text must be in proportion to its size.
    pub fn canonical_of(&self, bytes: usize) -> usize {
        let in_proportion = bytes.saturating_mul(MAX_GROWTH).max(SHORT_CANONICAL);
        self.canonical.min(in_proportion)
    }
}
