//! Tests the parameters of the template, and the binaries of the functions.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::{Template, target};

#[tokio::test]
async fn only_functions_that_call_the_platform_can_be_attached_to_a_network() -> anyhow::Result<()>
{
    let template = Template::processed().await?;
    for parameter in ["EgressSubnetIds", "EgressSecurityGroupIds"] {
        ensure!(template.default(parameter) == "");
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
async fn reserved_and_provisioned_concurrency_are_parameters() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let none = json!({ "Ref": "AWS::NoValue" });
    let chosen = |condition: &str, value: Value| json!({ "Fn::If": [condition, value, none] });
    for (name, default) in [
        ("Checkout", 0),
        ("Shopper", 50),
        ("Callback", 0),
        ("Refund", 0),
    ] {
        let parameter = format!("{name}Concurrency");
        ensure!(template.default(&parameter) == default, "{parameter}");
        let function = &template.resource(&format!("{name}Function"))["Properties"];
        let reserved = &function["ReservedConcurrentExecutions"];
        let expected = chosen(&format!("Limit{name}s"), json!({ "Ref": parameter }));
        ensure!(*reserved == expected, "{name}: {reserved}");
    }
    let mut with_provisioned = BTreeSet::new();
    for (alias, properties) in template.all("AWS::Lambda::Alias") {
        let provisioned = &properties["ProvisionedConcurrencyConfig"];
        if provisioned.is_null() {
            continue;
        }
        let function = target(&properties["FunctionName"]).context("the alias has no function")?;
        let name = function.trim_end_matches("Function");
        let parameter = format!("{name}Provisioned");
        ensure!(template.default(&parameter) == 0, "{parameter}");
        let number = json!({ "ProvisionedConcurrentExecutions": { "Ref": parameter } });
        let expected = chosen(&format!("Warm{name}s"), number);
        ensure!(*provisioned == expected, "{alias}: {provisioned}");
        with_provisioned.insert(function);
    }
    let expected = ["CallbackFunction", "CheckoutFunction", "ShopperFunction"];
    ensure!(with_provisioned == expected.into(), "{with_provisioned:?}");
    Ok(())
}

#[tokio::test]
async fn each_function_that_reads_the_payment_page_url_also_reads_the_other_checkout_parameters()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    for (parameter, default, variable) in [
        (
            "PaymentPageLanguages",
            json!("en,fr,de"),
            "PAYMENT_PAGE_LANGUAGES",
        ),
        ("PaymentPageRetries", json!("false"), "PAYMENT_PAGE_RETRIES"),
    ] {
        ensure!(*template.default(parameter) == default);
        let values = template.variables(variable);
        for (name, url) in template.variables("PAYMENT_PAGE_URL") {
            let expected = match url.is_null() {
                true => Value::Null,
                false => json!({ "Ref": parameter }),
            };
            ensure!(*values[name] == expected, "{name} has {variable}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn storefronts_and_shoppers_have_their_own_number_of_wait_slots() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let slots = template.variables("WAIT_SLOTS");
    for (function, parameter) in [
        ("CheckoutFunction", "StorefrontWaits"),
        ("ShopperFunction", "ShopperWaits"),
    ] {
        ensure!(template.default(parameter) == 20, "{parameter}");
        ensure!(*slots[function] == json!({ "Ref": parameter }), "{slots:?}");
    }
    Ok(())
}

#[tokio::test]
async fn functions_are_traced_only_if_a_parameter_asks_for_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("Tracing") == "PassThrough");
    let condition = &template.section("Conditions")["TraceCalls"];
    let expected = json!({ "Fn::Equals": [{ "Ref": "Tracing" }, "Active"] });
    ensure!(*condition == expected, "{condition}");
    Ok(())
}

#[tokio::test]
async fn the_sample_consumer_is_deployed_only_if_a_parameter_asks_for_it() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("SampleConsumer") == "false");
    let condition = &template.section("Conditions")["ConsumeSample"];
    let expected = json!({ "Fn::Equals": [{ "Ref": "SampleConsumer" }, "true"] });
    ensure!(*condition == expected, "{condition}");
    let queues = [
        "FulfilmentQueue",
        "FulfilmentDeadLetters",
        "FulfilmentDeadLettersAlarm",
    ];
    let resources = template.section("Resources").as_object();
    for (name, resource) in resources.context("the template has no resources")? {
        let is_sample = name.starts_with("Fulfilment") && !queues.contains(&name.as_str());
        let is_conditional = resource["Condition"] == "ConsumeSample";
        ensure!(is_sample == is_conditional, "{name}");
    }
    for output in ["FulfilmentFunctionName", "FulfilmentMemoryName"] {
        let condition = &template.section("Outputs")[output]["Condition"];
        ensure!(condition == "ConsumeSample", "{output}: {condition}");
    }
    Ok(())
}

#[tokio::test]
async fn every_function_has_a_crate_that_builds_its_binary() -> anyhow::Result<()> {
    let root = tools::root();
    let template = std::fs::read_to_string(root.join("infra/template.yaml"))?;
    let values = |key: &str| -> Vec<String> {
        let lines = template.lines();
        lines
            .filter_map(|line| Some(line.trim().strip_prefix(key)?.trim().to_owned()))
            .collect()
    };
    let paths = values("CodeUri:");
    ensure!(paths.len() == 11, "{paths:?}");
    for path in &paths {
        let binary = path.strip_prefix("../target/lambda/");
        let binary = binary.with_context(|| format!("no build writes {path}"))?;
        let manifest = root.join("functions").join(binary).join("Cargo.toml");
        let manifest =
            std::fs::read_to_string(&manifest).with_context(|| format!("{binary} has no crate"))?;
        let name = format!("name = \"{binary}\"");
        ensure!(manifest.contains(&name), "another crate is in {binary}");
    }
    // Without this setting, SAM would build each binary alone. The deployment script builds all binaries together.
    ensure!(values("Metadata:") == vec!["{ SkipBuild: true }"; 11]);
    Ok(())
}
