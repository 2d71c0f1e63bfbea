//! Stores backlogs. A write succeeds only if the stored item still has the version that was read.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use payments::model::webhook::{Backlog, EndpointId};
use payments::ports::{Replaced, StoreError, Waiting};
use payments::{PaymentKey, Timestamp};

use super::super::attributes::{
    Item, expiry, item_error, millis, number, read_millis, read_number, read_text, text,
};
use super::super::conditional::{self, NotUpdated};
use super::super::failed;
use super::super::unreadable::{readable, unreadable};
use super::deliveries::endpoint_pk;
use super::{RETENTION, WebhookDeliveries};

pub(super) const SK_PREFIX: &str = "backlog#";
const INDEX: &str = "due";

fn sk(payment: &PaymentKey) -> String {
    format!("{SK_PREFIX}{payment}")
}

impl WebhookDeliveries {
    pub(super) async fn read_backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
    ) -> Result<Option<Backlog>, StoreError> {
        let item = self.get(endpoint_pk(id), &sk(payment)).await?;
        let read = item.as_ref().map(read).transpose();
        read.map_err(|error| unreadable(&endpoint_pk(id), &sk(payment), error))
    }

    pub(super) async fn write_backlog(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: Option<&Backlog>,
        new: Option<&Backlog>,
    ) -> Result<Replaced, StoreError> {
        let written = match (over, new) {
            (_, Some(new)) => self.put(id, payment, over, new).await,
            (Some(over), None) => self.delete(id, payment, over).await,
            (None, None) => Ok(()),
        };
        let stored = match written {
            Ok(()) => return Ok(Replaced::Done),
            Err(NotUpdated::ConditionFailed(item)) => item.as_ref().map(read).transpose(),
            Err(error) => return Err(error.into()),
        };
        let stored = stored.map_err(|error| unreadable(&endpoint_pk(id), &sk(payment), error))?;
        // The SDK repeats a call if the answer was lost. After a repeat, the stored item can be the item of the first
        // try.
        match stored.is_some() && stored.as_ref() == new {
            true => Ok(Replaced::Done),
            false => Ok(Replaced::Conflict(stored)),
        }
    }

    async fn put(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: Option<&Backlog>,
        new: &Backlog,
    ) -> Result<(), NotUpdated> {
        let request = self
            .update(endpoint_pk(id), &sk(payment))
            .update_expression(
                "SET #next = :next, #through = :through, failures = :failures, #since = :since, #due = :due, \
                 #version = :version, due_of = :due_of, expires_at = :expires_at",
            )
            .expression_attribute_names("#next", "next")
            .expression_attribute_names("#through", "through")
            .expression_attribute_names("#since", "since")
            .expression_attribute_names("#due", "due")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":next", number(new.next))
            .expression_attribute_values(":through", number(new.through))
            .expression_attribute_values(":failures", number(new.failures.into()))
            .expression_attribute_values(":since", millis(new.since))
            .expression_attribute_values(":due", millis(new.due))
            .expression_attribute_values(":version", number(new.version))
            .expression_attribute_values(":due_of", text(id.as_str()))
            .expression_attribute_values(":expires_at", expiry(Timestamp::now().after(RETENTION)));
        let request = match over {
            None => request.condition_expression("attribute_not_exists(#version)"),
            Some(over) => request
                .condition_expression("#version = :over")
                .expression_attribute_values(":over", number(over.version)),
        };
        conditional::update(request).await.map(|_| ())
    }

    async fn delete(
        &self,
        id: &EndpointId,
        payment: &PaymentKey,
        over: &Backlog,
    ) -> Result<(), NotUpdated> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(endpoint_pk(id)))
            .key("sk", text(sk(payment)))
            .condition_expression("#version = :over")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":over", number(over.version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = Box::pin(request.send()).await else {
            return Ok(());
        };
        Err(match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(refused)) => {
                NotUpdated::ConditionFailed(refused.item().cloned())
            }
            _ => NotUpdated::Failed(failed(error)),
        })
    }

    pub(super) async fn read_waiting(
        &self,
        id: &EndpointId,
        max: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        let (mut waiting, mut start_key) = (Vec::new(), None);
        loop {
            let limit = max.saturating_sub(waiting.len());
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("due_of = :due_of")
                .expression_attribute_values(":due_of", text(id.as_str()))
                .set_exclusive_start_key(start_key)
                .limit(i32::try_from(limit).unwrap_or(i32::MAX));
            let page = Box::pin(page.send()).await.map_err(failed)?;
            waiting.extend(readable(page.items(), read_entry));
            start_key = page.last_evaluated_key;
            if waiting.len() >= max || start_key.is_none() {
                return Ok(waiting);
            }
        }
    }
}

fn read(item: &Item) -> Result<Backlog, StoreError> {
    let failures = read_number(item, "failures")?;
    Ok(Backlog {
        next: read_number(item, "next")?,
        through: read_number(item, "through")?,
        failures: u32::try_from(failures).map_err(item_error)?,
        since: read_millis(item, "since")?,
        due: read_millis(item, "due")?,
        version: read_number(item, "version")?,
    })
}

fn read_entry(item: &Item) -> Result<Waiting, StoreError> {
    let payment = read_text(item, "sk")?.strip_prefix(SK_PREFIX);
    let payment = payment.and_then(PaymentKey::from_text);
    Ok(Waiting {
        payment: payment.ok_or_else(|| item_error("not the key of a backlog"))?,
        since: read_millis(item, "since")?,
        due: read_millis(item, "due")?,
    })
}
