//! Tests `operator reconcile` and `operator data-api-token`.

use std::time::Duration;

use anyhow::ensure;
use e2e::eventually;
use e2e::queue::Queue;
use payments::Timestamp;
use sandbox::platform::{DATA_API_KEY, DATA_API_TOKEN};
use serde_json::{Value, json};

use crate::operator::Operator;

const WRONG_TOKEN: &str = "canaryWrongDataApiToken";

pub async fn an_interval_is_compared_on_demand(operator: &Operator) -> anyhow::Result<()> {
    let system = &operator.system;
    system.create_paid("paid").await?;
    // This refund is made in the Dashboard, and no callback reports it.
    system.simulator.drop_callbacks("paid").await?;
    let refund = json!({ "amount": 400 });
    system.simulator.refund("paid", refund).await?;
    eventually("the refund", || async {
        let records = system.simulator.records("paid").await?;
        let operations = records["operations"].as_array().into_iter().flatten();
        let succeeded = operations.filter(|operation| operation["status"] == "success");
        Ok((succeeded.count() == 2).then_some(()))
    })
    .await?;

    let now = Timestamp::now();
    let from = now.before(Duration::from_secs(1_800)).to_string();
    let future = now.after(Duration::from_secs(3_600)).to_string();
    let now = now.to_string();
    let args = reconcile("211", &from, &now);
    operator.fails(&args, "n\n", "nothing was changed").await?;
    operator.matches("reconcile.txt", &yes(&args), "").await?;
    let audit = Queue::new(operator.ready(), "audit")?;
    let events = audit.until("paid", "reconciliation.difference").await?;
    let is_difference = |event: &&Value| event["type"] == "reconciliation.difference";
    let emitted = events.iter().filter(is_difference).count();
    ensure!(emitted == 1, "{events:?}");
    // A second comparison of the same interval must not emit the difference again.
    let json = yes(&[&args[..], &["--json"]].concat());
    let again = operator.succeeds(&json, "").await?;
    operator.check("reconcile.json", &again)?;
    let again: Value = serde_json::from_str(&again)?;
    ensure!(again["until"] == now.as_str(), "{again}");

    for (args, why) in [
        (reconcile("211", &now, &from), "is not before"),
        (reconcile("211", &from, &future), "is in the future"),
        (reconcile("211", "yesterday", &now), "not a time"),
    ] {
        operator.fails(&yes(&args), "", why).await?;
    }
    let without_key = yes(&reconcile("299", &from, &now));
    let why = "project 299 has never had a key";
    operator.fails_with_result(&without_key, "", why).await?;
    the_stored_token_is_used_by_the_next_run(operator, &args).await
}

async fn the_stored_token_is_used_by_the_next_run(
    operator: &Operator,
    reconcile: &[&str],
) -> anyhow::Result<()> {
    operator.add_secret(WRONG_TOKEN);
    let command = ["data-api-token"];
    let wrong = format!("{WRONG_TOKEN}\n{DATA_API_KEY}\n");
    let input = format!("{wrong}n\n");
    operator
        .fails(&command, &input, "nothing was changed")
        .await?;
    operator.fails(&yes(&command), "\n\n", "is empty").await?;
    let invalid = "a;b\nc\n";
    operator.fails(&yes(&command), invalid, "cannot").await?;

    let input = format!("{wrong}y\n");
    operator
        .matches("data_api_token.txt", &command, &input)
        .await?;
    let refused = operator.run(&yes(reconcile), "").await?;
    ensure!(refused.code == Some(1), "{}", refused.stdout);
    let right = format!("{DATA_API_TOKEN}\n{DATA_API_KEY}\n");
    let json = yes(&["--json", "data-api-token"]);
    operator
        .matches("data_api_token.json", &json, &right)
        .await?;
    operator.succeeds(&yes(reconcile), "").await?;
    Ok(())
}

fn reconcile<'a>(project: &'a str, from: &'a str, to: &'a str) -> Vec<&'a str> {
    vec![
        "reconcile",
        "--project",
        project,
        "--from",
        from,
        "--to",
        to,
    ]
}

fn yes<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["--yes"][..], args].concat()
}
