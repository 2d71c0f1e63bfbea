//! The keys that the platform has issued.

use anyhow::{Context, ensure};
use aws::secrets::{ProjectKeySetSecret, StoredKeySet, WriteError};
use e2e::account;
use e2e::logs;
use e2e::operator::call;
use ecommpay::fields::ProjectId;
use ecommpay::{ProjectKey, signature};
use payments::service::project_keys::SecretText;
use reqwest::Client;
use serde_json::{Value, json};

use crate::keys::desk::Desk;

const NEW: &str = "canary-new-project-key";
const OTHER: &str = "canary-of-another-project";
const STRANGE: &str = "canary-of-nobody";

pub async fn are_replaced_without_a_callback_refused(desk: &Desk) -> anyhow::Result<()> {
    let old = desk.ready().project_key.clone();
    for secret in [NEW, OTHER, STRANGE] {
        desk.secret(secret);
    }
    for (args, input, why) in [
        (&["add", "--project", "211"][..], NEW, "has a key already"),
        (&["add", "--project", "212"], "", "is empty"),
        (&["add", "--project", "212"], " a", "spaces around"),
        (&["add", "--project", "0"], NEW, "--project"),
        (&["rotate", "--project", "212"], NEW, "has no key yet"),
        (&["rotate", "--project", "211"], &old, "current key"),
        (&["retire", "--project", "211"], "", "no previous key"),
    ] {
        let args = [&["--yes", "project-key"][..], args].concat();
        desk.refused(&args, input, why).await?;
    }
    let rotate = ["project-key", "rotate", "--project", "211"];
    let said = desk.run(&rotate, NEW).await?;
    ensure!(said.code == Some(1) && said.out.is_empty(), "{}", said.told);
    desk.keep("project_key_question.txt", &said.told)?;
    ensure!(secret(desk).await? == json!({ "211": { "current": old } }));

    // The key is the first line, and the answer the second.
    let add = ["project-key", "add", "--project", "212"];
    let out = desk.done(&add, &format!("{OTHER}\ny\n")).await?;
    desk.keep("project_key_add.txt", &out)?;
    let rotate = ["--yes", "project-key", "rotate", "--project", "211"];
    desk.kept("project_key_rotate.txt", &rotate, &format!("{NEW}\r\n"))
        .await?;
    let both = json!({ "211": { "current": NEW, "previous": old }, "212": { "current": OTHER } });
    ensure!(secret(desk).await? == both);
    desk.refused(&rotate, STRANGE, "--replace-previous").await?;
    desk.kept("project_key_list.txt", &["project-key", "list"], "")
        .await?;
    desk.kept(
        "project_key_list.json",
        &["--json", "project-key", "list"],
        "",
    )
    .await?;

    // The platform goes over from the old key to the new one when it likes.
    for (key, status) in [(old.as_str(), 200), (NEW, 200), (STRANGE, 401)] {
        let told = call_back(desk, key).await?;
        ensure!(told == status, "{key}: {told}");
    }
    let lines = logs::of_functions(&desk.sandbox).await?;
    for slot in ["current", "previous"] {
        ensure!(
            lines.contains(&format!(r#""key":"{slot}""#)),
            "{slot}: {lines}"
        );
    }

    // The simulated platform stays with the old key, so back to it.
    let back = [&rotate[..], &["--replace-previous", "--json"]].concat();
    desk.kept("project_key_rotate.json", &back, &old).await?;
    let retire = ["--yes", "project-key", "retire", "--project", "211"];
    desk.kept("project_key_retire.txt", &retire, "").await?;
    let one = json!({ "211": { "current": old }, "212": { "current": OTHER } });
    ensure!(secret(desk).await? == one);
    Ok(())
}

pub async fn of_two_at_once_one_is_told(desk: &Desk) -> anyhow::Result<()> {
    let ready = desk.ready();
    let secret_of = ProjectKeySetSecret::new(&account(ready), &ready.project_keys_secret);
    let (one, other) = (secret_of.read().await?, secret_of.read().await?);
    let add = |read: &StoredKeySet, project| {
        let mut book = read.keys.clone();
        book.add(ProjectId::new(project)?, SecretText::read(OTHER)?)?;
        anyhow::Ok(book)
    };
    secret_of.write(&one, &add(&one, 213)?).await?;
    let kept = secret(desk).await?;
    let lost = secret_of.write(&other, &add(&other, 215)?).await;
    ensure!(matches!(lost, Err(WriteError::Changed)), "{lost:?}");
    ensure!(secret(desk).await? == kept && kept["213"]["current"] == OTHER);
    // Whoever looks again does it.
    let again = secret_of.read().await?;
    secret_of.write(&again, &add(&again, 215)?).await?;
    ensure!(secret(desk).await?["215"]["current"] == OTHER);

    let name = json!({ "SecretId": ready.project_keys_secret });
    let about = call(&desk.sandbox, "secretsmanager", "describe_secret", &name).await?;
    let stages = about["VersionIdsToStages"].to_string();
    ensure!(
        stages.contains("AWSCURRENT") && !stages.contains("operator-"),
        "{stages}"
    );
    Ok(())
}

/// What the secret holds.
async fn secret(desk: &Desk) -> anyhow::Result<Value> {
    let name = json!({ "SecretId": desk.ready().project_keys_secret });
    let value = call(&desk.sandbox, "secretsmanager", "get_secret_value", &name).await?;
    let text = value["SecretString"].as_str().context("no secret")?;
    Ok(serde_json::from_str(text)?)
}

/// A callback of the platform, signed with a key.
async fn call_back(desk: &Desk, key: &str) -> anyhow::Result<u16> {
    let mut body = json!({
        "project_id": 211,
        "payment": { "id": "made elsewhere", "status": "success", "sum": { "amount": 1000, "currency": "EUR" } },
        "operation": {
            "id": 1, "type": "sale", "status": "success", "date": "2026-01-02T10:00:00+0000",
            "sum_initial": { "amount": 1000, "currency": "EUR" },
        },
    });
    let signed = ProjectKey::new(key)?.sign(&signature::canonical_of(&body)?);
    body["signature"] = signed.to_base64().into();
    let http = Client::builder().no_proxy().build()?;
    let url = format!("{}/callbacks", desk.ready().api);
    Ok(http.post(url).json(&body).send().await?.status().as_u16())
}
