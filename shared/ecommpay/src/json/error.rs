//! The errors of the reader.

use thiserror::Error;

/// Why the reader refused a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonError {
    /// More bytes than [`Limits::bytes`](super::Limits::bytes).
    #[error("the body is larger than the limit")]
    TooLarge,
    /// More nesting than [`Limits::depth`](super::Limits::depth).
    #[error("the body is nested too deeply")]
    TooDeep,
    /// More keys than [`Limits::keys`](super::Limits::keys).
    #[error("the body has too many keys")]
    TooManyKeys,
    /// More bytes as lines than [`Limits::canonical`](super::Limits::canonical).
    #[error("the body is larger than the limit when each value is written with its full path")]
    CanonicalTooLarge,
    /// Two equal keys in one object. Readers disagree on which of the two counts.
    #[error("an object has the same key twice")]
    DuplicateKey,
    /// Not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// Not JSON (RFC 8259); the number is the offset of the byte.
    #[error("the body is not JSON (at byte {0})")]
    NotJson(usize),
    /// More text after the value; the number is the offset of its first byte.
    #[error("the body continues after the end of the JSON value (at byte {0})")]
    TrailingData(usize),
}
