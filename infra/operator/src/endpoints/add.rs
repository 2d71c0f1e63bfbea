//! Adds an endpoint.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::{Context, anyhow, bail, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::events::EventKind;
use payments::model::webhook::{
    Endpoint, EndpointKey, EndpointOwner, EndpointUrl, SecretVersions, WebhookSecret,
};
use payments::ports::EndpointStore;
use payments::service::storefront::settings;
use payments::service::webhook::new_id;
use serde::Serialize;

use super::rows::EndpointRow;
use crate::input::values;
use crate::output::terminal;
use crate::output::text::plain;
use crate::session::Session;
use crate::stack::Stack;

/// Adds an endpoint and shows its secret once. New events are posted to it immediately.
///
/// The storefront verifies the signature of each event with the secret, which has the form of Standard Webhooks:
/// `whsec_` and base64.
#[derive(Args)]
pub struct AddArgs {
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The storefront's name, as `storefront list` shows it. The endpoint gets the events of its payments.
    #[arg(long, value_parser = settings::parse_name)]
    storefront: String,
    /// The URL to which events are posted: https, port 443, and a public host.
    #[arg(long, value_name = "https://shop.example/events")]
    url: String,
    /// The types of events to post; all types by default, also those of later releases.
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(EventKind::ALL.map(EventKind::as_str))
    )]
    types: Vec<String>,
}

/// The output of `--json`.
#[derive(Serialize)]
pub struct WithSecret {
    #[serde(flatten)]
    pub endpoint: EndpointRow,
    pub secret: String,
}

impl AddArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let (stack, webhooks) = (session.stack, session.stack.webhooks()?);
        let url = EndpointUrl::parse(&self.url, stack.loopback_hosts())?;
        self.check_storefront(stack).await?;
        let owner = EndpointOwner {
            project_id: self.project,
            storefront: self.storefront.clone(),
        };
        let others = webhooks.endpoints.endpoints_of(&owner).await?;
        let is_same = |endpoint: &&Endpoint| endpoint.url == url;
        let mut readable = others
            .iter()
            .filter_map(|entry| entry.endpoint.as_ref().ok());
        if let Some(same) = readable.find(is_same) {
            bail!("the endpoint {} has this URL already", same.key.id);
        }
        let secret = stack.webhook_secret()?;
        let master = secret.get().await?;
        session.confirm.ask(&self.question(&url, others.len()))?;
        let id = new_id().context("random numbers are not available")?;
        let endpoint = Endpoint {
            key: EndpointKey { owner, id },
            url,
            types: self.types.iter().cloned().collect(),
            secrets: SecretVersions::FIRST,
            created_at: Timestamp::now(),
        };
        ensure!(
            webhooks.endpoints.add(&endpoint).await?,
            "nothing was changed, because another endpoint has the same id; repeat the command"
        );
        let id = &endpoint.key.id;
        let secret = master.secret(id.as_str(), SecretVersions::FIRST.current);
        show_secret(&endpoint, &secret, session.json, session.out).map_err(|error| {
            // A closed pipe is an error here, because the operator can see the secret only in this output.
            anyhow!("the endpoint {id} was added but its secret could not be shown ({error}); remove the endpoint")
        })
    }

    async fn check_storefront(&self, stack: &Stack) -> anyhow::Result<()> {
        let keys = stack.storefront_keys().list().await?;
        let mut keys = keys.iter().filter_map(|entry| entry.key.as_ref().ok());
        ensure!(
            keys.any(|key| key.name == self.storefront && key.project_id == self.project),
            "project {} has no storefront {}: no storefront key has this name",
            self.project,
            self.storefront
        );
        Ok(())
    }

    fn question(&self, url: &EndpointUrl, others: usize) -> String {
        let types: BTreeSet<&str> = self.types.iter().map(String::as_str).collect();
        let events = match types.is_empty() {
            true => "all its events".to_owned(),
            false => format!(
                "its events {}",
                types.into_iter().collect::<Vec<_>>().join(", ")
            ),
        };
        format!(
            "Storefront {}, project {}, has {others} endpoints. Post {events} to {}?",
            self.storefront,
            self.project,
            plain(url.as_str())
        )
    }
}

/// Shows the secret of an endpoint, and writes the whole output.
pub fn show_secret(
    endpoint: &Endpoint,
    secret: &WebhookSecret,
    json: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let secret = secret.to_text();
    if json {
        let shown = WithSecret {
            endpoint: EndpointRow::new(endpoint, Timestamp::now()),
            secret,
        };
        writeln!(out, "{}", serde_json::to_string(&shown)?)?;
    } else {
        writeln!(
            terminal::stderr(),
            "The secret of endpoint {} is shown only once:",
            endpoint.key.id
        )?;
        writeln!(out, "{secret}")?;
    }
    out.flush()
}
