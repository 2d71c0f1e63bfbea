//! Stores each project that has ever had a key. Therefore the sweeper and the daily runs find the payments of a project
//! even if its key is missing. Each project is one item, which nothing deletes.

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
    /// Returns the stored projects. Reads only one page, because a page holds more than 10,000 projects.
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

    /// Adds a project. Does nothing if the project is already stored. The write is an update, so that it keeps
    /// attributes that this release does not know.
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
