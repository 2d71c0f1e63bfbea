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
    /// whole path, so a long key above many values counts again for each value.
    pub canonical: usize,
}

impl Limits {
    /// The limits of a callback: 256 KiB, 32 levels, 2,000 keys, 16 MiB as lines.
    pub const CALLBACK: Limits = Limits {
        bytes: 256 * 1024,
        depth: 32,
        keys: 2_000,
        canonical: 16 * 1024 * 1024,
    };
    /// The limits of a status answer: the limits of a callback, but 4 MiB and 100,000 keys. A status answer
    /// lists all operations of a payment, of which there can be hundreds.
    pub const ANSWER: Limits = Limits {
        bytes: 4 * 1024 * 1024,
        keys: 100_000,
        ..Limits::CALLBACK
    };
}
