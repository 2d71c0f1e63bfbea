//! Tests what happens to the events of endpoints that fail. Each endpoint has a storefront and a payment of its own, all
//! with the same name.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use e2e::endpoint::{Answer, TestEndpoint, endpoint_of, stores};
use e2e::lambda::{invoke, set_variable};
use e2e::queue::sequences;
use e2e::storefront::Storefront;
use e2e::system::{System, accelerated};
use e2e::{eventually, logs, until_matching};
use payments::model::webhook::{DisabledBy, EndpointState};
use payments::ports::DeliveryStore;
use sandbox::Options;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::webhooks::tls::UntrustedEndpoint;

#[tokio::test]
async fn an_event_of_a_failing_endpoint_is_tried_again_and_nothing_is_sent_to_a_refused_address()
-> anyhow::Result<()> {
    let system = System::start(Options {
        webhooks: true,
        ..accelerated()
    })
    .await?;
    let target = TestEndpoint::start(system.ready(), "target").await?;
    let cases = async {
        tokio::try_join!(
            an_event_without_an_answer_in_15_s_is_tried_again(&system),
            events_wait_in_order_while_the_endpoint_answers_500(&system),
            a_redirect_is_not_followed(&system, &target),
            an_answer_without_an_end_counts_by_its_status(&system),
            an_endpoint_with_an_unknown_issuer_gets_no_request(&system),
            an_endpoint_that_answers_410_gets_nothing_more(&system),
        )
    };
    let (.., gone) = tokio::select! {
        results = cases => results?,
        error = hand_out_forever(&system) => return Err(error),
    };
    all_queues_are_empty(&system).await?;
    ensure!(target.received().is_empty(), "{:?}", target.received());
    ensure!(gone.received().len() == 1, "{:?}", gone.received());
    a_name_with_a_private_address_gets_no_connection(&system).await?;
    system.stop().await;
    Ok(())
}

/// Lets due retries be handed out, as each minute does.
async fn hand_out_forever(system: &System) -> anyhow::Error {
    loop {
        if let Err(error) = invoke(&system.sandbox, "webhookrouter").await {
            return error;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn all_queues_are_empty(system: &System) -> anyhow::Result<()> {
    for queue in ["webhook", "webhookdelivery", "webhookretry"] {
        system.queue(queue)?.until_empty().await?;
    }
    Ok(())
}

async fn an_event_without_an_answer_in_15_s_is_tried_again(system: &System) -> anyhow::Result<()> {
    retried(system, "slow", vec![Answer::Never]).await?;
    ensure_outcomes(system, "slow", &[("timeout", Value::Null)]).await
}

/// With undivided delays, the fifth try is more than two hours after the first.
async fn events_wait_in_order_while_the_endpoint_answers_500(
    system: &System,
) -> anyhow::Result<()> {
    retried(system, "failing", vec![Answer::Status(500); 4]).await?;
    let outcomes = vec![("refused", json!(500)); 4];
    ensure_outcomes(system, "failing", &outcomes).await
}

async fn a_redirect_is_not_followed(system: &System, target: &TestEndpoint) -> anyhow::Result<()> {
    let url = target.endpoint.url.as_str().to_owned();
    retried(system, "moved", vec![Answer::Redirect(url)]).await?;
    ensure_outcomes(system, "moved", &[("refused", json!(307))]).await
}

async fn an_answer_without_an_end_counts_by_its_status(system: &System) -> anyhow::Result<()> {
    let answers = vec![Answer::Endless(500), Answer::Endless(200)];
    retried(system, "endless", answers).await?;
    let outcomes = [("refused", json!(500)), ("delivered", json!(200))];
    ensure_outcomes(system, "endless", &outcomes).await
}

async fn an_endpoint_with_an_unknown_issuer_gets_no_request(system: &System) -> anyhow::Result<()> {
    let untrusted = UntrustedEndpoint::start().await?;
    let storefront = add_endpoint(system, "untrusted", &untrusted.url).await?;
    storefront.create("untrusted").await?;
    ensure_outcomes(system, "untrusted", &[("tls", Value::Null)]).await?;
    ensure!(untrusted.connections() > 0 && untrusted.requests() == 0);
    Ok(())
}

async fn an_endpoint_that_answers_410_gets_nothing_more(
    system: &System,
) -> anyhow::Result<TestEndpoint> {
    let storefront = Storefront::add(system.ready(), "gone").await?;
    let gone = TestEndpoint::start_of(system.ready(), "gone", "gone").await?;
    let other = TestEndpoint::start_of(system.ready(), "gone", "other").await?;
    gone.answer_first([Answer::Status(410)]);
    let checkout = storefront.create("gone").await?;
    let deliveries = stores(system.ready())?.deliveries;
    eventually("an endpoint that is switched off", async || {
        let state = deliveries.health(&gone.endpoint.key.id).await?.state;
        let by_itself = DisabledBy::Endpoint;
        let is_off = matches!(state, EndpointState::Disabled { ref by, .. } if *by == by_itself);
        Ok(is_off.then_some(()))
    })
    .await?;
    system.shopper.pay(&checkout).await?;
    // The messages for both endpoints are sent together.
    other.until("gone", "payment.succeeded").await?;
    ensure_outcomes(system, "gone", &[("gone", json!(410))]).await?;
    Ok(gone)
}

/// The endpoint is `https://localhost/`. In this case, the function treats it as any name with a private address.
async fn a_name_with_a_private_address_gets_no_connection(system: &System) -> anyhow::Result<()> {
    set_variable(
        &system.sandbox,
        "webhook",
        "WEBHOOK_ALLOW_LOOPBACK",
        "false",
    )
    .await?;
    let storefront = add_endpoint(system, "private", "https://localhost/").await?;
    storefront.create("private").await?;
    ensure_outcomes(system, "private", &[("forbidden_address", Value::Null)]).await
}

/// Adds an endpoint and its storefront.
async fn add_endpoint(system: &System, name: &str, url: &str) -> anyhow::Result<Storefront> {
    let storefront = Storefront::add(system.ready(), name).await?;
    let endpoint = endpoint_of(system.ready(), name, name, url)?;
    ensure!(stores(system.ready())?.endpoints.add(&endpoint).await?);
    Ok(storefront)
}

/// Makes a payment whose endpoint gives these answers to the first tries, of which the last may be a success. Checks that
/// the first event was tried again after each failure, and that all events arrived in order.
async fn retried(system: &System, name: &str, answers: Vec<Answer>) -> anyhow::Result<()> {
    let storefront = Storefront::add(system.ready(), name).await?;
    let endpoint = TestEndpoint::start_of(system.ready(), name, name).await?;
    let is_success = |answer: &Answer| matches!(answer, Answer::Endless(200));
    let failures = answers.iter().filter(|answer| !is_success(answer)).count();
    endpoint.answer_first(answers);
    let checkout = storefront.create(name).await?;
    system.shopper.pay(&checkout).await?;
    let mut posted = endpoint.until(name, "payment.succeeded").await?;
    let tries = sequences(&posted);
    let first = tries.iter().take_while(|sequence| **sequence == 1).count();
    ensure!(first > failures, "{name}: {tries:?}");
    // An event that was sent before can arrive again.
    let mut seen = BTreeSet::new();
    posted.retain(|event| seen.insert(event["id"].to_string()));
    let arrived = sequences(&posted);
    ensure!(
        arrived.is_sorted_by(|a, b| a + 1 == *b),
        "{name}: {arrived:?}"
    );
    for request in &endpoint.received() {
        endpoint.ensure_signed(request).await?;
    }
    Ok(())
}

/// Waits until the log has these first outcomes of an endpoint, each with the HTTP status.
async fn ensure_outcomes(
    system: &System,
    endpoint: &str,
    expected: &[(&str, Value)],
) -> anyhow::Result<()> {
    let expected = expected
        .iter()
        .map(|(outcome, status)| json!([outcome, status]));
    let expected: Vec<Value> = expected.collect();
    let read = async || {
        let lines = logs::json_lines(&system.sandbox).await?;
        let of_endpoint = lines.iter().filter(|line| line["endpoint"] == endpoint);
        let outcomes = of_endpoint.filter(|line| line["outcome"].is_string());
        let outcomes = outcomes.map(|line| json!([line["outcome"], line["status"]]));
        Ok(outcomes.take(expected.len()).collect())
    };
    let what = format!("the outcomes of {endpoint}");
    until_matching(&what, read, |outcomes| *outcomes == json!(expected)).await?;
    Ok(())
}
