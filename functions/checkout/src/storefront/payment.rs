//! Serves `GET /payments/{payment_id}`: shows a payment.

use lambda_http::http::StatusCode;
use lambda_http::{Request, Response};
use payments::api::call::visible_payment;
use payments::api::problem::Problem;
use payments::api::response::json_response;
use payments::events::view::PaymentView;
use payments::model::Payment;
use payments::model::storefront::Scope;
use payments::ports::Clock;

use crate::checkouts::Checkouts;

impl Checkouts {
    /// Returns the storefront's view of a payment.
    pub(crate) async fn show(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let payment = self
            .visible_payment(request, Scope::Read, payment_id)
            .await?;
        Ok(self.show_payment(StatusCode::OK, &payment))
    }

    pub(super) async fn visible_payment(
        &self,
        request: &Request,
        scope: Scope,
        payment_id: &str,
    ) -> Result<Payment, Problem> {
        let not_found = || Problem::not_found("There is no such payment.");
        visible_payment(
            &self.payments,
            &self.storefronts,
            request.headers(),
            scope,
            payment_id,
            not_found,
        )
        .await
    }

    pub(super) fn show_payment(&self, status: StatusCode, payment: &Payment) -> Response<String> {
        let now = self.payments.clock.now();
        json_response(status, &PaymentView::new(payment, now))
    }
}
