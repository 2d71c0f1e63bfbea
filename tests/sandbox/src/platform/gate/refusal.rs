//! Describes why Gate refuses a request.

use crate::platform::messages::codes::{self, Code};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// The path of the invalid field. The real platform also returns this path.
    pub field: Option<String>,
    /// The rule that the field breaks.
    pub constraint: Option<&'static str>,
}

impl Refusal {
    /// Returns the refusal of a request in which a required field is missing or invalid.
    pub fn field(path: &str) -> Self {
        Self {
            code: codes::FIELD_MISSING,
            field: Some(path.to_owned()),
            constraint: None,
        }
    }

    /// Returns the refusal of a request in which a field breaks a rule of the project.
    pub fn constraint(path: &str, constraint: &'static str) -> Self {
        Self {
            code: codes::VALIDATION,
            field: Some(path.to_owned()),
            constraint: Some(constraint),
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            field: None,
            constraint: None,
        }
    }
}
