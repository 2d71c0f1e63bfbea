//! Defines the maximum size of a message.

/// The maximum size of a message in each dimension that costs memory or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Levels of nested arrays and objects; a scalar at the top level has depth 0.
    pub depth: usize,
    /// Keys of all objects together.
    pub keys: usize,
    /// Bytes of the message as lines of `path:value`, the form that is signed. Every line repeats its
    /// whole path, so a long key above many values counts again for each value. A short text has a lower limit
    /// ([`Limits::canonical_of`]).
    pub canonical: usize,
}

/// The maximum size of the canonical string, as a multiple of the size of the text. The messages of the platform have
/// less than twice the size of their text.
const MAX_GROWTH: usize = 8;
/// The canonical string of any text can have this size, in bytes.
const SHORT_CANONICAL: usize = 8 * 1024;

impl Limits {
    /// The limits of a callback: 256 KiB, 32 levels, 2,000 keys, 1 MiB as lines.
    pub const CALLBACK: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        keys: 2_000,
        canonical: 1024 * 1024,
    };
    /// The limits of a status answer: 4 MiB, 32 levels, 100,000 keys, 16 MiB as lines. A status answer lists all
    /// operations of a payment, of which there can be thousands.
    pub const ANSWER: Limits = Limits {
        bytes: 4 * 1024 * 1024,
        keys: 100_000,
        canonical: 16 * 1024 * 1024,
        ..Limits::CALLBACK
    };

    /// Returns the maximum size of the canonical string of a text of `bytes` bytes. Anyone can send an unsigned text, so
    /// the work for a text must be in proportion to its size.
    pub fn canonical_of(&self, bytes: usize) -> usize {
        let in_proportion = bytes.saturating_mul(MAX_GROWTH).max(SHORT_CANONICAL);
        self.canonical.min(in_proportion)
    }
}
