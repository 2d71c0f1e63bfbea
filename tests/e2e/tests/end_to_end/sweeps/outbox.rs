//! Tests events that could not be published after their commit.

use anyhow::{Context, ensure};
use e2e::permissions::Permissions;
use e2e::queue::{sequences, types};
use e2e::system::{OUTBOX_GRACE, System};
use sandbox::Options;
use tokio::time::sleep;

use crate::callbacks::collection::{PAYMENT, body, create};

#[tokio::test]
async fn events_that_no_queue_accepted_are_published_later_in_order() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    create(&system).await?;

    let callback = Permissions::of(&system.sandbox, "callback").await?;
    let sweeper = Permissions::of(&system.sandbox, "sweeper").await?;
    for permissions in [&callback, &sweeper] {
        permissions.revoke("sqs:SendMessage").await?;
    }
    for file in [
        "redirect_get.json",
        "sale_success.json",
        "refund_partial_1.json",
    ] {
        let status = system.post_callback(body(file)?).await?;
        ensure!(status == 500, "{file} was answered {status}");
    }
    let payment = system.storefront.payment(PAYMENT).await?;
    ensure!(payment["status"] == "partially_refunded", "{payment}");
    let last = payment["sequence"]
        .as_u64()
        .context("the payment has no sequence number")?;

    sleep(OUTBOX_GRACE).await;
    let run = &system.sweep().await?["outbox"];
    ensure!(run["found"] == 1 && run["failed"] == 1, "{run}");
    let failure = run["failure"].as_str().unwrap_or_default();
    ensure!(failure.contains("AccessDenied"), "{failure}");
    ensure!(run["oldest_s"].as_u64() >= Some(2), "{run}");

    for permissions in [&callback, &sweeper] {
        permissions.restore().await?;
    }
    // A scheduled sweep can publish the events before a sweep of this test does.
    system
        .sweep_until("an empty outbox", |swept| swept["outbox"]["found"] == 0)
        .await?;
    let events = system.queue("audit")?;
    let events = events.until(PAYMENT, "refund.succeeded").await?;
    let numbers = sequences(&events);
    ensure!(
        numbers.iter().copied().eq(1..=last),
        "{numbers:?} of {last}"
    );
    let types = types(&events);
    ensure!(
        types[1..3] == ["payment.awaiting_customer", "payment.succeeded"],
        "{types:?}"
    );

    // The platform repeats a callback until the answer is 200.
    let repeated = system.post_callback(body("refund_partial_1.json")?).await?;
    ensure!(repeated == 200, "{repeated}");
    let log = system.log().await?;
    for message in ["\"message\":\"sweep: some failed\"", "sweep: done"] {
        ensure!(log.contains(message), "the log has no {message}");
    }
    system.stop().await;
    Ok(())
}
