//! Does what an operator asks for by hand, with the deployment's own keys, schedule and queues, so
//! that nobody's own machine needs them. Nothing triggers it.

mod answer;
mod answered;
mod handler;
mod request;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let commands = handler::Commands::from_environment()?;
    commands.prewarm().await;
    run(service_fn(|event| commands.handle(event))).await
}
