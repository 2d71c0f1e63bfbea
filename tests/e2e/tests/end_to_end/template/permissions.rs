//! Who may do what.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use e2e::template::{Template, target};
use serde_json::{Value, json};

/// Who may look into an index, by its name.
#[tokio::test]
async fn only_who_needs_an_index_may_query_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut readers = BTreeMap::<String, BTreeSet<&str>>::new();
    for (role, properties) in template.all("AWS::IAM::Role") {
        let mut words = Vec::new();
        strings(&properties["Policies"], &mut words);
        for index in words.iter().filter_map(|word| word.split("/index/").nth(1)) {
            readers.entry(index.to_owned()).or_default().insert(role);
        }
    }
    let expected = [
        ("day", "ReconcileRole"),
        ("next", "SweeperRole"),
        ("outbox", "SweeperRole"),
    ];
    let expected = expected.map(|(index, role)| (index.to_owned(), [role].into()));
    ensure!(readers == expected.into(), "{readers:?}");
    // A queue of what to ship and take back has no event that says neither; the audit has every event.
    let functions = template.all("AWS::Lambda::Function");
    let (_, function) = functions.first_key_value().context("no function")?;
    let queues = &function["Environment"]["Variables"]["EVENT_QUEUES"]["Fn::Sub"];
    let queues = queues.as_str().context("no queues")?;
    ensure!(!queues.contains("reconciliation.difference"), "{queues}");
    for kind in [
        "payment.awaiting_confirmation",
        "checkout.expired",
        "refund.returned",
    ] {
        ensure!(
            queues.contains(&format!("\"{kind}\"")),
            "no {kind}: {queues}"
        );
    }
    Ok(())
}

/// Every string in a value, however deep.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(values) => values.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_function_has_a_role_of_its_own_without_a_wildcard() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut roles = BTreeSet::new();
    let functions = template.all("AWS::Lambda::Function");
    ensure!(functions.len() == 8, "{:?}", functions.keys());
    for (name, function) in functions {
        let role = target(&function["Role"]).with_context(|| format!("{name} has no role"))?;
        ensure!(roles.insert(role.to_owned()), "{role} serves two functions");
        let role = &template.resource(role)["Properties"];
        // Traces and network interfaces are of no resource in particular, so they are left to AWS's own
        // policies.
        let of_aws = |policy| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{policy}") });
        let interfaces = of_aws("service-role/AWSLambdaENIManagementAccess");
        let mut managed = vec![of_aws("AWSXRayDaemonWriteAccess")];
        if !function["VpcConfig"].is_null() {
            let choice = json!(["CallFromNetwork", interfaces, { "Ref": "AWS::NoValue" }]);
            managed.push(json!({ "Fn::If": choice }));
        }
        ensure!(
            role["ManagedPolicyArns"] == json!(managed),
            "{name} has other managed policies"
        );
        ensure!(function["TracingConfig"]["Mode"] == "Active", "{name}");
        let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
        ensure!(
            trust["Principal"] == json!({ "Service": "lambda.amazonaws.com" }),
            "{name}: {trust}"
        );
        let policies = role["Policies"]
            .as_array()
            .context("A role has no policy")?;
        let mut words = Vec::new();
        policies
            .iter()
            .for_each(|policy| strings(policy, &mut words));
        ensure!(
            !words.iter().any(|word| word.contains('*')),
            "{name} has a wildcard"
        );
    }
    ensure!(
        template.all("AWS::IAM::Role").len() == roles.len(),
        "a role without a function"
    );
    Ok(())
}

#[tokio::test]
async fn every_role_may_do_what_its_function_does_and_no_more() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let table = [
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ];
    let others = ["sqs:SendMessage", "secretsmanager:GetSecretValue"];
    let takes_facts: BTreeSet<&str> = table.into_iter().chain(others).collect();
    let consumes: BTreeSet<&str> = [
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ]
    .into();
    for (role, properties) in template.all("AWS::IAM::Role") {
        let statements = &properties["Policies"][0]["PolicyDocument"]["Statement"];
        let mut actions = Vec::new();
        let mut secrets = BTreeSet::new();
        for statement in statements.as_array().context("no statements")? {
            strings(&statement["Action"], &mut actions);
            if statement["Action"] == "secretsmanager:GetSecretValue" {
                let resource = &statement["Resource"];
                let all = resource
                    .as_array()
                    .map_or(std::slice::from_ref(resource), Vec::as_slice);
                secrets.extend(all.iter().filter_map(target));
            }
        }
        let actions: BTreeSet<&str> = actions.into_iter().collect();
        let mut expected = match role {
            "FulfilmentRole" => consumes.clone(),
            _ => takes_facts.clone(),
        };
        expected.extend(["logs:CreateLogStream", "logs:PutLogEvents"]);
        ensure!(actions == expected, "{role}: {actions:?}");
        let expected: &[&str] = match role {
            // Whoever shows or sends addresses makes tokens; the shopper's form is sent to Gate too,
            // and the sweeper sends sales again, as an operator's question can.
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
