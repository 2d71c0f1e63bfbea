//! What the template promises, checked on the template as SAM processes it. The local AWS accepts
//! much that AWS would not, and ignores some of what must hold.
#![allow(clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, ensure};
use e2e::template::{Template, target};
use payments::schedule::Schedule;
use serde_json::{Value, json};

#[tokio::test]
async fn the_platforms_books_are_looked_at_each_day() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    template.ensure_schedule("ReconcileFunction", "cron(30 4 * * ? *)")?;
    ensure!(template.all("AWS::Events::Rule").len() == 2);
    let parameter = &template.0["Parameters"]["DataApiUrl"];
    ensure!(parameter["Default"] == "https://data.ecommpay.com");
    let function = &template.resource("ReconcileFunction")["Properties"];
    ensure!(function["Timeout"] == 900 && function["MemorySize"] == 1769);
    let variables = &function["Environment"]["Variables"];
    ensure!(variables["DATA_API_URL"] == json!({ "Ref": "DataApiUrl" }));
    ensure!(target(&variables["DATA_API_TOKEN_SECRET"]) == Some("DataApiToken"));
    // Its value is put in by hand, and no later deployment overwrites it.
    let secret = &template.resource("DataApiToken")["Properties"];
    ensure!(secret["SecretString"].is_null() && secret["GenerateSecretString"].is_null());
    Ok(())
}

/// Without a domain in front of it, the API's own address is the public one.
#[tokio::test]
async fn whoever_shows_addresses_knows_the_public_one() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.0["Parameters"]["PublicBaseUrl"]["Default"] == "");
    let own = json!({ "Fn::GetAtt": ["Api", "ApiEndpoint"] });
    let expected = json!({ "Fn::If": ["HasDomain", { "Ref": "PublicBaseUrl" }, own] });
    let mut count = 0;
    for (name, function) in template.all("AWS::Lambda::Function") {
        let address = &function["Environment"]["Variables"]["PUBLIC_BASE_URL"];
        ensure!(
            address.is_null() || *address == expected,
            "{name}: {address}"
        );
        count += usize::from(!address.is_null());
    }
    ensure!(count >= 3, "{count}");
    Ok(())
}

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
        ("unsent", "SweeperRole"),
    ];
    let expected = expected.map(|(index, role)| (index.to_owned(), [role].into()));
    ensure!(readers == expected.into(), "{readers:?}");
    // What nobody may ship or take back by is seen by the audit alone.
    let functions = template.all("AWS::Lambda::Function");
    let (_, function) = functions.first_key_value().context("no function")?;
    let queues = &function["Environment"]["Variables"]["EVENT_QUEUES"]["Fn::Sub"];
    let queues = queues.as_str().context("no queues")?;
    ensure!(!queues.contains("reconciliation.difference"), "{queues}");
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

#[tokio::test]
async fn the_sweeper_ticks_each_minute_by_the_schedule_of_production() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.0["Parameters"]["UnsentGraceSeconds"]["Default"] == json!(30));
    let production = Schedule::default();
    let pauses: Vec<String> = production
        .pauses
        .iter()
        .map(|pause| pause.as_secs().to_string())
        .collect();
    for (parameter, expected) in [
        ("QuestionPauses", json!(pauses.join(","))),
        (
            "QuestionsEndSeconds",
            json!(production.questions_end.as_secs()),
        ),
        (
            "CheckoutGraceSeconds",
            json!(production.checkout_grace.as_secs()),
        ),
        (
            "CustomerKeptSeconds",
            json!(production.customer_kept.as_secs()),
        ),
        ("QuestionPaceSeconds", json!(0.1)),
    ] {
        let default = &template.0["Parameters"][parameter]["Default"];
        ensure!(*default == expected, "{parameter}: {default}");
    }
    template.ensure_schedule("SweeperFunction", "rate(1 minute)")?;
    for (name, table) in template.all("AWS::DynamoDB::Table") {
        for index in table["GlobalSecondaryIndexes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            ensure!(
                index["Projection"]["ProjectionType"] == "KEYS_ONLY",
                "{name}: {index}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_route_has_an_integration_and_its_permission() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let permitted: BTreeSet<&str> = template
        .all("AWS::Lambda::Permission")
        .values()
        .filter(|permission| permission["Principal"] == "apigateway.amazonaws.com")
        .filter(|permission| permission["SourceArn"].to_string().contains("${Api}/*"))
        .filter_map(|permission| target(&permission["FunctionName"]))
        .collect();
    let mut served = BTreeMap::new();
    for (name, route) in template.all("AWS::ApiGatewayV2::Route") {
        let integration = route["Target"]["Fn::Sub"].as_str().unwrap_or_default();
        let integration = integration
            .trim_start_matches("integrations/${")
            .trim_end_matches('}');
        let integration = &template.resource(integration)["Properties"];
        ensure!(integration["PayloadFormatVersion"] == "2.0", "{name}");
        let called = target(&integration["IntegrationUri"])
            .with_context(|| format!("{name} leads nowhere"))?;
        ensure!(
            permitted.contains(called),
            "{name}: {called} may not be called"
        );
        let function = template.function(&integration["IntegrationUri"]);
        let function = function.with_context(|| format!("{called} is no function's"))?;
        let key = route["RouteKey"].as_str().unwrap_or_default();
        ensure!(
            served.insert(key.to_owned(), function.to_owned()).is_none(),
            "{key} twice"
        );
    }
    let expected = [
        ("GET /checkouts/{token}", "ShopperFunction"),
        ("GET /checkouts/{token}/return", "ShopperFunction"),
        ("GET /checkouts/{token}/status", "ShopperFunction"),
        ("GET /payments/{payment_id}", "CheckoutFunction"),
        (
            "GET /payments/{payment_id}/refunds/{refund_id}",
            "RefundFunction",
        ),
        ("POST /callbacks", "CallbackFunction"),
        ("POST /checkouts", "CheckoutFunction"),
        ("POST /checkouts/{token}", "ShopperFunction"),
        (
            "POST /payments/{payment_id}/clarification",
            "CheckoutFunction",
        ),
        ("POST /payments/{payment_id}/refunds", "RefundFunction"),
    ];
    let expected = expected
        .map(|(key, function)| (key.to_owned(), function.to_owned()))
        .into();
    ensure!(served == expected, "{served:#?}");
    Ok(())
}

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
    ensure!(template.0["Parameters"]["TlsOnly"]["Default"] == "true");
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
async fn every_route_has_its_own_limit() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let stage = template.resource("ApiStage");
    let limits = stage["Properties"]["RouteSettings"].as_object();
    let limits = limits.context("no limits")?;
    let after = stage["DependsOn"].as_array().context("no order")?;
    let routes = template.all("AWS::ApiGatewayV2::Route");
    ensure!(limits.len() == routes.len(), "{limits:?}");
    for (name, route) in routes {
        let key = route["RouteKey"].as_str().context("no key")?;
        let limit = limits
            .get(key)
            .with_context(|| format!("{key} has no limit"))?;
        let rate = match key {
            "POST /callbacks" => json!({ "Ref": "CallbackRate" }),
            _ => json!({ "Ref": "RouteRate" }),
        };
        ensure!(limit["ThrottlingRateLimit"] == rate, "{key}: {limit}");
        ensure!(limit["ThrottlingBurstLimit"] == rate, "{key}: {limit}");
        ensure!(
            after.contains(&json!(name)),
            "the stage does not wait for {name}"
        );
    }
    Ok(())
}

/// Who calls the platform may do so from addresses that it knows; nobody else depends on a network.
#[tokio::test]
async fn whoever_calls_the_platform_may_have_a_fixed_address() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    for parameter in ["EgressSubnetIds", "EgressSecurityGroupIds"] {
        ensure!(template.0["Parameters"][parameter]["Default"] == "");
    }
    let network = json!({ "Fn::If": ["CallFromNetwork", {
        "SubnetIds": { "Ref": "EgressSubnetIds" },
        "SecurityGroupIds": { "Ref": "EgressSecurityGroupIds" },
    }, { "Ref": "AWS::NoValue" }] });
    for (name, function) in template.all("AWS::Lambda::Function") {
        let variables = function["Environment"]["Variables"].as_object();
        let variables = variables.with_context(|| format!("{name} has no environment"))?;
        let calls = ["GATE_URL", "DATA_API_URL"];
        let calls = calls.iter().any(|address| variables.contains_key(*address));
        let expected = if calls { &network } else { &Value::Null };
        ensure!(function["VpcConfig"] == *expected, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_kept_for_a_function_is_a_choice() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let none = json!({ "Ref": "AWS::NoValue" });
    let chosen = |condition: &str, value: &Value| json!({ "Fn::If": [condition, value, none] });
    for (function, condition, parameter, default) in [
        (
            "CheckoutFunction",
            "LimitCheckouts",
            "CheckoutConcurrency",
            0,
        ),
        ("ShopperFunction", "LimitShoppers", "ShopperConcurrency", 50),
        (
            "CallbackFunction",
            "LimitCallbacks",
            "CallbackConcurrency",
            0,
        ),
        ("RefundFunction", "LimitRefunds", "RefundConcurrency", 0),
    ] {
        ensure!(template.0["Parameters"][parameter]["Default"] == default);
        let reserved = &template.resource(function)["Properties"]["ReservedConcurrentExecutions"];
        let expected = chosen(condition, &json!({ "Ref": parameter }));
        ensure!(*reserved == expected, "{function}: {reserved}");
    }
    let mut warm = BTreeSet::new();
    for (alias, properties) in template.all("AWS::Lambda::Alias") {
        let function = target(&properties["FunctionName"]).context("no function")?;
        let what = function.trim_end_matches("Function");
        let parameter = format!("{what}Provisioned");
        ensure!(
            template.0["Parameters"][&parameter]["Default"] == 0,
            "{parameter}"
        );
        let kept = json!({ "ProvisionedConcurrentExecutions": { "Ref": parameter } });
        let expected = chosen(&format!("Warm{what}s"), &kept);
        let provisioned = &properties["ProvisionedConcurrencyConfig"];
        ensure!(*provisioned == expected, "{alias}: {provisioned}");
        warm.insert(function);
    }
    let expected = ["CallbackFunction", "CheckoutFunction", "ShopperFunction"];
    ensure!(warm == expected.into(), "{warm:?}");
    Ok(())
}

#[tokio::test]
async fn the_sample_consumer_is_there_only_when_asked_for() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let parameter = &template.0["Parameters"]["SampleConsumer"];
    ensure!(parameter["Default"] == "false", "{parameter}");
    let condition = &template.0["Conditions"]["ConsumeSample"];
    let asked = json!({ "Fn::Equals": [{ "Ref": "SampleConsumer" }, "true"] });
    ensure!(*condition == asked, "{condition}");
    let queues = [
        "FulfilmentQueue",
        "FulfilmentDeadLetters",
        "FulfilmentDeadLettersAlarm",
    ];
    let outputs = ["FulfilmentFunctionName", "FulfilmentMemoryName"];
    for (name, resource) in template.0["Resources"].as_object().context("none")? {
        let sample = name.starts_with("Fulfilment") && !queues.contains(&name.as_str());
        let conditional = resource["Condition"] == "ConsumeSample";
        ensure!(sample == conditional, "{name}: {}", resource["Condition"]);
    }
    for output in outputs {
        let condition = &template.0["Outputs"][output]["Condition"];
        ensure!(condition == "ConsumeSample", "{output}: {condition}");
    }
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

#[tokio::test]
async fn logs_end_and_tell_no_paths() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let groups = template.all("AWS::Logs::LogGroup");
    for (name, group) in &groups {
        ensure!(
            group["RetentionInDays"] == json!({ "Ref": "LogRetentionDays" }),
            "{name}"
        );
    }
    for (name, function) in template.all("AWS::Lambda::Function") {
        let group = target(&function["LoggingConfig"]["LogGroup"]).unwrap_or_default();
        ensure!(groups.contains_key(group), "{name} logs to {group}");
    }
    for (name, stage) in template.all("AWS::ApiGatewayV2::Stage") {
        let format = stage["AccessLogSettings"]["Format"]
            .as_str()
            .unwrap_or_default();
        ensure!(format.contains("$context.routeKey"), "{name}: {format}");
        for secret in ["path", "sourceIp", "identity"] {
            ensure!(!format.contains(secret), "{name} logs {secret}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_function_is_built_from_a_crate_with_its_binary() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("infra/template.yaml"))?;
    let values = |key: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| Some(line.trim().strip_prefix(key)?.trim().to_owned()))
            .collect()
    };
    let places = values("CodeUri:");
    ensure!(places.len() == 8, "{places:?}");
    for place in &places {
        let binary = place.strip_prefix("../target/lambda/");
        let binary = binary.with_context(|| format!("nobody builds {place}"))?;
        let manifest = root.join("functions").join(binary).join("Cargo.toml");
        let manifest =
            std::fs::read_to_string(&manifest).with_context(|| format!("{binary} has no crate"))?;
        ensure!(
            manifest.contains(&format!("name = \"{binary}\"")),
            "{binary} is not what its crate makes"
        );
    }
    // What SAM would build, it would build apart from the others.
    ensure!(values("Metadata:") == vec!["{ SkipBuild: true }"; 8]);
    Ok(())
}
