//! Tests `operator project-key`.

use anyhow::{Context, ensure};
use aws::secrets::{ProjectKeySetSecret, StoredKeySet, WriteError};
use e2e::aws_call::call;
use e2e::system::callback_message;
use e2e::{account, logs};
use ecommpay::fields::ProjectId;
use payments::service::project_keys::SecretText;
use serde_json::{Value, json};

use crate::operator::{Operator, signed};

const NEW: &str = "canary-new-project-key";
const OTHER_PROJECT: &str = "canary-key-of-another-project";
const UNKNOWN: &str = "canary-unknown-key";

pub async fn a_rotation_refuses_no_callback(operator: &Operator) -> anyhow::Result<()> {
    let old = operator.ready().project_key.clone();
    for key in [NEW, OTHER_PROJECT, UNKNOWN] {
        operator.add_secret(key);
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
        operator.fails(&args, input, why).await?;
    }
    let rotate = ["project-key", "rotate", "--project", "211"];
    let refused = operator.run(&rotate, NEW).await?;
    ensure!(refused.code == Some(1), "{}", refused.stdout);
    operator.check("project_key_prompt.txt", &refused.stderr)?;
    let unchanged = json!({ "211": { "current": old } });
    ensure!(stored_keys(operator).await? == unchanged);

    // The first line of the input is the key. The second line is the answer to the question.
    let add = ["project-key", "add", "--project", "212"];
    let input = format!("{OTHER_PROJECT}\ny\n");
    operator
        .matches("project_key_add.txt", &add, &input)
        .await?;
    let rotate = ["--yes", "project-key", "rotate", "--project", "211"];
    let input = format!("{NEW}\r\n");
    operator
        .matches("project_key_rotate.txt", &rotate, &input)
        .await?;
    let both = json!({
        "211": { "current": NEW, "previous": old },
        "212": { "current": OTHER_PROJECT },
    });
    ensure!(stored_keys(operator).await? == both);
    operator
        .fails(&rotate, UNKNOWN, "--replace-previous")
        .await?;
    let list = ["project-key", "list"];
    operator.matches("project_key_list.txt", &list, "").await?;
    let list = ["--json", "project-key", "list"];
    operator.matches("project_key_list.json", &list, "").await?;

    for (key, expected) in [(old.as_str(), 200), (NEW, 200), (UNKNOWN, 401)] {
        let callback = callback_message("created elsewhere", 1, "sale", "success", 1000);
        let callback = signed(callback, key)?.to_string();
        let status = operator.system.post_callback(callback).await?;
        ensure!(status == expected, "{key}: {status}");
    }
    let log = logs::of_functions(&operator.system.sandbox).await?;
    for slot in ["current", "previous"] {
        let is_logged = log.contains(&format!(r#""key":"{slot}""#));
        ensure!(is_logged, "{slot}: {log}");
    }

    // The simulated platform signs with the old key only, so the old key must become the current key again.
    let back = [&rotate[..], &["--replace-previous", "--json"]].concat();
    operator
        .matches("project_key_rotate.json", &back, &old)
        .await?;
    let retire = ["--yes", "project-key", "retire", "--project", "211"];
    operator
        .matches("project_key_retire.txt", &retire, "")
        .await?;
    let one = json!({ "211": { "current": old }, "212": { "current": OTHER_PROJECT } });
    ensure!(stored_keys(operator).await? == one);
    Ok(())
}

pub async fn the_second_of_two_simultaneous_changes_fails(
    operator: &Operator,
) -> anyhow::Result<()> {
    let ready = operator.ready();
    let secret = ProjectKeySetSecret::new(&account(ready), &ready.project_keys_secret);
    let (first, second) = (secret.read().await?, secret.read().await?);
    let with_key = |stored: &StoredKeySet, project| {
        let mut keys = stored.keys.clone();
        keys.add(ProjectId::new(project)?, SecretText::read(OTHER_PROJECT)?)?;
        anyhow::Ok(keys)
    };
    secret.write(&first, &with_key(&first, 213)?).await?;
    let after_first = stored_keys(operator).await?;
    ensure!(after_first["213"]["current"] == OTHER_PROJECT);
    let refused = secret.write(&second, &with_key(&second, 215)?).await;
    ensure!(matches!(refused, Err(WriteError::Changed)), "{refused:?}");
    ensure!(stored_keys(operator).await? == after_first);

    let repeated = secret.read().await?;
    secret.write(&repeated, &with_key(&repeated, 215)?).await?;
    ensure!(stored_keys(operator).await?["215"]["current"] == OTHER_PROJECT);

    let name = json!({ "SecretId": ready.project_keys_secret });
    let sandbox = &operator.system.sandbox;
    let secret = call(sandbox, "secretsmanager", "describe_secret", &name).await?;
    let labels = secret["VersionIdsToStages"].to_string();
    let is_clean = labels.contains("AWSCURRENT") && !labels.contains("operator-");
    ensure!(is_clean, "{labels}");
    Ok(())
}

async fn stored_keys(operator: &Operator) -> anyhow::Result<Value> {
    let name = json!({ "SecretId": operator.ready().project_keys_secret });
    let sandbox = &operator.system.sandbox;
    let secret = call(sandbox, "secretsmanager", "get_secret_value", &name).await?;
    let text = secret["SecretString"].as_str().context("no secret")?;
    Ok(serde_json::from_str(text)?)
}
