//! Posts events to an endpoint, as the service does, but repeats failed deliveries after a short time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use aws::webhook_http::WebhookHttp;
use payments::Timestamp;
use payments::model::webhook::{EndpointUrl, LoopbackHosts, SignedEvent, WebhookSecret};
use payments::ports::{DeliveryOutcome, WebhookSender};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::scenario::{Message, Way};

/// The tries of an event that the endpoint refuses.
const TRIES: u32 = 5;
/// The tries of a message that is no event, or of an event after [`MAX_FAILURES`].
const FEW_TRIES: u32 = 2;
/// After this many failed deliveries in a row, the endpoint has probably stopped for good.
const MAX_FAILURES: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The time for a consumer that does not answer, for example because it starts again.
const RESTART: Duration = Duration::from_secs(20);

/// The endpoint of a consumer.
pub struct Endpoint {
    http: WebhookHttp,
    url: EndpointUrl,
    secret: WebhookSecret,
    /// The failed deliveries since the last success.
    failures: AtomicU32,
}

impl Endpoint {
    pub fn new(url: EndpointUrl, secret: WebhookSecret) -> anyhow::Result<Self> {
        Ok(Self {
            http: WebhookHttp::new(LoopbackHosts::Allowed)?,
            url,
            secret,
            failures: AtomicU32::new(0),
        })
    }

    /// Waits until the endpoint accepts connections.
    pub async fn until_open(&self) -> anyhow::Result<()> {
        let end = Instant::now() + RESTART;
        let address = (self.url.host().trim_matches(['[', ']']), self.url.port());
        while let Err(error) = TcpStream::connect(address).await {
            if Instant::now() >= end {
                let authority = self.url.authority();
                return Err(error).with_context(|| format!("{authority} accepts no connection"));
            }
            sleep(FIRST_DELAY).await;
        }
        Ok(())
    }

    /// Posts a message until the endpoint accepts it. Returns how the last try ended if it never accepts the message.
    pub async fn deliver(&self, message: &Message) -> anyhow::Result<Option<DeliveryOutcome>> {
        let has_stopped = self.failures.load(Ordering::Relaxed) >= MAX_FAILURES;
        let is_poison = message.way == Way::Poison;
        let tries = match has_stopped || is_poison {
            true => FEW_TRIES,
            false => TRIES,
        };
        let outcome = self.try_often(message, tries).await;
        match outcome {
            DeliveryOutcome::Delivered(_) => self.failures.store(0, Ordering::Relaxed),
            DeliveryOutcome::ForbiddenAddress | DeliveryOutcome::Dns => {
                bail!("{} cannot be an endpoint: {outcome}", self.url.authority())
            }
            _ if is_poison => {}
            _ => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    async fn try_often(&self, message: &Message, tries: u32) -> DeliveryOutcome {
        let end = Instant::now() + RESTART;
        let mut delay = FIRST_DELAY;
        let mut refused = 0;
        loop {
            let outcome = self.post(message).await;
            match outcome {
                DeliveryOutcome::Refused(_) => refused += 1,
                DeliveryOutcome::Connect | DeliveryOutcome::Cut | DeliveryOutcome::Timeout => {}
                _ => return outcome,
            }
            if refused >= tries || Instant::now() >= end {
                return outcome;
            }
            sleep(delay).await;
            delay = (delay * 2).min(Duration::from_secs(1));
        }
    }

    async fn post(&self, message: &Message) -> DeliveryOutcome {
        let event = &message.event;
        let body = event.body.clone();
        let signed = SignedEvent::new(&event.id, body, Timestamp::now(), &self.secret, None);
        self.http.send(&self.url, &signed).await
    }
}
