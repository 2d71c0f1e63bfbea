//! Tests the day that the daily runs compare and report.

use std::time::Duration;

use anyhow::ensure;
use e2e::lambda::{invoke, invoke_with};
use e2e::permissions::Permissions;
use e2e::system::System;
use payments::Timestamp;
use payments::model::day::Day;
use sandbox::Options;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_daily_runs_compare_and_report_the_last_settled_day_once() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let started = system.run_daily().await?;
    ensure!(started["failure"].is_null(), "{started}");
    let runs: Vec<&Value> = started["runs"].as_array().into_iter().flatten().collect();
    ensure!(runs.len() == 2, "{started}");
    let now = Timestamp::now();
    for run in runs {
        // Before 03:00 UTC, the platform's records of yesterday are not settled.
        let settled = match run["daily"] == json!("compare") {
            true => now.before(3 * HOUR),
            false => now,
        };
        let day = Day::of(settled).previous();
        ensure!(run["from"] == json!(day.start()), "{run}");
        ensure!(run["to"] == json!(day.next().start()), "{run}");
    }
    let again = system.run_daily().await?;
    ensure!(again["runs"] == json!([]), "{again}");
    an_invalid_range_is_refused(&system).await?;
    a_missing_token_does_not_stop_the_report(&system).await?;

    let log = system.log().await?;
    for part in [
        "reconcile: started",
        "reconcile: part done",
        "reconcile: done",
        "report of a day",
        "reconciliation_lag_s",
        "report_lag_s",
        "reconcile: some runs did not start",
    ] {
        ensure!(log.contains(part), "the log has no {part}");
    }
    for secret in ["sandboxDataApiToken", "test-data-api-key"] {
        ensure!(!log.contains(secret), "the log has {secret}");
    }
    system.stop().await;
    Ok(())
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
    ensure!(
        failure.contains("project 212 has never had a key"),
        "{summary}"
    );
    Ok(())
}

/// The Data API's token is the only secret that the function reads.
async fn a_missing_token_does_not_stop_the_report(system: &System) -> anyhow::Result<()> {
    let permissions = Permissions::of(&system.sandbox, "reconcile").await?;
    permissions.revoke("secretsmanager:GetSecretValue").await?;
    let summary = invoke(&system.sandbox, "reconcile").await?;
    ensure!(summary["failure"].is_string(), "{summary}");
    ensure!(summary["report_failed"] == 0, "{summary}");
    permissions.restore().await
}
