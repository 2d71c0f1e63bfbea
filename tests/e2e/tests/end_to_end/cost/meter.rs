//! Counts the functions' AWS calls and DynamoDB units. The functions call a proxy, which forwards each call to the
//! local AWS.
//!
//! DynamoDB charges a write by the size of the item before or after the write, whichever is larger. Therefore the meter
//! reads the item before and after each write. The counts are exact unless other calls write the same item at the same
//! time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use capacity::counted::Used;
use capacity::units::{self, KeysOnlyIndex};
use e2e::account;
use reqwest::Client;
use sandbox::Ready;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running meter. Dropping this value stops its proxy.
#[derive(Debug)]
pub struct Meter {
    address: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    http: Client,
    target: OnceLock<Target>,
    indexes: Vec<KeysOnlyIndex>,
    record: Mutex<Record>,
}

#[derive(Debug)]
struct Target {
    endpoint: String,
    tables: aws_sdk_dynamodb::Client,
}

#[derive(Debug, Default)]
struct Record {
    used: Used,
    refused: Vec<String>,
}

impl Meter {
    /// Starts a meter, which answers 503 until [`Meter::set_target`]. `indexes` has the indexes of the table of
    /// payments.
    pub async fn start(indexes: Vec<KeysOnlyIndex>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let inner = Arc::new(Inner {
            http: Client::builder().no_proxy().build()?,
            target: OnceLock::new(),
            indexes,
            record: Mutex::default(),
        });
        let app = axum::Router::new().fallback(pass).with_state(inner.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            inner,
            task,
        })
    }

    /// Returns the URL that the functions must use as their AWS endpoint.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sets the AWS endpoint behind the meter. Only the first call has an effect.
    pub fn set_target(&self, ready: &Ready) {
        let _ = self.inner.target.set(Target {
            endpoint: ready.aws_endpoint.clone(),
            tables: aws_sdk_dynamodb::Client::new(&account(ready)),
        });
    }

    /// Returns the counts since the last `take`. Fails if AWS refused a call.
    pub fn take(&self) -> anyhow::Result<Used> {
        let record = self.inner.record.lock();
        let record = std::mem::take(&mut *record.unwrap_or_else(PoisonError::into_inner));
        ensure!(
            record.refused.is_empty(),
            "AWS refused: {:?}",
            record.refused
        );
        Ok(record.used)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let passed = inner.pass(request).await;
    passed.unwrap_or_else(|error| {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}")).into_response()
    })
}

impl Inner {
    async fn pass(&self, request: Request) -> anyhow::Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        let Some(target) = parts.headers.get("x-amz-target") else {
            // The request of a prewarm has no operation. AWS does not charge it.
            return Ok(StatusCode::OK.into_response());
        };
        let operation = target.to_str()?.split('.').next_back();
        let operation = operation.unwrap_or("unknown").to_owned();
        let input: Value = serde_json::from_slice(&body).unwrap_or_default();
        let written = written(&operation, &input);
        let before = self.items(&written).await?;

        let onward = self
            .http
            .post(format!("{}{}", self.target()?.endpoint, parts.uri.path()));
        // The caller has signed the Host header, so it is forwarded.
        let onward = onward.headers(without_hop(parts.headers)).body(body);
        let answer = onward.send().await?;
        let (status, headers) = (answer.status(), without_hop(answer.headers().clone()));
        let answer = answer.bytes().await?;

        let after = self.items(&written).await?;
        let mut used = Used::default();
        let output: Value = serde_json::from_slice(&answer).unwrap_or_default();
        used.calls.insert(named(&operation, &input), 1);
        used.read_units = read_units(&operation, &input, &output)?;
        let in_transaction = operation == "TransactWriteItems";
        for (before, after) in before.iter().zip(&after) {
            self.charge(&mut used, before.as_ref(), after.as_ref(), in_transaction)?;
        }
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.used += &used;
        if !status.is_success() {
            record
                .refused
                .push(format!("{operation}: {status} {output}"));
        }
        let mut response = Response::new(Body::from(answer));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn charge(
        &self,
        used: &mut Used,
        before: Option<&Value>,
        after: Option<&Value>,
        in_transaction: bool,
    ) -> anyhow::Result<()> {
        used.write_units += units::write(before, after, in_transaction)?;
        for index in &self.indexes {
            let (old, new) = index.write_units(before, after);
            for (units, item) in [(old, before), (new, after)] {
                if units > 0 {
                    let entry = entry_name(index, item);
                    *used.index_write_units.entry(entry).or_default() += units;
                }
            }
        }
        Ok(())
    }

    fn target(&self) -> anyhow::Result<&Target> {
        self.target.get().context("the meter has no target yet")
    }

    async fn items(&self, written: &[Written]) -> anyhow::Result<Vec<Option<Value>>> {
        let mut items = Vec::new();
        for Written { table, pk, sk } in written {
            let request = self.target()?.tables.get_item().table_name(table);
            let request = request.key("pk", AttributeValue::S(pk.clone()));
            let request = request.key("sk", AttributeValue::S(sk.clone()));
            let answer = request.consistent_read(true).send().await?;
            items.push(answer.item.map(on_the_wire).transpose()?);
        }
        Ok(items)
    }
}

/// The key of a written item.
struct Written {
    table: String,
    pk: String,
    sk: String,
}

fn written(operation: &str, input: &Value) -> Vec<Written> {
    let one = |write: &Value| {
        let key = write.get("Key").or(write.get("Item"))?;
        Some(Written {
            table: write["TableName"].as_str()?.to_owned(),
            pk: key["pk"]["S"].as_str()?.to_owned(),
            sk: key["sk"]["S"].as_str()?.to_owned(),
        })
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => one(input).into_iter().collect(),
        "TransactWriteItems" => {
            let actions = input["TransactItems"].as_array().into_iter().flatten();
            let writes = actions.filter_map(|action| action.as_object()?.values().next());
            writes.filter_map(one).collect()
        }
        _ => Vec::new(),
    }
}

fn on_the_wire(item: HashMap<String, AttributeValue>) -> anyhow::Result<Value> {
    let attribute = |(name, value)| {
        let value = match value {
            AttributeValue::S(text) => json!({ "S": text }),
            AttributeValue::N(number) => json!({ "N": number }),
            value => bail!("{name} is {value:?}"),
        };
        Ok((name, value))
    };
    let attributes = item.into_iter().map(attribute);
    Ok(Value::Object(attributes.collect::<anyhow::Result<_>>()?))
}

/// Returns the operation. For a read, the kind of the item follows. For a message, the queue follows.
fn named(operation: &str, input: &Value) -> String {
    let key = &input["Key"];
    let object = match operation {
        "GetItem" if !key["key_id"].is_null() => Some("storefront_key"),
        "GetItem" => key["pk"]["S"].as_str().and_then(|pk| pk.split('#').next()),
        "SendMessage" => queue(input["QueueUrl"].as_str().unwrap_or_default()),
        _ => None,
    };
    match object {
        Some(object) => format!("{operation} {object}"),
        None => operation.to_owned(),
    }
}

fn queue(url: &str) -> Option<&'static str> {
    let named = |name: &&str| url.contains(name);
    ["FulfilmentQueue", "AuditQueue"].into_iter().find(named)
}

/// Returns the name of the index. If the shard's name starts with the kind of the entry, this kind follows:
/// `next/poll`.
fn entry_name(index: &KeysOnlyIndex, item: Option<&Value>) -> String {
    let shard = index.partition(item);
    let kind = shard.and_then(|shard| shard.split('#').next());
    let kind = kind.filter(|kind| *kind != index.name && kind.parse::<u64>().is_err());
    kind.map_or(index.name.clone(), |kind| format!("{}/{kind}", index.name))
}

fn read_units(operation: &str, input: &Value, output: &Value) -> anyhow::Result<f64> {
    let consistent = input["ConsistentRead"] == true;
    let items: Vec<&Value> = match operation {
        "GetItem" => output.get("Item").into_iter().collect(),
        "Query" => output["Items"].as_array().into_iter().flatten().collect(),
        _ => return Ok(0.0),
    };
    let bytes = items.into_iter().map(units::size);
    Ok(units::read(bytes.sum::<anyhow::Result<u64>>()?, consistent))
}

/// Removes the headers that the meter's HTTP client and server set themselves.
fn without_hop(mut headers: HeaderMap) -> HeaderMap {
    for name in [
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(name);
    }
    headers
}
