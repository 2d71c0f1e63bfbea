//! An SQS FIFO queue that takes some kinds of events.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpRequest;
use aws_sdk_sqs::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Builder, Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use url::Url;

use super::sdk::{OwnUserAgent, describe};
use crate::config::QueueConfig;
use payments::events::{Event, EventKind};
use payments::ports::{EventQueue, SendError};

/// One queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    config: QueueConfig,
}

impl SqsQueue {
    /// The queues of a configuration.
    pub fn all(config: &aws_types::SdkConfig, queues: Vec<QueueConfig>) -> Vec<Self> {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        let client = Client::from_conf(config);
        let queue = |config| Self {
            client: client.clone(),
            config,
        };
        queues.into_iter().map(queue).collect()
    }

    /// Opens a connection before the first event; see [`crate::prewarm`]. One for each
    /// queue, as events go to all of them side by side.
    pub async fn prewarm(&self) {
        let once = Config::builder().retry_config(RetryConfig::disabled());
        // Everything is done as for a message, down to the connection; only then the request is
        // exchanged. If it were not, it would be refused: it names no queue.
        let request = self.client.send_message().customize();
        let request = request.config_override(once).interceptor(Ping);
        // What comes back is no answer to a message, so this always is an error.
        let _ = Box::pin(request.send()).await;
    }
}

/// Asks the service whether it is there, instead of for what the request was for. It does nothing
/// there, and nobody needs a permission for it.
#[derive(Debug)]
struct Ping;

impl Intercept for Ping {
    fn name(&self) -> &'static str {
        "Ping"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let url = Url::parse(context.request().uri())?.join("/ping")?;
        *context.request_mut() = HttpRequest::get(url)?;
        Ok(())
    }
}

impl EventQueue for SqsQueue {
    fn wants(&self, kind: EventKind) -> bool {
        self.config
            .types
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&kind))
    }

    async fn send(&self, event: &Event, repeat: Option<&str>) -> Result<(), SendError> {
        self.client
            .send_message()
            .queue_url(&self.config.url)
            .message_body(&event.body)
            .message_group_id(event.message_group_id())
            .message_deduplication_id(event.message_deduplication_id(repeat))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| SendError(describe(&error)))
    }
}
