//! Tests the resources of webhooks, which exist only with the parameter `Webhooks`.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use e2e::ensure_contains;
use payments::model::webhook::backlog::LEASE;
use serde_json::{Value, json};

use crate::template::processed::{Template, target};

/// The longest delivery and its reserve before the time-out, in seconds (`functions/webhook`,
/// `payments::service::webhook`).
const LONGEST_DELIVERY_S: u64 = 18 + 3;

/// Returns the names of the resources and outputs that exist only with the parameter.
fn conditional(template: &Template) -> anyhow::Result<BTreeSet<&str>> {
    let mut names = BTreeSet::new();
    for section in ["Resources", "Outputs"] {
        let members = template.section(section).as_object();
        for (name, member) in members.context("the section is empty")? {
            let condition = member["Condition"].as_str().unwrap_or_default();
            let is_policy = member["Type"] == "AWS::SQS::QueuePolicy";
            let expected = match is_policy {
                true => "DenyPlaintextOfWebhooks",
                false => "PostEvents",
            };
            if condition == expected {
                names.insert(name.as_str());
            }
        }
    }
    Ok(names)
}

#[tokio::test]
async fn webhooks_are_deployed_only_if_a_parameter_asks_for_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("Webhooks") == "false");
    let conditions = template.section("Conditions");
    let is_true = json!({ "Fn::Equals": [{ "Ref": "Webhooks" }, "true"] });
    ensure!(conditions["PostEvents"] == is_true);
    let both = json!([{ "Condition": "DenyPlaintext" }, { "Condition": "PostEvents" }]);
    ensure!(conditions["DenyPlaintextOfWebhooks"] == json!({ "Fn::And": both }));

    let conditional = conditional(&template)?;
    for section in ["Resources", "Outputs"] {
        let members = template.section(section).as_object();
        for (name, member) in members.context("the section is empty")? {
            let is_own = ["Webhook", "Endpoint"];
            let is_own = is_own.iter().any(|start| name.starts_with(start));
            ensure!(is_own == conditional.contains(name.as_str()), "{name}");
            if !is_own {
                ensure_independent(member, &conditional).context(name.clone())?;
            }
        }
    }
    for name in [
        "WebhookEndpoints",
        "WebhookDeliveries",
        "WebhookSecret",
        "WebhookQueue",
        "WebhookDeliveryQueue",
        "WebhookRetryQueue",
        "WebhookRouterFunction",
        "WebhookFunction",
        "WebhookEndpointsTableName",
        "WebhookDeliveriesTableName",
        "WebhookRouterFunctionName",
        "WebhookFunctionName",
    ] {
        ensure!(conditional.contains(name), "{name}");
    }
    Ok(())
}

/// Checks that a value refers to none of these resources, except where the condition `PostEvents` holds.
fn ensure_independent(value: &Value, conditional: &BTreeSet<&str>) -> anyhow::Result<()> {
    if value["Fn::If"][0] == "PostEvents" {
        return ensure_independent(&value["Fn::If"][2], conditional);
    }
    if let Some(name) = target(value) {
        ensure!(!conditional.contains(name), "refers to {name}");
    }
    let text = &value["Fn::Sub"];
    let text = text.as_str().or(text[0].as_str()).unwrap_or_default();
    for reference in text.split("${").skip(1) {
        let name = reference.split(['}', '.']).next().unwrap_or_default();
        let is_variable = value["Fn::Sub"][1][name].is_object();
        ensure!(
            is_variable || !conditional.contains(name),
            "refers to {name}"
        );
    }
    match value {
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| ensure_independent(value, conditional)),
        Value::Object(members) => members
            .values()
            .try_for_each(|value| ensure_independent(value, conditional)),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn the_defaults_of_webhooks_allow_no_loopback_host_and_a_hundred_deliveries()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("WebhookAllowLoopback") == "false");
    ensure!(template.default("WebhookConcurrency") == 100);
    for function in ["WebhookRouterFunction", "WebhookFunction"] {
        let variables = &template.resource(function)["Properties"]["Environment"]["Variables"];
        let expected = json!({
            "TABLE_NAME": { "Ref": "Table" },
            "WEBHOOK_ENDPOINTS_TABLE": { "Ref": "WebhookEndpoints" },
            "WEBHOOK_DELIVERIES_TABLE": { "Ref": "WebhookDeliveries" },
            "WEBHOOK_RETRY_QUEUE_URL": { "Ref": "WebhookRetryQueue" },
            "WEBHOOK_DELAYS": { "Ref": "WebhookDelays" },
            "WEBHOOK_ALLOW_LOOPBACK": { "Ref": "WebhookAllowLoopback" },
        });
        ensure_contains(variables, expected).context(function)?;
    }
    Ok(())
}

#[tokio::test]
async fn the_router_reads_the_events_in_batches_and_sends_to_both_queues_of_deliveries()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let function = &template.resource("WebhookRouterFunction")["Properties"];
    ensure!(function["Handler"] == "router" && function["Code"]["S3Key"] == "webhook");
    let variables = &function["Environment"]["Variables"];
    ensure!(target(&variables["WEBHOOK_DELIVERY_QUEUE_URL"]) == Some("WebhookDeliveryQueue"));
    ensure!(variables["WEBHOOK_SECRET"].is_null());
    let mapping = &template.resource("WebhookRouterMapping")["Properties"];
    ensure!(target(&mapping["EventSourceArn"]) == Some("WebhookQueue"));
    ensure!(target(&mapping["FunctionName"]) == Some("WebhookRouterFunction"));
    ensure!(mapping["BatchSize"] == 10, "{mapping}");
    Ok(())
}

#[tokio::test]
async fn an_execution_makes_one_delivery_at_a_time_and_ends_before_its_lease() -> anyhow::Result<()>
{
    let template = Template::processed().await?;
    let function = &template.resource("WebhookFunction")["Properties"];
    ensure!(function["Handler"] == "delivery" && function["Code"]["S3Key"] == "webhook");
    let timeout = function["Timeout"].as_u64().context("no time-out")?;
    let times = LONGEST_DELIVERY_S..LEASE.as_secs();
    ensure!(times.contains(&timeout), "{timeout}");
    ensure!(function["ReservedConcurrentExecutions"].is_null());
    let variables = &function["Environment"]["Variables"];
    ensure!(target(&variables["WEBHOOK_SECRET"]) == Some("WebhookSecret"));
    let concurrency = json!({ "MaximumConcurrency": { "Ref": "WebhookConcurrency" } });
    for (mapping, queue) in [
        ("WebhookDeliveryMapping", "WebhookDeliveryQueue"),
        ("WebhookRetryMapping", "WebhookRetryQueue"),
    ] {
        let mapping = &template.resource(mapping)["Properties"];
        ensure!(target(&mapping["EventSourceArn"]) == Some(queue));
        ensure!(target(&mapping["FunctionName"]) == Some("WebhookFunction"));
        ensure!(mapping["BatchSize"] == 1, "{mapping}");
        ensure!(mapping["ScalingConfig"] == concurrency, "{mapping}");
    }
    Ok(())
}

/// Each run hands out again what is still due, so an old message of retries is not needed.
#[tokio::test]
async fn the_queue_of_retries_keeps_the_groups_and_drops_messages_after_an_hour()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let fifo = json!({
        "FifoQueue": true,
        "SqsManagedSseEnabled": true,
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MaximumMessageSize": 1_048_576,
    });
    let queue = &template.resource("WebhookRetryQueue")["Properties"];
    let dead_letters = &template.resource("WebhookRetryDeadLetters")["Properties"];
    ensure_contains(queue, fifo.clone())?;
    ensure_contains(dead_letters, fifo)?;
    ensure!(dead_letters["MessageRetentionPeriod"] == 1_209_600);
    let redrive = &queue["RedrivePolicy"];
    let to = target(&redrive["deadLetterTargetArn"]);
    ensure!(to == Some("WebhookRetryDeadLetters"), "{redrive}");
    // A message that fails becomes a dead letter before it is dropped.
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let kept = number(&queue["MessageRetentionPeriod"]);
    let tries = number(&redrive["maxReceiveCount"]) * number(&queue["VisibilityTimeout"]);
    ensure!(kept == 3_600 && tries < kept, "{queue}");
    // The other queues have no delay, because a first try is made at once.
    for name in ["WebhookQueue", "WebhookDeliveryQueue"] {
        let delay = &template.resource(name)["Properties"]["DelaySeconds"];
        ensure!(delay.is_null(), "{name}: {delay}");
    }
    Ok(())
}

#[tokio::test]
async fn the_secret_of_webhooks_is_generated_once_and_stays_without_the_stack() -> anyhow::Result<()>
{
    let template = Template::processed().await?;
    let resource = template.resource("WebhookSecret");
    let policies = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
    ensure_contains(resource, policies)?;
    let secret = &resource["Properties"];
    let generated = json!({ "PasswordLength": 64, "ExcludePunctuation": true });
    ensure!(secret["GenerateSecretString"] == generated, "{secret}");
    ensure!(secret["SecretString"].is_null(), "{secret}");
    Ok(())
}
