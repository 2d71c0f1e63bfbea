//! Tests the worker: it does the work that the sweeper hands out, once, and leaves other messages alone.

use anyhow::ensure;
use e2e::lambda::invoke_with;
use e2e::system::{System, accelerated};
use e2e::{ensure_contains, eventually, logs};
use serde_json::{Value, json};

#[tokio::test]
async fn a_due_poll_is_handed_out_by_the_sweeper_and_sent_by_the_worker() -> anyhow::Result<()> {
    let system = System::start(accelerated()).await?;
    system.simulator.drop_callbacks("without-callbacks").await?;
    system.storefront.create("without-callbacks").await?;
    let bank_page = system.simulator.bank_page("without-callbacks").await?;
    system.shopper.press(&bank_page, "pay").await?;
    let payment = system
        .sweep_until_payment("without-callbacks", |payment| {
            payment["status"] == "succeeded"
        })
        .await?;
    ensure_contains(&payment, json!({ "paid_amount": 1000 }))?;
    eventually("the line of the worker", async || {
        let lines = logs::json_lines(&system.sandbox).await?;
        let is_poll = |line: &Value| line["message"] == "work: done" && line["kind"] == "poll";
        Ok(lines.iter().any(is_poll).then_some(()))
    })
    .await?;

    // The payment is decided, so neither a repeat of the message nor unknown work changes anything. A message that cannot
    // be read stays in the queue.
    let sequence = payment["sequence"].clone();
    let since = "2026-01-01T00:00:00.000Z";
    let due = json!({ "project_id": 211, "payment_id": "without-callbacks", "since": since });
    let again = json!({ "kind": "poll", "payments": [due] });
    let later = json!({ "kind": "later", "endpoint": "e" });
    for (body, expected) in [
        (again.to_string(), json!([])),
        (later.to_string(), json!([])),
        ("{".to_owned(), json!([{ "itemIdentifier": "m" }])),
    ] {
        let messages = json!({ "Records": [{ "messageId": "m", "body": body }] });
        let failures = invoke_with(&system.sandbox, "worker", &messages).await?;
        ensure!(
            failures == json!({ "batchItemFailures": expected }),
            "{body}: {failures}"
        );
    }
    let payment = system.storefront.payment("without-callbacks").await?;
    ensure!(payment["sequence"] == sequence, "{payment}");
    system.stop().await;
    Ok(())
}
