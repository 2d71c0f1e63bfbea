//! Decides which fields the stored JSON omits: those with their default value.

/// Whether a value is the default of its type; used with `skip_serializing_if`.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
