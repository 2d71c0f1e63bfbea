//! Tests that the functions of two releases, the previous release and this release, can work on one table. The test
//! deploys the previous release, a canary deployment with functions of both releases, and this release. After two
//! rollbacks, it deploys this release again.
//!
//! The variable `PREVIOUS_RELEASE` names the commit of the previous release. Without this variable, the test uses the
//! first commit that can work on one table with other releases: the commit that added the file [`INTRODUCED`].
//!
//! The build of the previous release takes many minutes, so the test does nothing without `LONG=1`. The build stays in
//! the folder `previous-release`, beside the folders of the sandboxes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::queue::sequences;
use e2e::storefront::partial_refund;
use e2e::system::System;
use reqwest::StatusCode;
use sandbox::deploy_script::DeployScript;
use sandbox::{Options, functions, workspace};
use serde_json::{Value, json};
use tools::Supervisor;

use crate::deployment::script::succeeded;

/// In the canary deployment, these binaries are from this release. All other binaries are from the previous release.
const CANARY: [&str; 3] = ["callback", "command", "sweeper"];
/// This file numbers the formats of stored payments. The commit that added the file also made functions keep fields of
/// other releases.
const INTRODUCED: &str = "shared/payments/src/model/format.rs";

type Binaries = BTreeMap<String, PathBuf>;

#[tokio::test]
async fn two_releases_work_on_one_table_and_a_rollback_loses_nothing() -> anyhow::Result<()> {
    if std::env::var_os("LONG").is_none() {
        return Ok(());
    }
    let options = Options {
        by_script: true,
        ..Options::any_ports()
    };
    let system = System::start(options).await?;
    let script = system.sandbox.deploy_script()?;
    let names = functions::binaries(&tools::root().join("infra/template.yaml"))?;
    let this = functions::build(system.sandbox.supervisor(), &names).await?;
    // The previous release can lack a binary of this release. Its template would not name this binary.
    let mut previous = this.clone();
    previous.extend(build_previous(system.sandbox.supervisor(), &names).await?);
    let mut canary = previous.clone();
    canary.extend(CANARY.map(|name| (name.to_owned(), this[name].clone())));

    // Each step refunds a part of the payments of all earlier steps, and pays a new payment.
    let mut paid = Vec::new();
    for (step, release) in [&previous, &canary, &this].into_iter().enumerate() {
        deploy(&script, release).await?;
        step_with(&system, &mut paid, step).await?;
    }
    // This value of the enum `channel` simulates a newer release. Neither of the two releases knows the value.
    set_channel(&system, "paid-2", "next_word").await?;
    // The first rollback deploys the canary deployment, and the second deploys the previous release.
    for step in [3, 4] {
        succeeded(script.run("rollback", &[]).await?)?;
        step_with(&system, &mut paid, step).await?;
        a_payment_with_an_unknown_value_takes_only_reports(&system, "paid-2", step).await?;
    }
    deploy(&script, &this).await?;
    set_channel(&system, "paid-2", "gate").await?;
    step_with(&system, &mut paid, 5).await?;

    let events = system.queue("audit")?.drain().await?;
    for payment_id in &paid {
        let mut of_payment = events.clone();
        of_payment.retain(|event| event["subject"] == **payment_id);
        let expected: Vec<u64> = (1..=of_payment.len() as u64).collect();
        ensure!(
            sequences(&of_payment) == expected,
            "{payment_id}: {of_payment:?}"
        );
        let payment = system.storefront.payment(payment_id).await?;
        ensure!(payment["sequence"] == expected.len(), "{payment}");
        let document = document(&system, payment_id).await?;
        for object in [&document, &document["order"], &document["attempt"]] {
            ensure!(object["next_field"] == "kept", "{payment_id}: {document}");
        }
    }
    system.stop().await;
    Ok(())
}

/// Builds the functions of the previous release in a folder of its own.
async fn build_previous(supervisor: &Supervisor, names: &[String]) -> anyhow::Result<Binaries> {
    let commit = match std::env::var("PREVIOUS_RELEASE") {
        Ok(commit) => commit,
        Err(_) => {
            let options = [
                "log",
                "-m",
                "--first-parent",
                "--diff-filter=A",
                "-1",
                "--format=%H",
            ];
            let arguments = options.into_iter().chain(["--", INTRODUCED]);
            git(supervisor, &arguments.collect::<Vec<_>>()).await?
        }
    };
    let commit = commit.trim();
    ensure!(
        !commit.is_empty(),
        "no commit of the history introduces {INTRODUCED}"
    );
    let folder = workspace::sandboxes().join("previous-release").join(commit);
    if !folder.join("Cargo.toml").exists() {
        std::fs::create_dir_all(&folder)?;
        let archive = folder.join("release.tar").display().to_string();
        git(supervisor, &["archive", "--output", &archive, commit]).await?;
        let mut tar = supervisor.command("tar");
        tar.arg("-xf").arg(&archive).arg("-C").arg(&folder);
        ensure!(
            supervisor.output(tar).await?.0.success(),
            "{archive} cannot be unpacked"
        );
    }
    let has_crate = |name: &&String| folder.join("functions").join(name).exists();
    let names: Vec<String> = names.iter().filter(has_crate).cloned().collect();
    functions::build_in(supervisor, &folder, &names).await
}

async fn git(supervisor: &Supervisor, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = supervisor.command("git");
    command.current_dir(tools::root()).args(arguments);
    let (status, output) = supervisor.output(command).await?;
    ensure!(status.success(), "git {arguments:?} failed");
    Ok(String::from_utf8(output)?)
}

async fn deploy(script: &DeployScript, binaries: &Binaries) -> anyhow::Result<()> {
    for (name, path) in binaries {
        script.replace(name, path).await?;
    }
    succeeded(script.deploy_again().await?)?;
    Ok(())
}

/// Refunds a part of each earlier payment, and then creates and pays a payment. If a stored payment has an enum value
/// that the release does not know, the API answers 503 to the refund, and this payment stays as it is.
async fn step_with(system: &System, paid: &mut Vec<String>, step: usize) -> anyhow::Result<()> {
    let payment_id = format!("paid-{step}");
    for earlier in paid.iter() {
        let refund = partial_refund(&format!("refund-{step}"), 100);
        let (status, _) = system.storefront.refund(earlier, &refund).await?;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            continue;
        }
        ensure!(
            status == StatusCode::ACCEPTED,
            "{earlier} in step {step}: {status}"
        );
        let is_refunded = |payment: &Value| payment["pending_refund_amount"] == 0;
        system
            .storefront
            .until_matching(earlier, is_refunded)
            .await?;
    }
    system.create_paid(&payment_id).await?;
    // These fields simulate fields of a newer release. Every later write must keep them.
    let add_field = |document: &mut Value| {
        document["next_field"] = json!("kept");
        for name in ["order", "attempt"] {
            document[name]["next_field"] = json!("kept");
        }
    };
    rewrite(system, &payment_id, add_field).await?;
    paid.push(payment_id);
    Ok(())
}

/// Checks a payment whose document has an enum value that the deployed releases do not know. The API must show the
/// payment and refuse a refund. A refund that is made at the platform must be stored, but must not emit an event.
async fn a_payment_with_an_unknown_value_takes_only_reports(
    system: &System,
    payment_id: &str,
    step: usize,
) -> anyhow::Result<()> {
    let before = system.storefront.payment(payment_id).await?;
    let (status, _) = system
        .storefront
        .refund(payment_id, &partial_refund("later", 100))
        .await?;
    ensure!(status == StatusCode::SERVICE_UNAVAILABLE, "{status}");
    let refund = json!({ "amount": 50 });
    system.simulator.refund(payment_id, refund).await?;
    let has_refund = |payment: &Value| {
        let operations = payment["operations"].as_array().map_or(0, Vec::len);
        let known = before["operations"].as_array().map_or(0, Vec::len);
        operations > known
    };
    let after = system
        .storefront
        .until_matching(payment_id, has_refund)
        .await?;
    ensure!(
        after["sequence"] == before["sequence"],
        "step {step}: {after}"
    );
    let document = document(system, payment_id).await?;
    ensure!(document["order"]["channel"] == "next_word", "{document}");
    Ok(())
}

async fn set_channel(system: &System, payment_id: &str, channel: &str) -> anyhow::Result<()> {
    let set = |document: &mut Value| document["order"]["channel"] = json!(channel);
    rewrite(system, payment_id, set).await
}

fn key(system: &System, payment_id: &str) -> Value {
    let pk = format!("payment#{}/{payment_id}", system.ready().project_id);
    json!({ "pk": { "S": pk }, "sk": { "S": "payment" } })
}

async fn document(system: &System, payment_id: &str) -> anyhow::Result<Value> {
    let request = json!({
        "TableName": system.ready().table,
        "Key": key(system, payment_id),
        "ConsistentRead": true,
    });
    let item = call(&system.sandbox, "dynamodb", "get_item", &request).await?;
    let document = item["Item"]["document"]["S"].as_str();
    let document = document.with_context(|| format!("{payment_id} has no document"))?;
    Ok(serde_json::from_str(document)?)
}

/// Changes a stored document as another release would.
async fn rewrite(
    system: &System,
    payment_id: &str,
    change: impl Fn(&mut Value),
) -> anyhow::Result<()> {
    let mut document = document(system, payment_id).await?;
    change(&mut document);
    let request = json!({
        "TableName": system.ready().table,
        "Key": key(system, payment_id),
        "UpdateExpression": "SET document = :document ADD version :one",
        "ExpressionAttributeValues": {
            ":document": { "S": document.to_string() },
            ":one": { "N": "1" },
        },
    });
    call(&system.sandbox, "dynamodb", "update_item", &request).await?;
    Ok(())
}
