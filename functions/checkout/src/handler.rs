//! The routes of this binary.

use std::collections::BTreeMap;

use aws::api_gateway::{parameter, route};
use aws::config;
use aws::environment::{self, Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::{CachedProjectKeys, CachedTokenSecret, SecretError};
use lambda_http::{Error, Request, Response};
use payments::api::call::respond;
use payments::api::problem::Problem;
use payments::model::{CheckoutState, Payment, Redirect, RedirectMethod, Status};
use payments::ports::Clock;
use payments::service::checkout::payment_page::{PaymentPageLinks, PaymentPageSettings};

use crate::language::Language;

/// What checkouts need.
pub struct Checkouts {
    /// The payments.
    pub payments: LivePayments,
    /// The keys of the projects.
    pub keys: CachedProjectKeys,
    /// The way to the platform.
    pub gate: HttpGate,
    /// The secret of checkout tokens.
    pub tokens: CachedTokenSecret,
    /// The public address of this service, without a slash at its end.
    pub base_url: String,
    /// The platform's Payment Page.
    pub page_url: String,
    /// How the platform has set it up.
    pub page_settings: PaymentPageSettings,
}

impl Checkouts {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            gate: environment.gate()?,
            tokens: environment.token_secret()?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            page_url: config::base_url("PAYMENT_PAGE_URL")?,
            page_settings: config::payment_page()?,
        })
    }

    /// Connects and fetches secrets before the first request.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                environment::prewarm(&self.payments),
                self.keys.prewarm(),
                self.tokens.prewarm(),
                self.gate.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    /// Where the browser must go now, if that is known and it may go there.
    pub(crate) async fn redirect(
        &self,
        payment: &Payment,
    ) -> Result<Option<Redirect>, SecretError> {
        let now = self.payments.clock.now();
        let is_open = payment.checkout_state(now) == Some(CheckoutState::Open);
        if !is_open || payment.status() != Status::AwaitingCustomer {
            return Ok(None);
        }
        if !payment.has_unused_link() {
            return Ok(self.allowed_redirect(payment));
        }
        let keyring = self.keys.of(payment.project_id()).await?;
        let links = PaymentPageLinks {
            page_url: &self.page_url,
            settings: &self.page_settings,
            base_url: &self.base_url,
            tokens: self.tokens.get().await?,
        };
        let link = links.link(payment, keyring.current());
        Ok(link.map(|url| Redirect {
            method: RedirectMethod::Get,
            url,
            fields: BTreeMap::new(),
        }))
    }

    /// One call, by the route that the gateway has matched and the parameters it has decoded.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let token = &parameter(&request, "token");
        let payment_id = &parameter(&request, "payment_id");
        let spoken = Language::of_browser(request.headers());
        Ok(match route(&request) {
            "POST /checkouts" => respond(self.create(&request).await),
            "GET /payments/{payment_id}" => respond(self.show(&request, payment_id).await),
            "POST /payments/{payment_id}/clarification" => {
                respond(self.take_answers(&request, payment_id).await)
            }
            "GET /checkouts/{token}" => self.hand_over(token, spoken).await,
            "POST /checkouts/{token}" => {
                let body = request.body().as_ref();
                self.take_form(token, body, spoken).await
            }
            "GET /checkouts/{token}/status" => respond(self.status(token, request.headers()).await),
            "GET /checkouts/{token}/return" => self.come_back(token, spoken).await,
            _ => Problem::not_found("There is no such route.").into_response(),
        })
    }
}
