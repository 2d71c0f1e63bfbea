//! Creates a storefront key.

use std::io::{self, Write};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ecommpay::fields::ProjectId;
use payments::model::storefront::{ListedKey, Scope, Storefront};
use payments::service::storefront::key_id;
use payments::service::storefront::{NewKey, settings};
use payments::sha256;
use payments::{MerchantId, Timestamp};
use serde::Serialize;

use crate::input::values;
use crate::output::terminal;
use crate::session::Session;

/// Creates a storefront key and shows it once. The key works immediately.
///
/// Only the SHA-256 of the key is stored.
#[derive(Args)]
pub struct AddArgs {
    /// The storefront's name. Keys with the same name and project can access the same payments.
    #[arg(value_parser = settings::parse_name)]
    name: String,
    /// The id of the project at the platform. The key can access payments of this project only.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// The allowed actions: create checkouts (`checkout`); read payments (`read`); refund payments (`refund`); access
    /// the payments of the project that no storefront created (`project`).
    #[arg(
        long,
        required = true,
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(["checkout", "read", "refund", "project"])
            .try_map(|scope| serde_json::from_value::<Scope>(scope.into()))
    )]
    scope: Vec<Scope>,
    /// An origin that shoppers may return to: scheme, host and port. Repeat the option for each origin.
    #[arg(
        long,
        required_if_eq("scope", "checkout"),
        value_parser = settings::parse_origin,
        value_name = "https://shop.example"
    )]
    origin: Vec<String>,
    /// The prefix with which each payment id of the storefront must begin. Set a prefix if other systems make payments
    /// in the same project, so that the storefront cannot use the payment ids of these systems.
    #[arg(long, value_parser = settings::parse_prefix, value_name = "web-")]
    payment_id_prefix: Option<MerchantId>,
}

/// The output of `--json`.
#[derive(Serialize)]
struct ShownKey<'a> {
    #[serde(flatten)]
    listed: &'a ListedKey,
    key: &'a str,
}

impl AddArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let keys = session.stack.storefront_keys();
        let listed = keys.list().await?;
        let is_active = |key: &&ListedKey| {
            (&key.name, key.project_id, key.revoked_at) == (&self.name, self.project, None)
        };
        let listed = listed.iter().flat_map(|entry| &entry.key);
        let active = listed.filter(is_active).count();
        session.confirm.ask(&format!(
            "Storefront {}, project {}, has {active} active keys. Create a key?",
            self.name, self.project
        ))?;
        let key = NewKey::random().context("random numbers are not available")?;
        let storefront = self.storefront(&key)?;
        let now = Timestamp::now();
        ensure!(
            keys.add(&storefront, now).await?,
            "nothing was changed, because another key has the same id; repeat the command"
        );
        let listed = ListedKey::new(&storefront, now);
        let id = &listed.key_id;
        show(&listed, &key, session.json, session.out).map_err(|error| {
            // A closed pipe is an error here, because the operator can see the key only in this output.
            anyhow!("the key {id} was created but could not be shown ({error}); revoke it")
        })
    }

    fn storefront(&self, key: &NewKey) -> anyhow::Result<Storefront> {
        let id = key_id(key.reveal()).context("the key has no id")?;
        Ok(Storefront {
            key_id: id.to_owned(),
            key_hash: sha256::hex(key.reveal().as_bytes()),
            name: self.name.clone(),
            project_id: self.project,
            scopes: self.scope.iter().copied().collect(),
            return_origins: self.origin.iter().cloned().collect(),
            payment_id_prefix: self.payment_id_prefix.clone(),
        })
    }
}

fn show(listed: &ListedKey, key: &NewKey, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let key = key.reveal();
    if json {
        let shown = ShownKey { listed, key };
        writeln!(out, "{}", serde_json::to_string(&shown)?)?;
    } else {
        writeln!(
            terminal::stderr(),
            "The key {} is shown only once:",
            listed.key_id
        )?;
        writeln!(out, "{key}")?;
    }
    out.flush()
}
