//! Defines the values of requests, as types that cannot hold a wrong value.
//!
//! The canonical string joins its lines with `;` and does not escape values. If a text could contain `;`, two different
//! requests could have the same signature. So no text contains `;` or a control character.

mod amount;
pub(crate) mod date;
mod error;
mod field_name;
mod project_id;
mod text;

pub use amount::{Currency, MinorUnits};
pub use error::FieldError;
pub use field_name::FieldName;
pub use project_id::ProjectId;
pub use text::{LastName, Text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deserialised_field_is_checked_against_the_limits_of_its_type() {
        use serde::Serialize;
        use serde::de::DeserializeOwned;

        fn read<T: DeserializeOwned + Serialize>(json: &str) -> Option<String> {
            let value = serde_json::from_str::<T>(json).ok()?;
            Some(serde_json::to_string(&value).unwrap())
        }
        assert_eq!(read::<MinorUnits>("100").as_deref(), Some("100"));
        for amount in ["0", "-1", "10000000000001", "\"100\"", "1.0"] {
            assert_eq!(read::<MinorUnits>(amount), None, "{amount}");
        }
        assert_eq!(
            read::<LastName>("\"Janssens\"").as_deref(),
            Some("\"Janssens\"")
        );
        for name in ["\"Li\"", "\"a;bc\"", "7"] {
            assert_eq!(read::<LastName>(name), None, "{name}");
        }
        assert_eq!(read::<Text>("\"\""), None);
        assert_eq!(read::<ProjectId>("0"), None);
        assert_eq!(read::<Currency>("\"USD\""), None);
    }
}
