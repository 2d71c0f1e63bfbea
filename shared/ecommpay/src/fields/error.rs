//! Defines the errors of fields. Each message continues a sentence that begins with the name of the field.

use thiserror::Error;

/// The reason why a value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has fewer characters than this minimum.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// The text has more characters than this maximum.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// The text has a `;` or a control character.
    #[error("must not contain a semicolon or a control character")]
    ForbiddenCharacter,
    /// The amount is below this minimum, in minor units.
    #[error("must be at least {0} minor units")]
    AmountTooSmall(u64),
    /// The amount is above this maximum, in minor units.
    #[error("must be at most {0} minor units")]
    AmountTooLarge(u64),
    /// The currency is not EUR.
    #[error("must be EUR")]
    Currency,
    /// The number is outside 1 to 4294967295.
    #[error("must be a project number")]
    ProjectId,
    /// The value does not have the form of the field; the text describes that form.
    #[error("must be {0}")]
    Form(&'static str),
}
