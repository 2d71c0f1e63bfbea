//! The shopper's side: over to the bank, back again, and how it stands.

use std::fmt;
use std::time::Duration;

use aws::config;
use lambda_http::Response;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use payments::api::problem::Problem;
use payments::api::response::json_response;
use payments::events::metrics;
use payments::log::{Line, Metric, Unit};
use payments::model::timestamp::Timestamp;
use payments::model::{CheckoutState, Order, Payment, Redirect, RedirectMethod, Status};
use payments::ports::{Clock, PaymentStore, StoreError};
use payments::service::checkout::hand_off_ready;
use payments::service::checkout::token;
use payments::service::clarification::ClarificationError;
use payments::service::status_poll::StatusPoller;
use payments::{PaymentKey, Payments};
use tokio::time::timeout;
use url::Url;

use crate::handler::Checkouts;
use crate::language::Language;
use crate::{clarification, pages};

/// How long a shopper's request waits for news: a browser should see something before it gets
/// impatient, and a waiting request keeps a function busy.
const SHOPPER_WAITS: Duration = Duration::from_secs(5);
/// No status request is sent with less time left: what is cut off is lost until the next one.
const POLL_TAKES: Duration = Duration::from_secs(2);

impl Checkouts {
    /// `GET /checkouts/{token}`: to the bank, as soon as its address is known. `spoken` is the
    /// language of the browser.
    pub(crate) async fn hand_over(&self, token: &str, spoken: Language) -> Response<String> {
        let asked_at = self.payments.clock.now();
        match self.find_ready(token).await {
            Ok(Some((payment, order))) => {
                self.go_on(token, &payment, &order, spoken, asked_at).await
            }
            Ok(None) => pages::unknown_token(spoken),
            Err(error) => unavailable(error, spoken),
        }
    }

    async fn go_on(
        &self,
        token: &str,
        payment: &Payment,
        order: &Order,
        spoken: Language,
        asked_at: Timestamp,
    ) -> Response<String> {
        let back = storefront_address(order, payment);
        let language = language(order, spoken);
        match payment.status() {
            status if status.is_paid() => see_other(&back, language),
            // The shopper has paid, and has nothing more to do.
            Status::Quarantined | Status::Unmatched | Status::AwaitingConfirmation => {
                pages::being_checked(language, &back)
            }
            Status::Declined => pages::declined(language, &back),
            Status::Failed => pages::failed(language, &back),
            // A sale has succeeded whose money does not count yet.
            _ if payment.successful_sales().next().is_some() => {
                pages::being_checked(language, &back)
            }
            _ if self.is_closed(payment) => pages::expired(language, &back),
            Status::AwaitingClarification => {
                let form = clarification::form(payment.clarification_fields());
                pages::clarification(language, &self.address(token), &back, &form)
            }
            Status::AwaitingCustomer => match self.redirect(payment).await {
                Ok(Some(redirect)) => {
                    self.measure_hand_off(payment, asked_at);
                    match redirect.method {
                        RedirectMethod::Get => see_other(&redirect.url, language),
                        RedirectMethod::Post => pages::hand_off(language, &redirect),
                    }
                }
                Ok(None) => pages::being_checked(language, &back),
                Err(error) => unavailable(error, language),
            },
            _ => {
                let is_lost = payment.is_redirect_missing();
                pages::waiting(language, is_lost.then_some(&back))
            }
        }
    }

    /// How long the bank's address was known before a request that waited for it was answered. One
    /// that came later did not wait, so it tells nothing.
    fn measure_hand_off(&self, payment: &Payment, asked_at: Timestamp) {
        if payment.updated_at() < asked_at {
            return;
        }
        let since = self.payments.clock.now().since(payment.updated_at());
        let measured = Metric {
            name: "redirect_latency_ms",
            unit: Unit::Milliseconds,
            value: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        };
        Line::info("handed over")
            .with("project", payment.project_id())
            .with("payment", payment.payment_id())
            .with_metrics(&[], &[measured])
            .write();
    }

    /// The checkout's own address.
    fn address(&self, token: &str) -> String {
        format!("{}/checkouts/{token}", self.base_url)
    }

    /// Whether the shopper has nothing more to do or to wait for.
    fn is_closed(&self, payment: &Payment) -> bool {
        let now = self.payments.clock.now();
        payment.checkout_state(now) != Some(CheckoutState::Open)
    }

    /// `POST /checkouts/{token}`: what the shopper has filled in.
    pub(crate) async fn take_form(
        &self,
        token: &str,
        body: &[u8],
        spoken: Language,
    ) -> Response<String> {
        let found = self.find(token, SHOPPER_WAITS, |_| true).await;
        let (payment, order) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return pages::unknown_token(spoken),
            Err(error) => return unavailable(error, spoken),
        };
        let language = language(&order, spoken);
        let own_address = self.address(token);
        if payment.status() != Status::AwaitingClarification || self.is_closed(&payment) {
            // Answered already, or too late: on to whatever is the case now.
            return see_other(&own_address, language);
        }
        let back = storefront_address(&order, &payment);
        let answers = match clarification::read(payment.clarification_fields(), body) {
            Ok(answers) => answers,
            Err(fields) => return pages::clarification(language, &own_address, &back, &fields),
        };
        match self.clarify(&payment, &answers).await {
            Ok(_) | Err(ClarificationError::NotRequested) => see_other(&own_address, language),
            Err(ClarificationError::Refused(code)) => {
                Line::warn("shopper: answers refused")
                    .with("payment", payment.key().to_string())
                    .with("code", code)
                    .write();
                pages::data_missing(language, &back)
            }
            Err(ClarificationError::NoAnswer) => pages::unavailable(language),
            Err(ClarificationError::Unavailable(error)) => unavailable(error, language),
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
    pub(crate) async fn come_back(&self, token: &str, spoken: Language) -> Response<String> {
        let is_decided = |payment: &Payment| !payment.status().is_undecided();
        match self.find(token, SHOPPER_WAITS, is_decided).await {
            Ok(Some((payment, order))) => see_other(
                &storefront_address(&order, &payment),
                language(&order, spoken),
            ),
            Ok(None) => pages::unknown_token(spoken),
            Err(error) => unavailable(error, spoken),
        }
    }

    /// `GET /checkouts/{token}/status`
    pub(crate) async fn status(
        &self,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<Response<String>, Problem> {
        let found = self.find(token, SHOPPER_WAITS, |_| true).await;
        let found = found.map_err(Problem::unavailable)?;
        let found = found.ok_or_else(|| Problem::not_found("There is no such checkout."))?;
        let (payment, order) = found;
        let checkout = payment.checkout_state(self.payments.clock.now());
        let view = serde_json::json!({
            "status": payment.status(),
            // The page may stop asking.
            "final": checkout != Some(CheckoutState::Open),
            "checkout": checkout,
        });
        let mut response = json_response(StatusCode::OK, &view);
        let vary = HeaderValue::from_static("origin");
        response.headers_mut().insert(header::VARY, vary);
        // The pages of the payment's storefront may look, and no others.
        let origin = headers.get(header::ORIGIN);
        let is_known = |origin: &&HeaderValue| {
            origin
                .to_str()
                .is_ok_and(|origin| order.origins.contains(origin))
        };
        if let Some(origin) = origin.filter(is_known) {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        Ok(response)
    }

    /// The payment behind a token as soon as the shopper can go on, or after the shopper's patience.
    /// Where no report about it has come in time, its redirect URL may be lost, and the platform is
    /// polled meanwhile.
    async fn find_ready(&self, token: &str) -> Result<Option<(Payment, Order)>, StoreError> {
        let Payments {
            clock, schedule, ..
        } = &self.payments;
        let end = clock.now().after(SHOPPER_WAITS);
        let is_ready = |payment: &Payment| hand_off_ready(payment) || self.is_closed(payment);
        let is_overdue = |payment: &Payment| schedule.is_first_report_overdue(payment, clock.now());
        let is_enough = |payment: &Payment| {
            is_ready(payment) || is_overdue(payment) || payment.is_redirect_missing()
        };
        let found = self.find(token, SHOPPER_WAITS, is_enough).await?;
        let to_poll = found
            .as_ref()
            .map(|(payment, _)| payment)
            .filter(|payment| !is_ready(payment) && is_overdue(payment));
        let left = end.since(clock.now());
        match to_poll {
            // Apart, as its state would make that of every route far larger.
            Some(payment) if left >= POLL_TAKES => {
                Box::pin(self.poll(&payment.key(), left)).await;
            }
            _ => return Ok(found),
        }
        // Where the answer brings no redirect URL, the page says so.
        let is_enough = |payment: &Payment| is_ready(payment) || payment.is_redirect_missing();
        self.find(token, end.since(clock.now()), is_enough).await
    }

    /// Polls the platform about a payment if that is due, so that of this page and the sweeper only
    /// one does. Whatever goes wrong, the page goes on with what is known.
    async fn poll(&self, key: &PaymentKey, most: Duration) {
        let polled = async {
            let secrets = tokio::try_join!(self.keys.get(), self.tokens.get());
            let (keys, tokens) = secrets.map_err(|error| error.to_string())?;
            let poller = StatusPoller {
                payments: &self.payments,
                gate: &self.gate,
                keys: &keys,
                tokens,
                base_url: &self.base_url,
                // One request needs no interval.
                min_interval: Duration::ZERO,
            };
            let polled = poller.poll(key, self.payments.clock.now()).await;
            polled.map_err(|error| error.to_string())
        };
        let error = match timeout(most, polled).await {
            Ok(Ok(events)) => return metrics::count(key, &events),
            Ok(Err(error)) => error,
            Err(_) => "the shopper could not wait for the answer".to_owned(),
        };
        Line::warn("shopper: not polled")
            .with("payment", key.to_string())
            .with("error", error)
            .write();
    }

    /// The payment behind a token, as soon as `enough` says so, or after `wait`.
    async fn find(
        &self,
        token: &str,
        wait: Duration,
        enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<(Payment, Order)>, StoreError> {
        let key: Option<PaymentKey> = self
            .payments
            .store
            .payment_of_token(&token::hash(token))
            .await?;
        let Some(key) = key else { return Ok(None) };
        let payment = self.payments.wait_until(&key, wait, enough).await?;
        Ok(payment.and_then(|payment| {
            let order = payment.order()?.clone();
            Some((payment, order))
        }))
    }
}

/// The storefront's choice, else the browser's.
fn language(order: &Order, spoken: Language) -> Language {
    let chosen = order.language.as_deref().and_then(Language::of_code);
    chosen.unwrap_or(spoken)
}

/// The storefront's address with the payment's id.
fn storefront_address(order: &Order, payment: &Payment) -> String {
    match Url::parse(order.return_url.as_str()) {
        Ok(mut url) => {
            url.query_pairs_mut()
                .append_pair("payment_id", payment.payment_id());
            url.into()
        }
        Err(_) => order.return_url.as_str().to_owned(),
    }
}

fn see_other(address: &str, language: Language) -> Response<String> {
    let Ok(location) = HeaderValue::from_str(address) else {
        let error = StoreError("an address cannot be a header".into());
        return unavailable(error, language);
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

fn unavailable(error: impl fmt::Display, language: Language) -> Response<String> {
    Line::error("shopper: failed")
        .with("error", error.to_string())
        .write();
    pages::unavailable(language)
}
