//! Helps to omit fields with their default value from the stored JSON.

/// Whether a value is the default of its type, for `skip_serializing_if`.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
