//! Contains two functions (`shared/decisions/state/0047-webhooks.md`). The router makes a message of each event for each
//! endpoint that wants it, and hands out due retries each minute. The other function makes the deliveries.

mod delivery;
mod router;
mod summary;

use lambda_runtime::{Error, run, service_fn};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // Lambda sets this variable to the property `Handler` of the function.
    if std::env::var("_HANDLER").is_ok_and(|handler| handler == "router") {
        let router = router::Router::from_environment()?;
        router.prewarm().await;
        return run(service_fn(|event| router.handle(event))).await;
    }
    let delivery = delivery::Delivery::from_environment()?;
    delivery.prewarm().await;
    run(service_fn(|event| delivery.handle(event))).await
}
