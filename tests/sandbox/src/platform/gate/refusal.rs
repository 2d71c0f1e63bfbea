//! Describes why Gate refuses a request.

use crate::platform::messages::codes::{self, Code};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// The path of the invalid field, which the real platform also returns.
    pub field: Option<String>,
    /// The rule that the field breaks.
    pub constraint: Option<&'static str>,
}

impl Refusal {
    /// For a required field that is missing or invalid.
    pub fn field(path: &str) -> Self {
        Self {
            code: codes::FIELD_MISSING,
            field: Some(path.to_owned()),
            constraint: None,
        }
    }

    /// For a field that breaks a rule of the project.
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
