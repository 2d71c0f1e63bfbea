//! Tests the daily run: the period of the comparison, and the days of the report.

use std::time::Duration;

use anyhow::ensure;
use e2e::ensure_contains;
use e2e::lambda::{invoke, invoke_with};
use e2e::permissions::Permissions;
use e2e::system::System;
use payments::Timestamp;
use sandbox::Options;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_daily_run_continues_after_the_last_compared_time() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let (until, days) = run(&system).await?;
    ensure!(days == 1, "{days} days are reported, not only yesterday");
    // A run compares until the last whole hour that is at least three hours ago.
    let settled = Timestamp::now().before(3 * HOUR);
    ensure!(until <= settled && settled.since(until) <= HOUR, "{until}");
    let (next, days) = run(&system).await?;
    ensure!(
        next >= until && days == 0,
        "{days} days are reported again until {next}"
    );
    an_invalid_range_is_refused(&system).await?;
    a_missing_token_does_not_stop_the_report(&system).await?;

    let log = system.log().await?;
    for part in [
        "reconcile: done",
        "report of a day",
        "reconciliation_lag_s",
        "report_lag_s",
        "reconcile: some failed",
    ] {
        ensure!(log.contains(part), "the log has no {part}");
    }
    for secret in ["sandboxDataApiToken", "test-data-api-key"] {
        ensure!(!log.contains(secret), "the log has {secret}");
    }
    system.stop().await;
    Ok(())
}

/// Starts the daily run. Returns the time until which the records are compared, and the number of reported days.
async fn run(system: &System) -> anyhow::Result<(Timestamp, Value)> {
    let mut summary = invoke(&system.sandbox, "reconcile").await?;
    let mut project = summary["projects"][0].take();
    ensure_contains(&project, json!({ "failed": 0, "in_time": true }))?;
    let until = serde_json::from_value(project["until"].take())?;
    Ok((until, summary["reports"][0]["days"].take()))
}

async fn an_invalid_range_is_refused(system: &System) -> anyhow::Result<()> {
    for event in [
        json!({ "project_id": 211, "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }),
        json!({ "project": 211 }),
    ] {
        let refused = invoke_with(&system.sandbox, "reconcile", &event).await;
        ensure!(refused.is_err(), "{event} was accepted");
    }
    let unknown_project = json!({
        "project_id": 212, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z",
    });
    let summary = invoke_with(&system.sandbox, "reconcile", &unknown_project).await?;
    let failure = summary["failure"].as_str().unwrap_or_default();
    ensure!(failure.contains("no key of project 212"), "{summary}");
    Ok(())
}

/// The function has cached the project's key, so only the Data API's token is missing.
async fn a_missing_token_does_not_stop_the_report(system: &System) -> anyhow::Result<()> {
    let permissions = Permissions::of(&system.sandbox, "reconcile").await?;
    permissions.revoke("secretsmanager:GetSecretValue").await?;
    let summary = invoke(&system.sandbox, "reconcile").await?;
    ensure!(summary["failure"].is_string(), "{summary}");
    ensure!(summary["reports"][0]["in_time"] == true, "{summary}");
    permissions.restore().await
}
