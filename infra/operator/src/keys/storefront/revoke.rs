//! Revokes a storefront key.

use anyhow::{Context, bail};
use aws::dynamodb::Revocation;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use payments::Timestamp;
use payments::service::storefront::key_id;
use serde::Serialize;

use crate::output::text::plain;
use crate::session::Session;

/// Revokes a storefront key for ever, from the next request on. `storefront list` still shows the key.
///
/// The command also revokes a key whose item cannot be read.
#[derive(Args)]
pub struct RevokeArgs {
    /// The key's id, as `storefront list` shows it: the part of the key between `sk_` and the next underscore.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    key_id: String,
}

/// The result for a key whose item cannot be read.
#[derive(Serialize)]
struct RevokedKey<'a> {
    key_id: &'a str,
    revoked_at: Timestamp,
}

impl RevokeArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        // The argument can be the whole key, because the operator may not know the id. The tool never shows the key.
        let id = key_id(&self.key_id).unwrap_or(&self.key_id);
        let keys = session.stack.storefront_keys();
        let entry = keys.find(id).await?;
        let entry = entry.context("there is no key with this id")?;
        let shown = match &entry.key {
            Ok(key) => format!(
                "the key {} (storefront {}, project {})",
                plain(id),
                plain(&key.name),
                key.project_id
            ),
            Err(error) => format!("the key {} ({})", plain(id), plain(error.why())),
        };
        if entry.is_revoked {
            let at = entry.key.ok().and_then(|key| key.revoked_at);
            bail!("{shown} was already revoked{}", time(at));
        }
        session.confirm.ask(&format!("Revoke {shown}?"))?;
        let now = Timestamp::now();
        match keys.revoke(id, now).await? {
            Revocation::Done => {}
            Revocation::AlreadyRevoked(at) => {
                bail!("{shown} was revoked by another command{}", time(at))
            }
            Revocation::UnknownKey => bail!("there is no key with this id any more"),
        }
        let text = format_args!("{shown} is revoked\n");
        match entry.key {
            Ok(mut key) => {
                key.revoked_at = Some(now);
                session.write(&key, text)
            }
            Err(_) => {
                let revoked = RevokedKey {
                    key_id: id,
                    revoked_at: now,
                };
                session.write(&revoked, text)
            }
        }
    }
}

/// Returns the text about the time, or an empty text if the time is not known.
fn time(at: Option<Timestamp>) -> String {
    at.map(|at| format!(" at {at}")).unwrap_or_default()
}
