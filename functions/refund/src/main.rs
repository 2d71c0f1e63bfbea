//! Serves the routes of refunds.

use aws::api_gateway::counted;
use lambda_http::{Error, run, service_fn};
use mimalloc::MiMalloc;
use refund::handler::Refunds;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let refunds = Refunds::from_environment()?;
    refunds.prewarm().await;
    run(service_fn(|request| counted(refunds.handle(request)))).await
}
