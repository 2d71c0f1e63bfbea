//! A stack as AWS knows it: what is in it, and what became of it.
#![allow(clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use sandbox::Sandbox;
use sandbox::deploy::STACK;
use serde_json::{Value, json};

use crate::operator::call;

/// What can be seen of a change: each resource's physical id, and each function's code and time of its last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The physical ids by the template's names.
    pub resources: BTreeMap<String, String>,
    /// By the template's names, what tells the code, and when the function was last changed.
    pub functions: BTreeMap<String, (String, String)>,
}

impl Snapshot {
    /// The stack as it is now.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub async fn take(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let name = json!({ "StackName": STACK });
        let answer = call(sandbox, "cloudformation", "describe_stack_resources", &name).await?;
        // Versions are told apart by the code of their functions.
        let resources: BTreeMap<String, String> = list(&answer, "StackResources")
            .filter(|one| one["ResourceType"] != "AWS::Lambda::Version")
            .map(|one| {
                (
                    text(&one["LogicalResourceId"]),
                    text(&one["PhysicalResourceId"]),
                )
            })
            .collect();
        let answer = call(sandbox, "lambda", "list_functions", &json!({})).await?;
        let functions = list(&answer, "Functions")
            .filter_map(|function| {
                let physical = text(&function["FunctionName"]);
                let (logical, _) = resources.iter().find(|(_, id)| **id == physical)?;
                let seen = (
                    text(&function["CodeSha256"]),
                    text(&function["LastModified"]),
                );
                Some((logical.clone(), seen))
            })
            .collect();
        Ok(Self {
            resources,
            functions,
        })
    }

    /// What tells the code of a function.
    ///
    /// # Errors
    ///
    /// When there is no such function.
    pub fn code(&self, function: &str) -> anyhow::Result<&str> {
        let function = self.functions.get(function).context("no such function")?;
        Ok(&function.0)
    }
}

/// The resources that the change set that was last executed changes for sure. Its guesses, about what refers to them, are
/// left out: an ARN that could be another one is not.
///
/// # Errors
///
/// When the stack is not there, or had none.
pub async fn last_changed(sandbox: &Sandbox) -> anyhow::Result<BTreeSet<String>> {
    let name = json!({ "StackName": STACK });
    let sets = call(sandbox, "cloudformation", "list_change_sets", &name).await?;
    let last = list(&sets, "Summaries")
        .filter(|set| set["ExecutionStatus"] == "EXECUTE_COMPLETE")
        .max_by_key(|set| text(&set["CreationTime"]));
    let last = &last.context("no change set")?["ChangeSetName"];
    let name = json!({ "StackName": STACK, "ChangeSetName": last });
    let set = call(sandbox, "cloudformation", "describe_change_set", &name).await?;
    Ok(list(&set, "Changes")
        .map(|change| &change["ResourceChange"])
        .filter(|change| change["Replacement"] != "Conditional")
        .map(|change| text(&change["LogicalResourceId"]))
        .collect())
}

/// Everything in the account that could be of the stack, by its kind and its name.
///
/// # Errors
///
/// When a service does not answer.
pub async fn everything(sandbox: &Sandbox) -> anyhow::Result<BTreeSet<(String, String)>> {
    let kinds = [
        ("lambda", "list_functions", "Functions", "FunctionName"),
        (
            "lambda",
            "list_event_source_mappings",
            "EventSourceMappings",
            "UUID",
        ),
        ("sqs", "list_queues", "QueueUrls", ""),
        ("dynamodb", "list_tables", "TableNames", ""),
        ("apigatewayv2", "get_apis", "Items", "Name"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("events", "list_rules", "Rules", "Name"),
        ("sns", "list_topics", "Topics", "TopicArn"),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        (
            "cloudwatch",
            "list_dashboards",
            "DashboardEntries",
            "DashboardName",
        ),
        ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ];
    let mut found = BTreeSet::new();
    for (service, operation, key, name) in kinds {
        let answer = call(sandbox, service, operation, &json!({})).await?;
        for one in list(&answer, key) {
            let name = if name.is_empty() { one } else { &one[name] };
            found.insert((operation.to_owned(), text(name)));
        }
    }
    Ok(found)
}

/// The names of all objects in all buckets, in whatever version.
///
/// # Errors
///
/// When S3 does not answer.
pub async fn objects(sandbox: &Sandbox) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for bucket in list(
        &call(sandbox, "s3", "list_buckets", &json!({})).await?,
        "Buckets",
    ) {
        let name = json!({ "Bucket": bucket["Name"] });
        let answer = call(sandbox, "s3", "list_object_versions", &name).await?;
        let versions = list(&answer, "Versions").chain(list(&answer, "DeleteMarkers"));
        found.extend(versions.map(|version| text(&version["Key"])));
    }
    Ok(found)
}

fn list<'a>(answer: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    answer[key].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
