//! Finds out whether an order was shipped, from the sample consumer's table, the shop's own consumer or its endpoint.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::fulfilment::Fulfilment;
use super::orders::Shipment;
use super::webhooks::Webhooks;
use crate::progress::say;

/// The consumer that decides about shipments.
#[derive(Debug)]
pub enum Delivery {
    /// The shop's own consumer reads the queue.
    Queue(Fulfilment),
    /// The sample consumer reads the queue.
    Sample(SampleMemory),
    /// The shop receives the events at its endpoint, and reads no queue.
    Webhooks(Webhooks),
}

impl Delivery {
    /// Lets the shop's own consumer read the queue. The sample consumer always reads, and the endpoint never does.
    pub fn check_queue(&self) {
        if let Delivery::Queue(fulfilment) = self {
            fulfilment.check_queue();
        }
    }

    /// Returns the shipment of an order.
    pub async fn shipment(&self, payment_id: &str) -> Shipment {
        match self {
            Delivery::Queue(fulfilment) => fulfilment.shipment(payment_id),
            Delivery::Sample(memory) => memory.shipment(payment_id).await,
            Delivery::Webhooks(webhooks) => webhooks.shipment(payment_id),
        }
    }
}

/// Access to the sample consumer's table.
#[derive(Debug)]
pub struct SampleMemory {
    /// A DynamoDB client.
    pub client: Client,
    /// The name of the table.
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
