//! What stands behind the ports: DynamoDB, SQS, Secrets Manager, and Gate over HTTPS.

pub mod aws;
pub mod dynamodb;
pub mod gate_http;
pub mod item;
pub mod live;
pub mod secrets;
pub mod sqs;
