//! Defines commands on the keys of storefronts, of projects and of the Data API.

pub mod data_api_token;
pub mod project_key;
pub mod storefront;
