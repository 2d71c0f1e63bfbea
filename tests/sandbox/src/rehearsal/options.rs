//! Defines the options of a rehearsal.

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use payments::model::webhook::{EndpointUrl, LoopbackHosts, MasterSecret, WebhookSecret};
use payments::ports::{Clock, SystemClock};

use super::endpoint::Endpoint;
use super::queue::{self, Queue};
use super::{Outcome, Target, scenarios};

/// The options of a rehearsal.
#[derive(Clone, Debug, Args)]
pub struct Rehearsal {
    /// The URL of the queue that the consumer reads
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "endpoint",
        conflicts_with = "endpoint"
    )]
    pub queue: Option<String>,
    /// The URL of the endpoint of the consumer: https, or any loopback address
    #[arg(long, value_name = "URL", value_parser = endpoint_url)]
    pub endpoint: Option<EndpointUrl>,
    /// A shell command that prints what the consumer did, as JSON lines in the order of time:
    /// {"payment": "211/order-1", "action": "ship", "hold" or "take_back"}
    #[arg(long, value_name = "CMD", value_parser = NonEmptyStringValueParser::new())]
    pub state_command: String,
    /// A shell command that runs the consumer. The rehearsal starts it, kills it and starts it again
    #[arg(long, value_name = "CMD", value_parser = NonEmptyStringValueParser::new())]
    pub consumer_command: Option<String>,
    /// The secret of the endpoint, with which events are signed [default: a random secret]
    #[arg(long, value_name = "whsec_...", value_parser = secret, requires = "endpoint")]
    pub secret: Option<WebhookSecret>,
    /// The URL of a local AWS, such as aws_endpoint in ready.json of a sandbox
    #[arg(long, value_name = "URL", requires = "queue")]
    pub aws_endpoint: Option<String>,
    /// The project of the payments
    #[arg(long, default_value_t = 211, value_parser = clap::value_parser!(u32).range(1..))]
    pub project: u32,
    /// The storefront of the payments, which is an attribute of the messages of a queue
    #[arg(long, value_name = "NAME", default_value = "shop", value_parser = NonEmptyStringValueParser::new())]
    pub storefront: String,
    /// Play only this scenario; can be repeated
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(scenarios::ALL.iter().map(|scenario| scenario.name)))]
    pub scenario: Vec<String>,
    /// The number of payments of the scenario burst
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub burst: u32,
    /// Repeat the random orders and times of an earlier rehearsal
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The maximum time for the consumer after the last message, in seconds
    #[arg(long, value_name = "S", default_value_t = 300)]
    pub timeout: u64,
}

fn endpoint_url(text: &str) -> Result<EndpointUrl, String> {
    EndpointUrl::parse(text, LoopbackHosts::Allowed).map_err(|error| error.to_string())
}

fn secret(text: &str) -> Result<WebhookSecret, String> {
    let secret = WebhookSecret::from_text(text);
    secret.ok_or_else(|| "not whsec_ and at least 24 bytes in base64".to_owned())
}

impl Rehearsal {
    /// Plays all scenarios and compares the actions of the consumer. An error means that the rehearsal has no result.
    pub async fn run(&self) -> anyhow::Result<Outcome> {
        super::run(self, self.target()?).await
    }

    fn target(&self) -> anyhow::Result<Target> {
        if let Some(url) = &self.endpoint {
            let secret = self.secret.clone().or_else(random_secret);
            let secret = secret.ok_or_else(|| anyhow::anyhow!("No secret can be made"))?;
            return Ok(Target::Endpoint(Endpoint::new(url.clone(), secret)?));
        }
        let queue = self.queue.as_deref().unwrap_or_default();
        let config = queue::configuration(queue, self.aws_endpoint.as_deref())?;
        Ok(Target::Queue(Queue::new(&config, queue, &self.storefront)))
    }
}

fn random_secret() -> Option<WebhookSecret> {
    let master = format!("{:032x}", SystemClock.random(u64::MAX));
    Some(MasterSecret::new(&master)?.secret("rehearsal", 1))
}
