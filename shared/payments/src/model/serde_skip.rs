//! Leaves a field out of the stored JSON while it has its default value.

/// The condition for `skip_serializing_if`.
pub(in crate::model) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
