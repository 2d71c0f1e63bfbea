//! Defines the commands on storefront keys, on project keys, and on the token of the Data API.

pub mod data_api_token;
pub mod project_key;
pub mod storefront;
