//! Tests bodies that are no JSON object or exceed a limit.

use anyhow::ensure;
use api::routes::{CHECKOUTS, REFUNDS};
use api::{Api, Call, SHOP, order};
use serde_json::json;

use super::refused;

#[tokio::test]
async fn a_body_is_refused_when_it_is_not_an_object_or_exceeds_a_limit() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let mut wide = order("new");
    (0..100).for_each(|key| wide[format!("key{key}")] = json!(1));
    let mut large = order("new");
    large["description"] = json!("x".repeat(64 * 1024));
    for body in [
        "",
        " ",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{}x",
        "{\"amount\":1,\"amount\":2}",
        "{\"amount\":NaN}",
        &deep,
        &wide.to_string(),
        &large.to_string(),
    ] {
        for route in [CHECKOUTS, REFUNDS] {
            let call = Call {
                route,
                parameters: &["new"],
                key: SHOP,
                body: body.to_owned(),
                ..Call::default()
            };
            let what = format!("{route} {}", body.get(..20).unwrap_or(body));
            let answer = refused(&api, &what, api.call(call)).await?;
            ensure!(answer.status == 400, "{what}: {answer:?}");
            ensure!(!answer.pointers().is_empty(), "{what}: {answer:?}");
        }
    }
    Ok(())
}
