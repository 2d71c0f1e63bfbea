//! Each minute, publishes the outbox, polls the platform, emits `checkout.expired`, erases customers' data and counts
//! overdue payments.

mod handler;
mod summary;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sweeper = handler::Sweeper::from_environment()?;
    sweeper.prewarm().await;
    run(service_fn(|event| sweeper.handle(event))).await
}
