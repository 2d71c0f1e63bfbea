//! Defines the maximum size of a message.

/// The maximum size of a message in each dimension that costs memory or time. The reader refuses a larger message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Levels of nested arrays and objects; a scalar at the top level has depth 0.
    pub depth: usize,
    /// Members of all objects and elements of all arrays together. A short element costs as much time as a member.
    pub keys: usize,
    /// Bytes of the canonical string, which has a line `path:value` for each value. Every line repeats the whole path,
    /// so a long key above many values counts again for each value. For a short text, the limit is lower
    /// ([`Limits::canonical_of`]).
    pub canonical: usize,
}

/// The maximum size of the canonical string, as a multiple of the size of the text. The canonical string of a message
/// of the platform is less than twice as large as the text.
const MAX_GROWTH: usize = 4;
/// Every text, however short, may have a canonical string of this size, in bytes.
const SHORT_CANONICAL: usize = 4 * 1024;

impl Limits {
    /// The limits of a callback: 256 KiB, 32 levels, 2,000 members and elements, a canonical string of 1 MiB.
    pub const CALLBACK: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        keys: 2_000,
        canonical: 1024 * 1024,
    };
    /// The limits of a status answer: 4 MiB, 32 levels, 100,000 members and elements, a canonical string of 16 MiB. A
    /// status answer lists all operations of a payment, which can be thousands.
    pub const ANSWER: Limits = Limits {
        bytes: 4 * 1024 * 1024,
        keys: 100_000,
        canonical: 16 * 1024 * 1024,
        ..Limits::CALLBACK
    };

    /// Returns the maximum size of the canonical string of a text with `bytes` bytes. Anyone can send an unsigned text,
    /// so the work for a text must be in proportion to the size of the text.
    pub fn canonical_of(&self, bytes: usize) -> usize {
        let in_proportion = bytes.saturating_mul(MAX_GROWTH).max(SHORT_CANONICAL);
        self.canonical.min(in_proportion)
    }
}
