//! Lists storefront keys.

use aws::dynamodb::KeyEntry;
use clap::Args;
use ecommpay::fields::ProjectId;
use payments::model::storefront::ListedKey;
use payments::ports::StoreError;
use serde::Serialize;

use crate::input::values;
use crate::session::Session;

const COLUMNS: [&str; 9] = [
    "key_id",
    "name",
    "project_id",
    "scopes",
    "return_origins",
    "payment_id_prefix",
    "created_at",
    "revoked_at",
    "problem",
];

/// Lists all storefront keys, including revoked keys, without their secrets, as CSV; with --json as JSON lines.
///
/// If the item of a key cannot be read, the list shows the key's id and the problem. `storefront revoke` can revoke
/// this key.
#[derive(Args)]
pub struct ListArgs {
    /// Lists the keys of this project only, and the keys whose items cannot be read.
    #[arg(long, value_parser = values::project)]
    project: Option<ProjectId>,
}

#[derive(Serialize)]
struct UnreadableKey<'a> {
    key_id: &'a str,
    problem: String,
}

impl ListArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let mut entries = session.stack.storefront_keys().list().await?;
        entries.retain(|entry| self.selects(entry));
        entries.sort_by_cached_key(position);
        let mut table = session.table(&COLUMNS)?;
        for entry in &entries {
            match &entry.key {
                Ok(key) => table.write(key)?,
                Err(error) => table.write(&UnreadableKey {
                    key_id: &entry.key_id,
                    problem: problem(entry, error),
                })?,
            }
        }
        table.end()
    }

    fn selects(&self, entry: &KeyEntry) -> bool {
        let Ok(key) = &entry.key else { return true };
        self.project.is_none_or(|project| key.project_id == project)
    }
}

/// Returns the sort key of an entry. Keys whose items cannot be read are at the end, sorted by their ids.
fn position(entry: &KeyEntry) -> impl Ord + use<> {
    let key = entry.key.as_ref();
    let readable = |key: &ListedKey| (key.project_id, key.name.clone(), key.created_at);
    let id = entry.key_id.clone();
    (key.is_err(), key.map(readable).ok(), id)
}

fn problem(entry: &KeyEntry, error: &StoreError) -> String {
    let state = if entry.is_revoked {
        "revoked"
    } else {
        "not revoked"
    };
    format!("{state}; {}", error.why())
}
