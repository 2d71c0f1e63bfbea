//! Logs a report of each day that is over, and compares the platform's records with ours.

mod handler;
mod lines;
mod request;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let reconciler = handler::Reconciler::from_environment()?;
    reconciler.prewarm().await;
    run(service_fn(|event| reconciler.handle(event))).await
}
