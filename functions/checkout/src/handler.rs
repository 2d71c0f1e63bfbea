//! Calls the code of each route.

use aws::api_gateway::{id_parameter, parameter, route};
use lambda_http::{Request, Response};
use payments::api::call::respond;
use payments::api::problem::Problem;

pub use crate::checkouts::Checkouts;
use crate::language::Language;

impl Checkouts {
    /// Answers one request. The gateway has already matched the route and decoded the path parameters.
    pub async fn handle(&self, request: Request) -> Response<String> {
        let token = &parameter(&request, "token");
        let payment_id = &match id_parameter(&request, "payment_id") {
            Ok(payment_id) => payment_id,
            Err(problem) => return problem.into_response(),
        };
        let browser = Language::of_browser(request.headers());
        match route(&request) {
            "POST /checkouts" => respond(self.create(&request).await),
            "GET /payments/{payment_id}" => respond(self.show(&request, payment_id).await),
            "POST /payments/{payment_id}/clarification" => {
                respond(self.clarify(&request, payment_id).await)
            }
            "GET /checkouts/{token}" => self.hand_off(token, browser).await,
            "POST /checkouts/{token}" => self.submit_form(token, &request, browser).await,
            "GET /checkouts/{token}/status" => respond(self.status(token, request.headers()).await),
            "GET /checkouts/{token}/return" | "POST /checkouts/{token}/return" => {
                self.return_to_shop(token, browser).await
            }
            _ => Problem::not_found("There is no such route.").into_response(),
        }
    }
}
