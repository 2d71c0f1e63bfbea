//! For each alarm on a metric of ours, creates the condition that the alarm detects. A log line must then have the
//! metric, with the namespace and dimensions of the deployed alarm.

use std::time::Duration;

use anyhow::{Context, ensure};
use e2e::aws_call::call;
use e2e::permissions::Permissions;
use e2e::storefront::partial_refund;
use e2e::system::{OUTBOX_GRACE, System, accelerated, callback_message, with_parameters};
use e2e::{ensure_contains, eventually, logs};
use payments::Timestamp;
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::monitoring::metric::Metric;

#[tokio::test]
async fn the_condition_of_each_alarm_raises_the_metric_that_the_alarm_watches() -> anyhow::Result<()>
{
    // With these values, polling of a payment ends after 15 s, and customer data is erased after 5 s.
    let parameters = with_parameters([
        ("StatusPollMaxAgeSeconds", "15"),
        ("CustomerRetentionSeconds", "5"),
    ]);
    let options = Options {
        divide_times: accelerated().divide_times,
        ..parameters
    };
    let system = System::start(options).await?;
    callbacks(&system).await?;
    system.send_external_sale("of-another-system", 1000).await?;
    system.storefront.create("of-another-system").await?;
    sums_that_differ(&system).await?;
    refunds_that_need_an_operator(&system).await?;
    a_success_that_is_corrected(&system).await?;
    an_order_that_is_paid_twice(&system).await?;
    reconciliation(&system).await?;
    a_platform_without_callbacks_or_answers(&system).await?;
    limits_and_damaged_items(&system).await?;
    missing_permissions(&system).await?;
    let is_overdue = |swept: &Value| swept["overdue"]["found"].as_u64() > Some(0);
    let overdue = system.sweep_until("a payment past its last poll", is_overdue);
    overdue.await?;
    // No answer of the platform confirms the excess, so `payment.overrefunded` is emitted after the last poll.
    eventually("the last poll about an excess", async || {
        system.sweep().await?;
        let lines = logs::json_lines(&system.sandbox).await?;
        let is_emitted = |line: &Value| line["overrefunded"].as_u64() > Some(0);
        Ok(lines.iter().any(is_emitted).then_some(()))
    })
    .await?;

    let sandbox = &system.sandbox;
    let alarms = call(sandbox, "cloudwatch", "describe_alarms", &json!({})).await?;
    let alarms = alarms["MetricAlarms"]
        .as_array()
        .context("the stack has no alarms")?;
    let is_own = |alarm: &&Value| {
        let namespace = alarm["Namespace"].as_str();
        namespace.is_some_and(|name| name.starts_with("Bancontact/"))
    };
    let own: Vec<&Value> = alarms.iter().filter(is_own).collect();
    ensure!(own.len() == 27, "{} alarms watch our metrics", own.len());
    for alarm in own {
        let metric = Metric::of(alarm)?;
        eventually(&format!("{}", alarm["AlarmName"]), async || {
            let lines = logs::json_lines(sandbox).await?;
            Ok(lines.iter().any(|line| metric.is_in(line)).then_some(()))
        })
        .await?;
    }
    system.stop().await;
    Ok(())
}

async fn callbacks(system: &System) -> anyhow::Result<()> {
    let unmatched = callback_message("unmatched", 71, "sale", "success", 1000);
    system.post_signed(&unmatched, 200).await?;
    let mut undocumented_status =
        callback_message("undocumented-status", 72, "sale", "half done", 1000);
    undocumented_status["operation"]["status"] = json!("half done");
    system.post_signed(&undocumented_status, 200).await?;
    let mut foreign = callback_message("foreign", 73, "sale", "success", 1000);
    foreign["project_id"] = json!(999);
    system.post_signed(&foreign, 403).await?;
    let without_payment = json!({ "project_id": 211, "token": "none" });
    system.post_signed(&without_payment, 200).await?;
    let unsigned = system.post_callback(unmatched.to_string()).await?;
    ensure!(unsigned == 401, "{unsigned}");
    Ok(())
}

/// Creates a payment with another sum than ordered, and a payment whose refunds exceed the paid amount.
async fn sums_that_differ(system: &System) -> anyhow::Result<()> {
    let wrong = json!({ "wrong_amount": 900 });
    system.simulator.set_faults("quarantined", wrong).await?;
    let bank_page = system.bank_page("quarantined").await?;
    system.shopper.press(&bank_page, "pay").await?;
    let quarantined = system.storefront.until("quarantined", "quarantined");
    quarantined.await?;

    system.create_paid("overrefunded").await?;
    for id in [81, 82] {
        let status = "partially refunded";
        let refund = callback_message("overrefunded", id, "refund", status, 700);
        system.post_signed(&refund, 200).await?;
    }
    Ok(())
}

/// Creates a refund with an unknown outcome, a returned refund, and a refund that awaits clarification.
async fn refunds_that_need_an_operator(system: &System) -> anyhow::Result<()> {
    let System {
        storefront,
        simulator,
        ..
    } = system;
    let refund = partial_refund("r-1", 400);
    system.create_paid("unknown").await?;
    let cut = json!({ "answer": "cut", "answer_to": ["refund"], "drop": true });
    simulator.set_faults("unknown", cut).await?;
    let unknown = storefront.post_refund("unknown", &refund, 202).await?;
    ensure_contains(&unknown, json!({ "status": "unknown" }))?;

    system.create_paid("returned").await?;
    storefront.post_refund("returned", &refund, 202).await?;
    let refunded = storefront.until("returned", "partially_refunded").await?;
    let returned = &refunded["refunds"][0];
    simulator.reverse_refund("returned", returned).await?;
    storefront.until("returned", "succeeded").await?;

    system.create_paid("asking").await?;
    let asking = json!({ "refund_clarification": { "account": ["number"] } });
    simulator.set_faults("asking", asking).await?;
    storefront.post_refund("asking", &refund, 202).await?;
    Ok(())
}

async fn a_success_that_is_corrected(system: &System) -> anyhow::Result<()> {
    let (storefront, simulator) = (&system.storefront, &system.simulator);
    let waiting = json!({ "confirmation": { "result": "none" } });
    simulator.set_faults("corrected", waiting).await?;
    let bank_page = system.bank_page("corrected").await?;
    system.shopper.press(&bank_page, "pay").await?;
    let waiting = storefront.until("corrected", "awaiting_confirmation");
    waiting.await?;
    simulator.confirm("corrected", "credit").await?;
    storefront.until("corrected", "succeeded").await?;
    // The platform's dates have whole seconds, and the decline must have a later date than the success.
    sleep(Duration::from_secs(1)).await;
    simulator.confirm("corrected", "decline").await?;
    storefront.until("corrected", "declined").await?;
    Ok(())
}

async fn an_order_that_is_paid_twice(system: &System) -> anyhow::Result<()> {
    for payment in ["first", "second"] {
        let bank_page = system.bank_page_for_order(payment, "one-order").await?;
        system.shopper.press(&bank_page, "pay").await?;
        system.storefront.until(payment, "succeeded").await?;
    }
    Ok(())
}

/// Compares a sale that the platform does not list. Then starts the daily runs, which log their lag.
async fn reconciliation(system: &System) -> anyhow::Result<()> {
    system.create_paid("unlisted").await?;
    let unlisted = json!({ "unlisted": ["sale"] });
    system.simulator.set_faults("unlisted", unlisted).await?;
    let from = Timestamp::now().before(Duration::from_secs(600));
    system.reconcile(from).await?;
    system.run_daily().await?;
    Ok(())
}

async fn a_platform_without_callbacks_or_answers(system: &System) -> anyhow::Result<()> {
    let payment = "without-callbacks";
    system.simulator.drop_callbacks(payment).await?;
    system.storefront.create(payment).await?;
    // The status answer has no redirect URL, although the shopper is at the bank.
    eventually("a lost redirect", async || {
        system.sweep().await?;
        let log = system.log().await?;
        Ok(log.contains("redirect_lost").then_some(()))
    })
    .await?;
    let no_answer = json!({ "drop": true, "answer": "error_500", "answer_to": ["status"] });
    system.simulator.set_faults("no-answer", no_answer).await?;
    system.storefront.create("no-answer").await?;
    // After this time, the first poll is due.
    sleep(OUTBOX_GRACE).await;
    eventually("a failed poll", async || {
        system.sweep().await?;
        let lines = logs::json_lines(&system.sandbox).await?;
        let has_failed = |line: &Value| line["polls_failed"].as_u64() > Some(0);
        Ok(lines.iter().any(has_failed).then_some(()))
    })
    .await
}

/// Sends a callback with a code that is too long, and damages a stored payment, so that a callback about it fails.
async fn limits_and_damaged_items(system: &System) -> anyhow::Result<()> {
    let mut long = callback_message("over-limit", 101, "sale", "success", 1000);
    long["operation"]["code"] = json!("9".repeat(256));
    system.post_signed(&long, 200).await?;

    system.create_paid("damaged").await?;
    let damaged = json!({
        "TableName": system.sandbox.ready().table,
        "Key": { "pk": { "S": "payment#211/damaged" }, "sk": { "S": "payment" } },
        "UpdateExpression": "SET #document = :document",
        "ExpressionAttributeNames": { "#document": "document" },
        "ExpressionAttributeValues": { ":document": { "S": "{" } },
    });
    call(&system.sandbox, "dynamodb", "update_item", &damaged).await?;
    let again = callback_message("damaged", 102, "refund", "success", 1000);
    system.post_signed(&again, 500).await
}

/// Lets the queues refuse events. Then lets the table refuse an erasure and an expiry.
async fn missing_permissions(system: &System) -> anyhow::Result<()> {
    let callback = Permissions::of(&system.sandbox, "callback").await?;
    let sweeper = Permissions::of(&system.sandbox, "sweeper").await?;
    for permissions in [&callback, &sweeper] {
        permissions.revoke("sqs:SendMessage").await?;
    }
    let unpublished = callback_message("outbox", 91, "sale", "success", 1000);
    system.post_signed(&unpublished, 500).await?;
    sleep(OUTBOX_GRACE).await;
    let is_waiting = |swept: &Value| swept["outbox"]["oldest_s"].as_u64() > Some(0);
    let waiting = system.sweep_until("an event in the outbox", is_waiting);
    waiting.await?;
    for permissions in [&callback, &sweeper] {
        permissions.restore().await?;
    }

    sweeper.revoke("dynamodb:UpdateItem").await?;
    sweep_until_failed(system, "erased").await?;
    sweeper.restore().await?;

    // Without this grant, the sweeper can still claim a poll, but cannot store the event of an expiry.
    let grants = sweeper.grants();
    let put = grants
        .iter()
        .find(|grant| grant.action == "dynamodb:PutItem");
    sweeper
        .revoke_grant(put.context("the sweeper has no grant of dynamodb:PutItem")?)
        .await?;
    let short = json!({ "expires_in": 1 });
    system.storefront.create_with("expires", short).await?;
    sweep_until_failed(system, "expired").await?;
    sweeper.restore().await
}

/// Sweeps until a part of the sweep fails for a payment.
async fn sweep_until_failed(system: &System, part: &str) -> anyhow::Result<()> {
    let has_failed = |swept: &Value| swept[part]["failed"].as_u64() > Some(0);
    let what = format!("a failure of the part {part}");
    system.sweep_until(&what, has_failed).await?;
    Ok(())
}
