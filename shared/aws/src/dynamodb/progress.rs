//! Stores the progress of the daily tasks: for each project and task, the end of the period that the task has
//! processed.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use payments::model::timestamp::Timestamp;
use payments::ports::{Daily, ProgressStore, StoreError};

use super::DynamoStore;
use super::attributes::{millis, read_millis, text};
use super::conditional::{self, NotUpdated, retry_while_busy};
use super::unreadable::unreadable;

/// A stored time that exceeds the new time by more than this counts as damaged and is replaced. A smaller difference is
/// normal, because a slow run can end after a later run.
const MAX_LEAD: Duration = Duration::from_secs(40 * 24 * 3_600);

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
        let until = item.map(|item| read_millis(&item, "until")).transpose();
        until.map_err(|error| unreadable(&pk(project_id), sk(daily), error))
    }

    async fn advance(
        &self,
        project_id: ProjectId,
        daily: Daily,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk(project_id)))
            .key("sk", text(sk(daily)))
            .update_expression("SET #until = :until")
            .condition_expression(
                "attribute_not_exists(#until) OR #until < :until OR #until > :future \
                 OR NOT attribute_type(#until, :number)",
            )
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":future", millis(until.after(MAX_LEAD)))
            .expression_attribute_values(":number", text("N"))
            .expression_attribute_values(":until", millis(until));
        match retry_while_busy(|| conditional::update(request.clone())).await {
            // The condition fails if another run has stored the same time or a later time.
            Ok(_) | Err(NotUpdated::ConditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
