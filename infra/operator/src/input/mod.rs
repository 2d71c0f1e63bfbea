//! Reads what the operator types: values of options, answers to questions, and keys.

pub mod confirm;
pub mod secret;
pub mod values;
