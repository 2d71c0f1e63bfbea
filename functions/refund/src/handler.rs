//! Speaks HTTP for refunds; what is allowed is decided elsewhere.

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Error, Request, Response};
use payments::adapters::aws;
use payments::adapters::dynamodb::DynamoStore;
use payments::adapters::gate_http::HttpGate;
use payments::adapters::secrets::ProjectKeySecret;
use payments::adapters::sqs::SqsQueue;
use payments::decide::RefundRejection;
use payments::http_call::{caller, respond, segments};
use payments::payment::Refund;
use payments::ports::{PaymentStore, SystemClock};
use payments::problem::{Problem, json_response};
use payments::refund::{self, RefundDesk, RefundError, RefundRequest};
use payments::storefront::Scope;
use payments::view::RefundView;
use payments::{PaymentKey, Payments, config};

/// What refunds need.
pub struct Refunds {
    payments: Payments<DynamoStore, SqsQueue, SystemClock>,
    keys: ProjectKeySecret,
    gate: HttpGate,
}

impl Refunds {
    /// From the variables that the template sets.
    pub fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        Ok(Self {
            payments: Payments {
                store: DynamoStore::new(&aws, config::required("TABLE_NAME")?),
                queues: SqsQueue::all(&aws, config::event_queues()?),
                clock: SystemClock,
            },
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
        })
    }

    /// One call.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let path = segments(request.uri().path());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let outcome = match (request.method(), path.as_slice()) {
            (&Method::POST, ["payments", payment_id, "refunds"]) => {
                self.create(&request, payment_id).await
            }
            (&Method::GET, ["payments", payment_id, "refunds", refund_id]) => {
                self.show(&request, payment_id, refund_id).await
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
        let asked = RefundRequest::read(request.body().as_ref())?;
        let keys = self.keys.get().await;
        let keys = keys.map_err(|error| Problem::unavailable_because("refund: no keys", error))?;
        let keyring = keys.get(&storefront.project_id);
        let desk = RefundDesk {
            payments: &self.payments,
            gate: &self.gate,
            keyring: keyring.ok_or_else(|| {
                Problem::unavailable_because("refund: no key", storefront.project_id)
            })?,
        };
        let payment = desk
            .refund(&storefront, payment_id, &asked)
            .await
            .map_err(problem)?;
        let refund = payment.refund(&asked.order.refund_id);
        let refund =
            refund.ok_or_else(|| Problem::unavailable_because("refund: lost", payment.key()))?;
        Ok(answer(StatusCode::ACCEPTED, refund))
    }

    async fn show(
        &self,
        request: &Request,
        payment_id: &str,
        refund_id: &str,
    ) -> Result<Response<String>, Problem> {
        let storefront = caller(&self.payments.store, request.headers(), Scope::Read).await?;
        let key = PaymentKey::new(storefront.project_id, payment_id);
        let stored = self.payments.store.load(&key).await;
        let stored =
            stored.map_err(|error| Problem::unavailable_because("refund: not read", error))?;
        let payment = stored.map(|stored| stored.payment);
        let payment = payment.filter(|payment| refund::may_see(&storefront, payment));
        let refund = payment
            .as_ref()
            .and_then(|payment| refund::find(payment, refund_id));
        refund
            .map(|refund| answer(StatusCode::OK, refund))
            .ok_or_else(|| Problem::not_found("There is no such refund."))
    }
}

fn answer(status: StatusCode, refund: &Refund) -> Response<String> {
    json_response(status, &RefundView::new(refund))
}

fn problem(error: RefundError) -> Problem {
    match error {
        RefundError::NotFound => Problem::not_found("There is no such payment."),
        RefundError::Rejected(RefundRejection::OtherContent) => {
            Problem::conflict("This refund_id was used for another refund.")
        }
        RefundError::Rejected(RefundRejection::NotRefundable) => {
            Problem::conflict("The payment cannot be refunded in its present status.")
        }
        RefundError::Rejected(RefundRejection::MoreThanLeft(left)) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "more-than-left",
            "More than what is left",
            format!("At most {left} minor units can be refunded; nothing was sent."),
        ),
        RefundError::NoAddress => Problem::invalid(vec![payments::problem::FieldProblem {
            pointer: "/customer/ip_address".into(),
            code: "missing",
            detail: "is required, as the checkout's is not known".into(),
        }]),
        RefundError::Unavailable(error) => Problem::unavailable_because("refund: failed", error),
    }
}
