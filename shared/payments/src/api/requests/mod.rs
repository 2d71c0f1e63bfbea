//! Reads the request bodies of storefronts. Each reader reports every invalid field.

pub mod checkout;
pub mod clarification;
pub mod refund;
