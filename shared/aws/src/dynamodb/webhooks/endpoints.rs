//! Stores endpoints.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::webhook::{
    Endpoint, EndpointId, EndpointKey, EndpointOwner, EndpointUrl, LoopbackHosts, SecretVersions,
};
use payments::ports::{EndpointEntry, EndpointStore, StoreError};

use super::super::attributes::{
    Item, item_error, millis, number, read_millis, read_number, read_text, text,
};
use super::super::conditional::{self, NotUpdated};
use super::super::failed;
use super::super::unreadable::unreadable;

/// A client of the table of endpoints.
#[derive(Debug, Clone)]
pub struct WebhookEndpoints {
    client: Client,
    table: String,
    loopback: LoopbackHosts,
}

impl WebhookEndpoints {
    pub(in super::super) fn new(client: Client, table: String, loopback: LoopbackHosts) -> Self {
        Self {
            client,
            table,
            loopback,
        }
    }

    /// Opens a connection; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("owner", text("nothing"))
            .key("id", text("nothing"));
        let _ = Box::pin(request.send()).await;
    }

    /// Adds an endpoint. Returns false and writes nothing if the storefront has an endpoint with this id.
    pub async fn add(&self, endpoint: &Endpoint) -> Result<bool, StoreError> {
        let types: Vec<String> = endpoint.types.iter().cloned().collect();
        let types = (!types.is_empty()).then_some(AttributeValue::Ss(types));
        let secrets = endpoint.secrets;
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("owner", text(owner(&endpoint.key.owner)))
            .item("id", text(endpoint.key.id.as_str()))
            .item("url", text(endpoint.url.as_str()))
            .item("secret_version", number(secrets.current.into()))
            .item("created_at", millis(endpoint.created_at))
            .condition_expression("attribute_not_exists(id)");
        if let Some(types) = types {
            request = request.item("types", types);
        }
        if let Some(until) = secrets.previous_until {
            request = request.item("previous_until", millis(until));
        }
        let Err(error) = Box::pin(request.send()).await else {
            return Ok(true);
        };
        match error.as_service_error() {
            // The SDK repeats a call if the answer was lost. After a repeat, the stored endpoint can be the endpoint of
            // the first try.
            Some(PutItemError::ConditionalCheckFailedException(_)) => {
                Ok(self.endpoint(&endpoint.key).await?.as_ref() == Some(endpoint))
            }
            _ => Err(failed(error)),
        }
    }

    /// Replaces the versions of the secret. Returns false and writes nothing if another operator has replaced the
    /// versions since they were read.
    pub async fn replace_secrets(
        &self,
        key: &EndpointKey,
        over: SecretVersions,
        new: SecretVersions,
    ) -> Result<bool, StoreError> {
        let until = new.previous_until.unwrap_or(Timestamp::from_millis(0));
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("owner", text(owner(&key.owner)))
            .key("id", text(key.id.as_str()))
            .update_expression("SET secret_version = :new, previous_until = :until")
            .condition_expression("secret_version = :over")
            .expression_attribute_values(":over", number(over.current.into()))
            .expression_attribute_values(":new", number(new.current.into()))
            .expression_attribute_values(":until", millis(until));
        match conditional::update(request).await {
            Ok(_) => Ok(true),
            Err(NotUpdated::ConditionFailed(item)) => {
                let stored = item.as_ref().map(read_secrets).transpose()?;
                Ok(stored == Some(new))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an endpoint. Returns whether there was one.
    pub async fn remove(&self, key: &EndpointKey) -> Result<bool, StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("owner", text(owner(&key.owner)))
            .key("id", text(key.id.as_str()))
            .return_values(ReturnValue::AllOld);
        let output = Box::pin(request.send()).await.map_err(failed)?;
        Ok(output.attributes.is_some())
    }

    /// Returns all endpoints, sorted by owner and id.
    pub async fn list(&self) -> Result<Vec<EndpointEntry>, StoreError> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed)?;
            let key = read_key(&item)?;
            let endpoint = self.read(&item, &key);
            // The error is not logged, because the operator's tool shows it.
            let endpoint = endpoint.map_err(|error| StoreError::Unreadable {
                item: format!("{} {}", owner(&key.owner), key.id),
                why: error.why().to_owned(),
            });
            entries.push(EndpointEntry { key, endpoint });
        }
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }

    /// Returns the endpoint with this id.
    pub async fn find(&self, id: &EndpointId) -> Result<Option<EndpointEntry>, StoreError> {
        let all = self.list().await?;
        Ok(all.into_iter().find(|entry| entry.key.id == *id))
    }

    fn read_entry(&self, item: &Item) -> Result<EndpointEntry, StoreError> {
        let key = read_key(item)?;
        Ok(EndpointEntry {
            endpoint: self.read_or_log(item, &key),
            key,
        })
    }

    fn read_or_log(&self, item: &Item, key: &EndpointKey) -> Result<Endpoint, StoreError> {
        let read = self.read(item, key);
        read.map_err(|error| unreadable(&owner(&key.owner), key.id.as_str(), error))
    }

    fn read(&self, item: &Item, key: &EndpointKey) -> Result<Endpoint, StoreError> {
        let url = read_text(item, "url")?;
        Ok(Endpoint {
            key: key.clone(),
            url: EndpointUrl::parse(url, self.loopback).map_err(item_error)?,
            types: read_types(item)?,
            secrets: read_secrets(item)?,
            created_at: read_millis(item, "created_at")?,
        })
    }
}

impl EndpointStore for WebhookEndpoints {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("owner", text(owner(&key.owner)))
            .key("id", text(key.id.as_str()))
            .consistent_read(true);
        let output = Box::pin(request.send()).await.map_err(failed)?;
        let item = output.item.as_ref();
        item.map(|item| self.read_or_log(item, key)).transpose()
    }

    async fn endpoints_of(
        &self,
        owner_key: &EndpointOwner,
    ) -> Result<Vec<EndpointEntry>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner(owner_key)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(self.read_entry(&item.map_err(failed)?)?);
        }
        Ok(entries)
    }
}

fn owner(owner: &EndpointOwner) -> String {
    format!("{}/{}", owner.project_id, owner.storefront)
}

fn read_key(item: &Item) -> Result<EndpointKey, StoreError> {
    let owner = read_text(item, "owner")?.split_once('/');
    let (project_id, storefront) = owner.ok_or_else(|| item_error("an owner without a project"))?;
    let project_id = project_id.parse().ok();
    let project_id = project_id.and_then(|number| ProjectId::new(number).ok());
    let id = EndpointId::new(read_text(item, "id")?);
    Ok(EndpointKey {
        owner: EndpointOwner {
            project_id: project_id.ok_or_else(|| item_error("an owner without a project"))?,
            storefront: storefront.to_owned(),
        },
        id: id.ok_or_else(|| item_error("not the id of an endpoint"))?,
    })
}

fn read_types(item: &Item) -> Result<BTreeSet<String>, StoreError> {
    match item.get("types") {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(types)) => Ok(types.iter().cloned().collect()),
        Some(_) => Err(item_error("types is not a set of texts")),
    }
}

fn read_secrets(item: &Item) -> Result<SecretVersions, StoreError> {
    let current = read_number(item, "secret_version")?;
    let until = item.contains_key("previous_until");
    let until = until.then(|| read_millis(item, "previous_until"));
    Ok(SecretVersions {
        current: u32::try_from(current).map_err(item_error)?,
        previous_until: until.transpose()?,
    })
}
