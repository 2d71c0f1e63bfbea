//! The shop's own consumer: reads the `fulfilment` queue and decides what to ship.
//!
//! It remembers the events it has acted on, because a queue may deliver one twice. In the sandbox
//! the same queue is there for other programs too, so it looks at the queue only when a shopper
//! has come back from the bank, stops as soon as it has found the order's event, and puts events of
//! payments that are not the shop's back, each time for longer: every look counts as a delivery, and
//! ten of them would move an event that nobody reads to the dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::history::History;
use crate::progress::say;

/// The ids of the shop's payments start with this.
const OWN_PAYMENTS: &str = "shop-";
/// How long the queue is watched after a shopper came back.
const WATCHED: Duration = Duration::from_secs(20);

/// How far the delivery of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shipment {
    /// Nothing was heard from the queue yet.
    NotYet,
    /// Paid, so it goes out.
    Shipped,
    /// The money went back, or did not come after all, so the goods come back.
    TakenBack,
}

impl Shipment {
    /// The words of the thank-you page.
    pub fn as_str(self) -> &'static str {
        match self {
            Shipment::NotYet => "not yet",
            Shipment::Shipped => "on its way",
            Shipment::TakenBack => "taken back",
        }
    }
}

/// What the shop knows of its orders, from events alone.
#[derive(Debug, Default)]
pub struct Orders {
    seen: BTreeSet<String>,
    orders: BTreeMap<String, Shipment>,
}

/// The parts of an event that the shop reads.
#[derive(Debug, Deserialize)]
pub struct Event {
    id: String,
    subject: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Debug, Deserialize)]
struct EventData {
    status: String,
    /// The type of an earlier event that no longer holds.
    corrects: Option<String>,
}

impl Orders {
    /// Acts on an event, once; gives what became of the order if that is news.
    pub fn take(&mut self, event: &Event) -> Option<Shipment> {
        if !self.seen.insert(event.id.clone()) {
            return None;
        }
        let known = self.orders.get(&event.subject);
        let next = match event.kind.as_str() {
            // A late success of an order that was given back meanwhile ships nothing.
            "payment.succeeded" if known.is_none() => Shipment::Shipped,
            // The money came after all.
            "payment.succeeded" if event.data.corrects.is_some() => Shipment::Shipped,
            // The platform could not confirm that the money came.
            "payment.declined" if known == Some(&Shipment::Shipped) => Shipment::TakenBack,
            "refund.succeeded" if event.data.status == "refunded" => Shipment::TakenBack,
            _ => return None,
        };
        self.orders.insert(event.subject.clone(), next);
        Some(next)
    }
}

/// The running consumer; dropping it ends it.
#[derive(Debug)]
pub struct Fulfilment {
    orders: Arc<Mutex<Orders>>,
    wanted: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Fulfilment {
    /// Starts the consumer of a queue.
    pub fn start(client: Client, queue_url: String, history: Arc<History>) -> Self {
        let orders = Arc::new(Mutex::new(Orders::default()));
        let wanted = Arc::new(Notify::new());
        let consumer = Consumer {
            client,
            queue_url,
            orders: Arc::clone(&orders),
            history,
        };
        let signal = Arc::clone(&wanted);
        let task = tokio::spawn(async move {
            loop {
                signal.notified().await;
                consumer.watch().await;
            }
        });
        Self {
            orders,
            wanted,
            task,
        }
    }

    /// Asks the consumer to look at the queue.
    pub fn look(&self) {
        self.wanted.notify_one();
    }

    /// How far the delivery of an order is.
    pub fn shipment(&self, payment_id: &str) -> Shipment {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders
            .orders
            .get(payment_id)
            .copied()
            .unwrap_or(Shipment::NotYet)
    }
}

impl Drop for Fulfilment {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Consumer {
    client: Client,
    queue_url: String,
    orders: Arc<Mutex<Orders>>,
    history: Arc<History>,
}

impl Consumer {
    /// Reads the queue until an order of the shop has moved, or for a while.
    async fn watch(&self) {
        let end = Instant::now() + WATCHED;
        let mut put_back_for = 1;
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
            let mut moved = false;
            for message in messages {
                moved |= self.take(message, put_back_for).await;
            }
            if moved {
                return;
            }
            put_back_for *= 3;
        }
    }

    /// Acts on an event; one that is not the shop's is put back, unseen for some seconds.
    async fn take(&self, message: Message, put_back_for: i32) -> bool {
        let receipt = message.receipt_handle.unwrap_or_default();
        let event: Option<Event> = message
            .body
            .and_then(|body| serde_json::from_str(&body).ok());
        let Some(event) = event.filter(|event| event.subject.starts_with(OWN_PAYMENTS)) else {
            let _ = self
                .client
                .change_message_visibility()
                .queue_url(&self.queue_url)
                .receipt_handle(receipt)
                .visibility_timeout(put_back_for)
                .send()
                .await;
            return false;
        };
        self.history.told(&event.subject, &event.kind);
        let news = {
            let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
            orders.take(&event)
        };
        if let Some(shipment) = news {
            say(&format!(
                "  shop     {} {}: {}",
                event.kind,
                event.subject,
                shipment.as_str()
            ));
        }
        // Only now: a crash before this leads to a second delivery, which is remembered.
        let _ = self
            .client
            .delete_message()
            .queue_url(&self.queue_url)
            .receipt_handle(receipt)
            .send()
            .await;
        news.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u32, kind: &str, status: &str) -> Event {
        Event {
            id: format!("211/shop-1/{number}"),
            subject: "shop-1".into(),
            kind: kind.into(),
            data: EventData {
                corrects: None,
                status: status.into(),
            },
        }
    }

    #[test]
    fn an_order_ships_once_and_comes_back_when_all_is_refunded() {
        let mut orders = Orders::default();
        let paid = event(3, "payment.succeeded", "succeeded");
        assert_eq!(orders.take(&paid), Some(Shipment::Shipped));
        assert_eq!(orders.take(&paid), None);
        assert_eq!(
            orders.take(&event(5, "refund.succeeded", "partially_refunded")),
            None
        );
        assert_eq!(
            orders.take(&event(7, "refund.succeeded", "refunded")),
            Some(Shipment::TakenBack)
        );
    }

    #[test]
    fn goods_come_back_when_the_money_is_not_confirmed_and_go_out_again_when_it_comes() {
        let mut orders = Orders::default();
        let corrects = |kind: &str, event: Event| Event {
            data: EventData {
                corrects: Some(kind.into()),
                ..event.data
            },
            ..event
        };
        let paid = event(3, "payment.succeeded", "succeeded");
        let declined = event(4, "payment.declined", "declined");
        let declined = corrects("payment.succeeded", declined);
        let credited = event(5, "payment.succeeded", "succeeded");
        let credited = corrects("payment.declined", credited);
        let shipments = [&paid, &declined, &credited].map(|event| orders.take(event));
        let (out, back) = (Some(Shipment::Shipped), Some(Shipment::TakenBack));
        assert_eq!(shipments, [out, back, out]);
    }

    #[test]
    fn a_late_success_does_not_ship_what_was_given_back() {
        let mut orders = Orders::default();
        orders.take(&event(7, "refund.succeeded", "refunded"));
        assert_eq!(
            orders.take(&event(3, "payment.succeeded", "succeeded")),
            None
        );
    }
}
