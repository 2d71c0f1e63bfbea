//! How far the platform's books have been held against ours: one item for each project.

use ecommpay::fields::ProjectId;

use super::item::{moment, read_moment, text};
use super::{DynamoStore, Written, conditional};
use crate::backoff;
use crate::ports::{ProgressStore, StoreError, SystemClock};
use crate::timestamp::Timestamp;

const SK: &str = "progress";

fn pk(project_id: ProjectId) -> String {
    format!("reconciliation#{project_id}")
}

impl ProgressStore for DynamoStore {
    async fn progress(&self, project_id: ProjectId) -> Result<Option<Timestamp>, StoreError> {
        let item = self.get(pk(project_id), SK).await?;
        item.map(|item| read_moment(&item, "until")).transpose()
    }

    async fn advance(&self, project_id: ProjectId, until: Timestamp) -> Result<(), StoreError> {
        for attempt in 0..backoff::ATTEMPTS {
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("pk", text(pk(project_id)))
                .key("sk", text(SK))
                .update_expression("SET #until = :until")
                .condition_expression("attribute_not_exists(#until) OR #until < :until")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":until", moment(until));
            match conditional(request).await? {
                Written::Yes | Written::Refused(_) => return Ok(()),
                Written::Busy => backoff::pause(&SystemClock, attempt).await,
            }
        }
        Err(StoreError("too many write one item at once".into()))
    }
}
