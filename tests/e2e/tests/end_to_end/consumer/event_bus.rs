//! Tests the queue of the event bus, and a consumer behind the bus.
//!
//! The local AWS moves no message from a queue through a pipe. So this test does what the pipe does, and
//! `template/event_bus.rs` tests the pipe.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::eventually;
use e2e::queue::Received;
use e2e::system::System;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

const STACK: &str = "events-for-accounting";

#[tokio::test]
async fn a_consumer_of_the_event_bus_receives_the_events_of_its_types() -> anyhow::Result<()> {
    let bus = [("EventBusName".to_owned(), "default".to_owned())];
    let system = System::start(Options {
        parameters: bus.into(),
        ..Options::any_ports()
    })
    .await?;
    let queue = deploy_consumer(&system.sandbox, "payment.created,payment.succeeded").await?;
    system.create_paid("order-1").await?;
    let audit = system.queue("audit")?;
    let events = audit.until("order-1", "payment.succeeded").await?;

    let messages = system.queue("bus")?.take(events.len()).await?;
    for (event, message) in events.iter().zip(&messages) {
        ensure!(*event == serde_json::from_str::<Value>(&message.body)?);
        let kind = event["type"].as_str().unwrap_or_default();
        let named = [
            ("type", kind),
            ("project_id", "211"),
            ("storefront", "sandbox"),
        ];
        let actual = message.attributes.iter();
        let actual = actual.map(|(name, value)| (name.as_str(), value.as_str()));
        ensure!(BTreeMap::from(named) == actual.collect(), "{message:?}");
    }

    send_to_bus(&system.sandbox, &messages).await?;
    let mut received = receive(&system.sandbox, &queue, 2).await?;
    received.sort_by_key(|event| event["data"]["sequence"].as_u64());
    let expected = [events.first(), events.last()];
    ensure!(received.iter().map(Some).eq(expected), "{received:#?}");
    system.stop().await;
    Ok(())
}

/// Deploys `infra/consumer.yaml`, and returns the URL of the consumer's queue.
async fn deploy_consumer(sandbox: &Sandbox, types: &str) -> anyhow::Result<String> {
    let template = std::fs::read_to_string(tools::root().join("infra/consumer.yaml"))?;
    let parameters = [
        ("EventBusName", "default"),
        ("EventTypes", types),
        // The local AWS speaks plain HTTP.
        ("RequireTls", "false"),
    ];
    let parameters =
        parameters.map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value }));
    let stack = json!({
        "StackName": STACK,
        "TemplateBody": template,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM"],
    });
    call(sandbox, "cloudformation", "create_stack", &stack).await?;
    let name = json!({ "StackName": STACK });
    eventually("the stack of the consumer", async || {
        let stacks = call(sandbox, "cloudformation", "describe_stacks", &name).await?;
        let stack = &stacks["Stacks"][0];
        if stack["StackStatus"] != "CREATE_COMPLETE" {
            let status = stack["StackStatus"].as_str().unwrap_or_default();
            ensure!(status == "CREATE_IN_PROGRESS", "{stack:#}");
            return Ok(None);
        }
        let mut outputs = stack["Outputs"].as_array().into_iter().flatten();
        let url = outputs.find(|output| output["OutputKey"] == "QueueUrl");
        let url = url.and_then(|output| output["OutputValue"].as_str());
        Ok(Some(url.context("the stack has no queue")?.to_owned()))
    })
    .await
}

/// Does the work of the pipe.
async fn send_to_bus(sandbox: &Sandbox, messages: &[Received]) -> anyhow::Result<()> {
    let entries = messages.iter().map(|message| {
        json!({
            "EventBusName": "default",
            "Source": "bancontact",
            "DetailType": message.attributes["type"],
            "Detail": message.body,
        })
    });
    let entries = json!({ "Entries": entries.collect::<Vec<_>>() });
    let answer = call(sandbox, "events", "put_events", &entries).await?;
    ensure!(answer["FailedEntryCount"] == 0, "{answer}");
    Ok(())
}

/// Receives events until at least `count` have arrived.
async fn receive(sandbox: &Sandbox, queue: &str, count: usize) -> anyhow::Result<Vec<Value>> {
    let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
    let mut events = Vec::new();
    eventually("the events of the consumer", async || {
        let received = call(sandbox, "sqs", "receive_message", &request).await?;
        for message in received["Messages"].as_array().into_iter().flatten() {
            let body = message["Body"].as_str().unwrap_or_default();
            events.push(serde_json::from_str(body)?);
        }
        Ok((events.len() >= count).then_some(()))
    })
    .await?;
    Ok(events)
}
