//! The memory in DynamoDB: one item for each payment, in plain attributes, as the warehouse reads it
//! too.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use payments::adapters::aws::describe;
use payments::payment::Status;
use payments::ports::{CommitError, StoreError};
use payments::{PaymentKey, Timestamp};

use crate::decide::Action;
use crate::event::State;
use crate::memory::{Goods, Memory, MemoryStore, Newest};

/// How long a payment is remembered after its last event. An event can be published again for 90
/// days and then lie in a queue and its dead letters for 14 each; and a refund, which the platform
/// allows at any time, can only take back what is known to have been sent.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 3_600);

/// What a version, and so each write, replaces.
const SET: &str = "SET #version = :version, goods = :goods, #sequence = :sequence, \
                   #status = :status, paid_amount = :paid, refunded_amount = :refunded, \
                   actions = :actions, expires_at = :expires_at";

type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    client: Client,
    table: String,
}

impl MemoryTable {
    /// The table of that name.
    pub fn new(config: &aws_types::SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(config),
            table,
        }
    }
}

impl MemoryStore for MemoryTable {
    async fn load(&self, key: &PaymentKey) -> Result<Option<(Memory, u64)>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("payment", text(key.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        let item = output.item;
        item.map(|item| Ok((read(&item)?, number_of(&item, "version")?)))
            .transpose()
    }

    async fn save(
        &self,
        key: &PaymentKey,
        memory: &Memory,
        over: Option<u64>,
    ) -> Result<(), CommitError> {
        let newest = memory
            .newest
            .as_ref()
            .ok_or_else(|| StoreError("a memory of nothing is not written".into()))?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("payment", text(key.to_string()))
            .update_expression(SET)
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":version", number(over.unwrap_or(0) + 1))
            .expression_attribute_values(":goods", text(memory.goods.as_str()))
            .expression_attribute_values(":sequence", number(newest.sequence))
            .expression_attribute_values(":status", status_to_item(newest.state.status)?)
            .expression_attribute_values(":paid", number(newest.state.paid_amount))
            .expression_attribute_values(":refunded", number(newest.state.refunded_amount))
            .expression_attribute_values(":actions", actions_to_item(&memory.actions))
            .expression_attribute_values(":expires_at", remembered_until(Timestamp::now()));
        let update = match over {
            None => update.condition_expression("attribute_not_exists(#version)"),
            Some(version) => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", number(version)),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    Err(CommitError::Conflict)
                }
                _ => Err(failed(error).into()),
            },
        }
    }
}

impl Goods {
    const ALL: [Goods; 5] = [
        Goods::Waiting,
        Goods::Held,
        Goods::Shipped,
        Goods::Stopped,
        Goods::TakenBack,
    ];

    /// The word in the table and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Goods::Waiting => "waiting",
            Goods::Held => "held",
            Goods::Shipped => "shipped",
            Goods::Stopped => "stopped",
            Goods::TakenBack => "taken_back",
        }
    }
}

impl Action {
    const ALL: [Action; 4] = [
        Action::Ship,
        Action::TakeBack,
        Action::Hold,
        Action::Nothing,
    ];

    /// The word in the table and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Ship => "ship",
            Action::TakeBack => "take_back",
            Action::Hold => "hold",
            Action::Nothing => "nothing",
        }
    }
}

fn read(item: &Item) -> Result<Memory, StoreError> {
    let goods = text_of(item, "goods")?;
    let goods = Goods::ALL.into_iter().find(|known| known.as_str() == goods);
    let newest = Newest {
        sequence: number_of(item, "sequence")?,
        state: State {
            status: status_of(item)?,
            paid_amount: number_of(item, "paid_amount")?,
            refunded_amount: number_of(item, "refunded_amount")?,
        },
    };
    Ok(Memory {
        goods: goods.ok_or_else(|| broken("goods"))?,
        newest: Some(newest),
        actions: actions_of(item)?,
    })
}

fn status_of(item: &Item) -> Result<Status, StoreError> {
    let status = serde_json::Value::from(text_of(item, "status")?);
    serde_json::from_value(status).map_err(|_| broken("status"))
}

fn status_to_item(status: Status) -> Result<AttributeValue, StoreError> {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(status)) => Ok(text(status)),
        _ => Err(broken("status")),
    }
}

fn actions_of(item: &Item) -> Result<BTreeMap<String, Action>, StoreError> {
    let actions = item
        .get("actions")
        .and_then(|actions| actions.as_m().ok())
        .ok_or_else(|| broken("actions"))?;
    let read = |(id, word): (&String, &AttributeValue)| {
        let word = word.as_s().ok()?;
        let action = Action::ALL
            .into_iter()
            .find(|known| known.as_str() == word)?;
        Some((id.clone(), action))
    };
    let read: Option<_> = actions.iter().map(read).collect();
    read.ok_or_else(|| broken("actions"))
}

fn actions_to_item(actions: &BTreeMap<String, Action>) -> AttributeValue {
    let actions = actions.iter();
    AttributeValue::M(
        actions
            .map(|(id, action)| (id.clone(), text(action.as_str())))
            .collect(),
    )
}

fn remembered_until(now: Timestamp) -> AttributeValue {
    AttributeValue::N(now.after(REMEMBERED).unix_seconds().to_string())
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text_of<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| broken(name))
}

fn number_of(item: &Item, name: &str) -> Result<u64, StoreError> {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| broken(name))
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError(describe(&error))
}

/// An item is not what we once wrote.
fn broken(name: &str) -> StoreError {
    StoreError(format!("the {name} of an item cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory {
            goods: Goods::Stopped,
            newest: Some(Newest {
                sequence: 5,
                state: State {
                    status: Status::PartiallyRefunded,
                    paid_amount: 1000,
                    refunded_amount: 400,
                },
            }),
            actions: Action::ALL
                .map(|action| (format!("211/a.b c/{}", action.as_str()), action))
                .into(),
        }
    }

    fn item(memory: &Memory) -> Item {
        let newest = memory.newest.unwrap();
        [
            ("goods", text(memory.goods.as_str())),
            ("sequence", number(newest.sequence)),
            ("status", status_to_item(newest.state.status).unwrap()),
            ("paid_amount", number(newest.state.paid_amount)),
            ("refunded_amount", number(newest.state.refunded_amount)),
            ("actions", actions_to_item(&memory.actions)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    #[test]
    fn a_memory_survives_being_written() {
        for goods in Goods::ALL {
            let memory = Memory { goods, ..memory() };
            assert_eq!(read(&item(&memory)).unwrap(), memory);
        }
    }

    #[test]
    fn an_item_that_somebody_has_changed_is_not_guessed_at() {
        for name in ["goods", "sequence", "status", "paid_amount", "actions"] {
            let mut changed = item(&memory());
            changed.insert(name.to_owned(), text("elsewhere"));
            let error = read(&changed).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(!error.contains("elsewhere"), "{error}");
            changed.remove(name);
            assert!(read(&changed).is_err(), "{name}");
        }
    }

    #[test]
    fn an_event_is_remembered_longer_than_it_can_come_again() {
        let AttributeValue::N(until) = remembered_until(Timestamp::from_millis(0)) else {
            panic!("not a number")
        };
        let days = until.parse::<u64>().unwrap() / (24 * 3_600);
        assert!(days >= 90 + 14 + 14, "{days}");
    }
}
