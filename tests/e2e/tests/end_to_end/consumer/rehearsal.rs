//! Rehearses the sample consumer behind its queue.

use std::ffi::OsString;

use anyhow::{Context, ensure};
use sandbox::local_aws::CREDENTIALS;
use sandbox::options::{Command, parse};

use crate::consumer::setup::Setup;

#[tokio::test]
async fn the_sample_consumer_is_right_in_every_scenario_of_a_rehearsal() -> anyhow::Result<()> {
    let setup = Setup::start().await?;
    let ready = setup.system.ready();
    let table = ready.fulfilment_memory.as_deref();
    let table = table.context("the sandbox has no sample consumer")?;
    let (id, secret) = CREDENTIALS;
    let state = format!(
        "AWS_ENDPOINT_URL={} AWS_DEFAULT_REGION={} AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} '{}' '{}' {table}",
        ready.aws_endpoint,
        ready.region,
        setup.system.sandbox.python().display(),
        tools::root()
            .join("functions/fulfilment/state.py")
            .display(),
    );
    let queue = ready.queues.get("fulfilment");
    let queue = queue.context("there is no queue fulfilment")?;
    let line = [
        "sandbox",
        "rehearse",
        "--queue",
        queue,
        "--aws-endpoint",
        &ready.aws_endpoint,
        "--state-command",
        &state,
        "--burst",
        "40",
        "--timeout",
        "60",
    ];
    let line = parse(line.map(OsString::from)).map_err(|(message, _)| anyhow::anyhow!(message))?;
    let Some(Command::Rehearse(rehearsal)) = line.command else {
        anyhow::bail!("the command line is no rehearsal");
    };
    let outcome = rehearsal.run().await?;
    ensure!(outcome.wrong.is_empty(), "{}", outcome.report);
    let log = setup.system.log().await?;
    for text in ["\"duplicate\":true", "the message is not a valid event"] {
        ensure!(log.contains(text), "no message led to {text}");
    }
    setup.system.stop().await;
    Ok(())
}
