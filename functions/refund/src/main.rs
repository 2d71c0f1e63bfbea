//! `POST /payments/{payment_id}/refunds` and `GET /payments/{payment_id}/refunds/{refund_id}`.

mod handler;

use lambda_http::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let refunds = handler::Refunds::from_environment()?;
    run(service_fn(|request| refunds.handle(request))).await
}
