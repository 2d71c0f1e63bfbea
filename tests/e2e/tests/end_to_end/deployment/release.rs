//! Tests a stack in the local AWS: the first release, changes, a failed release, rollbacks and the deletion.
//!
//! The binaries are those of the dev build. With `LONG=1`, a second test deploys the build for AWS.

use std::collections::BTreeSet;
use std::pin::pin;

use anyhow::{Context, ensure};
use e2e::lambda::configuration;
use e2e::storefront::Storefront;
use e2e::walk::walk;
use reqwest::{Method, StatusCode};

use crate::deployment::deletion;
use crate::deployment::script::{Deployment, failed, succeeded};
use crate::deployment::stack::Snapshot;

#[tokio::test]
async fn a_stack_is_deployed_changed_rolled_back_and_deleted() -> anyhow::Result<()> {
    let deployment = Deployment::start().await?;
    let ready = deployment.sandbox.ready();
    walk(ready, "walk-1").await?;
    deletion::ensure_written_file_matches_the_stack(&deployment)?;
    let first = Snapshot::take(&deployment.sandbox).await?;
    ensure!(first.functions.len() >= 6, "{first:?}");
    a_release_without_changes_changes_nothing(&deployment, &first).await?;
    provisioned_concurrency_publishes_no_version_and_fails_no_request(&deployment, &first).await?;
    let second = a_changed_binary_publishes_versions_behind_the_api(&deployment, &first).await?;
    walk(ready, "walk-2").await?;
    a_failed_smoke_test_restores_the_previous_release(&deployment, &second).await?;
    a_parameter_is_kept_until_a_rollback(&deployment).await?;

    deployment.run("rollback").await?;
    let rolled_back = Snapshot::take(&deployment.sandbox).await?;
    ensure!(rolled_back.code("CallbackFunction")? == first.code("CallbackFunction")?);
    ensure!(rolled_back.resources == first.resources);
    walk(ready, "walk-3").await?;
    let run = deployment.fail("rollback").await?;
    ensure!(run.contains("There is no earlier release"), "{run}");

    deletion::a_protected_stack_is_not_deleted(&deployment).await?;
    deletion::only_the_tables_and_the_token_secret_remain(&deployment, &first).await?;
    deployment.sandbox.stop().await;
    Ok(())
}

async fn a_release_without_changes_changes_nothing(
    deployment: &Deployment,
    first: &Snapshot,
) -> anyhow::Result<()> {
    let run = succeeded(deployment.script.deploy_again().await?)?;
    ensure!(run.contains("Nothing has changed"), "{run}");
    ensure!(Snapshot::take(&deployment.sandbox).await? == *first);
    Ok(())
}

async fn a_changed_binary_publishes_versions_behind_the_api(
    deployment: &Deployment,
    first: &Snapshot,
) -> anyhow::Result<Snapshot> {
    let binary = deployment.script.binary("callback");
    let mut changed = std::fs::read(&binary)?;
    changed.extend(b"another build");
    std::fs::write(&binary, &changed)?;
    succeeded(deployment.script.deploy_again().await?)?;
    let second = Snapshot::take(&deployment.sandbox).await?;
    ensure!(second.resources == first.resources);
    for (function, (code, _)) in &second.functions {
        let is_changed = code != first.code(function)?;
        ensure!(is_changed == (function == "CallbackFunction"), "{function}");
    }
    let changed: BTreeSet<&str> = second
        .functions
        .iter()
        .filter(|(function, state)| first.functions.get(*function) != Some(state))
        .map(|(function, _)| function.as_str())
        .collect();
    let behind_the_api = [
        "CallbackFunction",
        "CheckoutFunction",
        "RefundFunction",
        "ShopperFunction",
    ];
    ensure!(changed == behind_the_api.into(), "{changed:?}");
    Ok(second)
}

async fn a_failed_smoke_test_restores_the_previous_release(
    deployment: &Deployment,
    previous: &Snapshot,
) -> anyhow::Result<()> {
    let refund = deployment.script.binary("refund");
    let good = std::fs::read(&refund)?;
    std::fs::write(&refund, b"#!/bin/sh\nexit 1\n")?;
    let run = failed(deployment.script.deploy_again().await?)?;
    for part in [
        "/refunds/smoke-test returned 502 instead of 401",
        "the previous release is deployed again",
    ] {
        ensure!(run.contains(part), "{run}");
    }
    let restored = Snapshot::take(&deployment.sandbox).await?;
    ensure!(restored.resources == previous.resources);
    for function in ["RefundFunction", "CallbackFunction"] {
        ensure!(restored.code(function)? == previous.code(function)?);
    }
    deployment.run("smoke").await?;
    deployment.run("outputs").await?;
    std::fs::write(&refund, &good)?;
    Ok(())
}

async fn a_parameter_is_kept_until_a_rollback(deployment: &Deployment) -> anyhow::Result<()> {
    let before = outbox_grace(deployment).await?;
    ensure!(before != "3", "{before}");
    let run = deploy_with(deployment, "OutboxGraceSeconds=3").await?;
    ensure!(!run.contains("Nothing has changed"), "{run}");
    let (_, parameters) = run
        .split_once("Deployed with\n")
        .context("the output lists no parameters")?;
    for parameter in [
        "OutboxGraceSeconds=3",
        // The stage sets `LogRetentionDays`. The first deployment set `RequireTls`, and later deployments keep the
        // value.
        "LogRetentionDays=14",
        "RequireTls=false",
    ] {
        ensure!(parameters.contains(&format!("  {parameter}\n")), "{run}");
    }
    ensure!(!parameters.contains("Release="), "{run}");
    ensure!(outbox_grace(deployment).await? == "3");
    let run = succeeded(deployment.script.deploy_again().await?)?;
    ensure!(run.contains("Nothing has changed"), "{run}");
    ensure!(run.contains("  OutboxGraceSeconds=3\n"), "{run}");
    deployment.run("rollback").await?;
    ensure!(outbox_grace(deployment).await? == before);
    Ok(())
}

/// Deploys the binaries in the script's folder with a parameter, such as `OutboxGraceSeconds=3`.
async fn deploy_with(deployment: &Deployment, parameter: &str) -> anyhow::Result<String> {
    let binary = deployment.script.binary("callback");
    let folder = binary.ancestors().nth(2);
    let folder = folder.context("the binary has no folder")?;
    let folder = folder.display().to_string();
    let arguments = ["--binaries", &folder, "--patience", "5"];
    let arguments = arguments.into_iter().chain(["--parameter", parameter]);
    let arguments: Vec<String> = arguments.map(str::to_owned).collect();
    succeeded(deployment.script.run("deploy", &arguments).await?)
}

/// Sets and removes provisioned concurrency while a storefront calls the function.
async fn provisioned_concurrency_publishes_no_version_and_fails_no_request(
    deployment: &Deployment,
    first: &Snapshot,
) -> anyhow::Result<()> {
    let storefront = Storefront::new(deployment.sandbox.ready())?;
    for parameter in ["CheckoutProvisioned=1", "CheckoutProvisioned=0"] {
        let mut deployed = pin!(deploy_with(deployment, parameter));
        let run = loop {
            tokio::select! {
                run = &mut deployed => break run?,
                answer = storefront.call(Method::GET, "/payments/unknown", None) => {
                    let (status, body) = answer?;
                    ensure!(status == StatusCode::NOT_FOUND, "{status}: {body}");
                }
            }
        };
        ensure!(!run.contains("Nothing has changed"), "{run}");
        ensure!(Snapshot::take(&deployment.sandbox).await? == *first);
    }
    Ok(())
}

async fn outbox_grace(deployment: &Deployment) -> anyhow::Result<String> {
    let sweeper = configuration(&deployment.sandbox, "sweeper").await?;
    let value = sweeper["Environment"]["Variables"]["OUTBOX_GRACE_SECONDS"].as_str();
    Ok(value
        .context("the sweeper has no OUTBOX_GRACE_SECONDS")?
        .to_owned())
}

/// This build takes many minutes, so it needs `LONG=1`.
#[tokio::test]
async fn the_build_for_aws_can_be_deployed_and_makes_a_payment() -> anyhow::Result<()> {
    if std::env::var_os("LONG").is_none() {
        return Ok(());
    }
    let deployment = Deployment::start().await?;
    let run = succeeded(deployment.script.deploy_built().await?)?;
    println!("{run}");
    walk(deployment.sandbox.ready(), "walk-1").await?;
    deployment.sandbox.stop().await;
    Ok(())
}
