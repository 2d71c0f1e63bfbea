//! A new key of a storefront.

use std::io::{self, Write};

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::storefront::{ListedKey, Scope, Storefront};
use payments::service::storefront::key_id;
use payments::service::storefront::{NewKey, settings};
use payments::sha256;
use serde::Serialize;

use crate::session::Session;
use crate::values;

/// Makes a key of a storefront and shows it, this once and never again.
///
/// Only the SHA-256 of the key is stored. It works at once.
#[derive(Args)]
pub struct AddArgs {
    /// The storefront's name: it owns the payments that are created with its keys.
    #[arg(value_parser = settings::parse_name)]
    name: String,
    /// The project at the platform that the payments belong to.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
    /// What the key allows: to create checkouts, to read payments, to refund them, to reach those that no
    /// storefront has created.
    #[arg(
        long,
        required = true,
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(["checkout", "read", "refund", "project"])
            .try_map(|scope| serde_json::from_value::<Scope>(scope.into()))
    )]
    scope: Vec<Scope>,
    /// Where shoppers may return to: scheme, host and port; once for each.
    #[arg(
        long,
        required_if_eq("scope", "checkout"),
        value_parser = settings::parse_origin,
        value_name = "https://shop.example"
    )]
    origin: Vec<String>,
}

/// What is shown once.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    listed: &'a ListedKey,
    key: &'a str,
}

impl AddArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let store = session.account.store();
        let mut others = store.storefront_keys().await?;
        others.retain(|key| {
            (&key.name, key.project_id, key.revoked_at) == (&self.name, self.project, None)
        });
        let Self { name, project, .. } = self;
        let others = others.len();
        session.confirm.ask(&format!(
            "make a key of storefront {name}, project {project}, beside {others} that it has?"
        ))?;
        let key = NewKey::random().map_err(|error| anyhow!("there is no chance: {error}"))?;
        let storefront = self.storefront(&key)?;
        let now = Timestamp::now();
        let added = store.add_storefront_key(&storefront, now).await?;
        ensure!(
            added,
            "nothing was changed: there is a key with this id, or somebody else was at it; repeat"
        );
        let listed = ListedKey::new(&storefront, now);
        let id = &listed.key_id;
        show(&listed, &key, session.json, session.out).map_err(|error| {
            // Also where whoever reads has seen enough: nobody has the key now.
            anyhow!("the key {id} was made and could not be shown ({error}): revoke it")
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
        })
    }
}

fn show(listed: &ListedKey, key: &NewKey, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let key = key.reveal();
    if json {
        let shown = Shown { listed, key };
        writeln!(out, "{}", serde_json::to_string(&shown)?)?;
    } else {
        let id = &listed.key_id;
        writeln!(io::stderr(), "The key {id} is shown only this once:")?;
        writeln!(out, "{key}")?;
    }
    out.flush()
}
