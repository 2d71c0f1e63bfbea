//! Tests the scheduled functions, and the defaults of the parameters for times.

use std::time::Duration;

use anyhow::{Context, ensure};
use payments::model::Format;
use payments::model::schedule::Schedule;
use payments::model::webhook::RetrySchedule;
use serde_json::{Value, json};

use crate::template::processed::{Template, list, target};

/// Checks that a rule calls the function at `times`, and has the permission for this call.
fn ensure_schedule(template: &Template, function: &str, times: &str) -> anyhow::Result<()> {
    let rules = template.all("AWS::Events::Rule");
    let mut rules = rules.iter();
    let calls = |properties: &Value| target(&properties["Targets"][0]["Arn"]) == Some(function);
    let rule = rules.find(|(_, properties)| calls(properties));
    let (rule, properties) = rule.with_context(|| format!("{function} has no rule"))?;
    ensure!(properties["ScheduleExpression"] == times, "{properties}");
    let dead_letters = target(&properties["Targets"][0]["DeadLetterConfig"]["Arn"]);
    ensure!(dead_letters == Some("ScheduleDeadLetters"), "{properties}");
    // This policy lets the rule send to the queue. The rule is created after the function, and the function is created
    // after the policy.
    let dependencies = list(&template.resource(function)["DependsOn"]);
    ensure!(
        dependencies.contains(&json!("ScheduleDeadLettersPolicy")),
        "{function} depends on {dependencies:?}"
    );
    let permissions = template.all("AWS::Lambda::Permission");
    let is_permitted = permissions.values().any(|permission| {
        permission["Principal"] == "events.amazonaws.com"
            && target(&permission["FunctionName"]) == Some(function)
            && target(&permission["SourceArn"]) == Some(rule)
    });
    ensure!(
        is_permitted,
        "{rule} lacks the permission to call {function}"
    );
    Ok(())
}

#[tokio::test]
async fn the_reconciliation_runs_once_a_day_with_the_data_apis_token() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure_schedule(&template, "ReconcileFunction", "cron(30 4 * * ? *)")?;
    ensure!(template.all("AWS::Events::Rule").len() == 3);
    ensure!(template.default("DataApiUrl") == "https://data.ecommpay.com");
    let function = &template.resource("ReconcileFunction")["Properties"];
    ensure!(function["Timeout"] == 900 && function["MemorySize"] == 1769);
    let variables = &function["Environment"]["Variables"];
    ensure!(variables["DATA_API_URL"] == json!({ "Ref": "DataApiUrl" }));
    ensure!(target(&variables["DATA_API_TOKEN_SECRET"]) == Some("DataApiToken"));
    // An operator stores the token, which a deployment must not overwrite.
    let secret = &template.resource("DataApiToken")["Properties"];
    ensure!(secret["SecretString"].is_null() && secret["GenerateSecretString"].is_null());
    Ok(())
}

#[tokio::test]
async fn the_router_runs_each_minute_with_the_default_schedule() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure_schedule(&template, "WebhookRouterFunction", "rate(1 minute)")?;
    let schedule = RetrySchedule::default();
    let delays = schedule.delays().iter();
    let delays: Vec<String> = delays.map(|delay| delay.as_secs().to_string()).collect();
    ensure!(template.default("WebhookDelays") == delays.join(",").as_str());
    // The queue delays each message of a first retry.
    let queue = &template.resource("WebhookRetryQueue")["Properties"];
    let first = schedule.delays().first().map(Duration::as_secs);
    ensure!(queue["DelaySeconds"].as_u64() == first, "{queue}");
    Ok(())
}

#[tokio::test]
async fn the_sweeper_runs_each_minute_with_the_default_schedule() -> anyhow::Result<()> {
    let template = Template::processed().await?;
    ensure_schedule(&template, "SweeperFunction", "rate(1 minute)")?;
    let schedule = Schedule::default();
    let delays = schedule.poll_delays.iter();
    let delays: Vec<String> = delays.map(|delay| delay.as_secs().to_string()).collect();
    let seconds = [
        ("StatusPollMaxAgeSeconds", schedule.max_poll_age),
        ("RedirectPollDelaySeconds", schedule.redirect_poll_delay),
        ("CheckoutGraceSeconds", schedule.checkout_grace),
        ("CustomerRetentionSeconds", schedule.customer_retention),
    ];
    let seconds = seconds.map(|(parameter, time)| (parameter, json!(time.as_secs())));
    let others = [
        ("StatusPollDelays", json!(delays.join(","))),
        ("PollsPerSecond", json!(20)),
        ("PollConcurrency", json!(100)),
        ("OutboxGraceSeconds", json!(30)),
        // This release has no new format, so functions write in the greatest format that the release knows.
        ("DocumentFormat", json!(Format::CURRENT.number())),
    ];
    for (parameter, expected) in seconds.into_iter().chain(others) {
        let default = template.default(parameter);
        ensure!(*default == expected, "{parameter}: {default}");
    }
    Ok(())
}
