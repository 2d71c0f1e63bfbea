//! Contains two functions, the sweeper and the worker (`shared/decisions/state/0039-work-queue.md`). The sweeper runs
//! each minute. It publishes the outbox, emits `checkout.expired`, erases customers' data and counts overdue payments.
//! It hands out status polls and other work through a queue. The worker does the work that was handed out.

mod summary;
mod sweep;
mod work;
mod work_line;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // Lambda sets this variable to the property `Handler` of the function.
    if std::env::var("_HANDLER").is_ok_and(|handler| handler == "worker") {
        let worker = work::Worker::from_environment()?;
        worker.prewarm().await;
        return run(service_fn(|event| worker.handle(event))).await;
    }
    let sweep = sweep::Sweep::from_environment()?;
    sweep.prewarm().await;
    run(service_fn(|event| sweep.handle(event))).await
}
