//! Tests ids in paths. If a path cannot contain an id, the path has `~` and the base64url of the id.

use anyhow::{Context, ensure};
use api::routes::{
    CALLBACKS, CLARIFICATION, PAYMENT as SHOW, REFUND, REFUND_CLARIFICATION, REFUNDS,
};
use api::snapshot::callback;
use api::{Api, Call, PAYMENT, PROJECT, SHOP, refund};
use ecommpay::{ProjectKey, signature};
use payments::model::path_id::to_path;
use serde_json::{Value, json};

const ROUTES: [&str; 5] = [SHOW, CLARIFICATION, REFUNDS, REFUND, REFUND_CLARIFICATION];

/// Sends a callback about an external payment.
async fn report_sale(api: &Api, payment_id: &str) -> anyhow::Result<()> {
    let mut sale: Value = serde_json::from_slice(&std::fs::read(callback("sale_success.json"))?)?;
    sale["payment"]["id"] = json!(payment_id);
    let members = sale.as_object_mut().context("the callback is no object")?;
    members.remove("signature");
    let key = ProjectKey::new("test-secret-key")?;
    let signature = key.sign(&signature::canonical_of(&sale)?).to_base64();
    sale["signature"] = json!(signature);
    let call = Call {
        route: CALLBACKS,
        body: sale.to_string(),
        ..Call::default()
    };
    let answer = api.call(call).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

/// Returns the template's routes with an id.
fn routes_with_id() -> anyhow::Result<Vec<String>> {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/template.yaml");
    let template = std::fs::read_to_string(template)?;
    let routes = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("RouteKey: "));
    let routes = routes.filter(|route| route.contains("_id}"));
    Ok(routes.map(str::to_owned).collect())
}

#[tokio::test]
async fn every_route_with_an_id_accepts_the_encoded_id() -> anyhow::Result<()> {
    let mut refund = refund("r-1");
    refund["customer"] = json!({ "ip_address": "192.0.2.1" });
    for id in ["a/b", "100%", "%2F..", "~order", " \u{1f980}#?"] {
        let api = Api::start().await?;
        report_sale(&api, id).await?;
        for (route, status) in ROUTES.into_iter().zip([200, 409, 202, 200, 409]) {
            let call = Call {
                route,
                parameters: &[&to_path(id), "~ci0x"],
                key: PROJECT,
                body: refund.to_string(),
                ..Call::default()
            };
            let answer = api.call(call).await?;
            ensure!(answer.status == status, "{route} {id:?}: {answer:?}");
            if route == SHOW {
                ensure!(answer.json["payment_id"] == id, "{answer:?}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_route_with_an_id_refuses_an_invalid_encoded_id() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let routes = routes_with_id()?;
    ensure!(
        ROUTES
            .iter()
            .all(|route| routes.iter().any(|other| other == route)),
        "{routes:?}"
    );
    for route in &routes {
        for invalid in ["~", "~YS9i=", "~_w", "~a/b"] {
            let mut calls = vec![([invalid, "r-1"], "/payment_id")];
            if route.contains("{refund_id}") {
                calls.push(([PAYMENT, invalid], "/refund_id"));
            }
            for (parameters, pointer) in calls {
                let call = Call {
                    route,
                    parameters: &parameters,
                    key: SHOP,
                    body: refund("r-1").to_string(),
                    ..Call::default()
                };
                let answer = api.call(call).await?;
                ensure!(answer.status == 400, "{route} {parameters:?}: {answer:?}");
                ensure!(answer.pointers() == [pointer], "{route}: {answer:?}");
            }
        }
    }
    Ok(())
}
