//! Each day: reports the day before, and holds the platform's books against ours.

mod handler;
mod request;
mod summary;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let reconciler = handler::Reconciliation::from_environment()?;
    reconciler.prewarm().await;
    run(service_fn(|event| reconciler.handle(event))).await
}
