//! What each alarm of ours watches for is made to happen, and the line with its metric is there: under
//! the namespace of the deployed stack, with the name and the dimensions that the deployed alarm reads.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::operator::{Permissions, call, invoke, invoke_with};
use e2e::stage::{Stage, report_of};
use e2e::{eventually, logs};
use payments::Timestamp;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};

/// What the sandbox waits before the sweeper sends an event.
const GRACE: Duration = Duration::from_millis(2_500);

/// Everything is asked about at each tick; questions end, and customers are forgotten, within seconds.
fn hasty() -> Options {
    let parameters = [
        ("StatusPollMaxAgeSeconds", "15"),
        ("CustomerRetentionSeconds", "5"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Options {
        divide_times: 3_600,
        parameters: parameters.into(),
        ..Options::any_ports()
    }
}

/// What callbacks tell, or pretend to.
async fn callbacks(stage: &Stage) -> anyhow::Result<()> {
    let unknown = report_of("elsewhere", 71, "sale", "success", 1000);
    stage.report(&unknown, StatusCode::OK).await?;
    let mut odd = report_of("odd", 72, "sale", "success", 1000);
    odd["operation"]["status"] = json!("half done");
    odd["payment"]["status"] = json!("half done");
    stage.report(&odd, StatusCode::OK).await?;
    let mut foreign = report_of("foreign", 73, "sale", "success", 1000);
    foreign["project_id"] = json!(999);
    stage.report(&foreign, StatusCode::FORBIDDEN).await?;
    let nothing = json!({ "project_id": 211, "news": "none" });
    stage.report(&nothing, StatusCode::OK).await?;
    let status = stage.callback(unknown.to_string()).await?;
    ensure!(status == StatusCode::UNAUTHORIZED, "{status}");
    Ok(())
}

/// Money that is not as it should be.
async fn money(stage: &Stage) -> anyhow::Result<()> {
    let wrong = json!({ "wrong_amount": 900 });
    stage.simulator.fault("quarantined", wrong).await?;
    let bank = stage.at_bank("quarantined").await?;
    stage.shopper.push(&bank, "pay").await?;
    stage.storefront.until("quarantined", "quarantined").await?;

    stage.paid("overrefunded").await?;
    for id in [81, 82] {
        let refund = report_of("overrefunded", id, "refund", "partially refunded", 700);
        stage.report(&refund, StatusCode::OK).await?;
    }

    stage.paid("unclear").await?;
    let cut = json!({ "answer": "cut", "answer_to": ["refund"], "drop": true });
    stage.simulator.fault("unclear", cut).await?;
    let refund =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    let (status, refund) = stage.storefront.refund("unclear", &refund).await?;
    ensure!(status == 202 && refund["status"] == "unknown", "{refund}");

    stage.paid("returned").await?;
    let part =
        json!({ "refund_id": "r-1", "amount": 400, "currency": "EUR", "description": "returned" });
    stage.storefront.refund("returned", &part).await?;
    let until = stage.storefront.until("returned", "partially_refunded");
    let refunded = until.await?;
    let operation = refunded["refunds"][0]["operation_id"].as_str();
    let operation = operation.context("no operation")?;
    let reversal = stage
        .simulator
        .reverse_refund("returned", operation, json!({}));
    reversal.await?;
    stage.storefront.until("returned", "succeeded").await?;

    stage.paid("asking").await?;
    let asking = json!({ "refund_clarification": { "account": ["number"] } });
    stage.simulator.fault("asking", asking).await?;
    stage.storefront.refund("asking", &part).await?;

    let waiting = json!({ "confirmation": { "result": "none" } });
    stage.simulator.fault("withdrawn", waiting).await?;
    let bank = stage.at_bank("withdrawn").await?;
    stage.shopper.push(&bank, "pay").await?;
    let until = stage.storefront.until("withdrawn", "awaiting_confirmation");
    until.await?;
    stage.simulator.confirm("withdrawn", "credit").await?;
    stage.storefront.until("withdrawn", "succeeded").await?;
    // The platform's dates have whole seconds.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.simulator.confirm("withdrawn", "decline").await?;
    stage.storefront.until("withdrawn", "declined").await?;

    for payment in ["first", "second"] {
        let bank = stage.at_bank_for(payment, "one-order").await?;
        stage.shopper.push(&bank, "pay").await?;
        stage.storefront.until(payment, "succeeded").await?;
    }
    Ok(())
}

/// The platform's books lack something, and the daily run tells how far it has come.
async fn books(stage: &Stage) -> anyhow::Result<()> {
    stage.paid("unlisted").await?;
    let unlisted = json!({ "unlisted": ["sale"] });
    stage.simulator.fault("unlisted", unlisted).await?;
    let now = Timestamp::now();
    let from = now.before(Duration::from_secs(600));
    let range = json!({ "project_id": 211, "from": from, "to": now });
    invoke_with(&stage.sandbox, "reconcile", &range).await?;
    invoke(&stage.sandbox, "reconcile").await?;
    Ok(())
}

/// The platform is silent, or does not answer.
async fn silence(stage: &Stage) -> anyhow::Result<()> {
    stage
        .simulator
        .keep_quiet_about("sales_without_callback")
        .await?;
    stage.storefront.create("sales_without_callback").await?;
    // The answer awaits the redirect and does not bring it.
    eventually("a lost redirect", || async {
        stage.sweep().await?;
        let log = logs::of_functions(&stage.sandbox).await?;
        Ok(log.contains("redirect_lost").then_some(()))
    })
    .await?;
    let dead = json!({ "drop": true, "answer": "error_500", "answer_to": ["status"] });
    stage.simulator.fault("unanswered", dead).await?;
    stage.storefront.create("unanswered").await?;
    // Until then a question waits.
    tokio::time::sleep(GRACE).await;
    let failed = |swept: &Value| swept["polled"]["failed"].as_u64() > Some(0);
    stage
        .sweep_until("a question without an answer", failed)
        .await?;
    Ok(())
}

/// A queue refuses, and then the table.
async fn refusals(stage: &Stage) -> anyhow::Result<()> {
    let functions = ["callback", "sweeper"];
    let mut permissions = Vec::new();
    for function in functions {
        let of_function = Permissions::of(&stage.sandbox, function).await?;
        of_function.take("sqs:SendMessage").await?;
        permissions.push(of_function);
    }
    let unpublished = report_of("outbox", 91, "sale", "success", 1000);
    let refused = StatusCode::INTERNAL_SERVER_ERROR;
    stage.report(&unpublished, refused).await?;
    tokio::time::sleep(GRACE).await;
    let waits = |swept: &Value| swept["outbox"]["oldest_s"].as_u64() > Some(0);
    stage.sweep_until("an event that waits", waits).await?;
    for of_function in &permissions {
        of_function.give_back().await?;
    }

    let sweeper = Permissions::of(&stage.sandbox, "sweeper").await?;
    sweeper.take("dynamodb:UpdateItem").await?;
    let failed = |swept: &Value| swept["erased"]["failed"].as_u64() > Some(0);
    stage.sweep_until("a customer who stays", failed).await?;
    sweeper.give_back().await?;

    // Its polls can be claimed, and the event of its end cannot be kept.
    let grants = sweeper.grants();
    let put = grants.iter().find(|one| one.action == "dynamodb:PutItem");
    sweeper.take_grant(put.context("no such grant")?).await?;
    let mut order = stage.storefront.order("expires");
    order["expires_in"] = json!(1);
    let created = stage
        .storefront
        .call(Method::POST, "/checkouts", Some(&order));
    let (status, checkout) = created.await?;
    ensure!(status == StatusCode::CREATED, "{status} {checkout}");
    let failed = |swept: &Value| swept["expired"]["failed"].as_u64() > Some(0);
    stage.sweep_until("a checkout that stays", failed).await?;
    sweeper.give_back().await
}

/// Of an alarm, what it reads.
struct Watched<'a> {
    namespace: &'a str,
    metric: &'a str,
    dimensions: Vec<(&'a str, &'a str)>,
}

impl Watched<'_> {
    /// Whether a line has this metric with a value that is not 0.
    fn is_in(&self, line: &Value) -> bool {
        let metrics = line["_aws"]["CloudWatchMetrics"].as_array();
        let is_declared = metrics.into_iter().flatten().any(|declared| {
            let names = declared["Metrics"].as_array().into_iter().flatten();
            let mut names = names.map(|metric| &metric["Name"]);
            let wanted: Vec<&str> = self.dimensions.iter().map(|(name, _)| *name).collect();
            let sets = declared["Dimensions"].as_array().into_iter().flatten();
            declared["Namespace"] == self.namespace
                && names.any(|name| name == self.metric)
                && sets.into_iter().any(|set| *set == json!(wanted))
        });
        let mut dimensions = self.dimensions.iter();
        is_declared
            && dimensions.all(|(name, value)| line[*name] == *value)
            && line[self.metric].as_u64() > Some(0)
    }
}

#[tokio::test]
async fn each_alarm_reads_what_is_measured_when_it_happens() -> anyhow::Result<()> {
    let stage = Stage::start(hasty()).await?;
    callbacks(&stage).await?;
    money(&stage).await?;
    books(&stage).await?;
    silence(&stage).await?;
    refusals(&stage).await?;
    let overdue = |swept: &Value| swept["overdue"]["found"].as_u64() > Some(0);
    stage.sweep_until("a payment past its end", overdue).await?;

    let alarms = call(&stage.sandbox, "cloudwatch", "describe_alarms", &json!({})).await?;
    let alarms = alarms["MetricAlarms"].as_array().context("no alarms")?;
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let mut ours = 0;
    for alarm in alarms {
        let namespace = text(&alarm["Namespace"]);
        if !namespace.starts_with("Bancontact/") {
            continue;
        }
        ours += 1;
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        let watched = Watched {
            namespace: &namespace,
            metric: alarm["MetricName"].as_str().context("no metric")?,
            dimensions: dimensions
                .filter_map(|one| Some((one["Name"].as_str()?, one["Value"].as_str()?)))
                .collect(),
        };
        eventually(&text(&alarm["AlarmName"]), || async {
            let log = logs::of_functions(&stage.sandbox).await?;
            let lines = log
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            Ok(lines
                .into_iter()
                .any(|line| watched.is_in(&line))
                .then_some(()))
        })
        .await?;
    }
    ensure!(ours == 23, "{ours} alarms read metrics of ours");
    stage.sandbox.stop().await;
    Ok(())
}
