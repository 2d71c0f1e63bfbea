//! What a deployment can choose, and how functions are built.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};
use e2e::template::{Template, target};
use serde_json::{Value, json};

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
async fn payment_pages_settings_reach_the_functions_that_make_links() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    for (parameter, default, variable) in [
        ("PaymentPageLanguages", "en,fr,de", "PAYMENT_PAGE_LANGUAGES"),
        ("PaymentPageRetries", "false", "PAYMENT_PAGE_RETRIES"),
    ] {
        ensure!(template.0["Parameters"][parameter]["Default"] == default);
        for (name, function) in template.all("AWS::Lambda::Function") {
            let variables = &function["Environment"]["Variables"];
            let expected = match variables["PAYMENT_PAGE_URL"].is_null() {
                true => Value::Null,
                false => json!({ "Ref": parameter }),
            };
            ensure!(variables[variable] == expected, "{name} has {variable}");
        }
    }
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
