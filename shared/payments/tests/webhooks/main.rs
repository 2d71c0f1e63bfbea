//! Tests that the official libraries of Standard Webhooks verify signed events. The libraries compare the timestamp
//! with the system clock, so these tests use it, too.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use payments::Timestamp;
use payments::model::webhook::{MasterSecret, SignedEvent, WebhookSecret};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tools::Supervisor;

const FOLDER: &str = "shared/payments/tests/webhooks";
/// A body with a character of each length in UTF-8, and with escapes.
const BODY: &str = r#"{"id":"211/order-1/3","data":{"order_id":"é€😀 \u0000 \"\\/"}}"#;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = vec![
        Trial::test("the_python_library_verifies_signed_events", || {
            completed(Runtime::new()?.block_on(the_python_library_verifies_signed_events()))
        }),
        Trial::ignorable_test("the_javascript_library_verifies_signed_events", || {
            if !starts("node") || !starts("npm") {
                return Ok(Completion::ignored_with(
                    "Node.js with npm is not installed",
                ));
            }
            let test = the_javascript_library_verifies_signed_events();
            completed(Runtime::new()?.block_on(test)).map(|()| Completion::Completed)
        }),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn completed(result: anyhow::Result<()>) -> Result<(), Failed> {
    result.map_err(|error| format!("{error:#}").into())
}

fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    command.output().is_ok_and(|output| output.status.success())
}

async fn the_python_library_verifies_signed_events() -> anyhow::Result<()> {
    let supervisor = Supervisor::new()?;
    let pins = format!("{FOLDER}/python/requirements.txt");
    let python = supervisor.install(&pins).await?.join("bin/python");
    let mut command = supervisor.command(python);
    command
        .arg("-I")
        .arg(tools::root().join(FOLDER).join("python/verify.py"));
    check(&supervisor, command).await
}

async fn the_javascript_library_verifies_signed_events() -> anyhow::Result<()> {
    let supervisor = Supervisor::new()?;
    let pins = format!("{FOLDER}/node/package-lock.json");
    let installed = supervisor.install(&pins).await?;
    let mut command = supervisor.command("node");
    command
        .arg(tools::root().join(FOLDER).join("node/verify.js"))
        .arg(installed);
    check(&supervisor, command).await
}

/// Runs a program that verifies deliveries, and compares its verdicts.
async fn check(
    supervisor: &Supervisor,
    mut command: tokio::process::Command,
) -> anyhow::Result<()> {
    let deliveries = deliveries()?;
    let requests: Vec<&Value> = deliveries.iter().map(|(_, request, _)| request).collect();
    command.arg(json!(requests).to_string());
    let (status, output) = supervisor.output(command).await?;
    ensure!(status.success(), "the program failed; the reason is above");
    let accepted: Vec<bool> = serde_json::from_slice(&output)?;
    ensure!(accepted.len() == deliveries.len(), "{accepted:?}");
    for ((name, _, expected), accepted) in deliveries.iter().zip(accepted) {
        ensure!(accepted == *expected, "{name}: accepted = {accepted}");
    }
    Ok(())
}

/// Returns deliveries: a name, what the endpoint receives and its secret, and whether the library must accept it.
fn deliveries() -> anyhow::Result<Vec<(&'static str, Value, bool)>> {
    let master = MasterSecret::new(&"m".repeat(32)).context("the secret is short")?;
    let (old, new) = (master.secret("ep_1", 1), master.secret("ep_1", 2));
    let other = master.secret("ep_2", 1);
    let now = Timestamp::now();
    let sign = |at, current: &WebhookSecret, previous| {
        SignedEvent::new("211/order-1/3", BODY.to_owned(), at, current, previous)
    };
    let one = sign(now, &old, None);
    let two = sign(now, &new, Some(&old));
    let six_minutes = Duration::from_secs(6 * 60);
    let early = sign(now.before(six_minutes), &old, None);
    let late = sign(now.after(six_minutes), &old, None);
    Ok(vec![
        ("one secret", delivery(&one, BODY, &old), true),
        ("the new secret", delivery(&two, BODY, &new), true),
        ("the previous secret", delivery(&two, BODY, &old), true),
        ("another version", delivery(&one, BODY, &new), false),
        ("another endpoint", delivery(&two, BODY, &other), false),
        ("another body", delivery(&one, "{}", &old), false),
        ("too early", delivery(&early, BODY, &old), false),
        ("too late", delivery(&late, BODY, &old), false),
    ])
}

fn delivery(event: &SignedEvent, body: &str, secret: &WebhookSecret) -> Value {
    let headers: serde_json::Map<String, Value> = event
        .headers()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({ "secret": secret.to_text(), "headers": headers, "body": body })
}
