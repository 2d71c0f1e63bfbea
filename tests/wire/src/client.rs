//! The HTTP client under the SDK's clients: writes down, fails, answers.

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::{Record, locked};

/// A client that keeps a record.
pub(crate) fn recording(record: Arc<Mutex<Record>>) -> SharedHttpClient {
    let real = Builder::new().build_http();
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Recorder {
            record: record.clone(),
            next: real.http_connector(settings, components),
        })
    })
}

#[derive(Debug)]
struct Recorder {
    record: Arc<Mutex<Record>>,
    next: SharedHttpConnector,
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let mut operation = operation.to_owned();
        let record = self.record.clone();
        let next = match service {
            "AmazonSQS" => Next::Own(take_message(&record, request.body())),
            "secretsmanager" => {
                let asked = request.body().bytes().unwrap_or_default();
                let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
                let name = asked.get("SecretId").and_then(Value::as_str);
                let mut record = locked(&record);
                let Record {
                    secret,
                    named_secrets,
                    ..
                } = &mut *record;
                let named = name.and_then(|name| named_secrets.get_mut(name));
                Next::Own(named.unwrap_or(secret).call(&operation, &asked))
            }
            // What is sent while a function's connections are opened.
            _ if request.uri().ends_with("/ping") => {
                operation = "Ping".to_owned();
                Next::Own((200, Value::Null))
            }
            _ => Next::Forward(self.next.call(request)),
        };
        HttpConnectorFuture::new(async move {
            begin(&record, &operation);
            if locked(&record).hanging.contains(&operation) {
                return std::future::pending().await;
            }
            let answer = next.answer().await;
            match end(&record, &operation) {
                Answer::Arrives => answer,
                Answer::IsLost => Err(ConnectorError::io("the answer is lost".into())),
            }
        })
    }
}

/// Who answers.
enum Next {
    Forward(HttpConnectorFuture),
    Own((u16, Value)),
}

impl Next {
    async fn answer(self) -> Result<HttpResponse, ConnectorError> {
        match self {
            Next::Forward(call) => call.await,
            Next::Own((status, body)) => {
                // Long enough for what is done side by side to meet.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                let status = status
                    .try_into()
                    .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
            }
        }
    }
}

enum Answer {
    Arrives,
    IsLost,
}

fn begin(record: &Mutex<Record>, operation: &str) {
    let mut record = locked(record);
    record.calls.push(operation.to_owned());
    let running = record.running.entry(operation.to_owned()).or_default();
    *running += 1;
    let running = *running;
    let most = record.most_at_once.entry(operation.to_owned()).or_default();
    *most = running.max(*most);
}

fn end(record: &Mutex<Record>, operation: &str) -> Answer {
    let mut record = locked(record);
    if let Some(running) = record.running.get_mut(operation) {
        *running -= 1;
    }
    match record.lost_answers.remove(operation) {
        true => Answer::IsLost,
        false => Answer::Arrives,
    }
}

/// A queue's answer to `SendMessage`.
fn take_message(record: &Mutex<Record>, body: &SdkBody) -> (u16, Value) {
    let message: Value =
        serde_json::from_slice(body.bytes().unwrap_or_default()).unwrap_or_default();
    let mut record = locked(record);
    let queue = message.get("QueueUrl").and_then(Value::as_str);
    if queue.is_none_or(|queue| record.broken_queues.contains(queue)) {
        let refusal =
            json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "broken" });
        return (400, refusal);
    }
    let answer = json!({
        "MessageId": record.sent.len().to_string(),
        "MD5OfMessageBody": "not computed",
    });
    record.sent.push(message);
    (200, answer)
}
