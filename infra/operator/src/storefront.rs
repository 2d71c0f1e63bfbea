//! The keys of storefronts.

mod add;
mod list;
mod revoke;

use std::io::Write;

use clap::{Args, Subcommand};

use self::add::AddArgs;
use self::list::ListArgs;
use self::revoke::RevokeArgs;
use crate::account::Account;
use crate::confirm::ConfirmArgs;

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
    pub async fn run(
        &self,
        account: &Account,
        confirm: &ConfirmArgs,
        json: bool,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        match &self.action {
            Action::Add(add) => add.run(account, confirm, json, out).await,
            Action::List(list) => list.write(account, json, out).await,
            Action::Revoke(revoke) => revoke.run(account, confirm, json, out).await,
        }
    }
}
