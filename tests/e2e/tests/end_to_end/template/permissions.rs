//! Tests the roles of the functions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::{Template, append_strings, list, target};

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
        ("due", ["WebhookRouterRole"].into()),
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
    ensure!(functions.len() == 11, "{:?}", functions.keys());
    for (name, function) in functions {
        let role = target(&function["Role"]).with_context(|| format!("{name} has no role"))?;
        ensure!(roles.insert(role), "{role} serves two functions");
        let role = &template.resource(role)["Properties"];
        ensure!(
            role["ManagedPolicyArns"] == managed_policies(function),
            "{name} has other managed policies"
        );
        let mode = &function["TracingConfig"]["Mode"];
        ensure!(*mode == json!({ "Ref": "Tracing" }), "{name}: {mode}");
        let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
        let lambda = json!({ "Service": "lambda.amazonaws.com" });
        ensure!(trust["Principal"] == lambda, "{name}: {trust}");
        ensure!(role["Policies"].is_array(), "{name} has no policy");
        let mut words = Vec::new();
        append_strings(&role["Policies"], &mut words);
        let has_wildcard = words.iter().any(|word| word.contains('*'));
        ensure!(!has_wildcard, "{name} has a wildcard");
    }
    // `releases.rs` tests the role of CodeDeploy, and `event_bus.rs` the role of the pipe.
    roles.extend(OF_SERVICES);
    let all: BTreeSet<&str> = template.all("AWS::IAM::Role").into_keys().collect();
    ensure!(all == roles, "a role belongs to no function: {all:?}");
    Ok(())
}

/// Returns the managed policies that a function's role must have. No other policy of the role may have a wildcard.
fn managed_policies(function: &Value) -> Value {
    let none = json!({ "Ref": "AWS::NoValue" });
    let traces = json!(["TraceCalls", { "Ref": "TracesPolicy" }, none]);
    let traces = json!({ "Fn::If": traces });
    if function["VpcConfig"].is_null() {
        return json!([traces]);
    }
    let interfaces = json!({ "Ref": "NetworkInterfacesPolicy" });
    let choice = json!(["CallFromNetwork", interfaces, none]);
    json!([traces, { "Fn::If": choice }])
}

#[tokio::test]
async fn only_traces_and_network_interfaces_have_a_wildcard_and_the_code_manages_no_interface()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let described = json!(["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]);
    let managed = json!([
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]);
    let of_region = json!({ "Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}:*:*/*" });
    let traces = json!(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]);
    let expected = BTreeMap::from([
        (
            "TracesPolicy",
            json!([{ "Effect": "Allow", "Action": traces, "Resource": "*" }]),
        ),
        (
            "NetworkInterfacesPolicy",
            json!([
                { "Effect": "Allow", "Action": described, "Resource": "*" },
                { "Effect": "Allow", "Action": managed, "Resource": of_region },
                {
                    "Effect": "Deny", "Action": "ec2:*", "Resource": "*",
                    "Condition": { "Null": { "lambda:SourceFunctionArn": "false" } },
                },
            ]),
        ),
    ]);
    let policies = template.all("AWS::IAM::ManagedPolicy").into_iter();
    let statements: BTreeMap<&str, Value> = policies
        .map(|(name, policy)| (name, policy["PolicyDocument"]["Statement"].clone()))
        .collect();
    ensure!(statements == expected, "{statements:#?}");
    let interfaces = template.resource("NetworkInterfacesPolicy");
    ensure!(interfaces["Condition"] == "CallFromNetwork");
    ensure!(template.resource("TracesPolicy")["Condition"] == "TraceCalls");
    // These resources could add permissions to a role.
    for kind in [
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::DynamoDB::ResourcePolicy",
    ] {
        ensure!(template.all(kind).is_empty(), "the template has a {kind}");
    }
    for (name, table) in template.all("AWS::DynamoDB::Table") {
        ensure!(table["ResourcePolicy"].is_null(), "{name}");
    }
    Ok(())
}

/// The roles of services of AWS.
const OF_SERVICES: [&str; 2] = ["DeploymentRole", "BusPipeRole"];

/// The actions that every function of payments needs. `security/permissions` tests that a function fails without them.
const OF_PAYMENTS: [(&str, &str); 8] = [
    ("dynamodb:GetItem", "Table"),
    ("dynamodb:Query", "Table"),
    ("dynamodb:PutItem", "Table"),
    ("dynamodb:UpdateItem", "Table"),
    ("sqs:SendMessage", "FulfilmentQueue"),
    ("sqs:SendMessage", "AuditQueue"),
    ("sqs:SendMessage", "BusQueue"),
    ("sqs:SendMessage", "WebhookQueue"),
];
/// For functions that sign or verify with a project key, and for the sweeper, which must know the projects with a key.
const PROJECT_KEYS: (&str, &str) = ("secretsmanager:GetSecretValue", "ProjectKeys");
/// For functions that return a checkout URL or repeat a sale. Both contain the token of the checkout.
const TOKENS: (&str, &str) = ("secretsmanager:GetSecretValue", "TokenSecret");
/// For functions that authenticate storefronts.
const KEY: (&str, &str) = ("dynamodb:GetItem", "StorefrontKeys");

/// The router can neither read a payment nor the secret of webhooks.
const OF_ROUTER: [(&str, &str); 13] = [
    ("dynamodb:GetItem", "WebhookEndpoints"),
    ("dynamodb:Query", "WebhookEndpoints"),
    ("dynamodb:GetItem", "WebhookDeliveries"),
    ("dynamodb:Query", "WebhookDeliveries"),
    ("dynamodb:DeleteItem", "WebhookDeliveries"),
    ("dynamodb:Query", "WebhookDeliveries/index/due"),
    ("sqs:SendMessage", "WebhookDeliveryQueue"),
    ("sqs:SendMessageBatch", "WebhookDeliveryQueue"),
    ("sqs:SendMessage", "WebhookRetryQueue"),
    ("sqs:SendMessageBatch", "WebhookRetryQueue"),
    ("sqs:ReceiveMessage", "WebhookQueue"),
    ("sqs:DeleteMessage", "WebhookQueue"),
    ("sqs:GetQueueAttributes", "WebhookQueue"),
];
/// The function that posts events can change neither a payment nor an endpoint, and list no endpoints.
const OF_DELIVERY: [(&str, &str); 15] = [
    ("dynamodb:Query", "Table"),
    ("dynamodb:GetItem", "WebhookEndpoints"),
    ("dynamodb:GetItem", "WebhookDeliveries"),
    ("dynamodb:PutItem", "WebhookDeliveries"),
    ("dynamodb:UpdateItem", "WebhookDeliveries"),
    ("dynamodb:DeleteItem", "WebhookDeliveries"),
    ("secretsmanager:GetSecretValue", "WebhookSecret"),
    ("sqs:SendMessage", "WebhookRetryQueue"),
    ("sqs:SendMessageBatch", "WebhookRetryQueue"),
    ("sqs:ReceiveMessage", "WebhookDeliveryQueue"),
    ("sqs:DeleteMessage", "WebhookDeliveryQueue"),
    ("sqs:GetQueueAttributes", "WebhookDeliveryQueue"),
    ("sqs:ReceiveMessage", "WebhookRetryQueue"),
    ("sqs:DeleteMessage", "WebhookRetryQueue"),
    ("sqs:GetQueueAttributes", "WebhookRetryQueue"),
];

/// Returns the actions that a role must allow, without those on logs.
fn needed(role: &str) -> BTreeSet<(&str, &str)> {
    let more: &[(&str, &str)] = match role {
        "CallbackRole" => &[PROJECT_KEYS],
        "CheckoutRole" => &[PROJECT_KEYS, TOKENS, KEY],
        "RefundRole" => &[PROJECT_KEYS, KEY],
        "ShopperRole" | "CommandRole" => &[PROJECT_KEYS, TOKENS],
        "SweeperRole" => &[
            PROJECT_KEYS,
            ("dynamodb:Query", "Table/index/next"),
            ("dynamodb:Query", "Table/index/outbox"),
            ("sqs:SendMessage", "WorkQueue"),
            ("sqs:SendMessageBatch", "WorkQueue"),
            ("sqs:GetQueueAttributes", "WorkQueue"),
        ],
        // The worker finds no work itself, so it needs no index.
        "WorkerRole" => &[
            PROJECT_KEYS,
            TOKENS,
            ("sqs:ReceiveMessage", "WorkQueue"),
            ("sqs:DeleteMessage", "WorkQueue"),
            ("sqs:GetQueueAttributes", "WorkQueue"),
        ],
        // The reconciliation signs only with the key of the Data API.
        "ReconcileRole" => &[
            ("dynamodb:Query", "Table/index/day"),
            ("secretsmanager:GetSecretValue", "DataApiToken"),
            ("sqs:SendMessage", "DailyQueue"),
            ("sqs:SendMessageBatch", "DailyQueue"),
            ("sqs:ReceiveMessage", "DailyQueue"),
            ("sqs:DeleteMessage", "DailyQueue"),
            ("sqs:GetQueueAttributes", "DailyQueue"),
        ],
        "FulfilmentRole" => {
            return [
                ("dynamodb:GetItem", "FulfilmentMemory"),
                ("dynamodb:UpdateItem", "FulfilmentMemory"),
                ("sqs:ReceiveMessage", "FulfilmentQueue"),
                ("sqs:DeleteMessage", "FulfilmentQueue"),
                ("sqs:GetQueueAttributes", "FulfilmentQueue"),
            ]
            .into();
        }
        "WebhookRouterRole" => return OF_ROUTER.into(),
        "WebhookRole" => return OF_DELIVERY.into(),
        _ => &[],
    };
    OF_PAYMENTS.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn every_role_allows_exactly_the_actions_on_the_resources_that_its_function_needs()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut roles = template.all("AWS::IAM::Role");
    roles.retain(|role, _| !OF_SERVICES.contains(role));
    for (role, properties) in roles {
        let policies = properties["Policies"].as_array();
        let policies = policies.context("the role has no policy")?;
        ensure!(
            policies.len() == 1,
            "{role} has {} policies",
            policies.len()
        );
        let logs = role.replace("Role", "Logs");
        let mut expected: BTreeSet<(&str, String)> = needed(role)
            .into_iter()
            .map(|(action, resource)| (action, resource.to_owned()))
            .collect();
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            expected.insert((action, logs.clone()));
        }
        let allowed = allowed(&policies[0]["PolicyDocument"]["Statement"])?;
        ensure!(allowed == expected, "{role}: {allowed:#?}");
    }
    Ok(())
}

/// Returns the allowed actions, each with a resource's name.
fn allowed(statements: &Value) -> anyhow::Result<BTreeSet<(&str, String)>> {
    let statements = statements.as_array();
    let mut allowed = BTreeSet::new();
    for statement in statements.context("the policy has no statements")? {
        let fields = statement.as_object().into_iter().flatten();
        let fields: BTreeSet<&str> = fields.map(|(name, _)| name.as_str()).collect();
        ensure!(
            fields == ["Effect", "Action", "Resource"].into() && statement["Effect"] == "Allow",
            "{statement}"
        );
        let mut actions = Vec::new();
        append_strings(&statement["Action"], &mut actions);
        for resource in list(&statement["Resource"]) {
            let name = resource_name(resource);
            let name = name.with_context(|| format!("{resource} is no resource"))?;
            allowed.extend(actions.iter().map(|action| (*action, name.clone())));
        }
    }
    Ok(allowed)
}

/// Returns a name such as `Table` or `Table/index/day`.
fn resource_name(resource: &Value) -> Option<String> {
    if let Some(name) = target(resource) {
        return Some(name.to_owned());
    }
    let text = resource["Fn::Sub"].as_str()?.strip_prefix("${")?;
    let (table, rest) = text.split_once(".Arn}")?;
    Some(format!("{table}{rest}"))
}
