//! Lists endpoints.

use clap::Args;
use ecommpay::fields::ProjectId;
use payments::Timestamp;

use super::rows::StateRow;
use crate::input::values;
use crate::session::Session;

const COLUMNS: [&str; 16] = [
    "endpoint",
    "project_id",
    "storefront",
    "url",
    "types",
    "state",
    "failures",
    "failing_since",
    "waiting",
    "dead_letters",
    "disabled_at",
    "disabled_by",
    "reason",
    "previous_secret_until",
    "created_at",
    "problem",
];

/// Lists all endpoints with their states, as CSV; with --json as JSON lines. An endpoint without types gets events of
/// all types.
///
/// The states are: `enabled`; `breaker_open`, which means that 20 deliveries failed in a row, so that only probes are
/// sent; `held`, which means that `endpoint enable` did not end, so that events wait until it runs again; `disabled`.
///
/// `waiting` counts the payments with events that wait, and `dead_letters` the events that were given up. A URL can
/// contain a secret of the storefront.
#[derive(Args)]
pub struct ListArgs {
    /// Lists the endpoints of this project only.
    #[arg(long, value_parser = values::project)]
    project: Option<ProjectId>,
}

impl ListArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let webhooks = session.stack.webhooks()?;
        let mut entries = webhooks.endpoints.list().await?;
        let selects = |project| self.project.is_none_or(|only| only == project);
        entries.retain(|entry| selects(entry.key.owner.project_id));
        let now = Timestamp::now();
        let mut table = session.table(&COLUMNS)?;
        for entry in &entries {
            table.write(&StateRow::read(&webhooks, entry, now).await?)?;
        }
        table.end()
    }
}
