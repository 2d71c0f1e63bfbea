//! The keys of storefronts, without what they are.

use clap::Args;
use ecommpay::fields::ProjectId;

use crate::session::Session;
use crate::table::Table;
use crate::values;

const COLUMNS: [&str; 7] = [
    "key_id",
    "name",
    "project_id",
    "scopes",
    "return_origins",
    "created_at",
    "revoked_at",
];

/// Lists the keys of all storefronts, those that were revoked too, as CSV; with --json as JSON lines.
#[derive(Args)]
pub struct ListArgs {
    /// Only those of this project.
    #[arg(long, value_parser = values::project)]
    project: Option<ProjectId>,
}

impl ListArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let mut keys = session.account.store().storefront_keys().await?;
        keys.retain(|key| self.project.is_none_or(|project| key.project_id == project));
        keys.sort_by_cached_key(|key| (key.project_id, key.name.clone(), key.created_at));
        let mut table = Table::new(&COLUMNS, session.json, session.out)?;
        keys.iter().try_for_each(|key| table.write(key))?;
        table.end()
    }
}
