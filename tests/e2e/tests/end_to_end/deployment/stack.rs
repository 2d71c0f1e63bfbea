//! Reads the state of a stack through the AWS API.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use e2e::aws_call::call;
use sandbox::Sandbox;
use sandbox::deploy::STACK;
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The physical id of each resource, by its name in the template.
    pub resources: BTreeMap<String, String>,
    /// The code hash and the last change of each function, by its name in the template.
    pub functions: BTreeMap<String, (String, String)>,
}

impl Snapshot {
    pub async fn take(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let name = json!({ "StackName": STACK });
        let answer = call(sandbox, "cloudformation", "describe_stack_resources", &name).await?;
        // The versions and the alarms of a release are left out, because each release replaces them.
        let of_release = |resource: &&Value| {
            let name = text(&resource["LogicalResourceId"]);
            resource["ResourceType"] == "AWS::Lambda::Version" || name.starts_with("Release")
        };
        let resources: BTreeMap<String, String> = list(&answer, "StackResources")
            .filter(|resource| !of_release(resource))
            .map(|resource| {
                let ids = ["LogicalResourceId", "PhysicalResourceId"];
                ids.map(|id| text(&resource[id])).into()
            })
            .collect();
        let answer = call(sandbox, "lambda", "list_functions", &json!({})).await?;
        let functions = list(&answer, "Functions")
            .filter_map(|function| {
                let physical = text(&function["FunctionName"]);
                let (logical, _) = resources.iter().find(|(_, id)| **id == physical)?;
                let state = ["CodeSha256", "LastModified"].map(|key| text(&function[key]));
                Some((logical.clone(), state.into()))
            })
            .collect();
        Ok(Self {
            resources,
            functions,
        })
    }

    pub fn code(&self, function: &str) -> anyhow::Result<&str> {
        let function = self
            .functions
            .get(function)
            .with_context(|| format!("the stack has no function {function}"))?;
        Ok(&function.0)
    }
}

/// For each kind of resource: the service, the operation that lists the resources, the key of the list, and the key of
/// a resource's name. If the last key is empty, each entry of the list is a name.
const LISTS: [(&str, &str, &str, &str); 12] = [
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

/// Returns the account's resources of the kinds in [`LISTS`]: for each resource the operation that lists it, and its
/// name.
pub async fn everything(sandbox: &Sandbox) -> anyhow::Result<BTreeSet<(String, String)>> {
    let mut found = BTreeSet::new();
    for (service, operation, key, name) in LISTS {
        let answer = call(sandbox, service, operation, &json!({})).await?;
        for listed in list(&answer, key) {
            let name = if name.is_empty() {
                listed
            } else {
                &listed[name]
            };
            found.insert((operation.to_owned(), text(name)));
        }
    }
    Ok(found)
}

/// Returns the names of all objects and all their versions, in all buckets.
pub async fn objects(sandbox: &Sandbox) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let buckets = call(sandbox, "s3", "list_buckets", &json!({})).await?;
    for bucket in list(&buckets, "Buckets") {
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
