//! The test that revokes each permission.

use std::time::Duration;

use anyhow::ensure;
use e2e::lambda::restart;
use e2e::logs;
use e2e::permissions::{Grant, Permissions};
use e2e::system::{System, accelerated};
use sandbox::{Options, Sandbox};
use tokio::time::{sleep, timeout};

use crate::security::permissions::actions::{Actions, FUNCTIONS};

/// The delay of the platform's answers in the first attempt.
const DELAY: Duration = Duration::from_secs(3);
/// The additional delay of each further attempt, for a slow machine. A function waits at most 8 s for Gate.
const ADDITIONAL_DELAY: Duration = Duration::from_secs(2);
/// The time limit of an action.
const ACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum of attempts. An attempt proves nothing if a scheduled sweep has already done the work of the action.
const ATTEMPTS: u32 = 3;

/// Actions that Lambda itself performs with the function's role, to write logs and to read queues. The policies for traces
/// and network interfaces are not policies of the role itself.
const ACTIONS_OF_LAMBDA: [&str; 5] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
];

#[tokio::test]
async fn a_function_fails_when_one_of_its_permissions_is_revoked() -> anyhow::Result<()> {
    let is_long = std::env::var_os("LONG").is_some();
    let system = System::start(Options {
        sample_consumer: true,
        ..accelerated()
    })
    .await?;
    let mut actions = Actions::new(&system).await?;
    let (mut needed, mut unneeded) = (0, Vec::new());
    for (index, function) in FUNCTIONS.into_iter().enumerate() {
        let permissions = Permissions::of(&system.sandbox, function).await?;
        let mut grants = permissions.grants();
        grants.retain(|grant| !ACTIONS_OF_LAMBDA.contains(&grant.action.as_str()));
        ensure!(!grants.is_empty(), "{function} has no permission");
        if !is_long {
            // The index selects different kinds of permissions for different functions.
            grants = vec![grants[index % grants.len()].clone()];
        }
        for grant in grants {
            match is_needed(&system.sandbox, &mut actions, function, &grant).await? {
                true => needed += 1,
                false => unneeded.push((function, grant)),
            }
        }
    }
    println!("{needed} revoked permissions were needed");
    ensure!(unneeded.is_empty(), "not needed: {unneeded:#?}");
    system.stop().await;
    Ok(())
}

/// Returns whether AWS refuses a call of the function after a grant is revoked.
async fn is_needed(
    sandbox: &Sandbox,
    actions: &mut Actions<'_>,
    function: &str,
    grant: &Grant,
) -> anyhow::Result<bool> {
    let permissions = Permissions::of(sandbox, function).await?;
    let role = permissions.role();
    for attempt in 0..ATTEMPTS {
        let delay = DELAY + ADDITIONAL_DELAY * attempt;
        let payment = actions.prepare(function, delay).await?;
        let before = refusals(sandbox, role, grant).await?;
        permissions.revoke_grant(grant).await?;
        if grant.action.starts_with("secretsmanager:") {
            // A running function has cached the secret.
            restart(sandbox, function).await?;
        }
        let acted = timeout(ACTION_TIMEOUT, actions.act(function, &payment)).await;
        let is_refused = is_refused_again(sandbox, role, grant, before).await?;
        permissions.restore().await?;
        if is_refused {
            return Ok(true);
        }
        eprintln!("{function} without {grant:?}: {acted:?}, next attempt");
    }
    Ok(false)
}

/// Waits for up to ten seconds until the log has more refusals than before. Consumers and log lines can be late.
async fn is_refused_again(
    sandbox: &Sandbox,
    role: &str,
    grant: &Grant,
    before: usize,
) -> anyhow::Result<bool> {
    for _ in 0..20 {
        if refusals(sandbox, role, grant).await? > before {
            return Ok(true);
        }
        sleep(Duration::from_millis(500)).await;
    }
    Ok(false)
}

/// Returns the number of log lines with a refused action of a role. The local AWS does not name the resource.
async fn refusals(sandbox: &Sandbox, role: &str, grant: &Grant) -> anyhow::Result<usize> {
    let role = format!(":assumed-role/{role}/");
    let refused = format!(" is not authorized to perform: {} ", grant.action);
    // A function that fails at its start writes only to the log of the local AWS.
    let log = logs::of_functions(sandbox).await?;
    let log = log + &std::fs::read_to_string(sandbox.aws_log())?;
    let lines = log.lines();
    let refusals = lines.filter(|line| line.contains(&role) && line.contains(&refused));
    Ok(refusals.count())
}
