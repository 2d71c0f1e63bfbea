//! A key that is to open nothing any more.

use anyhow::{Context, bail};
use clap::Args;
use payments::Timestamp;
use payments::service::storefront::key_id;

use crate::answer;
use crate::session::Session;

/// Revokes a key of a storefront. It takes effect at once, and for good; the list still shows it.
#[derive(Args)]
pub struct RevokeArgs {
    /// The key's id, as the list shows it: what stands behind sk_ up to the next underscore.
    key_id: String,
}

impl RevokeArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        // Whoever has only the key itself can use it too; it is never repeated.
        let id = key_id(&self.key_id).unwrap_or(&self.key_id);
        let store = session.account.store();
        let keys = store.storefront_keys().await?;
        let key = keys.into_iter().find(|key| key.key_id == id);
        let mut key = key.context("there is no key with this id")?;
        let owner = format!(
            "{id} of storefront {}, project {}",
            key.name, key.project_id
        );
        if let Some(at) = key.revoked_at {
            bail!("the key {owner}, was revoked at {at}");
        }
        session.confirm.ask(&format!("revoke the key {owner}?"))?;
        let now = Timestamp::now();
        let revoked = store.revoke_storefront_key(id, now).await?;
        if !revoked {
            // Whoever else was at it may have been stopped just as this was.
            let keys = store.storefront_keys().await?;
            let key = keys.into_iter().find(|key| key.key_id == id);
            match key.and_then(|key| key.revoked_at) {
                Some(at) => bail!("somebody else has revoked the key {owner}, at {at}"),
                None => bail!("the key {owner}, is not revoked: somebody else was at it; repeat"),
            }
        }
        key.revoked_at = Some(now);
        answer::write(
            session.out,
            session.json,
            &key,
            &format!("the key {owner}, is revoked"),
        )
    }
}
