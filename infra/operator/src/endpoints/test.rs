//! Sends a test event to an endpoint.

use std::time::Instant;

use anyhow::bail;
use aws::webhook_http::WebhookHttp;
use clap::Args;
use payments::Timestamp;
use payments::model::webhook::EndpointId;
use payments::ports::{DeliveryOutcome, WebhookSender};
use payments::service::webhook::{TEST_TYPE, test_event};
use serde::Serialize;

use super::IdArgs;
use crate::session::Session;

/// Posts a signed test event to an endpoint from this machine, and shows the outcome.
///
/// The event has the type `webhook.test` and names no payment. The test shows that the endpoint has a valid certificate
/// and accepts the signature. It does not show that the functions reach the endpoint, because they post from another
/// network. The test also works while the endpoint is switched off. It changes nothing in the stack, and an answer 410
/// does not switch the endpoint off.
#[derive(Args)]
pub struct TestArgs {
    #[command(flatten)]
    endpoint: IdArgs,
}

#[derive(Serialize)]
struct Tested<'a> {
    endpoint: &'a EndpointId,
    host: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    outcome: &'static str,
    status: Option<u16>,
    duration_ms: u64,
}

impl TestArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let stack = session.stack;
        let endpoint = self.endpoint.find(&stack.webhooks()?).await?.endpoint?;
        let secret = stack.webhook_secret()?;
        let event = test_event(&endpoint, secret.get().await?, Timestamp::now());
        let sender = WebhookHttp::new(stack.loopback_hosts())?;
        let started = Instant::now();
        let outcome = sender.send(&endpoint.url, &event).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis())?;
        let tested = Tested {
            endpoint: &endpoint.key.id,
            host: endpoint.url.host(),
            kind: TEST_TYPE,
            outcome: outcome.as_str(),
            status: outcome.status(),
            duration_ms,
        };
        let text = format!(
            "{} at {}: {}, {duration_ms} ms\n",
            tested.endpoint,
            tested.host,
            shown(outcome)
        );
        session.write(&tested, text)?;
        match outcome.is_delivered() {
            true => Ok(()),
            false => bail!("the endpoint did not accept the test event"),
        }
    }
}

/// Returns the outcome with the status of the answer.
fn shown(outcome: DeliveryOutcome) -> String {
    let word = outcome.as_str().replace('_', " ");
    match outcome.status() {
        Some(status) => format!("{word} with status {status}"),
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_shown_with_the_status_of_its_answer() {
        for (outcome, text) in [
            (DeliveryOutcome::Delivered(204), "delivered with status 204"),
            (DeliveryOutcome::Refused(503), "refused with status 503"),
            (DeliveryOutcome::Gone, "gone with status 410"),
            (DeliveryOutcome::ForbiddenAddress, "forbidden address"),
        ] {
            assert_eq!(shown(outcome), text);
        }
    }
}
