//! Implements the queues of events with SQS FIFO queues (`shared/decisions/state/0010-fifo-queues.md`).

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpRequest;
use aws_sdk_sqs::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Builder, Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::{BoxError, BuildError};
use aws_sdk_sqs::types::MessageAttributeValue;
use payments::events::{Event, EventKind};
use payments::ports::{EventQueue, SendError};
use url::Url;

use crate::config::QueueConfig;
use crate::sdk::{OwnUserAgent, describe};

/// A queue, and the kinds of events that it receives.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    config: QueueConfig,
}

impl SqsQueue {
    /// Creates all queues. The queues share one client.
    pub fn all(config: &aws_types::SdkConfig, queues: Vec<QueueConfig>) -> Vec<Self> {
        let config = Builder::from(config).interceptor(OwnUserAgent).build();
        let client = Client::from_conf(config);
        let queue = |config| Self {
            client: client.clone(),
            config,
        };
        queues.into_iter().map(queue).collect()
    }

    /// Opens a connection; see [`crate::prewarm`]. Each queue needs a connection, because an event is sent to all
    /// queues in parallel.
    pub async fn prewarm(&self) {
        let no_retries = Config::builder().retry_config(RetryConfig::disabled());
        // The SDK prepares a message, and `Ping` replaces the request just before it is sent.
        let request = self.client.send_message().customize();
        let request = request.config_override(no_retries).interceptor(Ping);
        // The result is always an error, because the answer to `Ping` is not the answer to a message.
        let _ = Box::pin(request.send()).await;
    }
}

/// Replaces a request with `GET /ping`, which has no effect and needs no permission.
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

    async fn send(
        &self,
        event: &Event,
        storefront: Option<&str>,
        repeat: Option<&str>,
    ) -> Result<(), SendError> {
        let attributes = attributes(event, storefront);
        let attributes = attributes.map_err(|error| SendError(error.to_string()))?;
        self.client
            .send_message()
            .queue_url(&self.config.url)
            .message_body(&event.body)
            .set_message_attributes(Some(attributes))
            .message_group_id(event.message_group_id())
            .message_deduplication_id(event.message_deduplication_id(repeat))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| SendError(describe(&error)))
    }
}

/// Returns the attributes of a message, by which a consumer can select events without reading their bodies.
fn attributes(
    event: &Event,
    storefront: Option<&str>,
) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    let project_id = event.key.project_id().to_string();
    let named = [
        ("type", Some(event.kind.as_str())),
        ("project_id", Some(&*project_id)),
        ("storefront", storefront),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    named
        .map(|(name, value)| {
            let attribute = MessageAttributeValue::builder().data_type("String");
            Ok((name.to_owned(), attribute.string_value(value).build()?))
        })
        .collect()
}
