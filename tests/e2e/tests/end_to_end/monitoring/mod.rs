//! Tests that alarms and the dashboard read metrics that the functions or AWS write.

mod alarms;
mod dashboard;
mod metric;
mod raised_by_webhooks;
mod raised_metrics;
mod sources;
