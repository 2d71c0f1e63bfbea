//! The platform's books against ours.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::eventually;
use e2e::queue::Queue;
use e2e::shopper::Shopper;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use payments::Timestamp;
use sandbox::platform::{DATA_API_KEY, DATA_API_TOKEN};
use serde_json::{Value, json};

use crate::keys::desk::Desk;

const WRONG_TOKEN: &str = "canaryWrongDataApiToken";

pub async fn are_compared_for_any_time(desk: &Desk) -> anyhow::Result<()> {
    let simulator = Simulator::new(desk.ready())?;
    let storefront = Storefront::new(desk.ready())?;
    let shopper = Shopper::new()?;
    let checkout = storefront.create("paid").await?;
    let address = checkout["checkout_url"].as_str().context("no address")?;
    let bank = shopper.bank_of(address).await?;
    shopper.push(&bank, "pay").await?;
    storefront.until("paid", "succeeded").await?;
    // A refund in the Dashboard, of which no callback tells.
    simulator.keep_quiet_about("paid").await?;
    simulator.refund("paid", json!({ "amount": 400 })).await?;
    eventually("the refund", || async {
        let books = simulator.books("paid").await?;
        let operations = books["operations"].as_array().cloned().unwrap_or_default();
        let done = operations.iter().filter(|one| one["status"] == "success");
        Ok((done.count() == 2).then_some(()))
    })
    .await?;

    let now = Timestamp::now();
    let from = now.before(Duration::from_secs(1_800)).to_string();
    let later = now.after(Duration::from_secs(3_600)).to_string();
    let now = now.to_string();
    let args = reconcile("211", &from, &now);
    desk.refused(&args, "n\n", "nothing was changed").await?;
    desk.kept("reconcile.txt", &yes(&args), "").await?;
    let audit = Queue::new(desk.ready(), "audit")?;
    let events = audit.until("paid", "reconciliation.difference").await?;
    let told = events
        .iter()
        .filter(|event| event["type"] == "reconciliation.difference");
    ensure!(told.count() == 1, "{events:?}");
    // It is told once.
    let again = desk
        .done(&yes(&[&args[..], &["--json"]].concat()), "")
        .await?;
    desk.keep("reconcile.json", &again)?;
    let again: Value = serde_json::from_str(&again)?;
    ensure!(again["until"] == now.as_str(), "{again}");

    for (args, why) in [
        (reconcile("211", &now, &from), "is not before"),
        (reconcile("211", &from, &later), "still to come"),
        (reconcile("211", "yesterday", &now), "not a moment"),
    ] {
        desk.refused(&yes(&args), "", why).await?;
    }
    let said = desk.run(&yes(&reconcile("299", &from, &now)), "").await?;
    let told = "compared only until";
    ensure!(
        said.code == Some(1) && said.told.starts_with(told),
        "{}",
        said.told
    );
    ensure!(
        said.told.contains("has no key of project 299"),
        "{}",
        said.told
    );
    are_read_with_the_token_that_is_stored(desk, &args).await
}

/// A wrong token is refused by the platform, with the next run; the right one is taken with the next.
async fn are_read_with_the_token_that_is_stored(desk: &Desk, args: &[&str]) -> anyhow::Result<()> {
    let token = ["data-api-token"];
    desk.secret(WRONG_TOKEN);
    let wrong = format!("{WRONG_TOKEN}\n{DATA_API_KEY}\n");
    desk.refused(&token, &format!("{wrong}n\n"), "nothing was changed")
        .await?;
    desk.refused(&yes(&token), "\n\n", "is empty").await?;
    desk.refused(&yes(&token), "a;b\nc\n", "cannot hold such a token")
        .await?;
    desk.kept("data_api_token.txt", &token, &format!("{wrong}y\n"))
        .await?;
    let said = desk.run(&yes(args), "").await?;
    ensure!(
        said.code == Some(1),
        "the wrong token is good: {}",
        said.out
    );
    let right = format!("{DATA_API_TOKEN}\n{DATA_API_KEY}\n");
    let json = yes(&["--json", "data-api-token"]);
    desk.kept("data_api_token.json", &json, &right).await?;
    desk.done(&yes(args), "").await?;
    Ok(())
}

fn reconcile<'a>(project: &'a str, from: &'a str, to: &'a str) -> Vec<&'a str> {
    let project = ["reconcile", "--project", project];
    [&project[..], &["--from", from, "--to", to]].concat()
}

fn yes<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["--yes"][..], args].concat()
}
