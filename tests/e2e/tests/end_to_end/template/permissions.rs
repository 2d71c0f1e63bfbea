//! Tests the roles of the functions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::{Template, append_strings, target, targets};

#[tokio::test]
async fn only_roles_that_need_an_index_can_query_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut readers = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (role, properties) in template.all("AWS::IAM::Role") {
        let mut words = Vec::new();
        append_strings(&properties["Policies"], &mut words);
        for index in words.iter().filter_map(|word| word.split("/index/").nth(1)) {
            readers.entry(index).or_default().insert(role);
        }
    }
    let expected = [
        ("day", ["ReconcileRole"].into()),
        ("next", ["SweeperRole"].into()),
        ("outbox", ["SweeperRole"].into()),
    ];
    ensure!(readers == expected.into(), "{readers:?}");
    Ok(())
}

#[tokio::test]
async fn every_function_has_its_own_role_without_a_wildcard() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut roles = BTreeSet::new();
    let functions = template.all("AWS::Lambda::Function");
    ensure!(functions.len() == 8, "{:?}", functions.keys());
    for (name, function) in functions {
        let role = target(&function["Role"]).with_context(|| format!("{name} has no role"))?;
        ensure!(roles.insert(role), "{role} serves two functions");
        let role = &template.resource(role)["Properties"];
        ensure!(
            role["ManagedPolicyArns"] == managed_policies(function),
            "{name} has other managed policies"
        );
        ensure!(function["TracingConfig"]["Mode"] == "Active", "{name}");
        let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
        let lambda = json!({ "Service": "lambda.amazonaws.com" });
        ensure!(trust["Principal"] == lambda, "{name}: {trust}");
        ensure!(role["Policies"].is_array(), "{name} has no policy");
        let mut words = Vec::new();
        append_strings(&role["Policies"], &mut words);
        let has_wildcard = words.iter().any(|word| word.contains('*'));
        ensure!(!has_wildcard, "{name} has a wildcard");
    }
    let all = template.all("AWS::IAM::Role").len();
    ensure!(all == roles.len(), "a role belongs to no function");
    Ok(())
}

/// Returns AWS's managed policies for traces and network interfaces. The policies contain a wildcard, because traces
/// and network interfaces belong to no resource of the stack.
fn managed_policies(function: &Value) -> Value {
    let policy =
        |name| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}") });
    let traces = policy("AWSXRayDaemonWriteAccess");
    if function["VpcConfig"].is_null() {
        return json!([traces]);
    }
    let interfaces = policy("service-role/AWSLambdaENIManagementAccess");
    let choice = json!(["CallFromNetwork", interfaces, { "Ref": "AWS::NoValue" }]);
    json!([traces, { "Fn::If": choice }])
}

#[tokio::test]
async fn every_role_allows_exactly_the_actions_and_secrets_of_its_function() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
    let payments = [
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "sqs:SendMessage",
        "secretsmanager:GetSecretValue",
    ];
    let consumer = [
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    for (role, properties) in template.all("AWS::IAM::Role") {
        let statements = &properties["Policies"][0]["PolicyDocument"]["Statement"];
        let mut actions = Vec::new();
        let mut secrets = BTreeSet::new();
        for statement in statements
            .as_array()
            .context("the policy has no statements")?
        {
            append_strings(&statement["Action"], &mut actions);
            if statement["Action"] == "secretsmanager:GetSecretValue" {
                secrets.extend(targets(&statement["Resource"]));
            }
        }
        let expected = match role {
            "FulfilmentRole" => consumer.as_slice(),
            _ => &payments,
        };
        let expected: BTreeSet<&str> = expected.iter().copied().chain(logs).collect();
        let actions: BTreeSet<&str> = actions.into_iter().collect();
        ensure!(actions == expected, "{role}: {actions:?}");
        let expected: &[&str] = match role {
            // Checkout URLs and repeated sales contain a token, so these functions derive tokens.
            "CheckoutRole" | "ShopperRole" | "SweeperRole" | "CommandRole" => {
                &["ProjectKeys", "TokenSecret"]
            }
            "FulfilmentRole" => &[],
            "ReconcileRole" => &["DataApiToken", "ProjectKeys"],
            _ => &["ProjectKeys"],
        };
        ensure!(secrets.iter().eq(expected), "{role}: {secrets:?}");
    }
    Ok(())
}
