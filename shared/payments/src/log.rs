//! One JSON line per thing that happened, on standard output, where Lambda collects it.
//!
//! Only what is named here reaches the log: ids, outcomes and our own words. No key, token, body
//! or personal data is ever passed in.
//!
//! A line can carry metrics too, in CloudWatch's
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
//! CloudWatch reads them out of the line, so that no call is made and no permission needed.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::json_text::{json_text, text};
use crate::model::timestamp::Timestamp;

/// Where the metrics are found in CloudWatch. Two stacks of one account are not to be mixed up, so the
/// template names one for each.
static NAMESPACE: LazyLock<String> = LazyLock::new(|| {
    let named = std::env::var("METRICS_NAMESPACE").ok();
    named.unwrap_or_else(|| "Bancontact".to_owned())
});

/// A log line in the making.
#[derive(Debug, Clone)]
pub struct Line {
    fields: Map<String, Value>,
    metrics: Vec<Metrics>,
}

/// A metric: the name of a field, and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    /// The field, which becomes the metric's name.
    pub name: &'static str,
    /// What is measured.
    pub unit: Unit,
    /// How much, which stands in the field.
    #[serde(skip)]
    pub value: u64,
}

/// The unit of a metric, as CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// So many times.
    Count,
    /// A duration.
    Milliseconds,
    /// A longer one.
    Seconds,
}

/// Metrics that are counted by the same fields.
#[derive(Debug, Clone)]
struct Metrics {
    by: &'static [&'static str],
    metrics: Vec<Metric>,
}

impl Metric {
    /// Something happened once.
    pub fn once(name: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Count,
            value: 1,
        }
    }
}

impl Line {
    /// A line about a normal event.
    pub fn info(what: &str) -> Self {
        Self::new("INFO", what)
    }

    /// A line that somebody should look at.
    pub fn warn(what: &str) -> Self {
        Self::new("WARN", what)
    }

    /// A line about a failure of ours.
    pub fn error(what: &str) -> Self {
        Self::new("ERROR", what)
    }

    fn new(level: &str, what: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("level".into(), json!(level));
        fields.insert("message".into(), json!(what));
        Self {
            fields,
            metrics: Vec::new(),
        }
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.fields.insert(name.into(), json!(value));
        self
    }

    /// Adds metrics, each also a field, counted once by each of the fields in `by` that the line
    /// has; by none for what is only ever looked at as a whole.
    pub fn with_metrics(mut self, by: &'static [&'static str], metrics: &[Metric]) -> Self {
        for metric in metrics {
            self.fields.insert(metric.name.into(), json!(metric.value));
        }
        if !metrics.is_empty() {
            let metrics = metrics.to_vec();
            self.metrics.push(Metrics { by, metrics });
        }
        self
    }

    /// Writes the line, in one piece.
    pub fn write(self) {
        let line = self.at(Timestamp::now()) + "\n";
        // As `println!`, so that tests keep it to themselves, but with its end in the same piece.
        print!("{line}");
    }

    /// The line as it is written at some moment.
    pub fn at(&self, now: Timestamp) -> String {
        let directives = self.metrics.iter().map(|metrics| self.directive(metrics));
        let line = json_text(&Written {
            metadata: (!self.metrics.is_empty()).then(|| Metadata {
                timestamp: now.unix_millis(),
                directives: directives.collect(),
            }),
            fields: &self.fields,
        });
        text(line)
    }

    /// What CloudWatch is to read out of the line.
    fn directive<'a>(&self, metrics: &'a Metrics) -> Directive<'a> {
        let has = |name: &&&str| self.fields.get(**name).is_some_and(Value::is_string);
        let by = metrics.by.iter().filter(has);
        let mut dimensions: Vec<Vec<&str>> = by.map(|name| vec![*name]).collect();
        if dimensions.is_empty() {
            dimensions.push(Vec::new());
        }
        Directive {
            namespace: NAMESPACE.as_str(),
            dimensions,
            metrics: &metrics.metrics,
        }
    }
}

/// A line and what CloudWatch finds in it.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: Vec<Vec<&'static str>>,
    metrics: &'a [Metric],
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn written(line: &Line) -> Value {
        let text = line.at(NOW);
        assert!(!text.contains('\n'));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_without_metrics_has_its_fields_only() {
        let line = Line::warn("somebody should look").with("payment", "211/order-1");
        assert_eq!(
            written(&line),
            json!({ "level": "WARN", "message": "somebody should look", "payment": "211/order-1" })
        );
    }

    #[test]
    fn metrics_are_embedded_as_cloudwatch_reads_them() {
        let duration = Metric {
            name: "duration_ms",
            unit: Unit::Milliseconds,
            value: 12,
        };
        let line = Line::info("callback")
            .with("outcome", "applied")
            .with("key", "current")
            .with_metrics(&["outcome", "key"], &[Metric::once("callbacks"), duration])
            .with_metrics(&[], &[Metric::once("quarantined")])
            .with_metrics(&[], &[]);
        assert_eq!(
            written(&line),
            json!({
                "_aws": {
                    "Timestamp": 1_562_059_700_123_i64,
                    "CloudWatchMetrics": [
                        {
                            "Namespace": "Bancontact",
                            "Dimensions": [["outcome"], ["key"]],
                            "Metrics": [
                                { "Name": "callbacks", "Unit": "Count" },
                                { "Name": "duration_ms", "Unit": "Milliseconds" },
                            ],
                        },
                        {
                            "Namespace": "Bancontact",
                            "Dimensions": [[]],
                            "Metrics": [{ "Name": "quarantined", "Unit": "Count" }],
                        },
                    ],
                },
                "level": "INFO",
                "message": "callback",
                "outcome": "applied",
                "key": "current",
                "callbacks": 1,
                "duration_ms": 12,
                "quarantined": 1,
            })
        );
    }

    #[test]
    fn a_dimension_that_the_line_lacks_is_left_out() {
        let metrics = [Metric::once("callbacks")];
        let dimensions = |line: Line| {
            let line = written(&line.with_metrics(&["outcome", "key"], &metrics));
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone()
        };
        let refused = Line::warn("callback").with("outcome", "bad_signature");
        assert_eq!(dimensions(refused.clone()), json!([["outcome"]]));
        assert_eq!(
            dimensions(refused.with("key", None::<&str>)),
            json!([["outcome"]]),
            "CloudWatch takes text only"
        );
        assert_eq!(dimensions(Line::info("callback")), json!([[]]));
    }
}
