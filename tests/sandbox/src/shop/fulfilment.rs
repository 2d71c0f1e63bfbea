//! Runs the shop's own consumer of the `fulfilment` queue.
//!
//! In the sandbox, other programs read the same queue. Therefore the shop reads the queue only if a page shows a paid
//! order whose event is missing. It stops as soon as a shipment has changed.
//!
//! The shop hides the events about other payments. Each read hides an event for a longer time than the read before,
//! because every read counts as a delivery. After ten deliveries, SQS would move the event to the dead-letter queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use payments::escape::for_terminal;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::history::History;
use super::orders::{Event, Orders, Shipment};
use crate::progress::say;

/// The prefix of the shop's payment ids.
const PAYMENT_ID_PREFIX: &str = "shop-";
/// The longest time for which the shop reads the queue after a call of [`Fulfilment::check_queue`].
const READ_TIME: Duration = Duration::from_secs(20);

/// The running consumer. Dropping this value ends the consumer.
#[derive(Debug)]
pub struct Fulfilment {
    consumer: Arc<Consumer>,
    task: JoinHandle<()>,
}

impl Fulfilment {
    /// Starts the consumer of a queue.
    pub fn start(client: Client, queue_url: String, history: Arc<History>) -> Self {
        let consumer = Arc::new(Consumer {
            client,
            queue_url,
            history,
            orders: Mutex::default(),
            wanted: Notify::new(),
        });
        let running = Arc::clone(&consumer);
        let task = tokio::spawn(async move {
            loop {
                running.wanted.notified().await;
                running.read_queue().await;
            }
        });
        Self { consumer, task }
    }

    /// Makes the consumer read the queue until a shipment has changed, or for at most 20 seconds.
    pub fn check_queue(&self) {
        self.consumer.wanted.notify_one();
    }

    /// Returns the shipment of an order.
    pub fn shipment(&self, payment_id: &str) -> Shipment {
        self.consumer.orders().shipment(payment_id)
    }
}

impl Drop for Fulfilment {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Consumer {
    client: Client,
    queue_url: String,
    history: Arc<History>,
    orders: Mutex<Orders>,
    wanted: Notify,
}

impl Consumer {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the queue until a shipment has changed, or until [`READ_TIME`] is over.
    async fn read_queue(&self) {
        let end = Instant::now() + READ_TIME;
        let mut hidden_s = 1;
        while Instant::now() < end {
            let received = self
                .client
                .receive_message()
                .queue_url(&self.queue_url)
                .max_number_of_messages(10)
                .wait_time_seconds(2)
                .send()
                .await;
            let messages = match received {
                Ok(received) => received.messages.unwrap_or_default(),
                Err(_) => return say("The shop cannot read the fulfilment queue"),
            };
            let mut has_changed = false;
            for message in messages {
                has_changed |= self.handle(message, hidden_s).await;
            }
            if has_changed {
                return;
            }
            hidden_s *= 3;
        }
    }

    /// Applies the event if it is about a payment of the shop. Otherwise hides the event for `hidden_s` seconds.
    /// Returns whether a shipment has changed.
    async fn handle(&self, message: Message, hidden_s: i32) -> bool {
        let receipt = message.receipt_handle.unwrap_or_default();
        let event: Option<Event> = message
            .body
            .and_then(|body| serde_json::from_str(&body).ok());
        let Some(event) = event.filter(|event| event.subject.starts_with(PAYMENT_ID_PREFIX)) else {
            let _ = self
                .client
                .change_message_visibility()
                .queue_url(&self.queue_url)
                .receipt_handle(receipt)
                .visibility_timeout(hidden_s)
                .send()
                .await;
            return false;
        };
        self.history.add_event(&event.subject, &event.kind);
        let changed = self.orders().apply(&event);
        if let Some(shipment) = changed {
            say(&format!(
                "  shop     {} {}: {}",
                for_terminal(&event.kind),
                for_terminal(&event.subject),
                shipment.as_str()
            ));
        }
        // The shop deletes the event last. If the deletion fails, SQS delivers the event again, and `Orders` ignores
        // the repeat.
        let _ = self
            .client
            .delete_message()
            .queue_url(&self.queue_url)
            .receipt_handle(receipt)
            .send()
            .await;
        changed.is_some()
    }
}
