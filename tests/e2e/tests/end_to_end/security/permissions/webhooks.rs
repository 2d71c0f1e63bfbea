//! Uses all permissions of the functions of webhooks, and tests which tables they cannot change.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::endpoint::{endpoint, stores};
use e2e::lambda::{invoke, invoke_with};
use e2e::permissions::Permissions;
use e2e::system::{System, accelerated};
use payments::model::webhook::{Backlog, EndpointKey};
use payments::ports::{Delivery, DeliveryStore, FirstTry, Retry, RetryAction};
use payments::{PaymentKey, Timestamp};
use sandbox::Options;
use serde_json::{Value, json};

use crate::security::permissions::actions::FUNCTIONS;

/// The functions of webhooks. They have other permissions than the functions of payments.
const OF_WEBHOOKS: [&str; 2] = ["webhookrouter", "webhook"];
const REFUSED: &str = "AccessDeniedException";
/// Nothing listens on this port.
const CLOSED: &str = "http://127.0.0.1:1/events";

/// Lets the router route an event, hand out a due retry, and remove an endpoint from the list of backlogs.
pub async fn route_and_hand_out(system: &System, id: &str) -> anyhow::Result<()> {
    let (ready, stores) = (system.ready(), stores(system.ready())?);
    let added = endpoint(ready, id, CLOSED)?;
    stores.endpoints.add(&added).await?;
    let now = Timestamp::now();
    stores.deliveries.list(&added.key, now).await?;
    due(system, &added.key, id).await?;
    let removed = endpoint(ready, &format!("{id}-removed"), CLOSED)?;
    let long_ago = now.before(Duration::from_secs(3_600));
    stores.deliveries.list(&removed.key, long_ago).await?;

    let handed_out = invoke(&system.sandbox, "webhookrouter").await;
    let event = json!({ "id": format!("211/{id}/1"), "type": "payment.created" });
    let attribute = json!({ "stringValue": added.key.owner.storefront, "dataType": "String" });
    let message = json!({
        "messageId": "m",
        "body": event.to_string(),
        "attributes": { "MessageGroupId": id, "MessageDeduplicationId": id },
        "messageAttributes": { "storefront": attribute },
    });
    let messages = json!({ "Records": [message] });
    let routed = invoke_with(&system.sandbox, "webhookrouter", &messages).await;
    // Otherwise the endpoint would get the events of all later steps.
    stores.endpoints.remove(&added.key).await?;
    handed_out?;
    routed?;
    Ok(())
}

/// Lets the function fail to post the first event of a payment, give up an event that cannot be read, and end the retry
/// of an event that has expired.
pub async fn deliver(system: &System, payment: &str) -> anyhow::Result<()> {
    let stores = stores(system.ready())?;
    let added = endpoint(system.ready(), payment, CLOSED)?;
    stores.endpoints.add(&added).await?;
    let key = &added.key;
    let posted = deliver_one(system, first_try(key, payment)).await;

    let damaged = format!("{payment}-damaged");
    let item = json!({
        "pk": { "S": format!("payment#211/{damaged}") },
        "sk": { "S": "event#0000000001" },
        "kind": { "S": "payment.created" },
        "content": { "S": "{" },
    });
    let put = json!({ "TableName": system.ready().table, "Item": item });
    call(&system.sandbox, "dynamodb", "put_item", &put).await?;
    let given_up = deliver_one(system, first_try(key, &damaged)).await;

    let expired = format!("{payment}-expired");
    due(system, key, &expired).await?;
    let retry = Delivery::Retry(Retry {
        endpoint: key.clone(),
        payments: vec![expired],
        action: RetryAction::Deliver,
        until: Timestamp::now().after(Duration::from_secs(60)),
    });
    let retried = deliver_one(system, retry).await;
    stores.endpoints.remove(key).await?;
    posted?;
    given_up?;
    retried
}

fn first_try(endpoint: &EndpointKey, payment: &str) -> Delivery {
    Delivery::FirstTry(FirstTry {
        endpoint: endpoint.clone(),
        payment_id: payment.to_owned(),
        sequence: 1,
    })
}

async fn deliver_one(system: &System, delivery: Delivery) -> anyhow::Result<()> {
    let sent_at = Timestamp::now().unix_millis().to_string();
    let message = json!({
        "messageId": "m",
        "body": json!(delivery).to_string(),
        "attributes": { "SentTimestamp": sent_at },
    });
    let messages = json!({ "Records": [message] });
    invoke_with(&system.sandbox, "webhook", &messages).await?;
    Ok(())
}

/// Stores that an event of a payment waits and is due.
async fn due(system: &System, endpoint: &EndpointKey, payment: &str) -> anyhow::Result<()> {
    let payment = PaymentKey::parse(endpoint.owner.project_id, payment);
    let payment = payment.context("not the id of a payment")?;
    let item = Backlog::of(1, 1, Timestamp::now());
    let deliveries = stores(system.ready())?.deliveries;
    let written = deliveries.replace_backlog(&endpoint.id, &payment, None, Some(&item));
    written.await?;
    Ok(())
}

fn writes(table: &str, key: &Value) -> Vec<(&'static str, Value)> {
    let with = |mut parameters: Value| {
        parameters["TableName"] = json!(table);
        parameters
    };
    let put = with(json!({ "Item": key }));
    let delete = with(json!({ "Key": key }));
    let update = with(json!({
        "Key": key,
        "UpdateExpression": "SET #url = :url",
        "ExpressionAttributeNames": { "#url": "url" },
        "ExpressionAttributeValues": { ":url": { "S": "https://attacker.example/" } },
    }));
    let transact = |action| json!({ "TransactItems": [action] });
    let batch = json!({ "RequestItems": { table: [{ "PutRequest": { "Item": key } }] } });
    vec![
        ("transact_write_items", transact(json!({ "Put": put }))),
        (
            "transact_write_items",
            transact(json!({ "Update": update })),
        ),
        ("batch_write_item", batch),
        ("put_item", put),
        ("update_item", update),
        ("delete_item", delete),
        ("scan", with(json!({}))),
        ("delete_table", with(json!({}))),
    ]
}

#[tokio::test]
async fn no_function_can_change_an_endpoint_and_webhooks_can_change_no_payment()
-> anyhow::Result<()> {
    let system = System::start(Options {
        sample_consumer: true,
        webhooks: true,
        ..accelerated()
    })
    .await?;
    let ready = system.ready();
    let stored = endpoint(ready, "shop-1", "https://shop.example/events")?;
    let stores = stores(ready)?;
    ensure!(stores.endpoints.add(&stored).await?);
    let endpoints = ready.webhook_endpoints_table.as_deref();
    let endpoints = endpoints.context("there is no table of endpoints")?;
    let key = json!({ "owner": { "S": "211/sandbox" }, "id": { "S": "shop-1" } });
    let payment = json!({ "pk": { "S": "payment#211/order-1" }, "sk": { "S": "payment" } });
    let get_endpoint = json!({ "TableName": endpoints, "Key": key });
    for function in FUNCTIONS {
        let is_of_webhooks = OF_WEBHOOKS.contains(&function);
        let mut calls = writes(endpoints, &key);
        match is_of_webhooks {
            true => calls.extend(writes(&ready.table, &payment)),
            false => calls.push(("get_item", get_endpoint.clone())),
        }
        let permissions = Permissions::of(&system.sandbox, function).await?;
        let outcomes = permissions.call_dynamodb(&calls).await?;
        ensure!(outcomes.len() == calls.len(), "{outcomes:?}");
        for ((operation, _), outcome) in calls.iter().zip(&outcomes) {
            ensure!(outcome == REFUSED, "{function} {operation}: {outcome}");
        }
        if is_of_webhooks {
            let read = [("get_item", get_endpoint.clone())];
            let read = permissions.call_dynamodb(&read).await?;
            ensure!(
                read == ["allowed"],
                "{function} reads an endpoint: {read:?}"
            );
        }
    }
    let after = stores.endpoints.list().await?;
    let after = after.first().and_then(|entry| entry.endpoint.as_ref().ok());
    ensure!(after == Some(&stored), "{after:?}");
    system.stop().await;
    Ok(())
}
