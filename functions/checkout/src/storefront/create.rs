//! Serves `POST /checkouts`: creates a checkout and sends its sale.

use ecommpay::fields::{Currency, MinorUnits};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Request, Response};
use payments::api::call::caller;
use payments::api::problem::Problem;
use payments::api::response::json_response;
use payments::model::ids::MerchantId;
use payments::model::storefront::Scope;
use payments::model::timestamp::Timestamp;
use payments::model::{Channel, Redirect, Status};
use payments::ports::{Clock, StoreError};
use payments::service::checkout::{
    Checkout, CheckoutRequest, CheckoutService, READ_INTERVAL, hand_off_ready, token,
};
use serde::Serialize;

use super::prefer::preferred_wait;
use crate::checkouts::Checkouts;

/// The body of the answer.
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
    /// Creates a checkout and sends its sale. With `Prefer: wait=N`, waits for the redirect URL until N seconds after
    /// the arrival of the request. Only a slow answer of Gate can delay the response further.
    pub(crate) async fn create(&self, request: &Request) -> Result<Response<String>, Problem> {
        let received_at = self.payments.clock.now();
        let (headers, body) = (request.headers(), request.body().as_ref());
        let storefront = caller(&self.storefronts, headers, Scope::Checkout).await?;
        let order = CheckoutRequest::read(body, &storefront, self.payments.clock.now())?;
        let keyring = self.keys.of(storefront.project_id).await;
        let keyring = keyring.map_err(Problem::unavailable)?;
        let tokens = self.tokens.get().await.map_err(Problem::unavailable)?;
        let checkouts = CheckoutService {
            payments: &self.payments,
            gate: &self.gate.with_keys(&self.keys),
            keyring: &keyring,
            tokens,
            base_url: &self.base_url,
        };
        let mut checkout = checkouts.create(&storefront, order).await?;
        if let Some(wait) = preferred_wait(headers) {
            let until = received_at.after(wait);
            self.wait_for_redirect(&mut checkout, until).await?;
        }
        self.show_checkout(&checkout).await
    }

    /// Waits for the redirect URL, at most until the time `until`. Does not wait if the request gets no slot
    /// ([`crate::wait_slot`]).
    async fn wait_for_redirect(
        &self,
        checkout: &mut Checkout,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let left = until.since(self.payments.clock.now());
        if left < READ_INTERVAL || hand_off_ready(&checkout.payment) {
            return Ok(());
        }
        let token_hash = token::hash(&checkout.token);
        let Some(slot) = self.claim_storefront_wait(&token_hash, left).await else {
            return Ok(());
        };
        let key = checkout.payment.key();
        let waited = self.payments.wait_until(&key, left, hand_off_ready).await;
        self.end_wait(slot).await;
        if let Some(payment) = waited? {
            checkout.payment = payment;
        }
        Ok(())
    }

    async fn show_checkout(&self, checkout: &Checkout) -> Result<Response<String>, Problem> {
        let payment = &checkout.payment;
        let order = payment.order().ok_or_else(|| {
            Problem::unavailable(format!("the checkout {} has no order", payment.key()))
        })?;
        let redirect = self.redirect(payment).await.map_err(Problem::unavailable)?;
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
        let status = match checkout.created {
            true => StatusCode::CREATED,
            false => StatusCode::OK,
        };
        let mut response = json_response(status, &view);
        if let Ok(location) = HeaderValue::from_str(&checkout_url) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }
}
