//! Revokes a storefront key.

use anyhow::{Context, bail};
use aws::dynamodb::DynamoStore;
use clap::Args;
use payments::Timestamp;
use payments::model::storefront::ListedKey;
use payments::service::storefront::key_id;

use crate::output::text::plain;
use crate::session::Session;

/// Revokes a storefront key for good, from the next request on. The list still shows the key.
#[derive(Args)]
pub struct RevokeArgs {
    /// The key's id, as the list shows it: the part of the key between `sk_` and the next underscore.
    key_id: String,
}

impl RevokeArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        // A whole key is also accepted, because the operator may not know the id. The key is never shown.
        let id = key_id(&self.key_id).unwrap_or(&self.key_id);
        let store = session.stack.store();
        let mut key = find(&store, id).await?;
        let shown = format!(
            "the key {} (storefront {}, project {})",
            plain(id),
            plain(&key.name),
            key.project_id
        );
        if let Some(at) = key.revoked_at {
            bail!("{shown} was already revoked at {at}");
        }
        session.confirm.ask(&format!("Revoke {shown}?"))?;
        let now = Timestamp::now();
        if !store.revoke_storefront_key(id, now).await? {
            match find(&store, id).await?.revoked_at {
                Some(at) => bail!("{shown} was revoked by another command at {at}"),
                None => bail!(
                    "{shown} was not revoked, because another change was in progress; repeat the command"
                ),
            }
        }
        key.revoked_at = Some(now);
        session.write(&key, format_args!("{shown} is revoked\n"))
    }
}

async fn find(store: &DynamoStore, id: &str) -> anyhow::Result<ListedKey> {
    let keys = store.storefront_keys().await?;
    let key = keys.into_iter().find(|key| key.key_id == id);
    key.context("there is no key with this id")
}
