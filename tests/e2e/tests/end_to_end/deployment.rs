//! The deployment script against the local AWS, from the first deployment to the end of the stack.
//!
//! It deploys the dev build, which is there already; `LONG=1` also builds for AWS and deploys that.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use e2e::operator::call;
use e2e::stack::{Snapshot, everything, last_changed, objects};
use e2e::walk::walk;
use sandbox::deploy::STACK;
use sandbox::deploy_script::{DeployScript, Run};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tools::Supervisor;

struct Test {
    sandbox: Sandbox,
    script: DeployScript,
}

impl Test {
    async fn start() -> anyhow::Result<Self> {
        let options = Options {
            by_script: true,
            ..Options::any_ports()
        };
        let sandbox = Sandbox::start(options).await?;
        let script = sandbox.deploy_script()?;
        Ok(Self { sandbox, script })
    }

    async fn run(&self, command: &str) -> anyhow::Result<Run> {
        let yes = match command {
            "delete" => vec!["--yes".to_owned()],
            _ => Vec::new(),
        };
        self.script.run(command, &yes).await
    }
}

#[tokio::test]
async fn a_stack_is_deployed_changed_rolled_back_and_deleted() -> anyhow::Result<()> {
    let test = Test::start().await?;
    let sandbox = &test.sandbox;
    walk(sandbox.ready(), "walk-1").await?;
    what_it_wrote_is_what_the_stack_has(&test)?;
    let first = Snapshot::take(sandbox).await?;
    ensure!(first.functions.len() >= 6, "{first:?}");

    // Unchanged, it changes nothing.
    let run = succeeded(test.script.deploy_again().await?)?;
    ensure!(run.contains("Nothing has changed"), "{run}");
    ensure!(Snapshot::take(sandbox).await? == first);

    // One function's code changes that function, and which version of it is called.
    let callback = test.script.binary("callback");
    let mut other = std::fs::read(&callback)?;
    other.extend(b"another build");
    std::fs::write(&callback, &other)?;
    succeeded(test.script.deploy_again().await?)?;
    let changed = last_changed(sandbox).await?;
    let mut of_callback = changed.iter();
    ensure!(
        of_callback.all(|name| name.starts_with("CallbackFunction")),
        "{changed:?}"
    );
    ensure!(changed.contains("CallbackFunction"), "{changed:?}");
    let second = Snapshot::take(sandbox).await?;
    ensure!(second.resources == first.resources);
    ensure!(second.code("CallbackFunction")? != first.code("CallbackFunction")?);
    ensure!(others(&second) == others(&first), "{second:?}");
    walk(sandbox.ready(), "walk-2").await?;

    // What does not work is not left there.
    let refund = test.script.binary("refund");
    let good = std::fs::read(&refund)?;
    std::fs::write(&refund, b"#!/bin/sh\nexit 1\n")?;
    let run = failed(test.script.deploy_again().await?)?;
    ensure!(
        run.contains("/refunds/smoke-test returned 502 instead of 401"),
        "{run}"
    );
    ensure!(
        run.contains("is back in its previous state, and works"),
        "{run}"
    );
    let after = Snapshot::take(sandbox).await?;
    ensure!(after.resources == first.resources);
    ensure!(after.code("RefundFunction")? == second.code("RefundFunction")?);
    ensure!(after.code("CallbackFunction")? == second.code("CallbackFunction")?);
    succeeded(test.run("smoke").await?)?;
    succeeded(test.run("outputs").await?)?;
    std::fs::write(&refund, &good)?;

    a_parameter_comes_and_goes(&test, &second).await?;

    // Back to the first release, and no further.
    succeeded(test.run("rollback").await?)?;
    let after = Snapshot::take(sandbox).await?;
    ensure!(after.code("CallbackFunction")? == first.code("CallbackFunction")?);
    ensure!(after.resources == first.resources);
    walk(sandbox.ready(), "walk-3").await?;
    let run = failed(test.run("rollback").await?)?;
    ensure!(run.contains("This is the first release"), "{run}");

    a_protected_stack_is_not_deleted(&test).await?;
    nothing_is_left_but_what_is_kept_on_purpose(&test, &first).await?;
    test.sandbox.stop().await;
    Ok(())
}

/// It takes many minutes, so only `LONG=1` does it.
#[tokio::test]
async fn what_is_built_for_aws_works() -> anyhow::Result<()> {
    if std::env::var_os("LONG").is_none() {
        return Ok(());
    }
    let test = Test::start().await?;
    let run = succeeded(test.script.deploy_built().await?)?;
    println!("{run}");
    walk(test.sandbox.ready(), "walk-1").await?;
    test.sandbox.stop().await;
    Ok(())
}

/// The functions whose code stays, with the times of their last changes.
fn others(stack: &Snapshot) -> BTreeMap<String, (String, String)> {
    let mut functions = stack.functions.clone();
    functions.remove("CallbackFunction");
    functions
}

async fn a_parameter_comes_and_goes(test: &Test, before: &Snapshot) -> anyhow::Result<()> {
    let old = unsent_grace(test, before).await?;
    ensure!(old != "3", "{old}");
    let binary = test.script.binary("callback");
    let folder = binary.ancestors().nth(2).context("no folder")?;
    let folder = folder.display().to_string();
    let arguments = [
        "--binaries",
        &folder,
        "--patience",
        "5",
        "--parameter",
        "OutboxGraceSeconds=3",
    ]
    .map(str::to_owned);
    let run = succeeded(test.script.run("deploy", &arguments).await?)?;
    ensure!(!run.contains("Nothing has changed"), "{run}");
    let (_, deployed_with) = run.split_once("Deployed with\n").context("no parameters")?;
    ensure!(deployed_with.contains("  OutboxGraceSeconds=3\n"), "{run}");
    // Of the stage, and kept from the first deployment.
    ensure!(deployed_with.contains("  LogRetentionDays=14\n"), "{run}");
    ensure!(deployed_with.contains("  RequireTls=false\n"), "{run}");
    ensure!(!deployed_with.contains("Release="), "{run}");
    ensure!(unsent_grace(test, before).await? == "3");
    // What is not given again stays.
    let run = succeeded(test.script.deploy_again().await?)?;
    ensure!(run.contains("Nothing has changed"), "{run}");
    ensure!(run.contains("  OutboxGraceSeconds=3\n"), "{run}");
    succeeded(test.run("rollback").await?)?;
    ensure!(unsent_grace(test, before).await? == old);
    Ok(())
}

async fn unsent_grace(test: &Test, stack: &Snapshot) -> anyhow::Result<String> {
    let name = json!({ "FunctionName": stack.resources["SweeperFunction"] });
    let of_sweeper = call(&test.sandbox, "lambda", "get_function_configuration", &name).await?;
    let value = &of_sweeper["Environment"]["Variables"]["OUTBOX_GRACE_SECONDS"];
    Ok(value.as_str().context("no such variable")?.to_owned())
}

async fn a_protected_stack_is_not_deleted(test: &Test) -> anyhow::Result<()> {
    let protect = |yes: bool| {
        let change = json!({ "StackName": STACK, "EnableTerminationProtection": yes });
        async move {
            call(
                &test.sandbox,
                "cloudformation",
                "update_termination_protection",
                &change,
            )
            .await
        }
    };
    protect(true).await?;
    let run = failed(test.run("delete").await?)?;
    ensure!(
        run.contains("update-termination-protection --no-enable-termination-protection"),
        "{run}"
    );
    succeeded(test.run("smoke").await?)?;
    protect(false).await?;
    Ok(())
}

fn what_it_wrote_is_what_the_stack_has(test: &Test) -> anyhow::Result<()> {
    let written: Value = serde_json::from_slice(&std::fs::read(test.script.written())?)?;
    let ready = serde_json::to_value(test.sandbox.ready())?;
    for key in [
        "aws_endpoint",
        "region",
        "table",
        "queues",
        "dead_letters",
        "functions",
        "project_keys_secret",
        "data_api_token_secret",
    ] {
        ensure!(
            written[key] == ready[key] && !ready[key].is_null(),
            "{key}: {written}"
        );
    }
    Ok(())
}

async fn nothing_is_left_but_what_is_kept_on_purpose(
    test: &Test,
    deployed: &Snapshot,
) -> anyhow::Result<()> {
    let releases = objects(&test.sandbox).await?;
    let is_template =
        |name: &&String| name.starts_with("releases/sandbox/2") && name.ends_with("/template");
    ensure!(
        releases.iter().filter(is_template).count() == 3,
        "{releases:?}"
    );
    let run = succeeded(test.run("delete").await?)?;
    ensure!(objects(&test.sandbox).await?.is_empty());
    let table = &deployed.resources["Table"];
    ensure!(
        run.contains(&format!("aws dynamodb delete-table --table-name {table}")),
        "{run}"
    );
    ensure!(!run.contains("AWS::Lambda::Version"), "{run}");
    let left = everything(&test.sandbox).await?;
    let named: Vec<&str> = left.iter().map(|(_, name)| name.as_str()).collect();
    ensure!(named.len() == 2, "{left:?}");
    ensure!(named.contains(&table.as_str()), "{left:?}");
    ensure!(
        named.iter().any(|name| name.contains("TokenSecret")),
        "{left:?}"
    );
    ensure!(!test.script.written().exists());
    let run = failed(test.run("smoke").await?)?;
    ensure!(run.contains("There is no stack"), "{run}");
    // Whoever was interrupted while deleting does it again.
    let run = succeeded(test.run("delete").await?)?;
    ensure!(run.contains("There is no stack"), "{run}");
    Ok(())
}

/// What is random is as large in a package, the rest vanishes there.
#[tokio::test]
async fn a_function_that_became_too_large_is_refused() -> anyhow::Result<()> {
    let check = "
import pathlib, random, sys, tempfile
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from deployment.build import check_sizes
from tools.failure import Failure
with tempfile.TemporaryDirectory() as folder:
    for name, noise, rest in [('good', 3_500_000, 4_000_000), ('large', 1_000, 8_000_000), ('dense', 4_100_000, 0)]:
        place = pathlib.Path(folder, name)
        place.mkdir()
        (place / 'bootstrap').write_bytes(random.Random(1).randbytes(noise) + bytes(rest))
    try:
        check_sizes(['good', 'large', 'dense'], pathlib.Path(folder))
    except Failure as failure:
        print(failure)";
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    let output = Command::new(Supervisor::new()?.python())
        .args(["-I", "-c", check])
        .arg(infra)
        .output()?;
    let told = String::from_utf8(output.stdout)?;
    let refusal = told.lines().last().unwrap_or_default();
    let sentences: Vec<&str> = refusal.split(". ").collect();
    ensure!(sentences.len() == 2, "{told}");
    ensure!(sentences[0] == "The binary of large has 8,001,000 bytes, 8,000,000 are allowed");
    ensure!(
        sentences[1].starts_with("The package of dense has 4,1"),
        "{told}"
    );
    Ok(())
}

fn succeeded(run: Run) -> anyhow::Result<String> {
    ensure!(run.succeeded, "{}", run.text);
    Ok(run.text)
}

fn failed(run: Run) -> anyhow::Result<String> {
    ensure!(!run.succeeded, "{}", run.text);
    Ok(run.text)
}
