//! Speaks HTTP for refunds; what is allowed is decided elsewhere.

use aws::api_gateway::{parameter, route};
use aws::environment::{self, Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::CachedProjectKeys;
use lambda_http::http::StatusCode;
use lambda_http::{Error, Request, Response};
use payments::api::call::{caller, respond};
use payments::api::problem::{FieldProblem, Problem};
use payments::api::requests::clarification::read_answers;
use payments::api::response::json_response;
use payments::decide::Rejection;
use payments::events::view::RefundView;
use payments::model::storefront::Scope;
use payments::model::{Payment, Refund, RefundOrder};
use payments::service::clarification::{ClarificationError, clarify};
use payments::service::refund::{self, RefundError, RefundService};

/// What refunds need.
pub struct Refunds {
    /// The payments.
    pub payments: LivePayments,
    /// The keys of the projects.
    pub keys: CachedProjectKeys,
    /// The way to the platform.
    pub gate: HttpGate,
}

impl Refunds {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        Ok(Self {
            payments: environment.payments()?,
            keys: environment.project_keys()?,
            gate: environment.gate()?,
        })
    }

    /// Connects and fetches secrets before the first request.
    pub async fn prewarm(&self) {
        let all = async {
            tokio::join!(
                environment::prewarm(&self.payments),
                self.keys.prewarm(),
                self.gate.prewarm(),
            )
        };
        prewarm::within_limit(all).await;
    }

    /// One call, by the route that the gateway has matched and the parameters it has decoded.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let payment_id = &parameter(&request, "payment_id");
        let refund_id = &parameter(&request, "refund_id");
        let outcome = match route(&request) {
            "POST /payments/{payment_id}/refunds" => self.create(&request, payment_id).await,
            "GET /payments/{payment_id}/refunds/{refund_id}" => {
                self.show(&request, payment_id, refund_id).await
            }
            "POST /payments/{payment_id}/refunds/{refund_id}/clarification" => {
                self.clarify(&request, payment_id, refund_id).await
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
        let keyring = keyring.map_err(Problem::unavailable)?;
        let desk = RefundService {
            payments: &self.payments,
            gate: &self.gate,
            keyring: &keyring,
        };
        let payment = desk
            .refund(&storefront, payment_id, &asked)
            .await
            .map_err(problem)?;
        let refund = payment.refund(&asked.refund_id);
        let refund = refund
            .ok_or_else(|| Problem::unavailable(format!("{} has no such refund", payment.key())))?;
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
        let payment = payment.map_err(Problem::unavailable)?;
        payment
            .and_then(|payment| {
                let refund = refund::find(&payment, refund_id)?;
                Some(answer(StatusCode::OK, &payment, refund))
            })
            .ok_or_else(no_such_refund)
    }

    /// `POST /payments/{payment_id}/refunds/{refund_id}/clarification`. Gate's request names only the
    /// payment, so the answers go to whatever of it waits.
    async fn clarify(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Refund).await?;
        let payment = self.payments.visible_to(&storefront, payment_id).await;
        let payment = payment.map_err(Problem::unavailable)?;
        let payment = payment.ok_or_else(no_such_refund)?;
        let refund = refund::find(&payment, refund_id).ok_or_else(no_such_refund)?;
        let asked = payment.clarification_request_of(refund);
        let asked = asked.ok_or(ClarificationError::NotRequested)?;
        let body = request.body().as_ref();
        let answers = read_answers(asked.clarification_fields(), body)?;
        let keyring = self.keys.of(payment.project_id()).await;
        let keyring = keyring.map_err(Problem::unavailable)?;
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
        RefundError::Unavailable(error) => Problem::unavailable(error),
    }
}

fn rejected(rejection: Rejection) -> Problem {
    match rejection {
        Rejection::OtherContent => Problem::conflict("This refund_id was used for another refund."),
        Rejection::NotRefundable | Rejection::NoMoney => {
            Problem::conflict("The payment cannot be refunded in its current status.")
        }
        Rejection::TooMany => Problem::conflict("The payment has the maximum number of refunds."),
        Rejection::MoreThanLeft(left) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "more-than-left",
            "More than the refundable amount",
            format!("At most {left} minor units can be refunded; nothing was sent."),
        ),
        Rejection::NoAddress => Problem::invalid(vec![FieldProblem {
            pointer: "/customer/ip_address".into(),
            code: "missing",
            detail: "is required, because the address of the checkout is not known".into(),
        }]),
    }
}
