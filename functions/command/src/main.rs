//! Runs the commands of operators with the keys and queues of the deployment. Only the operator's tool invokes this
//! function (`shared/decisions/functions/0019-command-function.md`).

mod command;
mod handler;
mod log_line;
mod reply;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let commands = handler::CommandHandler::from_environment()?;
    commands.prewarm().await;
    run(service_fn(|event| commands.handle(event))).await
}
