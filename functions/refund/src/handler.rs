//! Speaks HTTP for refunds; what is allowed is decided elsewhere.

use lambda_http::http::StatusCode;
use lambda_http::{Error, Request, RequestExt, Response};
use payments::adapters::gate_http::HttpGate;
use payments::adapters::live::{self, LivePayments};
use payments::adapters::secrets::ProjectKeySecret;
use payments::adapters::{aws, opening};
use payments::clarification::{ClarificationError, clarify, read_answers};
use payments::config;
use payments::decide::Rejection;
use payments::http_call::{caller, respond};
use payments::model::{Payment, Refund, RefundOrder};
use payments::problem::{FieldProblem, Problem, json_response};
use payments::refund::{self, RefundDesk, RefundError};
use payments::storefront::Scope;
use payments::view::RefundView;

/// What refunds need.
pub struct Refunds {
    /// The payments.
    pub payments: LivePayments,
    /// The keys of the projects.
    pub keys: ProjectKeySecret,
    /// The way to the platform.
    pub gate: HttpGate,
}

impl Refunds {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        Ok(Self {
            payments: live::payments(&aws)?,
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
        })
    }

    /// What the first refund would otherwise wait for.
    pub async fn open(&self) {
        let opened =
            async { tokio::join!(self.payments.open(), self.keys.open(), self.gate.open()) };
        opening::within_limit(opened).await;
    }

    /// One call, by the route that the gateway has matched and the parameters it has decoded.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let parameters = request.path_parameters();
        let payment_id = parameters.first("payment_id").unwrap_or_default();
        let route = request
            .request_context_ref()
            .and_then(|context| match context {
                lambda_http::request::RequestContext::ApiGatewayV2(context) => {
                    context.route_key.as_deref()
                }
                _ => None,
            });
        let outcome = match route.unwrap_or_default() {
            "POST /payments/{payment_id}/refunds" => self.create(&request, payment_id).await,
            "GET /payments/{payment_id}/refunds/{refund_id}" => {
                let refund_id = parameters.first("refund_id").unwrap_or_default();
                self.show(&request, payment_id, refund_id).await
            }
            "POST /payments/{payment_id}/refunds/{refund_id}/clarification" => {
                let refund_id = parameters.first("refund_id").unwrap_or_default();
                self.take_answers(&request, payment_id, refund_id).await
            }
            _ => Err(Problem::not_found("There is no such route.")),
        };
        Ok(respond(outcome))
    }

    async fn create(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Refund).await?;
        let asked = RefundOrder::read(request.body().as_ref())?;
        let keyring = self.keys.of(storefront.project_id).await;
        let keyring =
            keyring.map_err(|error| Problem::unavailable_because("refund: no key", error))?;
        let desk = RefundDesk {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &keyring,
        };
        let payment = desk
            .refund(&storefront, payment_id, &asked)
            .await
            .map_err(problem)?;
        let refund = payment.refund(&asked.refund_id);
        let refund =
            refund.ok_or_else(|| Problem::unavailable_because("refund: lost", payment.key()))?;
        Ok(answer(StatusCode::ACCEPTED, &payment, refund))
    }

    async fn show(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Read).await?;
        let payment = self.payments.visible_to(&storefront, payment_id).await;
        let payment =
            payment.map_err(|error| Problem::unavailable_because("refund: not read", error))?;
        payment
            .and_then(|payment| {
                let refund = refund::find(&payment, refund_id)?;
                Some(answer(StatusCode::OK, &payment, refund))
            })
            .ok_or_else(no_such_refund)
    }

    /// `POST /payments/{payment_id}/refunds/{refund_id}/clarification`. Gate's request names only the
    /// payment, so the answers go to whatever of it waits.
    async fn take_answers(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Refund).await?;
        let payment = self.payments.visible_to(&storefront, payment_id).await;
        let payment =
            payment.map_err(|error| Problem::unavailable_because("refund: not read", error))?;
        let payment = payment.ok_or_else(no_such_refund)?;
        let refund = refund::find(&payment, refund_id).ok_or_else(no_such_refund)?;
        let asked = payment.clarification_request_of(refund);
        let asked = asked.ok_or(ClarificationError::NotAsked)?;
        let body = request.body().as_ref();
        let answers = read_answers(asked.clarification_fields(), body)?;
        let keyring = self.keys.of(payment.project_id()).await;
        let keyring =
            keyring.map_err(|error| Problem::unavailable_because("refund: no key", error))?;
        let (payments, gate) = (&self.payments, &self.gate);
        let payment = clarify(payments, gate, &keyring, &payment, Some(asked), &answers).await?;
        let refund = refund::find(&payment, refund_id).ok_or_else(no_such_refund)?;
        Ok(answer(StatusCode::ACCEPTED, &payment, refund))
    }
}

fn answer(status: StatusCode, payment: &Payment, refund: &Refund) -> Response<String> {
    json_response(status, &RefundView::new(payment, refund))
}

fn no_such_refund() -> Problem {
    Problem::not_found("There is no such refund.")
}

fn problem(error: RefundError) -> Problem {
    match error {
        RefundError::NotFound => Problem::not_found("There is no such payment."),
        RefundError::Rejected(rejection) => rejected(rejection),
        RefundError::Unavailable(error) => Problem::unavailable_because("refund: failed", error),
    }
}

fn rejected(rejection: Rejection) -> Problem {
    match rejection {
        Rejection::OtherContent => Problem::conflict("This refund_id was used for another refund."),
        Rejection::NotRefundable | Rejection::NoMoney => {
            Problem::conflict("The payment cannot be refunded in its present status.")
        }
        Rejection::TooMany => {
            Problem::conflict("The payment has as many refunds as can be kept of one.")
        }
        Rejection::MoreThanLeft(left) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "more-than-left",
            "More than what is left",
            format!("At most {left} minor units can be refunded; nothing was sent."),
        ),
        Rejection::NoAddress => Problem::invalid(vec![FieldProblem {
            pointer: "/customer/ip_address".into(),
            code: "missing",
            detail: "is required, as the checkout's is not known".into(),
        }]),
    }
}
