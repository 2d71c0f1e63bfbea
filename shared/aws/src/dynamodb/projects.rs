//! Stores the list of projects that have had a key, so that the sweeper also finds the payments of a project whose key is
//! missing. Each project has its own item. Nothing deletes an item.

use std::collections::BTreeSet;

use ecommpay::fields::ProjectId;
use payments::ports::StoreError;

use super::attributes::{Item, item_error, read_text, text};
use super::unreadable::readable;
use super::{DynamoStore, failed};

const PK: &str = "projects";

fn read(item: &Item) -> Result<ProjectId, StoreError> {
    let number = read_text(item, "sk")?.parse().map_err(item_error)?;
    ProjectId::new(number).map_err(item_error)
}

impl DynamoStore {
    /// Returns the listed projects. One page has more than 10,000 projects, so only one page is read.
    pub async fn projects(&self) -> Result<BTreeSet<ProjectId>, StoreError> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(PK));
        let page = Box::pin(request.send()).await.map_err(failed)?;
        Ok(readable(page.items(), read).into_iter().collect())
    }

    /// Adds a project to the list. Does nothing if the project is listed. The write is an update, so that it keeps the
    /// attributes of another release.
    pub async fn add_project(&self, project_id: ProjectId) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(PK))
            .key("sk", text(project_id.to_string()));
        Box::pin(request.send()).await.map_err(failed)?;
        Ok(())
    }
}
