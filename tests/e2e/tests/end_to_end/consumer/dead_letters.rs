//! Tests messages that the consumer cannot apply.

use anyhow::ensure;
use e2e::eventually;

use crate::consumer::setup::Setup;
use crate::consumer::table;

/// A message that is not a valid event.
const POISON: &str = r#"{"specversion": "1.0", "subject": "canary-in-a-poison-message"}"#;

#[tokio::test]
async fn a_message_that_cannot_be_applied_becomes_a_dead_letter_and_delays_no_other_payment()
-> anyhow::Result<()> {
    let setup = Setup::start().await?;
    // The queue delivers a failed message a second time after 15 s. After 15 s more, the message becomes a dead letter.
    setup.fulfilment.set_redelivery(15, 2).await?;
    setup.ship("poisoned").await?;
    table::corrupt(&setup.system, "failing").await?;
    setup.system.create_paid("failing").await?;
    let poison = setup.fulfilment.send("211/poisoned", "poison", POISON);
    poison.await?;
    eventually("the delivery of the two messages", async || {
        let (_, delivered) = setup.fulfilment.counts().await?;
        Ok((delivered == 2).then_some(()))
    })
    .await?;
    setup.ship("healthy").await?;
    // `healthy` was shipped before the two messages became dead letters, so the messages did not delay this payment.
    setup.ensure_no_dead_letters().await?;

    setup.refund("poisoned", 1000, "refunded").await?;
    setup.refund("failing", 1000, "refunded").await?;
    let returned = table::until(&setup.system, "poisoned", |stored| {
        stored.goods == "taken_back"
    });
    let returned = returned.await?;
    let expected = ["ship", "nothing", "take_back"];
    ensure!(returned.actions == expected, "{returned:?}");
    let dead = setup.dead_letters.counts().await?;
    ensure!(
        dead != (0, 0),
        "the refund was applied before the invalid message became a dead letter"
    );

    // One invalid message, and three events of the payment `failing`.
    let dead = setup.dead_letters.take(4).await?;
    let dead = dead.into_iter().map(|message| message.body);
    let (poisons, events): (Vec<_>, Vec<_>) = dead.partition(|body| body == POISON);
    ensure!(poisons.len() == 1, "{poisons:?}");
    setup.fulfilment.until_empty().await?;
    let log = setup.system.log().await?;
    let message = "the message is not a valid event";
    ensure!(
        log.contains(message),
        "the log does not mention the invalid message"
    );
    ensure!(
        !log.contains("canary-in-a-poison"),
        "the log contains the body of a message"
    );

    // Without the invalid item, the consumer can process the payment again. The test sends the payment's events in
    // reverse order. The consumer must not ship the refunded order.
    table::delete(&setup.system, "failing").await?;
    for event in events.iter().rev() {
        let event = serde_json::from_str(event)?;
        setup.send_again(&event, "redriven").await?;
    }
    let repaired = table::until(&setup.system, "failing", |stored| stored.actions.len() == 3);
    let repaired = repaired.await?;
    ensure!(repaired.actions == ["nothing"; 3], "{repaired:?}");
    setup.system.stop().await;
    Ok(())
}
