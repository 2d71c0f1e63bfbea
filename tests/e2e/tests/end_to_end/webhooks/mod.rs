//! Tests that events are posted to the endpoints of storefronts.

mod deliveries;
mod failures;
mod load;
mod shop;
mod tls;
