//! Revokes one permission of each function, or each permission with `LONG=1`. AWS must then refuse a call.

use std::time::Duration;

use anyhow::ensure;
use e2e::lambda::restart;
use e2e::logs;
use e2e::permissions::{Grant, Permissions};
use e2e::system::{System, accelerated};
use sandbox::{Options, Sandbox};
use tokio::time::{sleep, timeout};

use crate::security::permissions::actions::{Actions, FUNCTIONS};

/// The delay of the platform's answers in the first try. Meanwhile, a callback about the same payment is committed.
const DELAY: Duration = Duration::from_secs(3);
/// Each further try adds this time to the delay, because a slow machine needs more time to commit the callback. The
/// longest delay is 7 s, and a function waits 8 s for Gate.
const ADDITIONAL_DELAY: Duration = Duration::from_secs(2);
/// The test waits at most this long for an action. An action can also fail or take longer, because only the refusals in
/// the logs count.
const ACTION_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum number of tries for a permission. A try without a refusal can be repeated, because a scheduled sweep
/// possibly did the work before the action.
const ATTEMPTS: u32 = 3;

/// Lambda itself needs these actions to write logs and read queues. The test does not revoke them.
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
        webhooks: true,
        ..accelerated()
    })
    .await?;
    let mut actions = Actions::new(&system).await?;
    let (mut needed, mut unneeded) = (0, Vec::new());
    for (index, function) in FUNCTIONS.into_iter().enumerate() {
        let permissions = Permissions::of(&system.sandbox, function).await?;
        let mut grants = permissions.grants();
        let of_batches: Vec<String> = grants
            .iter()
            .filter(|grant| grant.action == "sqs:SendMessageBatch")
            .map(|grant| grant.resource.clone())
            .collect();
        // For a batch, the local AWS does not check this action, but AWS does.
        let is_of_aws = |grant: &Grant| {
            grant.action == "sqs:SendMessage" && of_batches.contains(&grant.resource)
        };
        grants.retain(|grant| {
            !ACTIONS_OF_LAMBDA.contains(&grant.action.as_str()) && !is_of_aws(grant)
        });
        ensure!(!grants.is_empty(), "{function} has no permission");
        if !is_long {
            // Different functions lose different kinds of permissions.
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

/// Whether AWS refuses a call of the function without this grant.
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
            // A running function does not read a cached secret again.
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
            "try {number} of {ATTEMPTS}: AWS refused no call of {function} without {grant:?}: {acted:?}"
        );
    }
    Ok(false)
}

/// Waits up to ten seconds for a further refusal. Messages and log lines can be late.
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

/// Counts the log lines in which AWS refused the action to the role. Any resource counts, because the local AWS does
/// not name the resource.
async fn refusals(sandbox: &Sandbox, role: &str, grant: &Grant) -> anyhow::Result<usize> {
    let role = format!(":assumed-role/{role}/");
    let refused = format!(" is not authorized to perform: {} ", grant.action);
    // If AWS refuses a call at the start of a function, only the log of the local AWS shows the refusal.
    let log = logs::of_functions(sandbox).await?;
    let log = log + &std::fs::read_to_string(sandbox.aws_log())?;
    let lines = log.lines();
    let refusals = lines.filter(|line| line.contains(&role) && line.contains(&refused));
    Ok(refusals.count())
}
