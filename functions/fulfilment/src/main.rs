//! Runs the sample consumer of the `fulfilment` queue.

use aws::config;
use aws::{prewarm, sdk};
use fulfilment::{Fulfilment, MemoryTable};
use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = MemoryTable::new(&sdk::from_environment()?, config::required("MEMORY_TABLE")?);
    prewarm::within_limit(table.prewarm()).await;
    let fulfilment = Fulfilment::new(table);
    run(service_fn(|event| fulfilment.handle(event))).await
}
