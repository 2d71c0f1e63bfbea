//! Contains the code that the three functions share. This code has the usual style: it uses `serde_json::Value` and the
//! SDK's defaults, and is not optimized.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use lambda_http::Error;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use tokio::sync::Mutex;

type Item = HashMap<String, AttributeValue>;

pub struct App {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
    pub http: reqwest::Client,
    pub table: String,
    pub queues: Vec<Value>,
    cache: Mutex<HashMap<String, String>>,
}

pub struct Stored {
    pub document: Value,
    pub version: u64,
}

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn envelope(payment: &Value, kind: &str, data: Value, time: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("{}/{}/{}", payment["project_id"], text(&payment["payment_id"]), data["sequence"]),
        "source": format!("/ecommpay/{}", payment["project_id"]),
        "type": kind,
        "subject": payment["payment_id"],
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    })
}

fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn n(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn payment_pk(project_id: u64, payment_id: &str) -> String {
    format!("payment#{project_id}/{}", payment_id.to_lowercase())
}

fn order_pk(payment: &Value) -> String {
    let order = &payment["order"];
    format!(
        "order#{}/{}/{}",
        payment["project_id"],
        text(&order["order_id"]).to_lowercase(),
        text(&order["storefront"]),
    )
}

fn shard(pk: &str) -> u8 {
    Sha256::digest(pk)[0] % 8
}

/// Returns all values of a message as `path:value`, sorted and joined.
pub fn canonical(message: &Value) -> String {
    fn walk(path: &str, value: &Value, lines: &mut Vec<String>) {
        let below = |name: &str| match path {
            "" => name.to_string(),
            path => format!("{path}:{name}"),
        };
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if name != "signature" {
                        walk(&below(name), value, lines);
                    }
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    walk(&below(&index.to_string()), value, lines);
                }
            }
            Value::String(text) => lines.push(format!("{path}:{text}")),
            Value::Bool(value) => lines.push(format!("{path}:{}", u8::from(*value))),
            Value::Null => lines.push(format!("{path}:")),
            Value::Number(number) => lines.push(format!("{path}:{number}")),
        }
    }
    let mut lines = Vec::new();
    walk("", message, &mut lines);
    lines.sort();
    lines.join(";")
}

pub fn mac(key: &str, canonical: &str) -> Hmac<Sha512> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(canonical.as_bytes());
    mac
}

pub fn sign(key: &str, message: &mut Value) {
    let signature = mac(key, &canonical(message)).finalize().into_bytes();
    message["general"]["signature"] = json!(STANDARD.encode(signature));
}

impl App {
    pub async fn new() -> Self {
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            http: reqwest::Client::new(),
            table: variable("TABLE_NAME"),
            queues: serde_json::from_str(&variable("EVENT_QUEUES")).unwrap_or_default(),
            cache: Mutex::default(),
        }
    }

    /// Returns a secret. Reads each secret only once.
    pub async fn secret(&self, name: &str) -> Result<String, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(secret) = cache.get(name) {
            return Ok(secret.clone());
        }
        let output = self
            .secrets
            .get_secret_value()
            .secret_id(name)
            .send()
            .await?;
        let secret = output.secret_string.unwrap_or_default();
        cache.insert(name.to_string(), secret.clone());
        Ok(secret)
    }

    pub async fn project_key(&self, project_id: u64) -> Result<String, Error> {
        let keys: Value =
            serde_json::from_str(&self.secret(&variable("PROJECT_KEYS_SECRET")).await?)?;
        Ok(text(&keys[project_id.to_string()]["current"]))
    }

    async fn get(&self, pk: String, sk: &str) -> Result<Option<Item>, Error> {
        let request = self.dynamodb.get_item().table_name(&self.table);
        let request = request
            .key("pk", s(pk))
            .key("sk", s(sk))
            .consistent_read(true);
        Ok(request.send().await?.item)
    }

    async fn storefront_key(&self, id: &str) -> Result<Option<Item>, Error> {
        let request = self.dynamodb.get_item();
        let request = request
            .table_name(variable("STOREFRONT_KEYS_TABLE"))
            .key("key_id", s(id))
            .consistent_read(true);
        Ok(request.send().await?.item)
    }

    /// Returns the storefront whose key is in the header `Authorization`.
    pub async fn storefront(&self, authorization: &str) -> Result<Option<Value>, Error> {
        let key = authorization.trim_start_matches("Bearer ");
        let id = key.split('_').nth(1).unwrap_or_default();
        let Some(item) = self.storefront_key(id).await? else {
            return Ok(None);
        };
        if item.contains_key("revoked_at") {
            return Ok(None);
        }
        let storefront: Value =
            serde_json::from_str(item["document"].as_s().map_err(|_| "no text")?)?;
        let is_right = item
            .get("key_hash")
            .and_then(|hash| hash.as_s().ok())
            .is_some_and(|hash| *hash == hex::encode(Sha256::digest(key)));
        Ok(is_right.then_some(storefront))
    }

    pub async fn load(&self, project_id: u64, payment_id: &str) -> Result<Option<Stored>, Error> {
        let Some(item) = self
            .get(payment_pk(project_id, payment_id), "payment")
            .await?
        else {
            return Ok(None);
        };
        let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
        Ok(Some(Stored {
            document: serde_json::from_str(item["document"].as_s().map_err(|_| "no text")?)?,
            version: number("version").unwrap_or_default(),
        }))
    }

    fn update(&self, payment: &Value, read_version: Option<u64>) -> Result<Update, Error> {
        let pk = payment_pk(
            payment["project_id"].as_u64().unwrap_or_default(),
            &text(&payment["payment_id"]),
        );
        let commit: u64 = rand::random();
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", s(&pk))
            .key("sk", s("payment"))
            .update_expression(
                "SET #document = :document, #version = :written, #sequence = :sequence, \
                 #published = if_not_exists(#published, :none), #commit = :commit, #outbox = :outbox, \
                 #since = if_not_exists(#since, :now), #next = :next, #next_at = :next_at",
            )
            .expression_attribute_names("#document", "document")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#published", "published")
            .expression_attribute_names("#commit", "commit")
            .expression_attribute_names("#outbox", "outbox")
            .expression_attribute_names("#since", "outbox_since")
            .expression_attribute_names("#next", "next")
            .expression_attribute_names("#next_at", "next_at")
            .expression_attribute_values(":document", s(payment.to_string()))
            .expression_attribute_values(":written", n(read_version.unwrap_or(0) + 1))
            .expression_attribute_values(":sequence", n(payment["sequence"].as_u64().unwrap_or_default()))
            .expression_attribute_values(":none", n(0))
            .expression_attribute_values(":commit", s(format!("{commit:016x}")))
            .expression_attribute_values(":outbox", s(format!("outbox#{:02}", shard(&pk))))
            .expression_attribute_values(":now", n(now()))
            .expression_attribute_values(":next", s(format!("erase#{:02}", shard(&pk))))
            .expression_attribute_values(":next_at", n(now() + 2_678_400_000));
        let update = match read_version {
            None => update.condition_expression("attribute_not_exists(#version)"),
            Some(version) => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", n(version)),
        };
        Ok(update.build()?)
    }

    pub async fn write(&self, payment: &Value, read_version: u64) -> Result<(), Error> {
        let update = self.update(payment, Some(read_version))?;
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .send()
            .await?;
        Ok(())
    }

    /// Writes a payment, an event and other items in one transaction.
    pub async fn transact(
        &self,
        payment: &Value,
        read_version: Option<u64>,
        puts: Vec<Vec<(&str, AttributeValue)>>,
    ) -> Result<(), Error> {
        let mut items = vec![
            TransactWriteItem::builder()
                .update(self.update(payment, read_version)?)
                .build(),
        ];
        for attributes in puts {
            let mut put = Put::builder().table_name(&self.table);
            for (name, value) in attributes {
                if name == "paid_by" {
                    put = put.condition_expression("attribute_not_exists(pk)");
                }
                put = put.item(name, value);
            }
            items.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        self.dynamodb
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await?;
        Ok(())
    }

    pub fn event_put(&self, payment: &Value, event: &Value) -> Vec<(&'static str, AttributeValue)> {
        let pk = payment_pk(
            payment["project_id"].as_u64().unwrap_or_default(),
            &text(&payment["payment_id"]),
        );
        let sequence = payment["sequence"].as_u64().unwrap_or_default();
        vec![
            ("pk", s(pk)),
            ("sk", s(format!("event#{sequence:010}"))),
            ("kind", s(text(&event["type"]))),
            (
                "content",
                s(json!({ "data": event["data"], "time": event["time"] }).to_string()),
            ),
            ("expires_at", n(now() / 1000 + 90 * 24 * 3_600)),
        ]
    }

    pub fn token_put(
        &self,
        payment: &Value,
        token_hash: &str,
    ) -> Vec<(&'static str, AttributeValue)> {
        vec![
            ("pk", s(format!("checkout#{token_hash}"))),
            ("sk", s("checkout")),
            (
                "project_id",
                n(payment["project_id"].as_u64().unwrap_or_default()),
            ),
            ("payment_id", s(text(&payment["payment_id"]))),
            ("expires_at", n(now() / 1000 + 31 * 24 * 3_600)),
        ]
    }

    pub fn day_put(&self, payment: &Value) -> Vec<(&'static str, AttributeValue)> {
        let project_id = payment["project_id"].as_u64().unwrap_or_default();
        let pk = payment_pk(project_id, &text(&payment["payment_id"]));
        let shard = shard(&pk);
        vec![
            ("pk", s(pk)),
            ("sk", s("day#2026-07-02")),
            ("day", s(format!("{project_id}#2026-07-02#{shard:02}"))),
        ]
    }

    pub fn order_put(&self, payment: &Value) -> Vec<(&'static str, AttributeValue)> {
        vec![
            ("pk", s(order_pk(payment))),
            ("sk", s("first")),
            ("paid_by", s(text(&payment["payment_id"]).to_lowercase())),
        ]
    }

    /// Returns an event in the form of CloudEvents.
    pub fn event(&self, payment: &Value, kind: &str) -> Value {
        let data = json!({
            "payment_id": payment["payment_id"],
            "order_id": payment["order"]["order_id"],
            "status": payment["emitted"]["last"]["status"],
            "platform_status": payment["platform_status"]["status"],
            "sequence": payment["sequence"],
            "amount": payment["order"]["amount"],
            "currency": payment["order"]["currency"],
            "channel": payment["order"]["channel"],
            "paid_amount": payment["emitted"]["last"]["paid_amount"],
            "operations": payment["reported"]["operations"],
            "refunds": payment["refunds"],
            "created_at": payment["created_at"],
            "updated_at": payment["updated_at"],
        });
        envelope(payment, kind, data, payment["updated_at"].clone())
    }

    /// Sends an event in parallel to all queues that accept the type of the event.
    pub async fn send(&self, payment: &Value, event: &Value) -> Result<(), Error> {
        let kind = &event["type"];
        let group = format!("{}-{}", payment["project_id"], text(&payment["payment_id"]));
        let id = hex::encode(Sha256::digest(text(&event["id"])));
        let accepts = |queue: &&Value| {
            queue["types"]
                .as_array()
                .is_none_or(|types| types.contains(kind))
        };
        let sends = self.queues.iter().filter(accepts).map(|queue| {
            self.sqs
                .send_message()
                .queue_url(text(&queue["url"]))
                .message_body(event.to_string())
                .message_group_id(&group)
                .message_deduplication_id(&id)
                .send()
        });
        for sent in futures::future::join_all(sends).await {
            sent?;
        }
        Ok(())
    }

    /// Marks the events of a payment as published.
    pub async fn mark(&self, payment: &Value) -> Result<(), Error> {
        let pk = payment_pk(
            payment["project_id"].as_u64().unwrap_or_default(),
            &text(&payment["payment_id"]),
        );
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", s(pk))
            .key("sk", s("payment"))
            .update_expression("SET #published = :through REMOVE #outbox, #since")
            .condition_expression("#sequence = :through")
            .expression_attribute_names("#published", "published")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#outbox", "outbox")
            .expression_attribute_names("#since", "outbox_since")
            .expression_attribute_values(
                ":through",
                n(payment["sequence"].as_u64().unwrap_or_default()),
            )
            .send()
            .await?;
        Ok(())
    }

    /// Posts a signed message to Gate, and returns the answer.
    pub async fn post_to_gate(&self, path: &str, message: &Value) -> Result<Value, Error> {
        let url = format!("{}{path}", variable("GATE_URL"));
        let response = self.http.post(url).json(message).send().await?;
        Ok(response.json().await?)
    }
}

/// Writes a log line with metrics in CloudWatch's embedded format.
pub fn log(outcome: &str, payment: &Value, took: std::time::Duration) {
    let line = json!({
        "_aws": {
            "Timestamp": now(),
            "CloudWatchMetrics": [{
                "Namespace": variable("METRICS_NAMESPACE"),
                "Dimensions": [["outcome"]],
                "Metrics": [
                    { "Name": "callbacks", "Unit": "Count" },
                    { "Name": "duration_ms", "Unit": "Milliseconds" },
                ],
            }],
        },
        "level": "INFO",
        "message": "callback",
        "outcome": outcome,
        "key": "current",
        "project": payment["project_id"],
        "payment": payment["payment_id"],
        "platform_status": payment["platform_status"]["status"],
        "status": payment["emitted"]["last"]["status"],
        "callbacks": 1,
        "duration_ms": took.as_millis() as u64,
    });
    println!("{line}");
}
