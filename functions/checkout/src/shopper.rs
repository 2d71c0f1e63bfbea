//! The shopper's side: over to the bank, back again, and how it stands.

use std::time::Duration;

use lambda_http::Response;
use lambda_http::http::{HeaderValue, StatusCode, header};
use payments::checkout::hand_off_ready;
use payments::payment::{Order, Payment, Redirect, RedirectMethod, Status};
use payments::ports::{Clock, PaymentStore, StoreError};
use payments::problem::{Problem, json_response};
use payments::{PaymentKey, config, token};
use url::Url;

use crate::handler::Checkouts;
use crate::pages;

/// How long a shopper's request waits for news: a browser should see something before it gets
/// impatient, and a waiting request keeps a function busy.
const SHOPPER_WAITS: Duration = Duration::from_secs(5);

impl Checkouts {
    /// `GET /checkouts/{token}`: to the bank, as soon as its address is known.
    pub(crate) async fn hand_over(&self, token: &str) -> Response<String> {
        match self.find(token, hand_off_ready).await {
            Ok(Some((payment, order))) => self.hand_over_payment(&payment, &order),
            Ok(None) => pages::unknown_token(),
            Err(error) => unavailable(error),
        }
    }

    fn hand_over_payment(&self, payment: &Payment, order: &Order) -> Response<String> {
        let back = storefront_address(order, payment);
        match payment.status() {
            status if status.is_paid() => see_other(&back),
            Status::Quarantined | Status::Unmatched => pages::being_checked(&back),
            Status::Declined | Status::Failed => pages::declined(&back),
            _ if order.expires_at <= self.payments.clock.now() => pages::expired(&back),
            Status::AwaitingClarification => pages::data_missing(&back),
            Status::AwaitingCustomer => match self.allowed_redirect(payment) {
                Some(redirect) => hand_off(&redirect),
                None => pages::being_checked(&back),
            },
            _ => pages::waiting(),
        }
    }

    /// Where the browser must go, if it may go there: https addresses only; http where everything
    /// is local, as in the sandbox.
    pub(crate) fn allowed_redirect(&self, payment: &Payment) -> Option<Redirect> {
        let redirect = payment.redirect()?;
        let url = Url::parse(&redirect.url).ok()?;
        let all_is_local = || Url::parse(&self.base_url).is_ok_and(|own| config::is_loopback(&own));
        let allowed = match url.scheme() {
            "https" => true,
            "http" => config::is_loopback(&url) && all_is_local(),
            _ => false,
        };
        allowed.then(|| Redirect {
            // As parsed: plain ASCII, fit for a header.
            url: url.into(),
            ..redirect.clone()
        })
    }

    /// `GET /checkouts/{token}/return`: back to the storefront, which asks us for the result.
    pub(crate) async fn come_back(&self, token: &str) -> Response<String> {
        match self
            .find(token, |payment| payment.status().is_final())
            .await
        {
            Ok(Some((payment, order))) => see_other(&storefront_address(&order, &payment)),
            Ok(None) => pages::unknown_token(),
            Err(error) => unavailable(error),
        }
    }

    /// `GET /checkouts/{token}/status`
    pub(crate) async fn status(&self, token: &str) -> Result<Response<String>, Problem> {
        let found = self.find(token, |_| true).await;
        let found =
            found.map_err(|error| Problem::unavailable_because("checkout: not read", error))?;
        let (payment, _) = found.ok_or_else(|| Problem::not_found("There is no such checkout."))?;
        let status = payment.status();
        let view = serde_json::json!({ "status": status, "final": status.is_final() });
        Ok(json_response(StatusCode::OK, &view))
    }

    /// The payment behind a token, as soon as `enough` says so, or after the shopper's patience.
    async fn find(
        &self,
        token: &str,
        enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<(Payment, Order)>, StoreError> {
        let key: Option<PaymentKey> = self
            .payments
            .store
            .payment_of_token(&token::hash(token))
            .await?;
        let Some(key) = key else { return Ok(None) };
        let payment = self
            .payments
            .wait_until(&key, SHOPPER_WAITS, enough)
            .await?;
        Ok(payment.and_then(|payment| {
            let order = payment.order.clone()?;
            Some((payment, order))
        }))
    }
}

/// The storefront's address with the payment's id.
fn storefront_address(order: &Order, payment: &Payment) -> String {
    match Url::parse(order.return_url.as_str()) {
        Ok(mut url) => {
            url.query_pairs_mut()
                .append_pair("payment_id", &payment.payment_id);
            url.into()
        }
        Err(_) => order.return_url.as_str().to_owned(),
    }
}

fn hand_off(redirect: &Redirect) -> Response<String> {
    match redirect.method {
        RedirectMethod::Get => see_other(&redirect.url),
        RedirectMethod::Post => pages::post_form(redirect),
    }
}

fn see_other(address: &str) -> Response<String> {
    let Ok(location) = HeaderValue::from_str(address) else {
        return unavailable(StoreError("an address cannot be a header".into()));
    };
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

fn unavailable(error: StoreError) -> Response<String> {
    payments::log::Line::error("shopper: failed")
        .with("error", error.to_string())
        .write();
    pages::unavailable()
}
