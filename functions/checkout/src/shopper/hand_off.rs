//! Serves `GET /checkouts/{token}`: redirects the shopper to the bank or, if the checkout is paid, to the shop.
//! Otherwise shows the state of the checkout.

use std::time::Duration;

use ecommpay::report::ClarificationField;
use lambda_http::Response;
use payments::log::{Line, Metric, Unit};
use payments::model::timestamp::Timestamp;
use payments::model::{Payment, Redirect, RedirectMethod, Status};
use payments::ports::Clock;
use payments::service::clarification::{MAX_SHOPPER_TRIES, sendable};

use super::lookup::ShopperCheckout;
use super::response::{see_other, unavailable};
use crate::checkouts::Checkouts;
use crate::language::Language;
use crate::{form, pages};

/// If an attempt is older than this, the waiting page says that Bancontact has not answered yet.
const LATE_AFTER: Duration = Duration::from_secs(20);

impl Checkouts {
    /// Waits for the redirect URL, then redirects the browser or shows a page.
    pub(crate) async fn hand_off(&self, token: &str, browser: Language) -> Response<String> {
        let received_at = self.payments.clock.now();
        match self.find_ready(token).await {
            Ok(Some(checkout)) => {
                let language = checkout.language(browser);
                self.next_step(token, &checkout, language, received_at)
                    .await
            }
            Ok(None) => pages::unknown_token(browser),
            Err(error) => unavailable(error, browser, None),
        }
    }

    async fn next_step(
        &self,
        token: &str,
        checkout: &ShopperCheckout,
        language: Language,
        received_at: Timestamp,
    ) -> Response<String> {
        let payment = &checkout.payment;
        let shop_url = checkout.shop_url();
        match checkout.status() {
            status if status.is_paid() => see_other(&shop_url, language),
            // The shopper can do nothing. `Unmatched` never occurs, because an unmatched payment has no token.
            Status::Quarantined | Status::Unmatched | Status::AwaitingConfirmation => {
                pages::being_checked(language, &shop_url)
            }
            Status::Declined => pages::declined(language, &shop_url),
            Status::Failed => pages::failed(language, &shop_url),
            // A sale succeeded, but its money does not count yet.
            _ if payment.successful_sales().next().is_some() => {
                pages::being_checked(language, &shop_url)
            }
            _ if !checkout.is_open(self.payments.clock.now()) => {
                pages::expired(language, &shop_url)
            }
            Status::AwaitingClarification => match requested_data(payment) {
                Some(requested) => {
                    let (form, url) = (form::empty(&requested), self.checkout_url(token));
                    pages::clarification(language, &url, &shop_url, &form, None)
                }
                None => pages::data_missing(language, &shop_url),
            },
            Status::AwaitingCustomer => match self.redirect(payment).await {
                Ok(Some(redirect)) => {
                    self.measure_latency(payment, received_at);
                    follow(&redirect, language, &shop_url)
                }
                Ok(None) => pages::being_checked(language, &shop_url),
                Err(error) => unavailable(error, language, Some(&shop_url)),
            },
            _ => {
                let late_at = payment.attempt().started_at().after(LATE_AFTER);
                let is_late = payment.is_redirect_missing() || late_at <= self.payments.clock.now();
                let refresh_after = if checkout.could_not_wait { 4 } else { 1 };
                pages::waiting(language, &shop_url, is_late, refresh_after)
            }
        }
    }

    /// Logs the time from the last change of the payment to the redirect of the shopper. This change is normally the
    /// arrival of the redirect URL. Logs nothing if the payment had not changed since the request arrived.
    fn measure_latency(&self, payment: &Payment, received_at: Timestamp) {
        if payment.updated_at() < received_at {
            return;
        }
        let latency = self.payments.clock.now().since(payment.updated_at());
        let latency = Metric {
            name: "redirect_latency_ms",
            unit: Unit::Milliseconds,
            value: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        };
        Line::info("a waiting shopper was redirected")
            .with("project", payment.project_id())
            .with("payment", payment.payment_id())
            .with_metrics(&[], &[latency])
            .write();
    }
}

/// Returns the fields of the form. Returns `None` if the requested fields cannot be sent, or if data was sent too
/// often.
pub(super) fn requested_data(payment: &Payment) -> Option<Vec<ClarificationField>> {
    let request = payment.clarification_request()?;
    let fields = sendable(request.clarification_fields());
    let tries = payment.clarification_tries(&request.digest())?;
    (!fields.is_empty() && tries < MAX_SHOPPER_TRIES).then_some(fields)
}

fn follow(redirect: &Redirect, language: Language, shop_url: &str) -> Response<String> {
    match redirect.method {
        RedirectMethod::Get => see_other(&redirect.url, language),
        RedirectMethod::Post => pages::hand_off(language, redirect, shop_url),
    }
}
