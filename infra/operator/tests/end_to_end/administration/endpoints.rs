//! Tests `operator endpoint`.

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use payments::Timestamp;
use payments::model::webhook::MasterSecret;
use serde_json::{Value, json};

use super::listener::Listener;
use crate::operator::Operator;

const ENDPOINTS: &str = "endpoints-of-the-tool";
const DELIVERIES: &str = "deliveries-of-the-tool";
const SECRET: &str = "webhooks-of-the-tool";
const MASTER: &str = "canary-master-secret-of-all-endpoints";
/// The storefront of the sandbox.
const OWNER: [&str; 4] = ["--project", "211", "--storefront", "sandbox"];

pub async fn an_endpoint_is_managed_from_its_first_event_to_its_end(
    operator: &Operator,
) -> anyhow::Result<()> {
    a_stack_without_webhooks_has_no_endpoints(operator).await?;
    create_resources(operator).await?;
    wrong_arguments_are_refused(operator).await?;
    let listener = Listener::start().await?;
    operator.replace(&listener.url, "http://endpoint/events");
    let id = an_endpoint_is_added(operator, &listener).await?;
    endpoints_are_listed(operator).await?;
    a_test_event_is_posted(operator, &listener, &id).await?;
    the_secret_is_rotated(operator, &listener, &id).await?;
    an_endpoint_is_switched_off_and_on(operator, &id).await?;
    dead_letters_are_shown_and_sent_again(operator, &id).await?;
    an_endpoint_is_removed(operator, &id).await
}

async fn a_stack_without_webhooks_has_no_endpoints(operator: &Operator) -> anyhow::Result<()> {
    let url = "https://shop.example";
    let add = [&["add"][..], &OWNER, &["--url", url]].concat();
    for args in [
        &add[..],
        &["list"],
        &["test", "ep_1"],
        &["rotate", "ep_1"],
        &["enable", "ep_1"],
        &["disable", "ep_1", "--reason", "moved"],
        &["remove", "ep_1"],
        &["deliveries", "ep_1"],
    ] {
        let args = [&["--yes", "endpoint"][..], args].concat();
        operator.fails(&args, "", "Webhooks=true").await?;
    }
    Ok(())
}

/// Creates the tables and the secret that the template creates with `Webhooks=true`. No function uses them, so nothing
/// changes between two commands.
async fn create_resources(operator: &Operator) -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let sandbox = &operator.system.sandbox;
    for (resource, name) in [
        ("WebhookEndpoints", ENDPOINTS),
        ("WebhookDeliveries", DELIVERIES),
    ] {
        let properties = &template["Resources"][resource]["Properties"];
        let mut table = json!({ "TableName": name, "BillingMode": "PAY_PER_REQUEST" });
        for part in [
            "AttributeDefinitions",
            "KeySchema",
            "GlobalSecondaryIndexes",
        ] {
            if !properties[part].is_null() {
                table[part] = properties[part].clone();
            }
        }
        call(sandbox, "dynamodb", "create_table", &table).await?;
    }
    let secret = json!({ "Name": SECRET, "SecretString": MASTER });
    call(sandbox, "secretsmanager", "create_secret", &secret).await?;
    operator.add_secret(MASTER);
    operator.add_resources(&[
        ("webhook_endpoints_table", ENDPOINTS),
        ("webhook_deliveries_table", DELIVERIES),
        ("webhook_secret", SECRET),
    ])
}

async fn wrong_arguments_are_refused(operator: &Operator) -> anyhow::Result<()> {
    let public = "https://shop.example/events";
    let add = ["--yes", "endpoint", "add"];
    for (url, why) in [
        ("http://shop.example/", "does not begin with https://"),
        ("https://10.0.0.1/", "is not public"),
        ("https://[::ffff:169.254.169.254]/", "is not public"),
        ("https://shop.example:8443/", "port"),
        ("https://user@shop.example/", "user name"),
        ("https://shop.example/#a", "fragment"),
        ("shop", "not a URL"),
    ] {
        let args = [&add[..], &OWNER, &["--url", url]].concat();
        operator.fails(&args, "", why).await?;
    }
    let types = ["--url", public, "--type", "payment.paid"];
    let args = [&add[..], &OWNER, &types].concat();
    operator.fails(&args, "", "payment.succeeded").await?;
    for owner in [
        ["--project", "211", "--storefront", "unknown"],
        ["--project", "213", "--storefront", "sandbox"],
    ] {
        let args = [&add[..], &owner, &["--url", public]].concat();
        operator.fails(&args, "", "no storefront key").await?;
    }
    for (args, why) in [
        (&["test", "EP"][..], "[a-z0-9_-]"),
        (&["test", "ep_1"], "no endpoint with this id"),
        (&["rotate", "ep_1", "--keep", "721"], "720"),
        (
            &["enable", "ep_1", "--from", "9999-01-01T00:00:00Z"],
            "in the future",
        ),
        (&["disable", "ep_1"], "--reason"),
        (&["disable", "ep_1", "--reason", ""], "1 to 200 characters"),
        (&["remove", "ep_1"], "no endpoint with this id"),
        (&["deliveries", "ep_1", "--payment", "a"], "--redeliver"),
    ] {
        let args = [&["--yes", "endpoint"][..], args].concat();
        operator.fails(&args, "", why).await?;
    }
    Ok(())
}

/// Adds an endpoint for all types and one for some. Returns the id of the first.
async fn an_endpoint_is_added(operator: &Operator, listener: &Listener) -> anyhow::Result<String> {
    let url = ["--url", listener.url.as_str()];
    let add = [&["endpoint", "add"][..], &OWNER, &url].concat();
    let refused = operator.run(&add, "n\n").await?;
    ensure!(refused.code == Some(1), "{}", refused.stdout);
    operator.check("endpoint_add_prompt.txt", &refused.stderr)?;
    let shown = operator.succeeds(&add, "y\n").await?;
    let secret = shown.trim_end();
    ensure!(secret.starts_with("whsec_") && secret.lines().count() == 1);
    operator.add_shown_secret(secret);
    let listed = operator
        .succeeds(&["--json", "endpoint", "list"], "")
        .await?;
    let listed: Value = serde_json::from_str(&listed)?;
    let id = listed["endpoint"].as_str().context("no id")?.to_owned();
    operator.replace(&id, "<first id>");
    ensure!(secret == secret_of(&id, 1)?, "another secret was shown");
    operator.fails(&add, "", "has this URL already").await?;

    let some = [
        "--url",
        "https://shop.example/a?key=1",
        "--type",
        "refund.succeeded,payment.succeeded",
    ];
    let add = [&["--json", "--yes", "endpoint", "add"][..], &OWNER, &some].concat();
    let mut shown: Value = serde_json::from_str(&operator.succeeds(&add, "").await?)?;
    let secret = shown["secret"].as_str().context("no secret")?.to_owned();
    operator.add_shown_secret(&secret);
    let second = shown["endpoint"].as_str().context("no id")?.to_owned();
    operator.replace(&second, "<second id>");
    ensure!(secret == secret_of(&second, 1)?, "another secret was shown");
    shown["secret"] = "<shown once>".into();
    operator.check("endpoint_add.json", &format!("{shown:#}\n"))?;
    let remove = ["--yes", "--json", "endpoint", "remove", &second];
    operator
        .matches("endpoint_remove.json", &remove, "")
        .await?;
    Ok(id)
}

fn secret_of(id: &str, version: u32) -> anyhow::Result<String> {
    let master = MasterSecret::new(MASTER).context("the secret is too short")?;
    Ok(master.secret(id, version).to_text())
}

async fn endpoints_are_listed(operator: &Operator) -> anyhow::Result<()> {
    let damaged = json!({
        "TableName": ENDPOINTS,
        "Item": { "owner": { "S": "212/tea" }, "id": { "S": "damaged" }, "url": { "S": "https://10.0.0.1/" } },
    });
    call(&operator.system.sandbox, "dynamodb", "put_item", &damaged).await?;
    let list = ["endpoint", "list"];
    operator.matches("endpoint_list.txt", &list, "").await?;
    let list = ["--json", "endpoint", "list", "--project", "211"];
    operator.matches("endpoint_list.json", &list, "").await?;
    let test = ["endpoint", "test", "damaged"];
    operator.fails(&test, "", "cannot be read").await?;
    let remove = ["--yes", "endpoint", "remove", "damaged"];
    operator
        .matches("endpoint_remove_damaged.txt", &remove, "")
        .await
}

async fn a_test_event_is_posted(
    operator: &Operator,
    listener: &Listener,
    id: &str,
) -> anyhow::Result<()> {
    let test = ["endpoint", "test", id];
    let shown = operator.succeeds(&test, "").await?;
    ensure!(shown.contains(": delivered with status 204, "), "{shown}");
    let posted = listener.take();
    ensure!(posted.len() == 1, "{posted:?}");
    let event = &posted[0].body;
    ensure!(
        event["type"] == "webhook.test" && event["subject"].is_null(),
        "{event}"
    );
    ensure!(posted[0].header("webhook-signature")?.starts_with("v1,"));
    for (status, why) in [
        (503, "refused with status 503"),
        (410, "gone with status 410"),
    ] {
        listener.answer(status);
        let failed = operator
            .fails_with_result(&test, "", "did not accept the test event")
            .await?;
        ensure!(failed.contains(why), "{failed}");
    }
    let json = ["--json", "endpoint", "test", id];
    let failed = operator
        .fails_with_result(&json, "", "did not accept")
        .await?;
    let failed: Value = serde_json::from_str(&failed)?;
    let expected = json!({
        "endpoint": id, "host": "127.0.0.1", "type": "webhook.test", "outcome": "gone", "status": 410,
        "duration_ms": failed["duration_ms"],
    });
    ensure!(failed == expected, "{failed}");
    listener.answer(204);
    listener.take();
    let listed = operator
        .succeeds(&["--json", "endpoint", "list"], "")
        .await?;
    let listed: Value = serde_json::from_str(&listed)?;
    ensure!(
        listed["state"] == "enabled" && listed["failures"] == 0,
        "{listed}"
    );
    Ok(())
}

/// Returns the number of secrets with which a test event is signed.
async fn signatures(operator: &Operator, listener: &Listener, id: &str) -> anyhow::Result<usize> {
    operator.succeeds(&["endpoint", "test", id], "").await?;
    let posted = listener.take();
    let signatures = posted.first().context("nothing was posted")?;
    Ok(signatures.header("webhook-signature")?.split(' ').count())
}

async fn the_secret_is_rotated(
    operator: &Operator,
    listener: &Listener,
    id: &str,
) -> anyhow::Result<()> {
    let rotate = ["endpoint", "rotate", id];
    let refused = operator.run(&rotate, "n\n").await?;
    ensure!(refused.code == Some(1) && refused.stdout.is_empty());
    operator.check("endpoint_rotate_prompt.txt", &refused.stderr)?;
    ensure!(signatures(operator, listener, id).await? == 1);
    let second = operator.succeeds(&rotate, "y\n").await?;
    operator.add_shown_secret(second.trim_end());
    ensure!(second.trim_end() == secret_of(id, 2)?);
    ensure!(signatures(operator, listener, id).await? == 2);
    operator.fails(&rotate, "", "--replace-previous").await?;
    let stolen = ["--yes", "endpoint", "rotate", id, "--keep", "0"];
    operator.fails(&stolen, "", "--replace-previous").await?;
    let stolen = [&stolen[..], &["--replace-previous", "--json"]].concat();
    let third = operator.succeeds(&stolen, "").await?;
    let third: Value = serde_json::from_str(&third)?;
    let third = third["secret"].as_str().context("no secret")?;
    operator.add_shown_secret(third);
    ensure!(third == secret_of(id, 3)?);
    ensure!(signatures(operator, listener, id).await? == 1);
    Ok(())
}

async fn an_endpoint_is_switched_off_and_on(operator: &Operator, id: &str) -> anyhow::Result<()> {
    let disable = ["endpoint", "disable", id, "--reason", "moves\u{1b}[31m"];
    operator
        .fails(&disable, "n\n", "nothing was changed")
        .await?;
    operator
        .matches("endpoint_disable.txt", &disable, "y\n")
        .await?;
    let again = ["--yes", "endpoint", "disable", id, "--reason", "again"];
    operator.fails(&again, "", "already switched off").await?;
    let list = ["endpoint", "list"];
    operator
        .matches("endpoint_list_disabled.txt", &list, "")
        .await?;
    let enable = ["endpoint", "enable", id];
    let refused = operator.run(&enable, "n\n").await?;
    operator.check("endpoint_enable_prompt.txt", &refused.stderr)?;
    operator
        .matches("endpoint_enable.txt", &enable, "y\n")
        .await?;

    let from = Timestamp::now().to_string();
    operator.system.storefront.create("of-endpoint").await?;
    let enable = ["--json", "--yes", "endpoint", "enable", id, "--from", &from];
    let enabled: Value = serde_json::from_str(&operator.succeeds(&enable, "").await?)?;
    ensure!(enabled["payments"] == 1, "{enabled}");
    Ok(())
}

async fn dead_letters_are_shown_and_sent_again(
    operator: &Operator,
    id: &str,
) -> anyhow::Result<()> {
    let foreign = "b\u{202e}\u{1b}[31m";
    for (payment, error) in [("a", "refused 503"), (foreign, "timeout\u{9b}")] {
        let at = Timestamp::now().unix_millis().to_string();
        let put = json!({
            "TableName": DELIVERIES,
            "Item": {
                "pk": { "S": format!("endpoint#{id}") }, "sk": { "S": format!("dead#211/{payment}#0000000003") },
                "sequence": { "N": "3" }, "since": { "N": at }, "at": { "N": at }, "error": { "S": error },
            },
        });
        call(&operator.system.sandbox, "dynamodb", "put_item", &put).await?;
    }
    let deliveries = ["endpoint", "deliveries", id];
    operator
        .matches("endpoint_deliveries.txt", &deliveries, "")
        .await?;
    let json = ["--json", "endpoint", "deliveries", id, "--most", "1"];
    let shown = operator.succeeds(&json, "").await?;
    let shown: Value = serde_json::from_str(&shown)?;
    operator.check("endpoint_deliveries.json", &format!("{shown:#}\n"))?;

    let one = [&deliveries[..], &["--redeliver", "--payment", "A"]].concat();
    operator.fails(&one, "n\n", "nothing was changed").await?;
    operator
        .matches("endpoint_redeliver.txt", &one, "y\n")
        .await?;
    let rest = [&["--json", "--yes"][..], &deliveries, &["--redeliver"]].concat();
    operator
        .matches("endpoint_redeliver.json", &rest, "")
        .await?;
    let listed = operator
        .succeeds(&["--json", "endpoint", "list"], "")
        .await?;
    let listed: Value = serde_json::from_str(&listed)?;
    let counts = (&listed["waiting"], &listed["dead_letters"]);
    ensure!(counts == (&json!(3), &json!(0)), "{listed}");
    Ok(())
}

async fn an_endpoint_is_removed(operator: &Operator, id: &str) -> anyhow::Result<()> {
    let remove = ["endpoint", "remove", id];
    let refused = operator.run(&remove, "n\n").await?;
    operator.check("endpoint_remove_prompt.txt", &refused.stderr)?;
    operator
        .matches("endpoint_remove.txt", &remove, "y\n")
        .await?;
    let list = ["--json", "endpoint", "list"];
    ensure!(operator.succeeds(&list, "").await?.is_empty());
    operator
        .fails(&remove, "", "no endpoint with this id")
        .await?;
    // A delivery that was running when the endpoint was removed has left an item.
    let left = json!({
        "TableName": DELIVERIES,
        "Item": { "pk": { "S": format!("endpoint#{id}") }, "sk": { "S": "backlog#211/late" } },
    });
    call(&operator.system.sandbox, "dynamodb", "put_item", &left).await?;
    let remove = ["--yes", "endpoint", "remove", id];
    operator
        .matches("endpoint_remove_rest.txt", &remove, "")
        .await
}
