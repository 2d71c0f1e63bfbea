//! Tests events that the queue delivers more than once.

use anyhow::ensure;
use payments::Timestamp;

use crate::consumer::setup::Setup;
use crate::consumer::table;

#[tokio::test]
async fn a_paid_order_is_shipped_once_when_its_events_are_delivered_three_times()
-> anyhow::Result<()> {
    let setup = Setup::start().await?;
    for payment_id in ["kept", "Returned", "partial"] {
        setup.ship(payment_id).await?;
    }
    setup.refund("Returned", 1000, "refunded").await?;
    setup.refund("partial", 400, "partially_refunded").await?;

    let last = [
        ("kept", "payment.succeeded"),
        ("Returned", "refund.succeeded"),
        ("partial", "refund.succeeded"),
    ];
    let mut published = setup.audit.until_all(&last).await?;
    let consumed = ["payment.succeeded", "refund.pending", "refund.succeeded"];
    published.retain(|event| consumed.iter().any(|kind| event["type"] == *kind));
    for name in ["again", "and-again"] {
        for event in &published {
            setup.send_again(event, name).await?;
        }
    }
    setup.fulfilment.until_empty().await?;

    for (payment_id, goods, actions) in [
        ("kept", "shipped", ["ship"].as_slice()),
        ("returned", "taken_back", &["ship", "nothing", "take_back"]),
        ("partial", "shipped", &["ship", "nothing", "nothing"]),
    ] {
        let stored = table::until(&setup.system, payment_id, |_| true).await?;
        ensure!(stored.actions == actions, "{stored:?}");
        ensure!(stored.goods == goods, "{stored:?}");
        let seconds = stored.expires_at - Timestamp::now().unix_seconds();
        let days = seconds / (24 * 3_600);
        ensure!(
            days >= 31,
            "the item of {payment_id} expires after {days} days"
        );
    }
    setup.ensure_no_dead_letters().await?;
    setup.system.stop().await;
    Ok(())
}
