//! What happens by itself, and when.

use anyhow::ensure;
use e2e::template::{Template, target};
use payments::model::schedule::Schedule;
use serde_json::json;

#[tokio::test]
async fn the_reconciliation_runs_each_day() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    template.ensure_schedule("ReconcileFunction", "cron(30 4 * * ? *)")?;
    ensure!(template.all("AWS::Events::Rule").len() == 2);
    let parameter = &template.0["Parameters"]["DataApiUrl"];
    ensure!(parameter["Default"] == "https://data.ecommpay.com");
    let function = &template.resource("ReconcileFunction")["Properties"];
    ensure!(function["Timeout"] == 900 && function["MemorySize"] == 1769);
    let variables = &function["Environment"]["Variables"];
    ensure!(variables["DATA_API_URL"] == json!({ "Ref": "DataApiUrl" }));
    ensure!(target(&variables["DATA_API_TOKEN_SECRET"]) == Some("DataApiToken"));
    // Its value is put in by hand, and no later deployment overwrites it.
    let secret = &template.resource("DataApiToken")["Properties"];
    ensure!(secret["SecretString"].is_null() && secret["GenerateSecretString"].is_null());
    Ok(())
}

#[tokio::test]
async fn the_sweeper_ticks_each_minute_by_the_schedule_of_production() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure!(template.0["Parameters"]["OutboxGraceSeconds"]["Default"] == json!(30));
    let production = Schedule::default();
    let delays: Vec<String> = production
        .poll_delays
        .iter()
        .map(|delay| delay.as_secs().to_string())
        .collect();
    for (parameter, expected) in [
        ("StatusPollDelays", json!(delays.join(","))),
        (
            "StatusPollMaxAgeSeconds",
            json!(production.max_poll_age.as_secs()),
        ),
        (
            "RedirectPollDelaySeconds",
            json!(production.redirect_poll_delay.as_secs()),
        ),
        (
            "CheckoutGraceSeconds",
            json!(production.checkout_grace.as_secs()),
        ),
        (
            "CustomerRetentionSeconds",
            json!(production.customer_retention.as_secs()),
        ),
        ("StatusPollMinInterval", json!(0.1)),
    ] {
        let default = &template.0["Parameters"][parameter]["Default"];
        ensure!(*default == expected, "{parameter}: {default}");
    }
    template.ensure_schedule("SweeperFunction", "rate(1 minute)")?;
    for (name, table) in template.all("AWS::DynamoDB::Table") {
        for index in table["GlobalSecondaryIndexes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            ensure!(
                index["Projection"]["ProjectionType"] == "KEYS_ONLY",
                "{name}: {index}"
            );
        }
    }
    Ok(())
}
