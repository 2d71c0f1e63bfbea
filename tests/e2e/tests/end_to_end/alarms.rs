//! Alarms watch what is measured, and say where to read on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use e2e::template::Template;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All of what the functions are made of.
fn sources(folder: &Path) -> anyhow::Result<String> {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all += &sources(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &std::fs::read_to_string(&path)?;
        }
    }
    Ok(all)
}

/// The text after a `Fn::Sub`, or plain.
fn text(value: &Value) -> &str {
    value.as_str().or(value["Fn::Sub"].as_str()).unwrap_or("")
}

/// A metric that an alarm watches.
struct Metric<'a> {
    namespace: &'a Value,
    name: &'a str,
    dimensions: Vec<(&'a str, &'a Value)>,
}

/// What AWS measures by itself, with its dimensions: see
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>,
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html> and
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>.
const OF_AWS: [(&str, &str, &[&str]); 7] = [
    ("AWS/Lambda", "Errors", &["FunctionName"]),
    ("AWS/Lambda", "Throttles", &[]),
    ("AWS/Lambda", "Duration", &["FunctionName"]),
    ("AWS/Lambda", "ConcurrentExecutions", &["FunctionName"]),
    ("AWS/Lambda", "ConcurrentExecutions", &[]),
    ("AWS/ApiGateway", "5xx", &["ApiId", "Stage"]),
    (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        &["QueueName"],
    ),
];

impl<'a> Metric<'a> {
    fn of(alarm: &'a Value) -> anyhow::Result<Self> {
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        let dimensions = dimensions.map(|one| (one["Name"].as_str().unwrap_or(""), &one["Value"]));
        Ok(Self {
            namespace: &alarm["Namespace"],
            name: alarm["MetricName"].as_str().context("no metric")?,
            dimensions: dimensions.collect(),
        })
    }

    fn check(&self, sources: &str) -> anyhow::Result<()> {
        let name = self.name;
        let Some(namespace) = self.namespace.as_str() else {
            ensure!(*self.namespace == json!({ "Fn::Sub": "Bancontact/${AWS::StackName}" }));
            let words = self
                .dimensions
                .iter()
                .flat_map(|(name, value)| [Some(*name), value.as_str()]);
            for word in words.flatten().chain([name]) {
                let is_written = sources.contains(&format!("\"{word}\""));
                ensure!(is_written, "{word} is not measured");
            }
            return Ok(());
        };
        let dimensions: Vec<&str> = self.dimensions.iter().map(|(name, _)| *name).collect();
        let is_known = OF_AWS.contains(&(namespace, name, dimensions.as_slice()));
        ensure!(
            is_known,
            "AWS does not measure {namespace} {name} by {dimensions:?}"
        );
        Ok(())
    }
}

#[tokio::test]
async fn every_alarm_watches_what_is_measured_and_leads_to_its_section() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let functions = template.all("AWS::Lambda::Function");
    let namespace = json!({ "Fn::Sub": "Bancontact/${AWS::StackName}" });
    // What the sample consumer does is not measured.
    let measured = functions
        .iter()
        .filter(|(name, _)| **name != "FulfilmentFunction");
    for (function, properties) in measured {
        let named = &properties["Environment"]["Variables"]["METRICS_NAMESPACE"];
        ensure!(*named == namespace, "{function}: {named}");
    }
    let sources =
        sources(&root().join("functions"))? + &sources(&root().join("shared/payments/src"))?;
    let runbook = std::fs::read_to_string(root().join("infra/runbook.md"))?;
    let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: BTreeSet<&str> = headings.collect();
    let mut sections = BTreeSet::new();
    for (alarm, properties) in template.all("AWS::CloudWatch::Alarm") {
        let metric = Metric::of(properties)?;
        metric.check(&sources).with_context(|| alarm.to_owned())?;
        let name = text(&properties["AlarmName"]);
        let name = name.strip_prefix("${AWS::StackName}-").context("no name")?;
        let description = text(&properties["AlarmDescription"]);
        let section = description
            .split("${RunbookUrl}#")
            .nth(1)
            .context("no link")?;
        ensure!(name.starts_with(section), "{name} leads to {section}");
        ensure!(
            headings.contains(section),
            "the runbook has no section {section}"
        );
        sections.insert(section);
        let topic = json!([{ "Ref": "AlarmTopic" }]);
        ensure!(
            properties["AlarmActions"] == topic && properties["OKActions"] == topic,
            "{alarm}"
        );
        // An alarm that cannot be evaluated is none: CloudWatch looks back a day at most,
        // or a week where a period is an hour or more.
        let of = |name: &str| properties[name].as_u64().unwrap_or(0);
        let seconds = of("Period") * of("EvaluationPeriods");
        let longest = if of("Period") < 3_600 {
            86_400
        } else {
            604_800
        };
        ensure!((60..=longest).contains(&seconds), "{alarm}: {seconds} s");
    }
    ensure!(sections.len() >= 28, "{sections:?}");
    // Silence is no good news of what should be heard each minute or day.
    for (alarm, missing) in [
        ("OutboxAlarm", "breaching"),
        ("PollLagAlarm", "breaching"),
        ("UnreconciledAlarm", "breaching"),
        ("UnreportedAlarm", "breaching"),
        ("OverdueAlarm", "notBreaching"),
    ] {
        let properties = &template.resource(alarm)["Properties"];
        ensure!(properties["TreatMissingData"] == missing, "{alarm}");
    }
    Ok(())
}

#[tokio::test]
async fn the_dashboard_shows_what_is_measured_money_first() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let sources =
        sources(&root().join("functions"))? + &sources(&root().join("shared/payments/src"))?;
    let dashboard = &template.resource("Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"];
    let body: Value = serde_json::from_str(dashboard.as_str().context("no dashboard")?)?;
    let widgets = body["widgets"].as_array().context("no widgets")?;
    ensure!(widgets[0]["properties"]["title"] == "Payments by hour");
    let mut shown = 0;
    for widget in widgets {
        let metrics = widget["properties"]["metrics"]
            .as_array()
            .context("no metrics")?;
        for metric in metrics.iter().filter_map(Value::as_array) {
            let words = metric.iter().filter_map(Value::as_str);
            let words: Vec<&str> = words.collect();
            let Some((namespace, names)) = words.split_first() else {
                ensure!(metric[0]["expression"].is_string(), "{metric:?}");
                continue;
            };
            shown += 1;
            if !namespace.starts_with("Bancontact/") {
                ensure!(namespace.starts_with("AWS/"), "{namespace}");
                continue;
            }
            for name in names {
                let is_written = sources.contains(&format!("\"{name}\""));
                ensure!(is_written, "{name} is not measured");
            }
        }
    }
    ensure!(shown > 40, "{shown}");
    // Whatever it names exists.
    for reference in dashboard.as_str().unwrap_or_default().split("${").skip(1) {
        let name = reference.split(['}', '.']).next().unwrap_or_default();
        let is_there = name.starts_with("AWS::") || !template.resource(name).is_null();
        ensure!(is_there, "there is no {name}");
    }
    Ok(())
}
