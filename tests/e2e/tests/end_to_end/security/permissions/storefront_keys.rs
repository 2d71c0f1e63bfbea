//! Tests that no function can make, change, delete or list storefront keys.

use anyhow::ensure;
use e2e::aws_call::call;
use e2e::permissions::Permissions;
use e2e::system::{System, accelerated};
use payments::sha256;
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::security::permissions::actions::FUNCTIONS;

/// An attacker wants the API to accept this key.
const FORGED: &str = "sk_forged_secret";
/// The functions that authenticate storefronts. They can read a key by its id.
const READERS: [&str; 2] = ["checkout", "refund"];
const REFUSED: &str = "AccessDeniedException";

/// The forged item has all attributes of a real one.
fn forged_item() -> Value {
    let document = json!({
        "key_id": "forged", "key_hash": sha256::hex(FORGED.as_bytes()), "name": "sandbox", "project_id": 211,
        "scopes": ["checkout", "read", "refund", "project"], "return_origins": ["https://shop.example"],
    });
    json!({
        "key_id": { "S": "forged" },
        "key_hash": { "S": sha256::hex(FORGED.as_bytes()) },
        "created_at": { "N": "1900000000000" },
        "document": { "S": document.to_string() },
    })
}

fn forbidden_calls(table: &str, key_id: &str) -> Vec<(&'static str, Value)> {
    let (item, key) = (forged_item(), json!({ "key_id": { "S": key_id } }));
    let with = |mut parameters: Value| {
        parameters["TableName"] = json!(table);
        parameters
    };
    let set = json!({ ":now": { "N": "1" } });
    let update = with(json!({
        "Key": key, "UpdateExpression": "SET revoked_at = :now", "ExpressionAttributeValues": set,
    }));
    let query = with(json!({
        "KeyConditionExpression": "key_id = :id", "ExpressionAttributeValues": { ":id": { "S": key_id } },
    }));
    let transact = |action| json!({ "TransactItems": [action] });
    let batch = |request| json!({ "RequestItems": { table: [request] } });
    vec![
        ("put_item", with(json!({ "Item": item }))),
        ("update_item", update.clone()),
        ("delete_item", with(json!({ "Key": key }))),
        ("scan", with(json!({}))),
        ("query", query),
        (
            "transact_write_items",
            transact(json!({ "Put": with(json!({ "Item": item })) })),
        ),
        (
            "transact_write_items",
            transact(json!({ "Update": update })),
        ),
        (
            "transact_write_items",
            transact(json!({ "Delete": with(json!({ "Key": key })) })),
        ),
        (
            "batch_write_item",
            batch(json!({ "PutRequest": { "Item": item } })),
        ),
        (
            "batch_write_item",
            batch(json!({ "DeleteRequest": { "Key": key } })),
        ),
        (
            "batch_get_item",
            json!({ "RequestItems": { table: { "Keys": [key] } } }),
        ),
        ("delete_table", with(json!({}))),
    ]
}

#[tokio::test]
async fn no_function_can_make_change_or_list_storefront_keys() -> anyhow::Result<()> {
    let system = System::start(Options {
        sample_consumer: true,
        webhooks: true,
        ..accelerated()
    })
    .await?;
    let table = system.ready().storefront_keys_table.clone();
    let scan = json!({ "TableName": table });
    let before = call(&system.sandbox, "dynamodb", "scan", &scan).await?;
    ensure!(before["Count"] == 1, "{before}");
    let get = json!({ "TableName": table, "Key": { "key_id": { "S": "sandbox" } } });
    for function in FUNCTIONS {
        let permissions = Permissions::of(&system.sandbox, function).await?;
        let calls = forbidden_calls(&table, "sandbox");
        let outcomes = permissions.call_dynamodb(&calls).await?;
        for ((operation, _), outcome) in calls.iter().zip(&outcomes) {
            ensure!(outcome == REFUSED, "{function} {operation}: {outcome}");
        }
        ensure!(outcomes.len() == calls.len(), "{outcomes:?}");
        let read = [("get_item", get.clone())];
        let read = permissions.call_dynamodb(&read).await?;
        let expected = if READERS.contains(&function) {
            "allowed"
        } else {
            REFUSED
        };
        ensure!(read == [expected], "{function} reads a key: {read:?}");
    }
    let after = call(&system.sandbox, "dynamodb", "scan", &scan).await?;
    ensure!(after["Items"] == before["Items"], "{after}");
    system.stop().await;
    Ok(())
}

/// If the table of payments stored the keys, this attack would make a key with all scopes.
#[tokio::test]
async fn a_key_that_a_function_writes_into_the_table_of_payments_is_unknown() -> anyhow::Result<()>
{
    let system = System::start(accelerated()).await?;
    let permissions = Permissions::of(&system.sandbox, "callback").await?;
    for (pk, sk) in [
        ("storefront_key#forged", "storefront_key"),
        ("storefront_keys", "forged"),
        ("forged", "forged"),
    ] {
        let mut item = forged_item();
        item["pk"] = json!({ "S": pk });
        item["sk"] = json!({ "S": sk });
        let put = json!({ "TableName": system.ready().table, "Item": item });
        let outcomes = permissions.call_dynamodb(&[("put_item", put)]).await?;
        // The function may write this table, so the attack is realistic.
        ensure!(outcomes == ["allowed"], "{outcomes:?}");
    }
    let forged = system.storefront.with_key(FORGED);
    for path in ["/payments/any", "/payments/any/refunds/any"] {
        let (status, problem) = forged.call(Method::GET, path, None).await?;
        ensure!(status == 401, "{path}: {status} {problem}");
    }
    system.stop().await;
    Ok(())
}
