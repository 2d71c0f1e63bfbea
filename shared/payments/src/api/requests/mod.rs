//! The request bodies of storefronts. Each `read` checks all fields and names every invalid one.

pub mod checkout;
pub mod clarification;
pub mod refund;
