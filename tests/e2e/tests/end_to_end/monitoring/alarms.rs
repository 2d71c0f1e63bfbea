//! Tests the alarms of the template.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::monitoring::metric::{Metric, own_namespace};
use crate::monitoring::sources::Sources;
use crate::template::processed::Template;

const DAY: u64 = 86_400;

#[tokio::test]
async fn every_alarm_watches_a_written_metric_and_links_to_its_section_of_the_runbook()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let sources = Sources::read()?;
    let runbook = std::fs::read_to_string(tools::root().join("infra/runbook.md"))?;
    let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: BTreeSet<&str> = headings.collect();
    let mut sections = BTreeSet::new();
    for (alarm, properties) in template.all("AWS::CloudWatch::Alarm") {
        let metric = Metric::of(properties)?;
        metric.ensure_written(&sources).context(alarm.to_owned())?;
        let section = section(properties).with_context(|| alarm.to_owned())?;
        ensure!(
            headings.contains(section),
            "the runbook has no section {section}"
        );
        sections.insert(section);
        // Only CodeDeploy reads the alarms of a release. These alarms send no message.
        let topic = match section {
            "release" => Value::Null,
            _ => json!([{ "Ref": "AlarmTopic" }]),
        };
        let is_sent = ["AlarmActions", "OKActions"].map(|actions| properties[actions] == topic);
        ensure!(is_sent == [true; 2], "{alarm}");
        // An alarm can evaluate at most one day, or seven days if its period is at least an hour.
        let number = |name: &str| properties[name].as_u64().unwrap_or(0);
        let seconds = number("Period") * number("EvaluationPeriods");
        let longest = if number("Period") < 3_600 {
            DAY
        } else {
            7 * DAY
        };
        ensure!((60..=longest).contains(&seconds), "{alarm}: {seconds} s");
    }
    ensure!(sections.len() >= 32, "{sections:?}");
    Ok(())
}

/// Returns the section of the runbook to which the description links. The alarm's name must start with the section's
/// name.
fn section(alarm: &Value) -> anyhow::Result<&str> {
    let name = text(&alarm["AlarmName"]);
    let name = name
        .strip_prefix("${AWS::StackName}-")
        .context("the alarm's name does not start with the stack's name")?;
    let description = text(&alarm["AlarmDescription"]);
    let section = description.split("${RunbookUrl}#").nth(1);
    let section = section.context("the alarm's description has no link to the runbook")?;
    ensure!(name.starts_with(section), "{name} links to {section}");
    Ok(section)
}

/// Returns a text, which can be inside `Fn::Sub`.
fn text(value: &Value) -> &str {
    value.as_str().or(value["Fn::Sub"].as_str()).unwrap_or("")
}

#[tokio::test]
async fn an_alarm_that_also_detects_missing_runs_fires_when_its_metric_is_missing()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    for (alarm, missing) in [
        ("OutboxAlarm", "breaching"),
        ("PollLagAlarm", "notBreaching"),
        ("UnreconciledAlarm", "breaching"),
        ("UnreportedAlarm", "breaching"),
        ("OverdueAlarm", "notBreaching"),
        ("WebhookRunsAlarm", "breaching"),
    ] {
        let properties = &template.resource(alarm)["Properties"];
        ensure!(properties["TreatMissingData"] == missing, "{alarm}");
    }
    Ok(())
}

#[tokio::test]
async fn every_function_writes_metrics_in_the_namespace_of_the_stack() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let functions = template.all("AWS::Lambda::Function");
    // The sample consumer writes no metrics.
    let measured = functions
        .iter()
        .filter(|(name, _)| **name != "FulfilmentFunction");
    for (function, properties) in measured {
        let namespace = &properties["Environment"]["Variables"]["METRICS_NAMESPACE"];
        ensure!(*namespace == own_namespace(), "{function}: {namespace}");
    }
    Ok(())
}
