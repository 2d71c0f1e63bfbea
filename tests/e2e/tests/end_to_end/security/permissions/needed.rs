//! Revokes one permission of each function, or every permission with `LONG=1`, and expects that AWS refuses a call.

use std::time::Duration;

use anyhow::ensure;
use e2e::lambda::restart;
use e2e::logs;
use e2e::permissions::{Grant, Permissions};
use e2e::system::{System, accelerated};
use sandbox::{Options, Sandbox};
use tokio::time::{sleep, timeout};

use crate::security::permissions::actions::{Actions, FUNCTIONS};

/// The delay of the platform's answers in the first attempt. During the delay, a callback about the
/// same payment is committed.
const DELAY: Duration = Duration::from_secs(3);
/// Each further attempt delays the answers by this much more. A slow machine needs a longer delay to commit the
/// callback. The longest delay (7 s) stays below the 8 s that a function waits for Gate.
const ADDITIONAL_DELAY: Duration = Duration::from_secs(2);
/// The test waits at most this long for an action. The action may fail or run longer, because only the refusals in the
/// logs count.
const ACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum number of attempts for one permission. An attempt proves nothing if a scheduled sweep has already done
/// the work of the action.
const ATTEMPTS: u32 = 3;

/// Actions that Lambda itself performs with the function's role, to write logs and to read queues. The test does not
/// revoke these actions. The test also keeps the managed policies for traces and network interfaces.
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

/// Revokes a grant, performs the action, and returns whether AWS refused a call that the function made.
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
            // A running function has cached the secret, so it would not read the secret again.
            restart(sandbox, function).await?;
        }
        let acted = timeout(ACTION_TIMEOUT, actions.act(function, &payment)).await;
        let is_refused = is_refused_again(sandbox, role, grant, before).await?;
        permissions.restore().await?;
        if is_refused {
            return Ok(true);
        }
        let number = attempt + 1;
        eprintln!(
            "attempt {number} of {ATTEMPTS} was not refused: {function} without {grant:?}: {acted:?}"
        );
    }
    Ok(false)
}

/// Waits for up to ten seconds until the logs have more refusals of the granted action than `before`. Queues can
/// deliver messages late, and log lines can be written late.
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

/// Returns the number of log lines in which AWS refused the action of a grant to a role. The local AWS does not name
/// the resource, so a refusal for any resource counts.
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
