//! Lists storefront keys by their ids.

use clap::Args;
use ecommpay::fields::ProjectId;

use crate::input::values;
use crate::session::Session;

const COLUMNS: [&str; 7] = [
    "key_id",
    "name",
    "project_id",
    "scopes",
    "return_origins",
    "created_at",
    "revoked_at",
];

/// Lists storefront keys by their ids, also revoked keys, as CSV; with --json as JSON lines.
#[derive(Args)]
pub struct ListArgs {
    /// Lists the keys of this project only.
    #[arg(long, value_parser = values::project)]
    project: Option<ProjectId>,
}

impl ListArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let mut keys = session.stack.store().storefront_keys().await?;
        keys.retain(|key| self.project.is_none_or(|project| key.project_id == project));
        keys.sort_by_cached_key(|key| (key.project_id, key.name.clone(), key.created_at));
        let mut table = session.table(&COLUMNS)?;
        keys.iter().try_for_each(|key| table.write(key))?;
        table.end()
    }
}
