//! What stands behind the ports: DynamoDB, SQS, Secrets Manager, and Gate and the Data API over HTTPS.

pub mod aws;
pub mod data_api_http;
pub mod dynamodb;
pub mod gate_http;
mod https;
pub mod item;
pub mod live;
pub mod opening;
pub mod secrets;
pub mod sqs;
