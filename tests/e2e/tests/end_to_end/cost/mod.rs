//! The cost of one payment in calls, DynamoDB units and log bytes.

mod log_lines;
mod meter;
mod payment;
