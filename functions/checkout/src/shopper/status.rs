//! Serves `GET /checkouts/{token}/status`: returns the status to scripts on the storefront's pages.

use lambda_http::Response;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use payments::api::problem::Problem;
use payments::api::response::json_response;
use payments::model::CheckoutState;
use payments::ports::Clock;
use serde_json::json;

use crate::checkouts::Checkouts;

impl Checkouts {
    /// Returns the status of the payment. Because of CORS, only pages of the storefront's origins can read this answer.
    pub(crate) async fn status(
        &self,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<Response<String>, Problem> {
        let checkout = self.find(token).await?;
        let checkout = checkout.ok_or_else(|| Problem::not_found("There is no such checkout."))?;
        let state = checkout.state(self.payments.clock.now());
        let view = json!({
            "status": checkout.status(),
            // If true, the script can stop polling.
            "final": state != Some(CheckoutState::Open),
            "checkout": state,
        });
        let mut response = json_response(StatusCode::OK, &view);
        let answer_headers = response.headers_mut();
        answer_headers.insert(header::VARY, HeaderValue::from_static("origin"));
        let origin = headers.get(header::ORIGIN).filter(|origin| {
            let origin = origin.to_str();
            origin.is_ok_and(|origin| checkout.order.origins.contains(origin))
        });
        if let Some(origin) = origin {
            answer_headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        Ok(response)
    }
}
