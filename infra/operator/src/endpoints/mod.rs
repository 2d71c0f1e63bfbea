//! Defines the commands on the endpoints of storefronts.

mod add;
mod deliveries;
mod disable;
mod enable;
mod list;
mod remove;
mod rotate;
mod rows;
mod test;

use anyhow::Context;
use aws::environment::LiveWebhooks;
use clap::{Args, Subcommand};
use payments::model::webhook::{EndpointId, EndpointKey};
use payments::ports::EndpointEntry;

use self::add::AddArgs;
use self::deliveries::DeliveriesArgs;
use self::disable::DisableArgs;
use self::enable::EnableArgs;
use self::list::ListArgs;
use self::remove::RemoveArgs;
use self::rotate::RotateArgs;
use self::test::TestArgs;
use crate::output::text::plain;
use crate::session::Session;

/// Manages the https endpoints of storefronts, to which their events are posted.
///
/// The stack must be deployed with the parameter Webhooks=true.
#[derive(Args)]
pub struct EndpointArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Add(AddArgs),
    List(ListArgs),
    Test(TestArgs),
    Rotate(RotateArgs),
    Enable(EnableArgs),
    Disable(DisableArgs),
    Remove(RemoveArgs),
    Deliveries(DeliveriesArgs),
}

impl EndpointArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        match &self.action {
            Action::Add(args) => args.run(session).await,
            Action::List(args) => args.run(session).await,
            Action::Test(args) => args.run(session).await,
            Action::Rotate(args) => args.run(session).await,
            Action::Enable(args) => args.run(session).await,
            Action::Disable(args) => args.run(session).await,
            Action::Remove(args) => args.run(session).await,
            Action::Deliveries(args) => args.run(session).await,
        }
    }
}

/// The argument that identifies an endpoint.
#[derive(Args)]
struct IdArgs {
    /// The endpoint's id, as `endpoint list` shows it.
    #[arg(value_name = "ENDPOINT", value_parser = endpoint_id)]
    id: EndpointId,
}

impl IdArgs {
    async fn find(&self, webhooks: &LiveWebhooks) -> anyhow::Result<EndpointEntry> {
        let entry = webhooks.endpoints.find(&self.id).await?;
        entry.context("there is no endpoint with this id")
    }
}

fn endpoint_id(text: &str) -> Result<EndpointId, &'static str> {
    EndpointId::try_from(text.to_owned())
}

/// Names an endpoint in questions and results.
fn named(key: &EndpointKey) -> String {
    format!(
        "endpoint {} (storefront {}, project {})",
        key.id,
        plain(&key.owner.storefront),
        key.owner.project_id
    )
}
