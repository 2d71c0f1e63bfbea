//! Stores the list of endpoints with a backlog.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::webhook::{EndpointId, EndpointKey, EndpointOwner};
use payments::ports::{Listed, StoreError};

use super::super::attributes::{
    Item, item_error, millis, number, read_millis, read_number, read_text, text,
};
use super::super::conditional;
use super::super::failed;
use super::super::unreadable::readable;
use super::WebhookDeliveries;

const PK: &str = "listed";

impl WebhookDeliveries {
    pub(super) async fn put_listed(
        &self,
        key: &EndpointKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self
            .update(PK.into(), key.id.as_str())
            .update_expression("SET project_id = :project_id, storefront = :storefront, #at = :now")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":project_id", number(key.owner.project_id.get().into()))
            .expression_attribute_values(":storefront", text(&key.owner.storefront))
            .expression_attribute_values(":now", millis(now));
        conditional::update(request).await?;
        Ok(())
    }

    pub(super) async fn read_listed(&self) -> Result<Vec<Listed>, StoreError> {
        let (mut listed, mut start_key) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(PK))
                .consistent_read(true)
                .set_exclusive_start_key(start_key);
            let page = Box::pin(page.send()).await.map_err(failed)?;
            listed.extend(readable(page.items(), read));
            start_key = page.last_evaluated_key;
            if start_key.is_none() {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn delete_listed(&self, listed: &Listed) -> Result<(), StoreError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(PK))
            .key("sk", text(listed.key.id.as_str()))
            .condition_expression("#at = :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", millis(listed.at));
        let Err(error) = Box::pin(request.send()).await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(error) if error.is_conditional_check_failed_exception() => Ok(()),
            _ => Err(failed(error)),
        }
    }
}

fn read(item: &Item) -> Result<Listed, StoreError> {
    let project_id = ProjectId::new(read_number(item, "project_id")?).ok();
    let id = EndpointId::new(read_text(item, "sk")?);
    Ok(Listed {
        key: EndpointKey {
            owner: EndpointOwner {
                project_id: project_id.ok_or_else(|| item_error("not the id of a project"))?,
                storefront: read_text(item, "storefront")?.to_owned(),
            },
            id: id.ok_or_else(|| item_error("not the id of an endpoint"))?,
        },
        at: read_millis(item, "at")?,
    })
}
