//! Stores the [`Memory`] of each payment as an item in DynamoDB. The attributes are words and numbers, because the
//! warehouse also reads the items.

use std::time::Duration;

use aws::dynamodb::attributes::{Item, expiry, item_error, number, read_number, read_text, text};
use aws::sdk::{self, describe};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use payments::model::Status;
use payments::ports::{CommitError, StoreError};
use payments::{PaymentKey, Timestamp};

use crate::actions::Actions;
use crate::event::State;
use crate::goods::Goods;
use crate::memory::{Memory, MemoryStore, Newest};

/// DynamoDB deletes an item this long after the last new event of its payment. An event can arrive again for 118 days:
/// an operator can republish it for 90 days, and then it can stay 14 days in a queue and 14 days in the dead-letter
/// queue. Refunds are possible for even longer, and a refund takes goods back only if the item still says that they
/// were shipped.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 3_600);

/// The table of memories.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    client: Client,
    table: String,
}

impl MemoryTable {
    /// Creates the access to a table.
    pub fn new(config: &aws_types::SdkConfig, table: String) -> Self {
        Self {
            client: sdk::dynamodb(config),
            table,
        }
    }

    /// Opens a connection before the first event, by reading an item that does not exist; see [`aws::prewarm`].
    pub async fn prewarm(&self) {
        let request = self.client.get_item().table_name(&self.table);
        let _ = request.key("payment", text("nothing")).send().await;
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
        item.map(|item| Ok((read(&item)?, read_number(&item, "version")?)))
            .transpose()
    }

    async fn save(
        &self,
        key: &PaymentKey,
        memory: &Memory,
        loaded_version: Option<u64>,
    ) -> Result<(), CommitError> {
        let item = write(memory, loaded_version.unwrap_or(0) + 1, Timestamp::now())?;
        let set: Vec<String> = item
            .keys()
            .map(|name| format!("#{name} = :{name}"))
            .collect();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("payment", text(key.to_string()))
            .update_expression(format!("SET {}", set.join(", ")));
        for (name, value) in item {
            update = update
                .expression_attribute_values(format!(":{name}"), value)
                .expression_attribute_names(format!("#{name}"), name);
        }
        let update = match loaded_version {
            None => update.condition_expression("attribute_not_exists(#version)"),
            Some(version) => update
                .condition_expression("#version = :loaded")
                .expression_attribute_values(":loaded", number(version)),
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

fn read(item: &Item) -> Result<Memory, StoreError> {
    let goods = Goods::parse(read_text(item, "goods")?);
    let actions = Actions::parse(read_text(item, "actions")?);
    let newest = Newest {
        sequence: read_number(item, "sequence")?,
        state: State {
            status: read_status(item)?,
            paid_amount: read_number(item, "paid_amount")?,
            refunded_amount: read_number(item, "refunded_amount")?,
        },
    };
    // Older items lack the attributes that were added later.
    let number_or_zero = |name| match item.get(name) {
        None => Ok(0),
        Some(_) => read_number(item, name),
    };
    Ok(Memory {
        goods: goods.ok_or_else(|| item_error("unknown goods"))?,
        newest,
        is_paid_twice: number_or_zero("paid_twice")? > 0,
        last_success: number_or_zero("last_success")?,
        last_without_money: number_or_zero("last_without_money")?,
        actions: actions.ok_or_else(|| item_error("unknown actions"))?,
    })
}

/// Returns the attributes of an item, without the key.
fn write(memory: &Memory, version: u64, now: Timestamp) -> Result<Item, StoreError> {
    let newest = memory.newest;
    let attributes = [
        ("version", number(version)),
        ("goods", text(memory.goods.as_str())),
        ("sequence", number(newest.sequence)),
        ("status", write_status(newest.state.status)?),
        ("paid_amount", number(newest.state.paid_amount)),
        ("refunded_amount", number(newest.state.refunded_amount)),
        ("paid_twice", number(memory.is_paid_twice.into())),
        ("last_success", number(memory.last_success)),
        ("last_without_money", number(memory.last_without_money)),
        ("actions", text(memory.actions.to_string())),
        ("expires_at", expiry(now.after(RETENTION))),
    ];
    Ok(attributes
        .map(|(name, value)| (name.to_owned(), value))
        .into())
}

fn read_status(item: &Item) -> Result<Status, StoreError> {
    let status = serde_json::Value::from(read_text(item, "status")?);
    serde_json::from_value(status).map_err(|_| item_error("unknown status"))
}

fn write_status(status: Status) -> Result<AttributeValue, StoreError> {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(status)) => Ok(text(status)),
        _ => Err(item_error("unknown status")),
    }
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError::Failed(describe(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Decision, decide};
    use crate::event::Event;
    use crate::event::samples::event;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn memory() -> Memory {
        Memory {
            goods: Goods::Stopped,
            newest: Newest {
                sequence: 5,
                state: State {
                    status: Status::PartiallyRefunded,
                    paid_amount: 1000,
                    refunded_amount: 400,
                },
            },
            is_paid_twice: true,
            last_success: 3,
            last_without_money: 2,
            actions: Actions::parse("2 hold, 3 ship, 4-5 nothing").unwrap(),
        }
    }

    fn item(memory: &Memory) -> Item {
        write(memory, 7, NOW).unwrap()
    }

    /// Returns the approximate size of an item in bytes. DynamoDB needs less for a number: about one byte for two
    /// digits.
    fn size(item: &Item) -> usize {
        let sizes = item.iter().map(|(name, value)| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => name.len() + text.len(),
            _ => panic!("{name} is neither text nor number"),
        });
        sizes.sum()
    }

    #[test]
    fn a_memory_is_equal_after_writing_and_reading() {
        for goods in Goods::ALL {
            let memory = Memory { goods, ..memory() };
            assert_eq!(read(&item(&memory)).unwrap(), memory);
        }
    }

    #[test]
    fn an_item_without_the_attributes_that_were_added_later_is_read() {
        let mut older = item(&memory());
        for name in ["paid_twice", "last_success", "last_without_money"] {
            older.remove(name);
        }
        let expected = Memory {
            is_paid_twice: false,
            last_success: 0,
            last_without_money: 0,
            ..memory()
        };
        assert_eq!(read(&older).unwrap(), expected);
    }

    #[test]
    fn an_item_with_an_invalid_or_missing_attribute_is_refused_and_the_error_quotes_no_value() {
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

    /// Returns 2,001 events of a payment of 10.00 EUR: its success, and two events for each of 1,000 refunds of one
    /// cent.
    fn two_thousand_events() -> Vec<Event> {
        let refunds = (0..1000)
            .flat_map(|cents| [("refund.pending", cents), ("refund.succeeded", cents + 1)]);
        std::iter::once(("payment.succeeded", 0))
            .chain(refunds)
            .zip(3..)
            .map(|((kind, refunded), sequence)| {
                event(sequence, kind, Status::PartiallyRefunded, refunded)
            })
            .collect()
    }

    fn after<'a>(events: impl IntoIterator<Item = &'a Event>) -> Memory {
        let memory = events
            .into_iter()
            .fold(None, |memory, event| match decide(memory, event) {
                Decision::New(_, memory) => Some(memory),
                Decision::Duplicate(_) => panic!("{event:?} is a duplicate"),
            });
        memory.unwrap()
    }

    #[test]
    fn the_item_of_a_payment_with_two_thousand_events_stays_small() {
        let events = two_thousand_events();
        let in_order = after(&events);
        assert_eq!(
            in_order.actions.to_string(),
            "3 ship, 4-2002 nothing, 2003 take_back"
        );
        let backwards = after(events.iter().rev());
        // The text of the actions is longest if every second event is missing. Each limit below is in bytes. The limit
        // of DynamoDB is 400 KB.
        let with_gaps = after(events.iter().step_by(2));
        for (memory, limit) in [(in_order, 250), (backwards, 200), (with_gaps, 15_000)] {
            let item = item(&memory);
            let size = size(&item);
            assert!(size <= limit, "{size} bytes: {item:?}");
            assert_eq!(read(&item).unwrap(), memory);
        }
    }

    #[test]
    fn an_item_is_stored_for_longer_than_its_events_can_arrive_again() {
        let expires_at = read_number(&item(&memory()), "expires_at").unwrap();
        let now = u64::try_from(NOW.unix_seconds()).unwrap();
        let days = (expires_at - now) / (24 * 3_600);
        assert!(days >= 90 + 14 + 14, "{days}");
    }
}
