//! Serves the routes of storefronts and shoppers.
//!
//! The template deploys this binary as two functions: one for storefronts and one for shoppers. Therefore waiting
//! shoppers never prevent a storefront from creating a checkout
//! (`shared/decisions/functions/0018-checkout-and-shopper.md`).

use aws::api_gateway::run;
use checkout::handler::Checkouts;
use lambda_http::Error;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let checkouts = Checkouts::from_environment()?;
    checkouts.prewarm().await;
    run(|request| checkouts.handle(request)).await
}
