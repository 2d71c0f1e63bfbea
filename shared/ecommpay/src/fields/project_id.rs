//! Defines the id of a project.
//!
//! Source ([list](crate::sources)): Gate API.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::error::FieldError;

/// The id of a project, a number from 1 to 4294967295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(NonZeroU32);

impl ProjectId {
    /// Checks the range.
    pub fn new(number: u64) -> Result<Self, FieldError> {
        u32::try_from(number)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(FieldError::ProjectId)
    }

    /// Returns the id as a number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_number_is_at_least_1_and_fits_32_bits() {
        assert!(ProjectId::new(0).is_err());
        assert_eq!(
            ProjectId::new(4_294_967_295).map(ProjectId::get),
            Ok(u32::MAX)
        );
        assert!(ProjectId::new(4_294_967_296).is_err());
    }
}
