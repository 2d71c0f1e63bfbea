//! Alarms watch what is measured, and say where to read on.
#![allow(clippy::indexing_slicing)]

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

#[tokio::test]
async fn every_alarm_watches_what_is_measured_and_leads_to_its_section() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let functions = template.all("AWS::Lambda::Function");
    let namespace = json!({ "Fn::Sub": "Bancontact/${AWS::StackName}" });
    for (function, properties) in &functions {
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
        ensure!(properties["Namespace"] == namespace, "{alarm}");
        let metric = properties["MetricName"].as_str().context("no metric")?;
        ensure!(
            sources.contains(&format!("\"{metric}\"")),
            "{alarm}: {metric} is not measured"
        );
        let name = text(&properties["AlarmName"]);
        let section = name.strip_prefix("${AWS::StackName}-").context("no name")?;
        let description = text(&properties["AlarmDescription"]);
        let link = format!("${{RunbookUrl}}#{section}");
        ensure!(description.ends_with(&link), "{alarm}: {description}");
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
        // An alarm that cannot be evaluated is none: CloudWatch looks back a day at most.
        let of = |name: &str| properties[name].as_u64().unwrap_or(0);
        ensure!(
            (60..=86_400).contains(&(of("Period") * of("EvaluationPeriods"))),
            "{alarm}"
        );
    }
    ensure!(sections.len() >= 13, "{sections:?}");
    // Silence is no good news of what should be heard each minute or day.
    for (alarm, missing) in [
        ("UnsentAlarm", "breaching"),
        ("UnaskedAlarm", "breaching"),
        ("UnreconciledAlarm", "breaching"),
        ("UnreportedAlarm", "breaching"),
        ("OverdueAlarm", "notBreaching"),
    ] {
        let properties = &template.resource(alarm)["Properties"];
        ensure!(properties["TreatMissingData"] == missing, "{alarm}");
    }
    Ok(())
}
