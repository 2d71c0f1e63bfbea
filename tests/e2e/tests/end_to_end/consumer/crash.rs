//! Tests a consumer whose processes are killed at random steps.

use std::time::Duration;

use anyhow::ensure;
use e2e::eventually;
use tokio::time::sleep;

use crate::consumer::processes::FunctionProcesses;
use crate::consumer::setup::Setup;
use crate::consumer::table;

const PAYMENTS: [&str; 3] = ["killed-1", "killed-2", "killed-3"];

#[tokio::test]
async fn a_consumer_that_is_killed_during_a_batch_ships_each_order_once() -> anyhow::Result<()> {
    let setup = Setup::start().await?;
    setup.fulfilment.set_redelivery(1, 1000).await?;
    let processes = FunctionProcesses::of(setup.system.ready(), "fulfilment")?;
    let kills = processes.kill_during(pay_until_a_batch_repeats(&setup));
    let kills = kills.await?;
    ensure!(kills > 0, "no process was killed");

    setup.fulfilment.until_empty().await?;
    for payment_id in PAYMENTS {
        let stored = table::until(&setup.system, payment_id, |_| true).await?;
        ensure!(stored.actions == ["ship"], "{stored:?}");
    }
    setup.ensure_no_dead_letters().await?;
    setup.system.stop().await;
    Ok(())
}

/// Pays all payments, and sends their events until the log shows that the queue delivered a batch again. The queue
/// delivers a batch again if the consumer was killed during the first delivery.
async fn pay_until_a_batch_repeats(setup: &Setup) -> anyhow::Result<()> {
    for payment_id in PAYMENTS {
        setup.system.create_paid(payment_id).await?;
    }
    let paid = PAYMENTS.map(|payment_id| (payment_id, "payment.succeeded"));
    let mut published = setup.audit.until_all(&paid).await?;
    published.retain(|event| event["type"] == "payment.succeeded");
    let mut number = 0;
    eventually("a second delivery of a batch", async || {
        number += 1;
        for event in &published {
            setup.send_again(event, &format!("again-{number}")).await?;
        }
        sleep(Duration::from_secs(1)).await;
        let log = setup.system.log().await?;
        Ok(log.contains("\"deliveries\":2").then_some(()))
    })
    .await
}
