//! How far the work of each day is done: an item for each project and each kind of work.

use ecommpay::fields::ProjectId;

use super::DynamoStore;
use super::conditional::{Written, conditional};
use super::payment_item::{moment, read_moment, text};
use payments::model::timestamp::Timestamp;
use payments::ports::{Daily, ProgressStore, StoreError, SystemClock};
use payments::service::backoff;

fn pk(project_id: ProjectId) -> String {
    format!("daily#{project_id}")
}

fn sk(daily: Daily) -> &'static str {
    match daily {
        Daily::Compare => "compared",
        Daily::Report => "reported",
    }
}

impl ProgressStore for DynamoStore {
    async fn progress(
        &self,
        project_id: ProjectId,
        daily: Daily,
    ) -> Result<Option<Timestamp>, StoreError> {
        let item = self.get(pk(project_id), sk(daily)).await?;
        item.map(|item| read_moment(&item, "until")).transpose()
    }

    async fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        for attempt in 0..backoff::ATTEMPTS {
            let request = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("pk", text(pk(project_id)))
                .key("sk", text(sk(daily)))
                .update_expression("SET #until = :until")
                .condition_expression("attribute_not_exists(#until) OR #until < :until")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":until", moment(until));
            match conditional(request).await? {
                Written::Yes(_) | Written::Refused(_) => return Ok(()),
                Written::Busy => backoff::pause(&SystemClock, attempt).await,
            }
        }
        Err(StoreError("too many write one item at once".into()))
    }
}
