//! Checkouts and payments for storefronts, and the shopper's pages.
//!
//! One binary, two functions: the shopper's routes run apart, so that waiting browsers can never
//! keep a storefront from creating a checkout.

use checkout::handler::Checkouts;
use lambda_http::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let checkouts = Checkouts::from_environment()?;
    checkouts.prewarm().await;
    run(service_fn(|request| checkouts.handle(request))).await
}
