//! Serves `POST /payments/{payment_id}/clarification`: sends the data that the platform requests.

use lambda_http::http::StatusCode;
use lambda_http::{Request, Response};
use payments::api::problem::Problem;
use payments::api::requests::clarification::read_answers;
use payments::model::Status;
use payments::model::storefront::Scope;
use payments::service::clarification::{ClarificationError, MAX_TRIES};

use crate::checkouts::Checkouts;

impl Checkouts {
    /// Sends the storefront's data to Gate. Returns the resulting payment as the answer.
    pub(crate) async fn clarify(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let payment = self
            .visible_payment(request, Scope::Checkout, payment_id)
            .await?;
        if payment.status() != Status::AwaitingClarification {
            return Err(ClarificationError::NotRequested.into());
        }
        let answers = read_answers(payment.clarification_fields(), request.body().as_ref())?;
        let payment = self
            .send_clarification(&payment, &answers, MAX_TRIES)
            .await?;
        Ok(self.show_payment(StatusCode::ACCEPTED, &payment))
    }
}
