//! Defines the commands on storefront keys.

mod add;
mod list;
mod revoke;

use clap::{Args, Subcommand};

use self::add::AddArgs;
use self::list::ListArgs;
use self::revoke::RevokeArgs;
use crate::session::Session;

/// Creates, lists and revokes storefront keys.
///
/// A storefront can have several keys. To replace a key, create a new key and give it to the storefront. Revoke the old
/// key when the storefront uses the new key.
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
            Action::Add(args) => args.run(session).await,
            Action::List(args) => args.run(session).await,
            Action::Revoke(args) => args.run(session).await,
        }
    }
}
