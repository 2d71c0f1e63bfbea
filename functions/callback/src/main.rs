//! Receives the callbacks of the platform: `POST /callbacks`.

use aws::api_gateway::run;
use callback::handler;
use lambda_http::Error;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let callbacks = handler::Callbacks::from_environment()?;
    callbacks.prewarm().await;
    run(|request| callbacks.handle(request)).await
}
