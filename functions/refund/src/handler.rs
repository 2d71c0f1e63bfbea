//! Serves the routes of refunds: `POST /payments/{payment_id}/refunds`, `GET .../refunds/{refund_id}` and
//! `POST .../refunds/{refund_id}/clarification`.

use aws::api_gateway::{id_parameter, route};
use aws::dynamodb::StorefrontKeys;
use aws::environment::{self, Environment, LivePayments};
use aws::gate_http::HttpGate;
use aws::prewarm;
use aws::secrets::CachedProjectKeys;
use lambda_http::http::StatusCode;
use lambda_http::{Error, Request, Response};
use payments::api::call::{caller, respond, visible_payment};
use payments::api::problem::Problem;
use payments::api::requests::clarification::read_answers;
use payments::api::response::json_response;
use payments::events::view::RefundView;
use payments::model::storefront::Scope;
use payments::model::{Payment, Refund, RefundOrder};
use payments::service::clarification::{self, ClarificationError, MAX_TRIES};
use payments::service::refund::{self, RefundService};

/// Serves the routes of refunds.
pub struct Refunds {
    /// The use cases of payments.
    pub payments: LivePayments,
    /// The storefront keys, which authorize requests.
    pub storefronts: StorefrontKeys,
    /// The project keys, which sign requests.
    pub keys: CachedProjectKeys,
    /// The client of the platform's Gate.
    pub gate: HttpGate,
}

impl Refunds {
    /// Reads the environment variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let environment = Environment::load()?;
        let payments = environment.payments()?;
        Ok(Self {
            storefronts: environment.storefront_keys(&payments)?,
            payments,
            keys: environment.project_keys()?,
            gate: environment.gate()?,
        })
    }

    /// Opens connections and reads secrets before the first request arrives.
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

    /// Answers one request. The gateway has already matched the route and decoded the path parameters.
    pub async fn handle(&self, request: Request) -> Response<String> {
        respond(self.answer(&request).await)
    }

    async fn answer(&self, request: &Request) -> Result<Response<String>, Problem> {
        let payment_id = &id_parameter(request, "payment_id")?;
        let refund_id = &id_parameter(request, "refund_id")?;
        match route(request) {
            "POST /payments/{payment_id}/refunds" => self.create(request, payment_id).await,
            "GET /payments/{payment_id}/refunds/{refund_id}" => {
                self.show(request, payment_id, refund_id).await
            }
            "POST /payments/{payment_id}/refunds/{refund_id}/clarification" => {
                self.clarify(request, payment_id, refund_id).await
            }
            _ => Err(Problem::not_found("There is no such route.")),
        }
    }

    /// `POST /payments/{payment_id}/refunds`: reserves the money and sends the refund.
    async fn create(
        &self,
        request: &Request,
        payment_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.storefronts, request.headers(), Scope::Refund).await?;
        let order = RefundOrder::read(request.body().as_ref())?;
        let keyring = self.keys.of(storefront.project_id).await;
        let keyring = keyring.map_err(Problem::unavailable)?;
        let refunds = RefundService {
            payments: &self.payments,
            gate: &self.gate.with_keys(&self.keys),
            keyring: &keyring,
        };
        let payment = refunds.refund(&storefront, payment_id, &order).await?;
        let refund = payment.refund(&order.refund_id).ok_or_else(|| {
            Problem::unavailable(format!(
                "the payment {} lacks its new refund",
                payment.key()
            ))
        })?;
        Ok(show_refund(StatusCode::ACCEPTED, &payment, refund))
    }

    /// `GET /payments/{payment_id}/refunds/{refund_id}`: shows a refund.
    async fn show(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let payment = self
            .visible_payment(request, Scope::Read, payment_id)
            .await?;
        let refund = find(&payment, refund_id)?;
        Ok(show_refund(StatusCode::OK, &payment, refund))
    }

    /// `POST /payments/{payment_id}/refunds/{refund_id}/clarification`: sends the data that the platform requests for a
    /// refund. The request to Gate names only the payment, because Gate has no field for the refund.
    async fn clarify(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let payment = self
            .visible_payment(request, Scope::Refund, payment_id)
            .await?;
        let requested = payment.clarification_request_of(find(&payment, refund_id)?);
        let requested = requested.ok_or(ClarificationError::NotRequested)?;
        let body = request.body().as_ref();
        let answers = read_answers(requested.clarification_fields(), body)?;
        let keyring = self.keys.of(payment.project_id()).await;
        let keyring = keyring.map_err(Problem::unavailable)?;
        let payment = clarification::clarify(
            &self.payments,
            &self.gate.with_keys(&self.keys),
            &keyring,
            &payment,
            Some(requested),
            &answers,
            MAX_TRIES,
        )
        .await?;
        let refund = find(&payment, refund_id)?;
        Ok(show_refund(StatusCode::ACCEPTED, &payment, refund))
    }

    async fn visible_payment(
        &self,
        request: &Request,
        scope: Scope,
        payment_id: &str,
    ) -> Result<Payment, Problem> {
        visible_payment(
            &self.payments,
            &self.storefronts,
            request.headers(),
            scope,
            payment_id,
            no_such_refund,
        )
        .await
    }
}

fn find<'a>(payment: &'a Payment, refund_id: &str) -> Result<&'a Refund, Problem> {
    refund::find(payment, refund_id).ok_or_else(no_such_refund)
}

fn no_such_refund() -> Problem {
    Problem::not_found("There is no such refund.")
}

fn show_refund(status: StatusCode, payment: &Payment, refund: &Refund) -> Response<String> {
    json_response(status, &RefundView::new(payment, refund))
}
