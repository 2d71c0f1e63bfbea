//! Decides from events which orders are shipped, and whose goods are taken back.

use std::collections::{BTreeMap, BTreeSet};

use payments::escape::for_terminal;
use serde::Deserialize;

use super::history::History;
use crate::progress::say;

/// The prefix of the shop's payment ids.
const PAYMENT_ID_PREFIX: &str = "shop-";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shipment {
    /// No event has decided yet.
    NotYet,
    /// The order is paid.
    Shipped,
    /// The order is refunded, or its money was not confirmed.
    TakenBack,
}

impl Shipment {
    /// Returns the text of the order page.
    pub fn as_str(self) -> &'static str {
        match self {
            Shipment::NotYet => "not yet",
            Shipment::Shipped => "on its way",
            Shipment::TakenBack => "taken back",
        }
    }
}

/// The fields of an event that the shop uses.
#[derive(Debug, Deserialize)]
pub struct Event {
    id: String,
    /// The payment id.
    pub subject: String,
    #[serde(rename = "type")]
    pub kind: String,
    data: EventData,
}

impl Event {
    /// Whether the event is about a payment of the shop.
    pub fn is_of_shop(&self) -> bool {
        self.subject.starts_with(PAYMENT_ID_PREFIX)
    }
}

#[derive(Debug, Deserialize)]
struct EventData {
    status: String,
    /// The type of an earlier event that no longer holds.
    corrects: Option<String>,
}

#[derive(Debug, Default)]
pub struct Orders {
    /// The ids of the applied events, because an event can arrive twice.
    seen: BTreeSet<String>,
    shipments: BTreeMap<String, Shipment>,
}

impl Orders {
    pub fn shipment(&self, payment_id: &str) -> Shipment {
        let shipment = self.shipments.get(payment_id);
        shipment.copied().unwrap_or(Shipment::NotYet)
    }

    /// Applies a received event, and adds it to the history. Ignores an event that is not about a payment of the shop.
    /// Returns whether a shipment changed.
    pub fn receive(&mut self, event: &Event, history: &History) -> bool {
        if !event.is_of_shop() {
            return false;
        }
        history.add_event(&event.subject, &event.kind);
        let changed = self.apply(event);
        if let Some(shipment) = changed {
            say(&format!(
                "  shop     {} {}: {}",
                for_terminal(&event.kind),
                for_terminal(&event.subject),
                shipment.as_str()
            ));
        }
        changed.is_some()
    }

    /// Applies an event once. Returns the new shipment if it changed.
    fn apply(&mut self, event: &Event) -> Option<Shipment> {
        if !self.seen.insert(event.id.clone()) {
            return None;
        }
        let current = self.shipment(&event.subject);
        let next = match event.kind.as_str() {
            // A late success of a refunded order ships nothing.
            "payment.succeeded" if current == Shipment::NotYet => Shipment::Shipped,
            // This success corrects an earlier decline.
            "payment.succeeded" if event.data.corrects.is_some() => Shipment::Shipped,
            // The platform could not confirm the money of a shipped order.
            "payment.declined" if current == Shipment::Shipped => Shipment::TakenBack,
            "refund.succeeded" if event.data.status == "refunded" => Shipment::TakenBack,
            _ => return None,
        };
        self.shipments.insert(event.subject.clone(), next);
        Some(next)
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
    fn an_order_is_shipped_once_and_taken_back_when_it_is_refunded_in_full() {
        let mut orders = Orders::default();
        let paid = event(3, "payment.succeeded", "succeeded");
        let in_part = event(5, "refund.succeeded", "partially_refunded");
        let in_full = event(7, "refund.succeeded", "refunded");
        let shipments = [&paid, &paid, &in_part, &in_full].map(|event| orders.apply(event));
        let (shipped, taken_back) = (Some(Shipment::Shipped), Some(Shipment::TakenBack));
        assert_eq!(shipments, [shipped, None, None, taken_back]);
    }

    #[test]
    fn goods_are_taken_back_when_the_money_is_not_confirmed_and_shipped_again_when_it_is_credited()
    {
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
        let shipments = [&paid, &declined, &credited].map(|event| orders.apply(event));
        let (shipped, taken_back) = (Some(Shipment::Shipped), Some(Shipment::TakenBack));
        assert_eq!(shipments, [shipped, taken_back, shipped]);
    }

    #[test]
    fn a_late_success_does_not_ship_a_refunded_order() {
        let mut orders = Orders::default();
        orders.apply(&event(7, "refund.succeeded", "refunded"));
        let late = event(3, "payment.succeeded", "succeeded");
        assert_eq!(orders.apply(&late), None);
    }
}
