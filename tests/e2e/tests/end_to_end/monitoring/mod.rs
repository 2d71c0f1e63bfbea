//! Tests alarms and the dashboard: each reads a metric that the functions or AWS write.

mod alarms;
mod dashboard;
mod metric;
mod raised_metrics;
mod sources;
