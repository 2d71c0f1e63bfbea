//! The routes of this binary.

use lambda_http::http::Method;
use lambda_http::{Error, Request, Response};
use payments::adapters::aws;
use payments::adapters::dynamodb::DynamoStore;
use payments::adapters::gate_http::HttpGate;
use payments::adapters::secrets::{ProjectKeySecret, token_secret};
use payments::adapters::sqs::SqsQueue;
use payments::http_call::{respond, segments};
use payments::ports::SystemClock;
use payments::problem::Problem;
use payments::token::TokenSecret;
use payments::{Payments, config};

/// What checkouts need.
pub struct Checkouts {
    pub(crate) payments: Payments<DynamoStore, SqsQueue, SystemClock>,
    pub(crate) keys: ProjectKeySecret,
    pub(crate) gate: HttpGate,
    pub(crate) tokens: TokenSecret,
    /// The public address of this service, without a slash at its end.
    pub(crate) base_url: String,
}

impl Checkouts {
    /// From the variables that the template sets.
    pub async fn from_environment() -> Result<Self, Error> {
        let aws = aws::from_environment()?;
        Ok(Self {
            payments: Payments {
                store: DynamoStore::new(&aws, config::required("TABLE_NAME")?),
                queues: SqsQueue::all(&aws, config::event_queues()?),
                clock: SystemClock,
            },
            keys: ProjectKeySecret::new(&aws, config::required("PROJECT_KEYS_SECRET")?),
            gate: HttpGate::new(config::base_url("GATE_URL")?)?,
            tokens: token_secret(&aws, &config::required("TOKEN_SECRET")?).await?,
            base_url: config::base_url("PUBLIC_BASE_URL")?,
        })
    }

    /// One call.
    pub async fn handle(&self, request: Request) -> Result<Response<String>, Error> {
        let path = segments(request.uri().path());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Ok(match (request.method(), path.as_slice()) {
            (&Method::POST, ["checkouts"]) => respond(self.create(&request).await),
            (&Method::GET, ["payments", payment_id]) => {
                respond(self.show(&request, payment_id).await)
            }
            (&Method::GET, ["checkouts", token]) => self.hand_over(token).await,
            (&Method::GET, ["checkouts", token, "status"]) => respond(self.status(token).await),
            (&Method::GET, ["checkouts", token, "return"]) => self.come_back(token).await,
            _ => Problem::not_found("There is no such route.").into_response(),
        })
    }
}
