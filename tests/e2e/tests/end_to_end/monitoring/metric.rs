//! Reads the metric that an alarm watches.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::monitoring::sources::Sources;

/// The metrics of AWS that the alarms watch, with their dimensions. See
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>,
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html> and
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>.
const AWS_METRICS: [(&str, &str, &[&str]); 9] = [
    ("AWS/Lambda", "Errors", &["FunctionName"]),
    (
        "AWS/Lambda",
        "Errors",
        &["FunctionName", "Resource", "ExecutedVersion"],
    ),
    ("AWS/Lambda", "Throttles", &[]),
    ("AWS/Lambda", "Duration", &["FunctionName"]),
    ("AWS/Lambda", "ConcurrentExecutions", &["FunctionName"]),
    ("AWS/Lambda", "ConcurrentExecutions", &[]),
    ("AWS/ApiGateway", "5xx", &["ApiId", "Stage"]),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", &["QueueName"]),
    (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        &["QueueName"],
    ),
];

/// Returns the namespace of our metrics, as the template names it.
pub fn own_namespace() -> Value {
    json!({ "Fn::Sub": "Bancontact/${AWS::StackName}" })
}

pub struct Metric<'a> {
    pub namespace: &'a Value,
    name: &'a str,
    dimensions: Vec<(&'a str, &'a Value)>,
}

impl<'a> Metric<'a> {
    /// Returns the metric of an alarm in the template or in a deployed stack.
    pub fn of(alarm: &'a Value) -> anyhow::Result<Self> {
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        let dimensions = dimensions.map(|dimension| {
            (
                dimension["Name"].as_str().unwrap_or(""),
                &dimension["Value"],
            )
        });
        Ok(Self {
            namespace: &alarm["Namespace"],
            name: alarm["MetricName"]
                .as_str()
                .context("the alarm has no metric")?,
            dimensions: dimensions.collect(),
        })
    }

    /// Checks that AWS or the functions write the metric.
    pub fn ensure_written(&self, sources: &Sources) -> anyhow::Result<()> {
        let names: Vec<&str> = self.dimensions.iter().map(|(name, _)| *name).collect();
        if let Some(namespace) = self.namespace.as_str() {
            let name = self.name;
            let is_known = AWS_METRICS.contains(&(namespace, name, names.as_slice()));
            ensure!(
                is_known,
                "AWS does not write {namespace} {name} with the dimensions {names:?}"
            );
            return Ok(());
        }
        ensure!(*self.namespace == own_namespace(), "{}", self.namespace);
        sources.ensure_have(self.name)?;
        for (name, value) in &self.dimensions {
            sources.ensure_have(name)?;
            if let Some(value) = value.as_str() {
                sources.ensure_have(value)?;
            }
        }
        Ok(())
    }

    /// Returns whether a log line in embedded metric format has this metric with a value other than 0.
    pub fn is_in(&self, line: &Value) -> bool {
        let names: Vec<&str> = self.dimensions.iter().map(|(name, _)| *name).collect();
        let directives = line["_aws"]["CloudWatchMetrics"].as_array();
        let is_declared = directives.into_iter().flatten().any(|directive| {
            let mut metrics = directive["Metrics"].as_array().into_iter().flatten();
            let mut sets = directive["Dimensions"].as_array().into_iter().flatten();
            directive["Namespace"] == *self.namespace
                && metrics.any(|metric| metric["Name"] == self.name)
                && sets.any(|set| *set == json!(names))
        });
        let mut dimensions = self.dimensions.iter();
        is_declared
            && dimensions.all(|(name, value)| line[*name] == **value)
            && line[self.name].as_u64() > Some(0)
    }
}
