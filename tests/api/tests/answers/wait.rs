//! Tests the header `Prefer: wait=N` of `POST /checkouts`.

use std::time::{Duration, Instant};

use anyhow::ensure;
use api::routes::CHECKOUTS;
use api::{Answer, Api, Call, PAYMENT, SHOP, order};
use futures_util::future::join_all;
use tokio::time::sleep;

/// Creates a checkout with this `Prefer` header. Returns the answer and the duration.
async fn create(api: &Api, payment_id: &str, wait: &str) -> anyhow::Result<(Answer, Duration)> {
    let start = Instant::now();
    let call = Call {
        route: CHECKOUTS,
        key: SHOP,
        headers: &[("prefer", wait)],
        body: order(payment_id).to_string(),
        ..Call::default()
    };
    let answer = api.call(call).await?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok((answer, start.elapsed()))
}

#[tokio::test]
async fn the_preferred_wait_of_a_checkout_request_includes_the_time_of_gate() -> anyhow::Result<()>
{
    let api = Api::start().await?;
    create(&api, "warm", "wait=0").await?;
    let gate = Duration::from_secs(1);
    api.gate.delay(gate);
    // Gate's answer takes the whole preferred wait of one second, so the request must not wait any longer.
    let (_, time) = create(&api, "p-1", "wait=1").await?;
    ensure!(time < gate + Duration::from_millis(700), "{time:?}");
    let (_, time) = create(&api, "p-2", "wait=2").await?;
    let expected = Duration::from_millis(1_500)..Duration::from_millis(2_700);
    ensure!(expected.contains(&time), "{time:?}");
    Ok(())
}

#[tokio::test]
async fn a_waiting_checkout_request_is_answered_with_the_redirect_url() -> anyhow::Result<()> {
    let api = Api::start().await?;
    let report = async {
        sleep(Duration::from_millis(500)).await;
        api.report("redirect_get.json").await
    };
    let (created, reported) = tokio::join!(create(&api, PAYMENT, "Wait = \"10\""), report);
    reported?;
    let (answer, time) = created?;
    ensure!(answer.json["redirect"].is_object(), "{answer:?}");
    ensure!(time < Duration::from_secs(9), "{time:?}");
    Ok(())
}

#[tokio::test]
async fn a_checkout_request_waits_only_if_it_gets_a_slot() -> anyhow::Result<()> {
    let mut api = Api::start().await?;
    api.checkouts.wait_slots = 1;
    create(&api, "warm", "wait=0").await?;
    let ids = ["p-1", "p-2", "p-3", "p-4", "p-5"];
    let answers = join_all(ids.map(|id| create(&api, id, "wait=4"))).await;
    let answers: Vec<_> = answers.into_iter().collect::<anyhow::Result<_>>()?;
    let has_waited = |time: &Duration| *time >= Duration::from_secs(3);
    let waited = answers.iter().filter(|(_, time)| has_waited(time)).count();
    ensure!(waited == 1, "{answers:?}");
    // The first wait has released the slot.
    let (_, time) = create(&api, "p-6", "wait=4").await?;
    ensure!(has_waited(&time), "{time:?}");
    Ok(())
}
