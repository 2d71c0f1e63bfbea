//! The storefront's side: creating a checkout and looking at a payment.

use std::time::Duration;

use ecommpay::fields::{Currency, MinorUnits};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Request, Response};
use payments::api::call::caller;
use payments::api::problem::Problem;
use payments::api::requests::clarification::read_answers;
use payments::api::response::json_response;
use payments::events::view::PaymentView;
use payments::model::ids::MerchantId;
use payments::model::storefront::Scope;
use payments::model::timestamp::Timestamp;
use payments::model::{Channel, Payment, Redirect, Status};
use payments::ports::{Clock, StoreError};
use payments::service::checkout::{
    Checkout, CheckoutError, CheckoutRequest, CheckoutService, hand_off_ready,
};
use payments::service::clarification::{Answers, ClarificationError, clarify};
use payments::service::error::ApplyError;
use serde::Serialize;

use crate::handler::Checkouts;

/// The longest that `Prefer: wait=N` is honoured.
const LONGEST_WAIT: u64 = 10;

#[derive(Serialize)]
struct CheckoutView<'a> {
    payment_id: &'a str,
    order_id: Option<&'a MerchantId>,
    status: Status,
    amount: MinorUnits,
    currency: Currency,
    channel: Channel,
    checkout_url: &'a str,
    app_payment_available: bool,
    redirect: Option<Redirect>,
    expires_at: Timestamp,
}

impl Checkouts {
    /// `POST /checkouts`
    pub(crate) async fn create(&self, request: &Request) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Checkout).await?;
        let asked = CheckoutRequest::read(
            request.body().as_ref(),
            &storefront,
            self.payments.clock.now(),
        )?;
        let keyring = self.keys.of(storefront.project_id).await;
        let keyring = keyring.map_err(Problem::unavailable)?;
        let tokens = self.tokens.get().await;
        let tokens = tokens.map_err(Problem::unavailable)?;
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &keyring,
            tokens,
            base_url: &self.base_url,
        };
        let mut checkout = checkouts
            .create(&storefront, asked)
            .await
            .map_err(problem)?;
        if let Some(wait) = preferred_wait(request.headers()) {
            let key = checkout.payment.key();
            let waited = self.payments.wait_until(&key, wait, hand_off_ready).await;
            let waited = waited.map_err(Problem::unavailable)?;
            checkout.payment = waited.unwrap_or(checkout.payment);
        }
        self.show_checkout(&checkout).await
    }

    async fn show_checkout(&self, checkout: &Checkout) -> Result<Response<String>, Problem> {
        let payment = &checkout.payment;
        let Some(order) = payment.order() else {
            return Err(Problem::unavailable(payment.key()));
        };
        let redirect = self.redirect(payment).await;
        let redirect = redirect.map_err(Problem::unavailable)?;
        let checkout_url = format!("{}/checkouts/{}", self.base_url, checkout.token);
        let view = CheckoutView {
            payment_id: payment.payment_id(),
            order_id: order.order_id.as_ref(),
            status: payment.status(),
            amount: order.amount,
            currency: order.currency,
            channel: order.channel,
            checkout_url: &checkout_url,
            app_payment_available: order.amount.app_payment_available(),
            redirect,
            expires_at: order.expires_at,
        };
        let status = if checkout.created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let mut response = json_response(status, &view);
        if let Ok(location) = HeaderValue::from_str(&checkout_url) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    /// `POST /payments/{payment_id}/clarification`
    pub(crate) async fn take_answers(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Checkout).await?;
        let payment = self.payments.visible_to(&storefront, payment_id).await;
        let payment = payment.map_err(Problem::unavailable)?;
        let payment = payment.ok_or_else(|| Problem::not_found("There is no such payment."))?;
        if payment.status() != Status::AwaitingClarification {
            return Err(ClarificationError::NotRequested.into());
        }
        let answers = read_answers(payment.clarification_fields(), request.body().as_ref())?;
        let payment = self.clarify(&payment, &answers).await?;
        Ok(self.show_payment(StatusCode::ACCEPTED, &payment))
    }

    /// Sends answers to the platform.
    pub(crate) async fn clarify(
        &self,
        payment: &Payment,
        answers: &Answers,
    ) -> Result<Payment, ClarificationError> {
        let keyring = self.keys.of(payment.project_id()).await;
        let keyring = keyring.map_err(|error| StoreError(error.to_string()));
        let keyring = keyring.map_err(ApplyError::from)?;
        let asked = payment.clarification_request();
        let gate = &self.gate;
        clarify(&self.payments, gate, &keyring, payment, asked, answers).await
    }

    /// `GET /payments/{payment_id}`
    pub(crate) async fn show(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Read).await?;
        let payment = self.payments.visible_to(&storefront, payment_id).await;
        let payment = payment.map_err(Problem::unavailable)?;
        payment
            .map(|payment| self.show_payment(StatusCode::OK, &payment))
            .ok_or_else(|| Problem::not_found("There is no such payment."))
    }

    fn show_payment(&self, status: StatusCode, payment: &Payment) -> Response<String> {
        let now = self.payments.clock.now();
        json_response(status, &PaymentView::new(payment, now))
    }
}

/// `Prefer: wait=N` (RFC 7240).
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let seconds = preferences
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            preference
                .trim()
                .strip_prefix("wait=")?
                .trim()
                .parse::<u64>()
                .ok()
        })?;
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

fn problem(error: CheckoutError) -> Problem {
    match error {
        CheckoutError::Conflict => {
            Problem::conflict("This payment_id was used for another payment.")
        }
        CheckoutError::Refused(code) => Problem::platform_refused(&code),
        CheckoutError::Unavailable(error) => Problem::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_and_limited() {
        let wait = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(value));
            preferred_wait(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("wait=3"), Some(3));
        assert_eq!(wait("respond-async, wait=60"), Some(10));
        assert_eq!(wait("return=minimal"), None);
        assert_eq!(wait("wait=soon"), None);
        assert_eq!(preferred_wait(&HeaderMap::new()), None);
    }
}
