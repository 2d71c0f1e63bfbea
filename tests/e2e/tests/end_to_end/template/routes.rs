//! What is asked from outside, where it leads, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use e2e::template::{Template, target};
use serde_json::{Value, json};

#[tokio::test]
async fn every_route_has_an_integration_and_its_permission() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    // A permission holds where its route leads: for the function, or where it is kept warm for the alias.
    let called = |reference| {
        let warm = reference_condition(reference);
        Some((template.function(reference)?, warm))
    };
    let permitted: BTreeSet<(&str, Option<&str>)> = template
        .all("AWS::Lambda::Permission")
        .values()
        .filter(|permission| permission["Principal"] == "apigateway.amazonaws.com")
        .filter(|permission| permission["SourceArn"].to_string().contains("${Api}/*"))
        .filter_map(|permission| called(&permission["FunctionName"]))
        .collect();
    let mut served = BTreeMap::new();
    for (name, route) in template.all("AWS::ApiGatewayV2::Route") {
        let integration = route["Target"]["Fn::Sub"].as_str().unwrap_or_default();
        let integration = integration
            .trim_start_matches("integrations/${")
            .trim_end_matches('}');
        let integration = &template.resource(integration)["Properties"];
        ensure!(integration["PayloadFormatVersion"] == "2.0", "{name}");
        let called = called(&integration["IntegrationUri"]);
        let called = called.with_context(|| format!("{name} leads nowhere"))?;
        ensure!(
            permitted.contains(&called),
            "{name}: {called:?} may not be called"
        );
        let (function, _) = called;
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
        (
            "POST /payments/{payment_id}/refunds/{refund_id}/clarification",
            "RefundFunction",
        ),
    ];
    let expected = expected
        .map(|(key, function)| (key.to_owned(), function.to_owned()))
        .into();
    ensure!(served == expected, "{served:#?}");
    Ok(())
}

/// On what it depends where a reference leads.
fn reference_condition(reference: &Value) -> Option<&str> {
    reference["Fn::If"][0].as_str()
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
