//! Counts the calls, DynamoDB units and log bytes of a payment.

mod log_lines;
mod meter;
mod payment;
