//! Contains steps of the release test. They check the file that the script writes, and delete the stack.

use anyhow::ensure;
use e2e::aws_call::call;
use sandbox::deploy::STACK;
use serde_json::{Value, json};

use crate::deployment::script::Deployment;
use crate::deployment::stack::{Snapshot, everything, objects};

pub fn ensure_written_file_matches_the_stack(deployment: &Deployment) -> anyhow::Result<()> {
    let written = std::fs::read(deployment.script.written())?;
    let written: Value = serde_json::from_slice(&written)?;
    let ready = serde_json::to_value(deployment.sandbox.ready())?;
    for key in [
        "aws_endpoint",
        "region",
        "table",
        "storefront_keys_table",
        "queues",
        "dead_letters",
        "functions",
        "project_keys_secret",
        "data_api_token_secret",
    ] {
        let is_equal = written[key] == ready[key] && !ready[key].is_null();
        ensure!(is_equal, "{key}: {written}");
    }
    Ok(())
}

pub async fn a_protected_stack_is_not_deleted(deployment: &Deployment) -> anyhow::Result<()> {
    protect(deployment, true).await?;
    let run = deployment.fail("delete").await?;
    let advice = "update-termination-protection --no-enable-termination-protection";
    ensure!(run.contains(advice), "{run}");
    deployment.run("smoke").await?;
    protect(deployment, false).await
}

async fn protect(deployment: &Deployment, is_protected: bool) -> anyhow::Result<()> {
    let operation = "update_termination_protection";
    let change = json!({ "StackName": STACK, "EnableTerminationProtection": is_protected });
    call(&deployment.sandbox, "cloudformation", operation, &change).await?;
    Ok(())
}

pub async fn only_the_tables_and_the_token_secret_remain(
    deployment: &Deployment,
    deployed: &Snapshot,
) -> anyhow::Result<()> {
    let objects_before = objects(&deployment.sandbox).await?;
    let is_release = |name: &&String| name.starts_with("releases/sandbox/");
    let releases = objects_before.iter().filter(is_release).count();
    ensure!(releases == 3, "{objects_before:?}");
    let run = deployment.run("delete").await?;
    ensure!(objects(&deployment.sandbox).await?.is_empty());
    let tables = ["Table", "StorefrontKeys"].map(|table| &deployed.resources[table]);
    for table in tables {
        let advice = format!("aws dynamodb delete-table --table-name {table}");
        ensure!(run.contains(&advice), "{run}");
    }
    ensure!(!run.contains("AWS::Lambda::Version"), "{run}");
    let rest = everything(&deployment.sandbox).await?;
    ensure!(rest.len() == 3, "{rest:?}");
    let mut names = rest.iter().map(|(_, name)| name);
    for table in tables {
        ensure!(names.clone().any(|name| name == table), "{rest:?}");
    }
    ensure!(names.any(|name| name.contains("TokenSecret")), "{rest:?}");
    ensure!(!deployment.script.written().exists());
    let run = deployment.fail("smoke").await?;
    ensure!(run.contains("There is no stack"), "{run}");
    // A deletion can be repeated.
    let run = deployment.run("delete").await?;
    ensure!(run.contains("There is no stack"), "{run}");
    Ok(())
}
