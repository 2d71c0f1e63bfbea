//! Tests `operator callback`.

use anyhow::{Context, ensure};
use e2e::system::callback_message;
use serde_json::{Value, json};

use super::{matches, stable};
use crate::operator::{Operator, signed};

/// Personal data in the callback.
pub const EMAIL: &str = "canary@mail.example";
pub const DESCRIPTION: &str = "a cup of tea";

pub async fn a_saved_callback_is_verified_and_applied(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    system.simulator.drop_callbacks("saved").await?;
    system.storefront.create("saved").await?;
    let callback = signed(message(), &operator.ready().project_key)?;
    let file = save(operator, "saved.json", &format!("{callback:#}\n"))?;

    let verify = ["callback", "verify", &file];
    matches(operator, "verify.txt", &verify).await?;
    let json = [&verify[..], &["--json"]].concat();
    matches(operator, "verify.json", &json).await?;

    let apply = ["callback", "apply", &file, "--by", "anna"];
    operator.fails(&apply, "n\n", "nothing was changed").await?;
    let confirmed = [&apply[..], &["--yes"]].concat();
    matches(operator, "apply.txt", &confirmed).await?;
    let paid = system.storefront.until("saved", "succeeded").await?;
    ensure!(paid["paid_amount"] == 1000, "{paid}");

    let from_input = ["callback", "apply", "-", "--by", "anna", "--yes", "--json"];
    let again = operator.run(&from_input, &callback.to_string()).await?;
    ensure!(again.code == Some(0), "{}", again.stderr);
    let again: Value = serde_json::from_str(&again.stdout)?;
    ensure!(again["outcome"] == "duplicate", "{again}");

    let nameless = ["callback", "apply", &file, "--by", " ", "--yes"];
    operator
        .fails(&nameless, "", "`by` must have 1 to 128 bytes")
        .await?;
    a_callback_that_does_not_verify_is_explained(operator, &callback).await
}

async fn a_callback_that_does_not_verify_is_explained(
    operator: &Operator,
    callback: &Value,
) -> anyhow::Result<()> {
    let mut changed = callback.clone();
    changed["received_at"] = "2026-01-01".into();
    let changed = save(operator, "changed.json", &changed.to_string())?;
    let foreign = signed(message(), "another key")?.to_string();
    let foreign = save(operator, "foreign.json", &foreign)?;

    let why = "did not sign";
    let verify = ["callback", "verify", &changed, "--json"];
    let explained = operator.fails_with_result(&verify, "", why).await?;
    operator.check("verify_changed.json", &stable(&explained)?)?;
    for file in [&changed, &foreign] {
        let verify = ["callback", "verify", file];
        operator.fails_with_result(&verify, "", why).await?;
        let apply = ["callback", "apply", file, "--by", "anna", "--yes"];
        operator.fails_with_result(&apply, "", why).await?;
    }

    let verify = ["callback", "verify", "-"];
    for (body, why) in [
        ("{\"a\": 1,", "line 1, column 9"),
        ("{}", "has no signature"),
    ] {
        operator.fails_with_result(&verify, body, why).await?;
    }
    let missing = ["callback", "verify", "missing.json"];
    operator.fails(&missing, "", "cannot be read").await
}

/// Returns a callback about the payment `saved`, without a signature.
fn message() -> Value {
    let mut message = callback_message("saved", 7, "sale", "success", 1000);
    message["payment"]["description"] = DESCRIPTION.into();
    message["customer"] = json!({ "id": "c-42", "email": EMAIL });
    message
}

fn save(operator: &Operator, name: &str, body: &str) -> anyhow::Result<String> {
    let file = operator.system.sandbox.file(name);
    std::fs::write(&file, body)?;
    Ok(file.to_str().context("not UTF-8")?.to_owned())
}
