//! The routes of this binary.

use std::collections::BTreeMap;

use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt, Response};
use payments::adapters::gate_http::HttpGate;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::{KeptTokenSecret, ProjectKeySecret, SecretError};
use payments::adapters::{aws, opening};
use payments::config;
use payments::http_call::respond;
use payments::model::{CheckoutState, Payment, Redirect, RedirectMethod, Status};
use payments::payment_page::{PaymentPageLinks, PaymentPageSettings};
use payments::ports::Clock;
use payments::problem::Problem;

use crate::language::Language;

/// What checkouts need.
pub struct Checkouts {
    /// The payments.
    pub payments: LivePayments,
    /// The keys of the projects.
    pub keys: ProjectKeySecret,
    /// The way to the platform.
    pub gate: HttpGate,
    /// The secret of checkout tokens.
    pub tokens: KeptTokenSecret,
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
        let aws = aws::from_environment()?;
        Ok(Self {
            payments: live::payments(&aws)?,
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
            tokens: KeptTokenSecret::new(&aws, config::required("TOKEN_SECRET")?),
            base_url: config::base_url("PUBLIC_BASE_URL")?,
            page_url: config::base_url("PAYMENT_PAGE_URL")?,
            page_settings: config::payment_page()?,
        })
    }

    /// What the first checkout would otherwise wait for.
    pub async fn open(&self) {
        let opened = async {
            tokio::join!(
                self.payments.open(),
                self.keys.open(),
                self.tokens.open(),
                self.gate.open(),
            )
        };
        opening::within_limit(opened).await;
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
        let parameters = request.path_parameters();
        let token = parameters.first("token").unwrap_or_default();
        let payment_id = parameters.first("payment_id").unwrap_or_default();
        let spoken = Language::of_browser(request.headers());
        let route = request
            .request_context_ref()
            .and_then(|context| match context {
                RequestContext::ApiGatewayV2(context) => context.route_key.as_deref(),
                _ => None,
            });
        Ok(match route.unwrap_or_default() {
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
