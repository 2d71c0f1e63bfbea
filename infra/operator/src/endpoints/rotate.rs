//! Replaces the secret of an endpoint.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use payments::Timestamp;
use payments::model::webhook::{Endpoint, SecretVersions};

use super::add::show_secret;
use super::{IdArgs, named};
use crate::session::Session;

const HOUR: Duration = Duration::from_secs(3_600);

/// Replaces the secret of an endpoint, and shows the new secret once. Events are signed with the new secret immediately.
///
/// Until the time of --keep has passed, events are also signed with the previous secret. The storefront must use the new
/// secret by then.
#[derive(Args)]
pub struct RotateArgs {
    #[command(flatten)]
    endpoint: IdArgs,
    /// For how many hours events are also signed with the previous secret. With 0, they are not, as after a theft.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(..=720))]
    keep: u32,
    /// Ends a secret that an earlier rotation replaced and that still signs events. Without this option, the command
    /// fails if there is one, because events are signed with at most two secrets.
    #[arg(long)]
    replace_previous: bool,
}

impl RotateArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let (stack, webhooks) = (session.stack, session.stack.webhooks()?);
        let endpoint = self.endpoint.find(&webhooks).await?.endpoint?;
        let (now, before) = (Timestamp::now(), endpoint.secrets);
        if before.previous(now).is_some() && !self.replace_previous {
            let until = before.previous_until.map(|until| until.to_string());
            bail!(
                "events are signed with the previous secret until {}: wait until then, or end this secret with \
                 --replace-previous",
                until.unwrap_or_default()
            );
        }
        let secret = stack.webhook_secret()?;
        let master = secret.get().await?;
        let after = before.rotated(now, HOUR * self.keep);
        session.confirm.ask(&self.question(&endpoint, after))?;
        let rotated = Endpoint {
            secrets: after,
            ..endpoint
        };
        let (key, secret) = (
            &rotated.key,
            master.secret(rotated.key.id.as_str(), after.current),
        );
        // The secret is shown before it is stored. If it cannot be shown, the secret in use still signs events.
        show_secret(&rotated, &secret, session.json, session.out)?;
        let replaced = webhooks
            .endpoints
            .replace_secrets(key, before, after)
            .await
            .context("the shown secret may not be in use")?;
        ensure!(
            replaced,
            "nothing was changed, because another command has changed the endpoint; repeat the command"
        );
        Ok(())
    }

    fn question(&self, endpoint: &Endpoint, after: SecretVersions) -> String {
        let named = named(&endpoint.key);
        match after.previous_until {
            Some(until) if self.keep > 0 => format!(
                "Replace the secret of {named}? Events are also signed with the previous secret until {until}."
            ),
            _ => format!(
                "Replace the secret of {named}? No event is signed with the previous secret any more."
            ),
        }
    }
}
