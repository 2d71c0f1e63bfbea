//! Implements the sample consumer of the `fulfilment` queue. It decides from the events of a payment whether to ship,
//! hold or take back the goods. The warehouse reads the stored actions as its instructions.
//!
//! SQS can deliver an event twice or late, and an operator can publish an event again months later. Therefore the
//! consumer stores the memory of each payment: the processed events with their actions, and the newest state. One
//! conditional write stores an event together with its action. After a crash before the write, SQS delivers the event
//! again. After a later crash, the event arrives again as a duplicate, which changes nothing.

mod actions;
mod batch;
mod decide;
mod dynamodb;
mod event;
mod goods;
mod handler;
mod memory;
mod process;

use aws::config;
use aws::{prewarm, sdk};
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
