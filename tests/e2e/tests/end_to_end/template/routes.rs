//! Tests the routes of the API, their limits, the public address and the logs.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::template::processed::{Template, target};

const ROUTES: [(&str, &str); 12] = [
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
    ("POST /checkouts/{token}/return", "ShopperFunction"),
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

#[tokio::test]
async fn every_route_calls_the_alias_of_its_function_after_the_permission_for_it_exists()
-> anyhow::Result<()> {
    let template = Template::processed().await?;
    let mut served = BTreeMap::new();
    for (name, route) in template.all("AWS::ApiGatewayV2::Route") {
        let integration = route["Target"]["Fn::Sub"].as_str().unwrap_or_default();
        let integration = integration.trim_start_matches("integrations/${");
        let integration = template.resource(integration.trim_end_matches('}'));
        let called = &integration["Properties"]["IntegrationUri"];
        let version = &integration["Properties"]["PayloadFormatVersion"];
        ensure!(version == "2.0", "{name}");
        // If the integration did not depend on the permission, its calls could fail until the permission exists.
        let permission = integration["DependsOn"].as_str();
        let permission = permission.with_context(|| format!("{name} awaits no permission"))?;
        let permission = &template.resource(permission)["Properties"];
        let source = permission["SourceArn"].to_string();
        ensure!(
            permission["FunctionName"] == *called
                && permission["Principal"] == "apigateway.amazonaws.com"
                && source.contains("${Api}/*"),
            "{name} lacks the permission to call {called}"
        );
        let function = template.function_of_alias(called);
        let function = function.with_context(|| format!("{name} calls no alias"))?;
        let key = route["RouteKey"].as_str().unwrap_or_default();
        let other = served.insert(key, function);
        ensure!(other.is_none(), "{key} exists twice");
    }
    ensure!(served == ROUTES.into(), "{served:#?}");
    Ok(())
}

#[tokio::test]
async fn every_route_has_its_own_throttle() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let stage = template.resource("ApiStage");
    let throttles = stage["Properties"]["RouteSettings"].as_object();
    let throttles = throttles.context("the stage has no throttles")?;
    let dependencies = stage["DependsOn"]
        .as_array()
        .context("the stage has no dependencies")?;
    let routes = template.all("AWS::ApiGatewayV2::Route");
    ensure!(throttles.len() == routes.len(), "{throttles:?}");
    for (name, route) in routes {
        let key = route["RouteKey"].as_str().context("the route has no key")?;
        let throttle = throttles.get(key);
        let throttle = throttle.with_context(|| format!("{key} has no throttle"))?;
        let rate = match key {
            "POST /callbacks" => json!({ "Ref": "CallbackRate" }),
            _ => json!({ "Ref": "RouteRate" }),
        };
        for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
            ensure!(throttle[limit] == rate, "{key}: {throttle}");
        }
        ensure!(
            dependencies.contains(&json!(name)),
            "the stage does not depend on {name}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_public_address_is_the_api_unless_a_parameter_names_a_domain() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.default("PublicBaseUrl") == "");
    let own = json!({ "Fn::GetAtt": ["Api", "ApiEndpoint"] });
    let expected = json!({ "Fn::If": ["HasDomain", { "Ref": "PublicBaseUrl" }, own] });
    let mut addresses = template.variables("PUBLIC_BASE_URL");
    addresses.retain(|_, address| !address.is_null());
    ensure!(addresses.len() >= 3, "{addresses:?}");
    for (name, address) in addresses {
        ensure!(*address == expected, "{name}: {address}");
    }
    Ok(())
}

#[tokio::test]
async fn logs_expire_and_access_logs_contain_no_path_and_no_ip_address() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    let groups = template.all("AWS::Logs::LogGroup");
    let retention = json!({ "Ref": "LogRetentionDays" });
    for (name, group) in &groups {
        ensure!(group["RetentionInDays"] == retention, "{name}");
    }
    for (name, function) in template.all("AWS::Lambda::Function") {
        let group = target(&function["LoggingConfig"]["LogGroup"]).unwrap_or_default();
        ensure!(groups.contains_key(group), "{name} logs to {group}");
    }
    for (name, stage) in template.all("AWS::ApiGatewayV2::Stage") {
        let format = stage["AccessLogSettings"]["Format"].as_str();
        let format = format.unwrap_or_default();
        ensure!(format.contains("$context.routeKey"), "{name}: {format}");
        for private in ["path", "sourceIp", "identity"] {
            ensure!(!format.contains(private), "{name} logs {private}");
        }
    }
    Ok(())
}
