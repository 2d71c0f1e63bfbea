//! Implements the adapters behind the ports of [`payments`]: DynamoDB, SQS, Secrets Manager, and Gate, the Data API
//! and the endpoints of storefronts over HTTPS.
//!
//! An adapter makes no decision about a payment.

pub mod api_gateway;
pub mod config;
pub mod data_api_http;
pub mod deadline;
pub mod delivery_queue;
pub mod dynamodb;
pub mod environment;
pub mod gate_http;
mod https;
pub mod messages;
pub mod prewarm;
pub mod sdk;
pub mod secrets;
pub mod sqs;
pub mod webhook_http;
pub mod work_queue;
