//! The sample consumer of the `fulfilment` queue: decides from the events of a payment what to ship
//! and what to take back.
//!
//! An event can come twice, late, or again after months; some never come. So the consumer remembers,
//! for each payment, the events it has taken and the newest state it has heard of, and writes the
//! event and the instruction that follows from it in one conditional write. That record is the
//! action: the warehouse works through it. A crash before the write leads to a repeat, a crash after
//! it to a repeat that is recognised.

mod actions;
mod batch;
mod decide;
mod dynamodb;
mod event;
mod handler;
mod memory;

use aws::{config, prewarm, sdk};
use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

use crate::dynamodb::MemoryTable;
use crate::handler::Fulfilment;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = MemoryTable::new(&sdk::from_environment()?, config::required("MEMORY_TABLE")?);
    prewarm::within_limit(table.prewarm()).await;
    let fulfilment = Fulfilment::new(table);
    run(service_fn(|event| fulfilment.handle(event))).await
}
