//! The keys of storefronts.

mod add;
mod list;
mod revoke;

use clap::{Args, Subcommand};

use self::add::AddArgs;
use self::list::ListArgs;
use self::revoke::RevokeArgs;
use crate::session::Session;

/// Makes, lists and revokes the keys of storefronts.
///
/// A storefront can have several keys at once: make a new one, give it to the storefront, and
/// revoke the old one when it is no longer used.
#[derive(Args)]
pub struct StorefrontArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(AddArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

impl StorefrontArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        match &self.action {
            Action::Add(add) => add.run(session).await,
            Action::List(list) => list.run(session).await,
            Action::Revoke(revoke) => revoke.run(session).await,
        }
    }
}
