//! Tables and queues.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use e2e::template::{Template, target};
use serde_json::{Value, json};

#[tokio::test]
async fn money_is_kept_safe() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let tables = template.all("AWS::DynamoDB::Table");
    ensure!(tables.len() == 2, "{:?}", tables.keys());
    for (name, table) in tables {
        ensure!(
            table["TimeToLiveSpecification"]
                == json!({ "AttributeName": "expires_at", "Enabled": true })
        );
        ensure!(
            table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == json!(true)
        );
        ensure!(table["SSESpecification"]["SSEEnabled"] == json!(true));
        ensure!(table["DeletionProtectionEnabled"] == json!(true));
        ensure!(table["BillingMode"] == "PAY_PER_REQUEST");
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            ensure!(
                template.resource(name)[policy] == "Retain",
                "{name} has no {policy}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_queue_is_fifo_and_has_dead_letters() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut queues = template.all("AWS::SQS::Queue");
    let ticks = queues.remove("ScheduleDeadLetters");
    ensure!(ticks.context("no such queue")?["SqsManagedSseEnabled"] == json!(true));
    let mut dead_letters = BTreeSet::new();
    for (name, queue) in &queues {
        ensure!(queue["FifoQueue"] == json!(true), "{name} is not FIFO");
        ensure!(
            queue["SqsManagedSseEnabled"] == json!(true),
            "{name} is not encrypted"
        );
        ensure!(
            queue["MessageRetentionPeriod"] == json!(1_209_600),
            "{name} forgets early"
        );
        ensure!(queue["DeduplicationScope"] == "messageGroup", "{name}");
        ensure!(
            queue["FifoThroughputLimit"] == "perMessageGroupId",
            "{name}"
        );
        if queue["RedrivePolicy"].is_null() {
            continue;
        }
        let target = target(&queue["RedrivePolicy"]["deadLetterTargetArn"]).unwrap_or_default();
        ensure!(queues.contains_key(target), "{name}: {target}");
        ensure!(
            dead_letters.insert(target.to_owned()),
            "{target} serves two queues"
        );
        ensure!(queue["RedrivePolicy"]["maxReceiveCount"] == 10, "{name}");
    }
    ensure!(
        dead_letters.len() * 2 == queues.len(),
        "a queue has no dead letters"
    );
    Ok(())
}

#[tokio::test]
async fn no_queue_is_spoken_to_without_encryption() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.0["Parameters"]["RequireTls"]["Default"] == "true");
    let plain = json!({ "Bool": { "aws:SecureTransport": "false" } });
    let mut refusing = BTreeSet::new();
    for (policy, properties) in template.all("AWS::SQS::QueuePolicy") {
        let statements = properties["PolicyDocument"]["Statement"].as_array();
        let statements = statements.context("no statements")?.iter();
        let unwrapped = statements.map(|one| match &one["Fn::If"] {
            Value::Null => one,
            choice => &choice[1],
        });
        for deny in unwrapped.filter(|one| one["Effect"] == "Deny") {
            ensure!(deny["Condition"] == plain, "{policy}");
            ensure!(
                deny["Principal"] == "*" && deny["Action"] == "sqs:*",
                "{policy}"
            );
            let resource = &deny["Resource"];
            let all = resource.as_array();
            let all = all.map_or(std::slice::from_ref(resource), Vec::as_slice);
            refusing.extend(all.iter().filter_map(target).map(str::to_owned));
        }
    }
    let queues = template.all("AWS::SQS::Queue");
    ensure!(refusing.iter().eq(queues.keys()), "{refusing:?}");
    Ok(())
}

#[tokio::test]
async fn consumers_report_each_message_and_have_time_and_rights() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mappings = template.all("AWS::Lambda::EventSourceMapping");
    ensure!(mappings.len() == 1, "{:?}", mappings.keys());
    for (name, mapping) in mappings {
        let reports = &mapping["FunctionResponseTypes"];
        ensure!(*reports == json!(["ReportBatchItemFailures"]), "{name}");
        let source = target(&mapping["EventSourceArn"]).unwrap_or_default();
        let queue = &template.resource(source)["Properties"];
        let function = target(&mapping["FunctionName"]).unwrap_or_default();
        let function = &template.resource(function)["Properties"];
        let timeout = function["Timeout"].as_u64().context("no timeout")?;
        let unseen = queue["VisibilityTimeout"].as_u64().unwrap_or_default();
        ensure!(
            unseen >= 6 * timeout,
            "{name}: {unseen} s for {timeout} s each"
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
        ensure!(reads, "{role} may not read {source}");
    }
    Ok(())
}
