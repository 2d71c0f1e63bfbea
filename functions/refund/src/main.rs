//! Serves the routes of refunds.

use aws::api_gateway::run;
use lambda_http::Error;
use mimalloc::MiMalloc;
use refund::handler::Refunds;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let refunds = Refunds::from_environment()?;
    refunds.prewarm().await;
    run(|request| refunds.handle(request)).await
}
