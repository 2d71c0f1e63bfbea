//! Counts the calls, DynamoDB units and log bytes of one payment.

mod log_lines;
mod meter;
mod payment;
