//! Tests the pipe that sends the events to the event bus.
//!
//! The local AWS creates the pipe, but moves no message through it: its pipes only read streams of DynamoDB. Therefore
//! these tests compare the pipe with AWS's documentation, and `consumer/event_bus.rs` tests the queue of the pipe.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::{Template, target};

/// The resources and outputs that exist only with the parameter.
const OF_BUS: [&str; 9] = [
    "BusAgeAlarm",
    "BusDeadLetters",
    "BusDeadLettersAlarm",
    "BusDeadLettersUrl",
    "BusPipe",
    "BusPipeRole",
    "BusQueue",
    "BusQueueUrl",
    "BusQueuesPolicy",
];

fn bus() -> Value {
    let partition = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}";
    json!({ "Fn::Sub": format!("{partition}:event-bus/${{EventBusName}}") })
}

#[tokio::test]
async fn the_bus_is_used_only_if_a_parameter_names_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("EventBusName") == "");
    let conditions = template.section("Conditions");
    let is_empty = json!({ "Fn::Equals": [{ "Ref": "EventBusName" }, ""] });
    ensure!(conditions["SendToBus"] == json!({ "Fn::Not": [is_empty] }));
    let both = json!([{ "Condition": "DenyPlaintext" }, { "Condition": "SendToBus" }]);
    ensure!(conditions["DenyPlaintextToBus"] == json!({ "Fn::And": both }));
    let mut conditional = Vec::new();
    for section in ["Resources", "Outputs"] {
        let members = template.section(section).as_object();
        for (name, member) in members.context("the section is empty")? {
            let condition = member["Condition"].as_str().unwrap_or_default();
            if condition.ends_with("ToBus") {
                let is_policy = member["Type"] == "AWS::SQS::QueuePolicy";
                ensure!(is_policy == (condition == "DenyPlaintextToBus"), "{name}");
                conditional.push(name.as_str());
            }
        }
    }
    conditional.sort_unstable();
    ensure!(conditional == OF_BUS, "{conditional:?}");
    Ok(())
}

#[tokio::test]
async fn every_function_that_sends_events_also_sends_each_event_to_the_queues_of_bus_and_webhooks()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let entry = |condition: &str, queue: &str| {
        let entry = json!({ "Fn::Sub": format!(r#",{{"url":"${{{queue}}}"}}"#) });
        json!({ "Fn::If": [condition, entry, ""] })
    };
    let entries = json!({
        "Bus": entry("SendToBus", "BusQueue"),
        "Endpoints": entry("PostEvents", "WebhookQueue"),
    });
    let mut senders = 0;
    for (function, queues) in template.variables("EVENT_QUEUES") {
        if queues.is_null() {
            continue;
        }
        senders += 1;
        let queues = &queues["Fn::Sub"];
        ensure!(queues[1] == entries, "{function}: {queues}");
        let text = queues[0].as_str().context("EVENT_QUEUES is not a text")?;
        ensure!(text.ends_with("}${Bus}${Endpoints}]"), "{function}: {text}");
        for end in ["", r#",{"url":"x"}"#] {
            let text = text.replace("${Bus}", end).replace("${Endpoints}", end);
            let list: Vec<BTreeMap<String, Value>> = serde_json::from_str(&text)?;
            // Without types, a queue receives every event.
            ensure!(
                list.iter().skip(1).all(|queue| queue.len() == 1),
                "{list:?}"
            );
        }
    }
    // All functions except the sample consumer and the two functions of webhooks.
    ensure!(senders == 8, "{senders}");
    Ok(())
}

#[tokio::test]
async fn the_pipe_sends_the_cloud_event_as_detail_with_its_type() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let pipe = &template.resource("BusPipe")["Properties"];
    ensure!(target(&pipe["Source"]) == Some("BusQueue"));
    ensure!(target(&pipe["RoleArn"]) == Some("BusPipeRole"));
    ensure!(pipe["Target"] == bus(), "{pipe}");
    let expected = json!({
        "EventBridgeEventBusParameters": { "Source": "bancontact", "DetailType": "$.body.type" },
        "InputTemplate": "<$.body>",
    });
    ensure!(pipe["TargetParameters"] == expected, "{pipe}");
    // A batch of a FIFO queue and a call of PutEvents have at most ten entries.
    let source = json!({ "SqsQueueParameters": { "BatchSize": 10 } });
    ensure!(pipe["SourceParameters"] == source, "{pipe}");
    ensure!(pipe["Enrichment"].is_null() && pipe["DesiredState"].is_null());
    Ok(())
}

#[tokio::test]
async fn the_role_of_the_pipe_may_only_read_its_queue_and_put_events_on_the_bus()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let role = &template.resource("BusPipeRole")["Properties"];
    let account = json!({ "aws:SourceAccount": { "Ref": "AWS::AccountId" } });
    let trust = json!([{
        "Effect": "Allow",
        "Principal": { "Service": "pipes.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": account },
    }]);
    ensure!(
        role["AssumeRolePolicyDocument"]["Statement"] == trust,
        "{role}"
    );
    let read = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    let queue = json!({ "Fn::GetAtt": ["BusQueue", "Arn"] });
    let statements = json!([
        { "Effect": "Allow", "Action": read, "Resource": queue },
        { "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus() },
    ]);
    let policies = role["Policies"].as_array().map(Vec::as_slice);
    let [policy] = policies.unwrap_or_default() else {
        anyhow::bail!("{role}");
    };
    ensure!(
        policy["PolicyDocument"]["Statement"] == statements,
        "{policy}"
    );
    ensure!(role["ManagedPolicyArns"].is_null(), "{role}");
    Ok(())
}
