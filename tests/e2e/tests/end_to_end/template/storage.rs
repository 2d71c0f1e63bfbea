//! Tests the tables and queues.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use e2e::ensure_contains;
use serde_json::{Value, json};

use crate::template::processed::{Template, target, targets};

#[tokio::test]
async fn every_table_is_encrypted_backed_up_and_protected_from_deletion() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let tables = template.all("AWS::DynamoDB::Table");
    ensure!(tables.len() == 5, "{:?}", tables.keys());
    for (name, table) in tables {
        // A storefront key never expires, so that no other key can have its id. Only operators remove an endpoint.
        let expires = json!({ "AttributeName": "expires_at", "Enabled": true });
        let expected = match name {
            "StorefrontKeys" | "WebhookEndpoints" => Value::Null,
            _ => expires,
        };
        ensure!(table["TimeToLiveSpecification"] == expected, "{name}");
        let expected = json!({
            "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            "SSESpecification": { "SSEEnabled": true },
            "DeletionProtectionEnabled": true,
            "BillingMode": "PAY_PER_REQUEST",
        });
        ensure_contains(table, expected).context(name.to_owned())?;
        let policies = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
        ensure_contains(template.resource(name), policies)?;
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        for index in indexes.into_iter().flatten() {
            // The retries read `since` of each entry, and nothing else.
            let projection = match name {
                "WebhookDeliveries" => {
                    json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["since"] })
                }
                _ => json!({ "ProjectionType": "KEYS_ONLY" }),
            };
            ensure_contains(index, json!({ "Projection": projection })).context(name.to_owned())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_queue_of_events_is_fifo_encrypted_and_has_its_own_dead_letter_queue()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut queues = template.all("AWS::SQS::Queue");
    let encrypted = json!({ "SqsManagedSseEnabled": true });
    let schedules = queues.remove("ScheduleDeadLetters");
    ensure_contains(
        schedules.context("the template has no queue ScheduleDeadLetters")?,
        encrypted,
    )?;
    for name in [
        "WorkQueue",
        "WorkDeadLetters",
        "DailyQueue",
        "DailyDeadLetters",
        "WebhookRetryQueue",
        "WebhookRetryDeadLetters",
    ] {
        queues.remove(name).context(name)?;
    }
    let mut dead_letters = BTreeSet::new();
    for (name, queue) in &queues {
        let expected = json!({
            "FifoQueue": true,
            "SqsManagedSseEnabled": true,
            "MessageRetentionPeriod": 1_209_600,
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "MaximumMessageSize": 1_048_576,
        });
        ensure_contains(queue, expected).context((*name).to_owned())?;
        let redrive = &queue["RedrivePolicy"];
        if redrive.is_null() {
            continue;
        }
        let target = target(&redrive["deadLetterTargetArn"]).unwrap_or_default();
        ensure!(queues.contains_key(target), "{name}: {target}");
        ensure!(dead_letters.insert(target), "{target} serves two queues");
        ensure!(redrive["maxReceiveCount"] == 10, "{name}");
    }
    let is_complete = dead_letters.len() * 2 == queues.len();
    ensure!(is_complete, "a queue has no dead-letter queue");
    Ok(())
}

/// `operator queues` and the sandbox find the queues by these outputs.
#[tokio::test]
async fn every_queue_with_dead_letters_has_an_output_for_both() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let outputs = template.section("Outputs");
    for (name, queue) in template.all("AWS::SQS::Queue") {
        let Some(dead_letters) = target(&queue["RedrivePolicy"]["deadLetterTargetArn"]) else {
            continue;
        };
        for name in [name, dead_letters] {
            let value = &outputs[format!("{name}Url")]["Value"];
            ensure!(target(value) == Some(name), "{name}: {value}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_queue_refuses_requests_without_tls() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("RequireTls") == "true");
    let refusal = json!({
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let mut refusing = BTreeSet::new();
    for (policy, properties) in template.all("AWS::SQS::QueuePolicy") {
        let statements = properties["PolicyDocument"]["Statement"].as_array();
        for statement in statements.context("the policy has no statements")? {
            let statement = statement["Fn::If"].get(1).unwrap_or(statement);
            if statement["Effect"] == "Deny" {
                ensure_contains(statement, refusal.clone()).context(policy.to_owned())?;
                refusing.extend(targets(&statement["Resource"]));
            }
        }
    }
    let queues = template.all("AWS::SQS::Queue");
    ensure!(refusing.iter().eq(queues.keys()), "{refusing:?}");
    Ok(())
}

#[tokio::test]
async fn the_fulfilment_queue_receives_the_events_that_decide_a_shipment_and_no_differences()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let queues = template.variables("EVENT_QUEUES");
    let (_, queues) = queues
        .first_key_value()
        .context("no function has the variable EVENT_QUEUES")?;
    let queues = queues["Fn::Sub"][0]
        .as_str()
        .context("EVENT_QUEUES is not a text")?;
    ensure!(!queues.contains("reconciliation.difference"), "{queues}");
    for kind in [
        "payment.awaiting_confirmation",
        "checkout.expired",
        "refund.returned",
    ] {
        let kind = format!("\"{kind}\"");
        ensure!(queues.contains(&kind), "{kind} is not in {queues}");
    }
    Ok(())
}

#[tokio::test]
async fn each_consumer_reports_failed_messages_and_has_enough_time_and_permissions()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mappings = template.all("AWS::Lambda::EventSourceMapping");
    ensure!(mappings.len() == 6, "{:?}", mappings.keys());
    for (name, mapping) in mappings {
        let reports = json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"] });
        ensure_contains(mapping, reports).context(name.to_owned())?;
        let source = target(&mapping["EventSourceArn"]).unwrap_or_default();
        let queue = &template.resource(source)["Properties"];
        let function = target(&mapping["FunctionName"]).unwrap_or_default();
        let function = &template.resource(function)["Properties"];
        let timeout = function["Timeout"]
            .as_u64()
            .context("the consumer has no timeout")?;
        let invisible = queue["VisibilityTimeout"].as_u64().unwrap_or_default();
        ensure!(
            invisible >= 6 * timeout,
            "{name}: {invisible} s for a timeout of {timeout} s"
        );

        let role = target(&function["Role"]).unwrap_or_default();
        let policies = &template.resource(role)["Properties"]["Policies"];
        let statements = policies[0]["PolicyDocument"]["Statement"].as_array();
        let reads = statements.into_iter().flatten().any(|statement| {
            let actions = [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ];
            statement["Action"] == json!(actions) && target(&statement["Resource"]) == Some(source)
        });
        ensure!(reads, "{role} lacks the permissions to read {source}");
    }
    Ok(())
}

/// The minimum time-out of the worker. A poll takes at most 32 s: 10 s for the status answer, 20 s for the requests
/// that follow, and 2 s for the table and the queues. The worker stops its work 5 s before the time-out.
const LONGEST_POLL_S: u64 = 32 + 5;

#[tokio::test]
async fn the_work_queue_is_a_standard_queue_that_the_worker_reads_with_limited_concurrency()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let queue = &template.resource("WorkQueue")["Properties"];
    let expected = json!({
        "SqsManagedSseEnabled": true,
        "ReceiveMessageWaitTimeSeconds": 20,
        "MaximumMessageSize": 1_048_576,
        "RedrivePolicy": { "maxReceiveCount": 5 },
    });
    ensure_contains(queue, expected)?;
    ensure!(queue["FifoQueue"].is_null() && queue["DelaySeconds"].is_null());
    let dead_letters = target(&queue["RedrivePolicy"]["deadLetterTargetArn"]);
    ensure!(dead_letters == Some("WorkDeadLetters"));
    let dead_letters = &template.resource("WorkDeadLetters")["Properties"];
    let expected = json!({ "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 1_209_600 });
    ensure_contains(dead_letters, expected)?;
    for queue in ["WorkQueue", "WorkDeadLetters"] {
        let policy = &template.resource("EventQueuesPolicy")["Properties"];
        let mut protected = targets(&policy["Queues"]);
        ensure!(protected.any(|name| name == queue), "{queue}");
    }

    let mapping = &template.resource("WorkerMapping")["Properties"];
    let limit = json!({ "MaximumConcurrency": { "Ref": "PollConcurrency" } });
    let none = json!({ "Ref": "AWS::NoValue" });
    let concurrency = json!({ "Fn::If": ["LimitWorker", limit, none] });
    ensure!(mapping["ScalingConfig"] == concurrency, "{mapping}");
    ensure!(mapping["BatchSize"] == 1, "{mapping}");
    ensure!(target(&mapping["EventSourceArn"]) == Some("WorkQueue"));
    ensure!(target(&mapping["FunctionName"]) == Some("WorkerFunction"));

    // The handler's name selects one of the two functions in the binary.
    let function = |name: &str| template.resource(name)["Properties"].clone();
    let (worker, sweeper) = (function("WorkerFunction"), function("SweeperFunction"));
    ensure!(worker["Handler"] == "worker" && sweeper["Handler"] == "bootstrap");
    ensure!(worker["CodeUri"] == sweeper["CodeUri"] && worker["Code"] == sweeper["Code"]);
    ensure!(worker["Timeout"].as_u64() >= Some(LONGEST_POLL_S));
    ensure!(worker["ReservedConcurrentExecutions"].is_null());
    let variables = &sweeper["Environment"]["Variables"];
    ensure!(variables["POLLS_PER_SECOND"] == json!({ "Ref": "PollsPerSecond" }));
    ensure!(target(&variables["WORK_QUEUE_URL"]) == Some("WorkQueue"));
    Ok(())
}

#[tokio::test]
async fn the_reconciliation_reads_its_parts_with_limited_concurrency_and_repeats_a_failed_part()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let queue = &template.resource("DailyQueue")["Properties"];
    let expected = json!({
        "SqsManagedSseEnabled": true,
        "MessageRetentionPeriod": 86_400,
        "RedrivePolicy": { "maxReceiveCount": 4 },
    });
    ensure_contains(queue, expected)?;
    ensure!(queue["FifoQueue"].is_null() && queue["DelaySeconds"].is_null());
    let dead_letters = target(&queue["RedrivePolicy"]["deadLetterTargetArn"]);
    ensure!(dead_letters == Some("DailyDeadLetters"));
    let dead_letters = &template.resource("DailyDeadLetters")["Properties"];
    let expected = json!({ "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 1_209_600 });
    ensure_contains(dead_letters, expected)?;
    for queue in ["DailyQueue", "DailyDeadLetters"] {
        let policy = &template.resource("EventQueuesPolicy")["Properties"];
        let mut protected = targets(&policy["Queues"]);
        ensure!(protected.any(|name| name == queue), "{queue}");
    }

    let mapping = &template.resource("DailyMapping")["Properties"];
    let limit = json!({ "MaximumConcurrency": { "Ref": "ReconcileConcurrency" } });
    let none = json!({ "Ref": "AWS::NoValue" });
    let concurrency = json!({ "Fn::If": ["LimitReconcile", limit, none] });
    ensure!(mapping["ScalingConfig"] == concurrency, "{mapping}");
    ensure!(mapping["BatchSize"] == 1, "{mapping}");
    ensure!(mapping["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]));
    ensure!(target(&mapping["EventSourceArn"]) == Some("DailyQueue"));
    ensure!(target(&mapping["FunctionName"]) == Some("ReconcileFunction"));

    // The message must stay hidden while the function does the part.
    let function = &template.resource("ReconcileFunction")["Properties"];
    ensure!(queue["VisibilityTimeout"].as_u64() > function["Timeout"].as_u64());
    let variables = &function["Environment"]["Variables"];
    ensure!(target(&variables["DAILY_QUEUE_URL"]) == Some("DailyQueue"));
    ensure!(variables["RECONCILE_CONCURRENCY"] == json!({ "Ref": "ReconcileConcurrency" }));
    let rate = json!({ "Ref": "DataApiRequestsPerSecond" });
    ensure!(variables["DATA_API_REQUESTS_PER_SECOND"] == rate);
    for parameter in ["ReconcileConcurrency", "DataApiRequestsPerSecond"] {
        ensure!(*template.default(parameter) == json!(10), "{parameter}");
    }
    Ok(())
}
