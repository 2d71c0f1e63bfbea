//! The memory in DynamoDB: one item for each payment, in plain attributes, as the warehouse reads it
//! too.

use std::time::Duration;

use aws::item::{Item, broken, expiry, number, read_number, read_text, text};
use aws::sdk::describe;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use payments::model::Status;
use payments::ports::{CommitError, StoreError};
use payments::{PaymentKey, Timestamp};

use crate::actions::Actions;
use crate::event::State;
use crate::memory::{Goods, Memory, MemoryStore, Newest};

/// How long a payment is remembered after its last event. An event can be published again for 90
/// days and then lie in a queue and its dead letters for 14 each; and a refund, which the platform
/// allows at any time, can only take back what is known to have been sent.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 3_600);

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

    /// Opens a connection before the first event, by reading what no item has; see
    /// [`aws::prewarm`].
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
        over: Option<u64>,
    ) -> Result<(), CommitError> {
        let item = write(memory, over.unwrap_or(0) + 1, Timestamp::now())?;
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

fn read(item: &Item) -> Result<Memory, StoreError> {
    let goods = read_text(item, "goods")?;
    let goods = Goods::ALL.into_iter().find(|known| known.as_str() == goods);
    let actions = Actions::parse(read_text(item, "actions")?);
    let newest = Newest {
        sequence: read_number(item, "sequence")?,
        state: State {
            status: status_of(item)?,
            paid_amount: read_number(item, "paid_amount")?,
            refunded_amount: read_number(item, "refunded_amount")?,
        },
    };
    Ok(Memory {
        goods: goods.ok_or_else(|| broken("unknown goods"))?,
        newest: Some(newest),
        actions: actions.ok_or_else(|| broken("unknown actions"))?,
    })
}

/// The item without its key.
fn write(memory: &Memory, version: u64, now: Timestamp) -> Result<Item, StoreError> {
    let newest = memory
        .newest
        .ok_or_else(|| StoreError("a memory of nothing is not written".into()))?;
    let attributes = [
        ("version", number(version)),
        ("goods", text(memory.goods.as_str())),
        ("sequence", number(newest.sequence)),
        ("status", status_to_item(newest.state.status)?),
        ("paid_amount", number(newest.state.paid_amount)),
        ("refunded_amount", number(newest.state.refunded_amount)),
        ("actions", text(memory.actions.to_string())),
        ("expires_at", expiry(now.after(REMEMBERED))),
    ];
    Ok(attributes
        .map(|(name, value)| (name.to_owned(), value))
        .into())
}

fn status_of(item: &Item) -> Result<Status, StoreError> {
    let status = serde_json::Value::from(read_text(item, "status")?);
    serde_json::from_value(status).map_err(|_| broken("unknown status"))
}

fn status_to_item(status: Status) -> Result<AttributeValue, StoreError> {
    match serde_json::to_value(status) {
        Ok(serde_json::Value::String(status)) => Ok(text(status)),
        _ => Err(broken("unknown status")),
    }
}

fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> StoreError {
    StoreError(describe(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Decision, decide};
    use crate::event::Event;
    use ecommpay::fields::ProjectId;
    use payments::events::EventKind;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

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
            actions: Actions::parse("2 hold, 3 ship, 4-5 nothing").unwrap(),
        }
    }

    fn item(memory: &Memory) -> Item {
        write(memory, 7, NOW).unwrap()
    }

    /// As DynamoDB counts, and rather too much: it packs two digits into a byte.
    fn size(item: &Item) -> usize {
        let sizes = item.iter().map(|(name, value)| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => name.len() + text.len(),
            _ => panic!("{name} is neither text nor number"),
        });
        sizes.sum()
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

    /// A payment of 10.00 EUR, given back cent by cent, each time heard of before and after.
    fn two_thousand_events() -> Vec<Event> {
        let refunds = (0..1000).flat_map(|cents| {
            [
                (EventKind::RefundPending, cents),
                (EventKind::RefundSucceeded, cents + 1),
            ]
        });
        let paid = (EventKind::PaymentSucceeded, 0);
        std::iter::once(paid)
            .chain(refunds)
            .zip(3..)
            .map(|((kind, refunded_amount), sequence)| Event {
                key: PaymentKey::new(ProjectId::new(211).unwrap(), "p-1"),
                sequence,
                kind: Some(kind),
                state: State {
                    status: Status::PartiallyRefunded,
                    paid_amount: 1000,
                    refunded_amount,
                },
            })
            .collect()
    }

    fn after<'a>(events: impl IntoIterator<Item = &'a Event>) -> Memory {
        events.into_iter().fold(Memory::default(), |memory, event| {
            match decide(memory, event) {
                Decision::New(_, memory) => memory,
                Decision::Known(_) => panic!("{event:?} came twice"),
            }
        })
    }

    #[test]
    fn a_payment_with_two_thousand_events_stays_small() {
        let events = two_thousand_events();
        let in_order = after(&events);
        assert_eq!(
            in_order.actions.to_string(),
            "3 ship, 4-2002 nothing, 2003 take_back"
        );
        let backwards = after(events.iter().rev());
        // At worst every second event has not come yet. An item may have 400 KB.
        let with_gaps = after(events.iter().step_by(2));
        for (memory, most) in [(in_order, 200), (backwards, 150), (with_gaps, 15_000)] {
            let item = item(&memory);
            let size = size(&item);
            assert!(size <= most, "{size} bytes: {item:?}");
            assert_eq!(read(&item).unwrap(), memory);
        }
    }

    #[test]
    fn an_event_is_remembered_longer_than_it_can_come_again() {
        let until = read_number(&item(&memory()), "expires_at").unwrap();
        let now = u64::try_from(NOW.unix_seconds()).unwrap();
        let days = (until - now) / (24 * 3_600);
        assert!(days >= 90 + 14 + 14, "{days}");
    }
}
