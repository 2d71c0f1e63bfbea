//! Writes log lines. Each line is one JSON object on standard output, which Lambda collects
//! (`shared/decisions/functions/0025-log-and-metrics.md`).
//!
//! - A line contains only the fields that the caller names: ids, outcomes and our own texts. Callers never pass a
//!   key, a token, a body or personal data.
//! - Invisible characters are escaped, because operators read the lines on terminals. Some tools also end a line at
//!   other characters than the line feed.
//! - A text field is cut after [`MAX_TEXT_BYTES`], because [CloudWatch] limits the size of a line. The limit is 1 MB,
//!   or 256 KB according to older documents.
//! - A line can have metrics in CloudWatch's [embedded metric format]. CloudWatch reads the metrics from the line, so
//!   this service needs no API call and no permission.
//!
//! [CloudWatch]: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
//! [embedded metric format]:
//! https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::escape;
use crate::json_text::to_json_string;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;

/// The CloudWatch namespace of the metrics. Each stack has its own namespace.
static NAMESPACE: LazyLock<String> = LazyLock::new(|| {
    let configured = std::env::var("METRICS_NAMESPACE").ok();
    configured.unwrap_or_else(|| "Bancontact".to_owned())
});

/// The maximum length of a text field, in bytes. A payment key is shorter: its id has at most 1,020 bytes.
pub const MAX_TEXT_BYTES: usize = 4 * 1_024;

/// Logs and counts that data of the platform exceeds the limit with this name. The service does not use the excess.
pub fn over_limit(limit: &str, payment: Option<&PaymentKey>) {
    let line = Line::warn("a limit was exceeded").with("limit", limit);
    let line = match payment {
        Some(key) => line.with("payment", key.to_string()),
        None => line,
    };
    line.with_metrics(&[], &[Metric::once("over_limit")])
        .write();
}

static TO_STDERR: AtomicBool = AtomicBool::new(false);

/// Writes all later lines to standard error, because a command writes its result to standard output.
pub fn write_to_stderr() {
    TO_STDERR.store(true, Ordering::Relaxed);
}

/// A log line that is not written yet.
#[derive(Debug, Clone)]
pub struct Line {
    fields: Map<String, Value>,
    metrics: Vec<MetricGroup>,
}

/// A metric. Its value is also a field of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    /// The name of the metric and of the field.
    pub name: &'static str,
    /// The unit.
    pub unit: Unit,
    /// The value.
    #[serde(skip)]
    pub value: u64,
}

/// The unit of a metric, as CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// A count.
    Count,
    /// A duration in milliseconds.
    Milliseconds,
    /// A duration in seconds.
    Seconds,
}

#[derive(Debug, Clone)]
struct MetricGroup {
    dimensions: &'static [&'static str],
    metrics: Vec<Metric>,
}

impl Metric {
    /// Creates a metric that counts one.
    pub fn once(name: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Count,
            value: 1,
        }
    }
}

impl Line {
    /// Creates a line about normal operation.
    pub fn info(message: &str) -> Self {
        Self::new("INFO", message)
    }

    /// Creates a line that an operator should check.
    pub fn warn(message: &str) -> Self {
        Self::new("WARN", message)
    }

    /// Creates a line about a failure of this service.
    pub fn error(message: &str) -> Self {
        Self::new("ERROR", message)
    }

    fn new(level: &str, message: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("level".into(), json!(level));
        fields.insert("message".into(), json!(message));
        Self {
            fields,
            metrics: Vec::new(),
        }
    }

    /// Adds a field.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = match json!(value) {
            Value::String(text) => cut(text).into(),
            value => value,
        };
        self.fields.insert(name.into(), value);
        self
    }

    /// Adds metrics, and a field for each metric. CloudWatch records a metric once for each of the `dimensions` that
    /// is a text field of the line. Without such a field, CloudWatch records the metric once, without a dimension.
    pub fn with_metrics(mut self, dimensions: &'static [&'static str], metrics: &[Metric]) -> Self {
        for metric in metrics {
            self.fields.insert(metric.name.into(), json!(metric.value));
        }
        if !metrics.is_empty() {
            let metrics = metrics.to_vec();
            self.metrics.push(MetricGroup {
                dimensions,
                metrics,
            });
        }
        self
    }

    /// Writes the line to standard output, or to standard error after [`write_to_stderr`]. Parallel lines do not mix,
    /// because each line is written in one piece.
    pub fn write(self) {
        let line = self.at(Timestamp::now()) + "\n";
        // `print!` is used because the test harness does not capture the output of `io::stdout()`.
        match TO_STDERR.load(Ordering::Relaxed) {
            true => eprint!("{line}"),
            false => print!("{line}"),
        }
    }

    /// Returns the text of the line at the time `now`.
    pub fn at(&self, now: Timestamp) -> String {
        let directives = self.metrics.iter().map(|group| self.directive(group));
        escape::json_for_terminal(to_json_string(&Written {
            metadata: (!self.metrics.is_empty()).then(|| Metadata {
                timestamp: now.unix_millis(),
                directives: directives.collect(),
            }),
            fields: &self.fields,
        }))
    }

    /// Returns the directive with which CloudWatch finds these metrics in the line.
    fn directive<'a>(&self, group: &'a MetricGroup) -> Directive<'a> {
        let is_text = |name: &&&str| self.fields.get(**name).is_some_and(Value::is_string);
        let names = group.dimensions.iter().filter(is_text);
        let mut dimensions: Vec<Vec<&str>> = names.map(|name| vec![*name]).collect();
        if dimensions.is_empty() {
            dimensions.push(Vec::new());
        }
        Directive {
            namespace: NAMESPACE.as_str(),
            dimensions,
            metrics: &group.metrics,
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('\u{2026}');
    }
    text
}

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
    fn a_line_without_metrics_has_only_its_fields() {
        let line = Line::warn("a check is needed").with("payment", "211/order-1");
        assert_eq!(
            written(&line),
            json!({ "level": "WARN", "message": "a check is needed", "payment": "211/order-1" })
        );
    }

    #[test]
    fn a_line_has_only_visible_characters_and_the_same_values() {
        let id = "a\u{9b}31m\u{2028}\u{202e}\u{ffff}\u{e9}\n";
        let line = Line::info("callback").with("payment", id);
        let text = line.at(NOW);
        assert!(text.chars().all(escape::is_visible), "{text}");
        assert_eq!(written(&line)["payment"], id);
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let line = Line::error("failed").with("error", "\u{20ac}".repeat(MAX_TEXT_BYTES));
        let text = written(&line)["error"].as_str().unwrap().to_owned();
        assert_eq!(text, "\u{20ac}".repeat(MAX_TEXT_BYTES / 3) + "\u{2026}");
    }

    #[test]
    fn metrics_are_written_in_the_embedded_metric_format() {
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
    fn a_dimension_is_left_out_if_the_line_has_no_text_field_with_its_name() {
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
            "CloudWatch accepts only text as a dimension"
        );
        assert_eq!(dimensions(Line::info("callback")), json!([[]]));
    }
}
