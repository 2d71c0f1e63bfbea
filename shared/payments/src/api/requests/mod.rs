//! The bodies that storefronts send: each field is checked, and each bad field is named.

pub mod checkout;
pub mod clarification;
pub mod refund;
