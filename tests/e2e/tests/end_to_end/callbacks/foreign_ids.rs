//! Tests payment ids that the platform allows, but that a queue, a key or a log could refuse.

use anyhow::ensure;
use e2e::logs;
use e2e::system::{System, callback_message};
use sandbox::Options;

#[tokio::test]
async fn an_event_reaches_the_queue_whatever_characters_its_payment_id_has() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let audit = system.queue("audit")?;
    let longest = "\u{10ffff}".repeat(255);
    let ids = [
        "\u{ffff}",
        "a\u{fffe}\u{1}\u{9b}\u{2028}\n\u{202e}",
        "a/../b%2F?#",
        &longest,
    ];
    for (number, id) in (1..).zip(ids) {
        let message = callback_message(id, number, "sale", "success", 1000);
        system.post_signed(&message, 200).await?;
        let events = audit.until(id, "payment.unmatched").await?;
        ensure!(events.len() == 1, "{events:?}");
        // A route's path can contain the id.
        let shown = system.storefront.payment(id).await?;
        ensure!(shown["payment_id"] == id, "{shown}");
    }
    // No id may break a log line, so each line must be a JSON object.
    let lines = logs::json_lines(&system.sandbox).await?;
    for id in ids {
        let is_callback = |line: &&serde_json::Value| {
            line["message"] == "callback" && line["payment"] == id && line["outcome"] == "applied"
        };
        ensure!(lines.iter().filter(is_callback).count() == 1, "{id:?}");
    }
    system.stop().await;
    Ok(())
}
