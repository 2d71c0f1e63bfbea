//! Replaces the HTTP client of the SDK: records each call, answers or forwards it, and lets calls fail.

use std::collections::VecDeque;
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

use crate::{Record, locked, sqs};

/// Returns a client that writes into `record`.
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
        let token = json_of(request.body());
        let token = token.get("ClientRequestToken").and_then(Value::as_str);
        let refusal = {
            let mut record = locked(&record);
            record.tokens.extend(token.map(str::to_owned));
            let refusals = record.refusals.get_mut(&operation);
            refusals.and_then(VecDeque::pop_front)
        };
        let server = match service {
            _ if refusal.is_some() => Server::Own((400, refusal.unwrap_or_default())),
            "AmazonSQS" => {
                let message = json_of(request.body());
                Server::Own(match operation.as_str() {
                    "SendMessageBatch" => accept_batch(&record, &message),
                    "GetQueueAttributes" => attributes(&record, &message),
                    _ => accept_message(&record, message),
                })
            }
            "secretsmanager" => {
                let body = json_of(request.body());
                let name = body.get("SecretId").and_then(Value::as_str);
                let mut record = locked(&record);
                let Record {
                    secret,
                    named_secrets,
                    ..
                } = &mut *record;
                let named = name.and_then(|name| named_secrets.get_mut(name));
                Server::Own(named.unwrap_or(secret).call(&operation, &body))
            }
            // A prewarm opens a connection with this request.
            _ if request.uri().ends_with("/ping") => {
                operation = "Ping".to_owned();
                Server::Own((200, Value::Null))
            }
            _ => Server::Table(self.next.call(request)),
        };
        HttpConnectorFuture::new(async move {
            begin(&record, &operation);
            if locked(&record).hanging.contains(&operation) {
                return std::future::pending().await;
            }
            let answer = server.answer().await;
            match end(&record, &operation) {
                true => Err(ConnectorError::io("the answer is lost".into())),
                false => answer,
            }
        })
    }
}

/// The server that answers a call.
enum Server {
    /// The server of the tables.
    Table(HttpConnectorFuture),
    /// This client, with this status and body.
    Own((u16, Value)),
}

impl Server {
    async fn answer(self) -> Result<HttpResponse, ConnectorError> {
        match self {
            Server::Table(call) => call.await,
            Server::Own((status, body)) => {
                // The delay lets concurrent calls overlap.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                let status = status
                    .try_into()
                    .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
            }
        }
    }
}

fn begin(record: &Mutex<Record>, operation: &str) {
    let mut record = locked(record);
    record.calls.push(operation.to_owned());
    let running = record.running.entry(operation.to_owned()).or_default();
    *running += 1;
    let running = *running;
    let max = record
        .max_concurrent
        .entry(operation.to_owned())
        .or_default();
    *max = running.max(*max);
}

/// Returns whether the answer is lost.
fn end(record: &Mutex<Record>, operation: &str) -> bool {
    let mut record = locked(record);
    if let Some(running) = record.running.get_mut(operation) {
        *running -= 1;
    }
    record.lost_answers.remove(operation)
}

/// Returns the answer to `SendMessage`.
fn accept_message(record: &Mutex<Record>, message: Value) -> (u16, Value) {
    let mut record = locked(record);
    if let Some(refusal) = broken(&record, &message) {
        return refusal;
    }
    if let Some(refusal) = sqs::refusal(&message) {
        return (400, refusal);
    }
    let answer = json!({
        "MessageId": record.sent.len().to_string(),
        "MD5OfMessageBody": "not computed",
    });
    record.sent.push(message);
    (200, answer)
}

/// Returns the answer to `SendMessageBatch`. Records each message with the URL of its queue.
fn accept_batch(record: &Mutex<Record>, batch: &Value) -> (u16, Value) {
    let mut record = locked(record);
    if let Some(refusal) = broken(&record, batch) {
        return refusal;
    }
    let entries = batch.get("Entries").and_then(Value::as_array);
    let entries = entries.map(Vec::as_slice).unwrap_or_default();
    if let Some(refusal) = sqs::refusal_of_batch(entries) {
        return (400, refusal);
    }
    let (mut accepted, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.get("Id").cloned().unwrap_or_default();
        // Only the messages of FIFO queues have a group.
        let refusal = match entry.get("MessageGroupId") {
            Some(_) => sqs::refusal(entry),
            None => sqs::refusal_of_body(entry),
        };
        if let Some(refusal) = refusal {
            failed.push(json!({ "Id": id, "SenderFault": true, "Code": refusal.get("__type") }));
            continue;
        }
        let mut message = entry.clone();
        if let (Value::Object(message), Some(queue)) = (&mut message, batch.get("QueueUrl")) {
            message.insert("QueueUrl".to_owned(), queue.clone());
        }
        let number = record.sent.len().to_string();
        accepted.push(json!({ "Id": id, "MessageId": number, "MD5OfMessageBody": "not computed" }));
        record.sent.push(message);
    }
    (200, json!({ "Successful": accepted, "Failed": failed }))
}

/// Returns the answer to `GetQueueAttributes`.
fn attributes(record: &Mutex<Record>, request: &Value) -> (u16, Value) {
    let record = locked(record);
    if let Some(refusal) = broken(&record, request) {
        return refusal;
    }
    let count = record.backlog.to_string();
    let attributes = json!({ "ApproximateNumberOfMessages": count });
    (200, json!({ "Attributes": attributes }))
}

/// Returns the refusal of a broken queue.
fn broken(record: &Record, request: &Value) -> Option<(u16, Value)> {
    let queue = request.get("QueueUrl").and_then(Value::as_str);
    let is_broken = queue.is_none_or(|queue| record.broken_queues.contains(queue));
    is_broken.then(|| {
        let refusal =
            json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "broken" });
        (400, refusal)
    })
}

/// Returns null if the body is not JSON.
fn json_of(body: &SdkBody) -> Value {
    serde_json::from_slice(body.bytes().unwrap_or_default()).unwrap_or_default()
}
