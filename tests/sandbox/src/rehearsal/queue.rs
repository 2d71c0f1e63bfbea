//! Sends events to a queue, as the outbox does.

use anyhow::{Context, anyhow};
use aws::config::QueueConfig;
use aws::sdk;
use aws::sqs::SqsQueue;
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use payments::Timestamp;
use payments::ports::{Clock, EventQueue, SystemClock};
use url::{Host, Url};

use super::scenario::{Message, Way};
use crate::local_aws::{CREDENTIALS, REGION};

/// The queue of a consumer.
pub struct Queue {
    client: Client,
    url: String,
    storefront: String,
    /// `None` for a queue without order, such as a queue behind the event bus.
    fifo: Option<SqsQueue>,
}

impl Queue {
    pub fn new(config: &SdkConfig, url: &str, storefront: &str) -> Self {
        let queue = QueueConfig {
            url: url.to_owned(),
            types: None,
        };
        let fifo = url.ends_with(".fifo").then_some(queue);
        Self {
            client: Client::new(config),
            url: url.to_owned(),
            storefront: storefront.to_owned(),
            fifo: SqsQueue::all(config, fifo.into_iter().collect()).pop(),
        }
    }

    /// Sends a message. A repeat has its own deduplication id, as a republished event has.
    pub async fn send(&self, message: &Message) -> anyhow::Result<()> {
        let event = &message.event;
        let Some(fifo) = &self.fifo else {
            let request = self.client.send_message().queue_url(&self.url);
            let sent = request.message_body(&event.body).send().await;
            sent.context("The queue does not accept a message")?;
            return Ok(());
        };
        let repeat = (message.way == Way::Again).then(|| {
            let now = Timestamp::now().unix_millis();
            format!("{now}-{}", SystemClock.random(u64::MAX))
        });
        fifo.send(event, Some(&self.storefront), repeat.as_deref())
            .await?;
        Ok(())
    }

    /// Returns the number of messages that the consumer has not deleted.
    pub async fn messages(&self) -> anyhow::Result<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.set_attribute_names(Some(names.to_vec()));
        let answer = request.send().await.context("The queue cannot be read")?;
        let attributes = answer.attributes.unwrap_or_default();
        let counts = names.iter().filter_map(|name| attributes.get(name));
        let counts = counts.map(|count| count.parse::<u64>());
        counts.sum::<Result<u64, _>>().context("A count is invalid")
    }
}

/// Returns the configuration for a queue. The credentials come from the environment. A local AWS needs none.
pub fn configuration(queue: &str, endpoint: Option<&str>) -> anyhow::Result<SdkConfig> {
    let is_local = endpoint.is_some_and(is_loopback);
    let credentials = match sdk::credentials_from_environment() {
        Ok(credentials) => credentials,
        Err(_) if is_local => {
            let (id, secret) = CREDENTIALS;
            Credentials::new(id, secret, None, None, "rehearsal")
        }
        Err(error) => return Err(error.into()),
    };
    let region = std::env::var("AWS_REGION").ok();
    let region = region
        .or_else(|| region_of(queue))
        .or_else(|| is_local.then(|| REGION.to_owned()));
    let region = region.ok_or_else(|| anyhow!("the environment variable AWS_REGION is not set"))?;
    Ok(sdk::config(
        region,
        credentials,
        endpoint.map(str::to_owned),
    ))
}

fn is_loopback(url: &str) -> bool {
    let url = Url::parse(url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns the region in a URL such as `https://sqs.eu-west-1.amazonaws.com/111122223333/fulfilment.fifo`.
fn region_of(queue: &str) -> Option<String> {
    let url = Url::parse(queue).ok()?;
    let mut labels = url.host_str()?.split('.');
    let (service, region, domain) = (labels.next()?, labels.next()?, labels.next()?);
    (service == "sqs" && domain == "amazonaws").then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_queue_names_its_region() {
        for (url, region) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/111122223333/q.fifo",
                Some("eu-west-1"),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/1/q",
                Some("cn-north-1"),
            ),
            ("http://127.0.0.1:4566/000000000000/q.fifo", None),
            ("q.fifo", None),
        ] {
            assert_eq!(region_of(url).as_deref(), region, "{url}");
        }
    }

    #[test]
    fn only_a_loopback_address_is_a_local_aws() {
        for local in [
            "http://127.0.0.1:4566",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(local), "{local}");
        }
        for other in ["https://sqs.eu-west-1.amazonaws.com", "127.0.0.1:4566"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
