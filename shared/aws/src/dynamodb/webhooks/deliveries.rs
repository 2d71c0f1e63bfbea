//! Implements the store of deliveries with the modules beside this one.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use payments::model::webhook::{Backlog, DisabledBy, EndpointId, EndpointKey, Health};
use payments::ports::{DeadLetter, DeliveryStore, Listed, Replaced, StoreError, Waiting};
use payments::{PaymentKey, Timestamp};

use super::super::attributes::{Item, text};

/// A client of the table of deliveries.
#[derive(Debug, Clone)]
pub struct WebhookDeliveries {
    pub(super) client: Client,
    pub(super) table: String,
}

pub(super) fn endpoint_pk(id: &EndpointId) -> String {
    format!("endpoint#{id}")
}

impl WebhookDeliveries {
    pub(in super::super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub(super) async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, StoreError> {
        super::super::get(&self.client, &self.table, pk, sk).await
    }

    pub(super) fn update(&self, pk: String, sk: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
    }
}

impl DeliveryStore for WebhookDeliveries {
    async fn health(&self, id: &EndpointId) -> Result<Health, StoreError> {
        self.read_health(id).await
    }

    async fn count_failure(&self, id: &EndpointId, now: Timestamp) -> Result<Health, StoreError> {
        self.add_failure(id, now).await
    }

    async fn count_success(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.reset_failures(id).await
    }

    async fn disable(
        &self,
        id: &EndpointId,
        now: Timestamp,
        by: DisabledBy,
    ) -> Result<bool, StoreError> {
        self.switch_off(id, now, by).await
    }

    async fn hold(&self, id: &EndpointId) -> Result<(), StoreError> {
        self.set_held(id).await
    }

    async fn enable(&self, id: &EndpointId, now: Timestamp) -> Result<(), StoreError> {
        self.switch_on(id, now).await
    }

    async fn backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
    ) -> Result<Option<Backlog>, StoreError> {
        self.read_backlog(id, payment).await
    }

    async fn replace_backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: Option<&Backlog>,
        new: Option<&Backlog>,
    ) -> Result<Replaced, StoreError> {
        self.write_backlog(id, payment, over, new).await
    }

    async fn waiting(&self, id: &EndpointId, max: usize) -> Result<Vec<Waiting>, StoreError> {
        self.read_waiting(id, max).await
    }

    async fn list(&self, key: &EndpointKey, now: Timestamp) -> Result<(), StoreError> {
        self.put_listed(key, now).await
    }

    async fn listed(&self) -> Result<Vec<Listed>, StoreError> {
        self.read_listed().await
    }

    async fn unlist(&self, listed: &Listed) -> Result<(), StoreError> {
        self.delete_listed(listed).await
    }

    async fn put_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        self.put_letter(id, letter).await
    }

    async fn dead_letters(
        &self,
        id: &EndpointId,
        after: Option<&DeadLetter>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read_letters(id, after).await
    }

    async fn delete_dead_letter(
        &self,
        id: &EndpointId,
        letter: &DeadLetter,
    ) -> Result<(), StoreError> {
        self.delete_letter(id, letter).await
    }
}
