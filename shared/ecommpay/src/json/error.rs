//! Defines the errors of the reader.

use thiserror::Error;

/// The reason why the reader refused a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The text has more bytes than [`Limits::bytes`](super::Limits::bytes).
    #[error("the body is larger than the limit")]
    TooLarge,
    /// The text has more levels of nesting than [`Limits::depth`](super::Limits::depth).
    #[error("the body is nested too deeply")]
    TooDeep,
    /// The text has more members and elements than [`Limits::keys`](super::Limits::keys).
    #[error("the body has too many keys and elements")]
    TooManyKeys,
    /// The canonical string of the text would have more bytes than
    /// [`Limits::canonical_of`](super::Limits::canonical_of) allows.
    #[error("the body is larger than the limit when each value is written with its full path")]
    CanonicalTooLarge,
    /// An object has two equal keys. JSON readers disagree on which of the two counts.
    #[error("an object has the same key twice")]
    DuplicateKey,
    /// The text is not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The text is not JSON (RFC 8259). Contains the offset of the first byte that does not fit.
    #[error("the body is not JSON (at byte {0})")]
    NotJson(usize),
    /// More text follows the value. Contains the offset of the first byte of this text.
    #[error("the body continues after the end of the JSON value (at byte {0})")]
    TrailingData(usize),
}
