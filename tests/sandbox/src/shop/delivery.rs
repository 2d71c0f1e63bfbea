//! Where the shop learns how far the delivery of an order is: from its own reader of the queue, or,
//! where the sample consumer has the queue for itself, from what that one remembers.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::fulfilment::{Fulfilment, Shipment};
use crate::progress::say;

/// The shop's source of news.
#[derive(Debug)]
pub enum Delivery {
    /// The queue.
    Queue(Fulfilment),
    /// The sample consumer's table.
    Sample(SampleMemory),
}

impl Delivery {
    /// Asks for news to be looked for. The sample consumer is told of them anyway.
    pub fn look(&self) {
        if let Delivery::Queue(fulfilment) = self {
            fulfilment.look();
        }
    }

    /// How far the delivery of an order is.
    pub async fn shipment(&self, payment_id: &str) -> Shipment {
        match self {
            Delivery::Queue(fulfilment) => fulfilment.shipment(payment_id),
            Delivery::Sample(memory) => memory.shipment(payment_id).await,
        }
    }
}

/// What the sample consumer remembers.
#[derive(Debug)]
pub struct SampleMemory {
    /// A client of the table.
    pub client: Client,
    /// The table.
    pub table: String,
    /// The project of the shop's payments.
    pub project: u32,
}

impl SampleMemory {
    async fn shipment(&self, payment_id: &str) -> Shipment {
        let payment = format!("{}/{}", self.project, payment_id.to_ascii_lowercase());
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("payment", AttributeValue::S(payment))
            .send()
            .await;
        let Ok(read) = read else {
            say("The shop cannot read the sample consumer's table");
            return Shipment::NotYet;
        };
        let item = read.item.unwrap_or_default();
        match item.get("goods").and_then(|goods| goods.as_s().ok()) {
            Some(goods) if goods == "shipped" => Shipment::Shipped,
            Some(goods) if goods == "taken_back" => Shipment::TakenBack,
            _ => Shipment::NotYet,
        }
    }
}
