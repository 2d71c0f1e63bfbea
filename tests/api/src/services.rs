//! Builds the handlers of the functions with the services of a test.

use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use aws::environment::LivePayments;
use aws::gate_http::HttpGate;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret};
use aws::sqs::SqsQueue;
use aws_types::SdkConfig;
use callback::handler::Callbacks;
use checkout::handler::Checkouts;
use payments::Payments;
use payments::model::schedule::Schedule;
use payments::ports::SystemClock;
use payments::service::checkout::payment_page::PaymentPageSettings;
use refund::handler::Refunds;
use wire::{STOREFRONT_KEYS, TABLE};

/// The name of the secret with the project keys.
pub const PROJECT_KEYS: &str = "keys";
/// The name of the secret behind the checkout tokens.
pub const TOKENS: &str = "tokens";

/// The services that the functions call.
#[derive(Debug, Clone)]
pub struct Services {
    /// The client configuration for DynamoDB.
    pub table: SdkConfig,
    /// The client configuration for SQS.
    pub queues: SdkConfig,
    /// The client configuration for Secrets Manager.
    pub secrets: SdkConfig,
    /// The base URL of Gate.
    pub gate: String,
    /// The URLs of the queues that receive all events.
    pub queue_urls: Vec<String>,
}

impl Services {
    /// Returns the function that serves checkouts and payments.
    pub fn checkouts(&self) -> anyhow::Result<Checkouts> {
        let payments = self.payments();
        Ok(Checkouts {
            storefronts: payments.store.storefront_keys(STOREFRONT_KEYS),
            payments,
            keys: self.keys(),
            gate: HttpGate::new(self.gate.as_str())?,
            tokens: CachedTokenSecret::new(&self.secrets, TOKENS),
            base_url: "https://api.example".into(),
            page_url: "https://page.example/payment".into(),
            page_settings: PaymentPageSettings {
                languages: ["en", "fr", "de"].map(String::from).into(),
                automatic_return: true,
            },
            wait_slots: 20,
        })
    }

    /// Returns the function that serves refunds.
    pub fn refunds(&self) -> anyhow::Result<Refunds> {
        let payments = self.payments();
        Ok(Refunds {
            storefronts: payments.store.storefront_keys(STOREFRONT_KEYS),
            payments,
            keys: self.keys(),
            gate: HttpGate::new(self.gate.as_str())?,
        })
    }

    /// Returns the function that receives callbacks.
    pub fn callbacks(&self) -> Callbacks {
        Callbacks::new(self.payments(), self.keys())
    }

    fn payments(&self) -> LivePayments {
        let queues = self.queue_urls.iter().map(|url| QueueConfig {
            url: url.clone(),
            types: None,
        });
        Payments {
            store: DynamoStore::new(&self.table, TABLE),
            queues: SqsQueue::all(&self.queues, queues.collect()),
            clock: SystemClock,
            schedule: Schedule::default(),
        }
    }

    fn keys(&self) -> CachedProjectKeys {
        CachedProjectKeys::new(&self.secrets, PROJECT_KEYS)
    }
}
