//! Runs the shop's own consumer of the `fulfilment` queue.
//!
//! Other programs in the sandbox read the same queue. Therefore the shop reads the queue only while a page shows a paid
//! order without its event. The shop stops reading when a shipment has changed.
//!
//! Each read of an event counts as a delivery, and after ten deliveries, SQS moves the event to the dead-letter queue.
//! Therefore the shop hides an event that is not about its own payments after each read, each time for longer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::history::History;
use super::orders::{Event, Orders, Shipment};
use crate::progress::say;

/// The maximum time of reading after a call of [`Fulfilment::check_queue`].
const READ_TIME: Duration = Duration::from_secs(20);

/// The shop's consumer. Dropping this value stops it.
#[derive(Debug)]
pub struct Fulfilment {
    consumer: Arc<Consumer>,
    task: JoinHandle<()>,
}

impl Fulfilment {
    /// Starts the consumer, which waits for [`Fulfilment::check_queue`].
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

    /// Lets the consumer read the queue until a shipment changes, for at most 20 seconds.
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

    /// Applies an event about a payment of the shop, and hides any other event for `hidden_s` seconds. Returns whether
    /// a shipment changed.
    async fn handle(&self, message: Message, hidden_s: i32) -> bool {
        let receipt = message.receipt_handle.unwrap_or_default();
        let event: Option<Event> = message
            .body
            .and_then(|body| serde_json::from_str(&body).ok());
        let Some(event) = event.filter(Event::is_of_shop) else {
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
        let has_changed = self.orders().receive(&event, &self.history);
        // If the deletion fails, SQS delivers the event again, and `Orders` ignores the repeat.
        let _ = self
            .client
            .delete_message()
            .queue_url(&self.queue_url)
            .receipt_handle(receipt)
            .send()
            .await;
        has_changed
    }
}
