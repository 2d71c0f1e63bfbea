//! What the sample consumer remembers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use sandbox::Ready;

use crate::{account, eventually};

/// The table of the sample consumer.
#[derive(Debug)]
pub struct Memory {
    client: Client,
    table: String,
    project_id: u32,
}

/// What is remembered of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Where the goods are.
    pub goods: String,
    /// The highest number of an event.
    pub sequence: u64,
    /// What followed from each event, by the events' numbers.
    pub actions: BTreeMap<u64, String>,
    /// When it may be forgotten, in seconds since 1970.
    pub expires_at: i64,
}

impl Remembered {
    /// The actions in the order of the events.
    pub fn actions(&self) -> Vec<&str> {
        self.actions.values().map(String::as_str).collect()
    }
}

impl Memory {
    /// The table of a sandbox.
    ///
    /// # Errors
    ///
    /// When the sandbox has no sample consumer.
    pub fn new(ready: &Ready) -> anyhow::Result<Self> {
        let table = ready.fulfilment_memory.clone();
        Ok(Self {
            client: Client::new(&account(ready)),
            table: table.context("The sample consumer is not deployed")?,
            project_id: ready.project_id,
        })
    }

    /// What is remembered of a payment, if anything is.
    ///
    /// # Errors
    ///
    /// When the table or the item cannot be read.
    pub async fn of(&self, payment_id: &str) -> anyhow::Result<Option<Remembered>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("payment", self.key(payment_id))
            .consistent_read(true)
            .send()
            .await
            .context("The consumer's table cannot be read")?;
        let Some(item) = output.item else {
            return Ok(None);
        };
        let number = |name: &str| -> anyhow::Result<i64> {
            let value = item.get(name).and_then(|value| value.as_n().ok());
            Ok(value
                .with_context(|| format!("no number {name}"))?
                .parse()?)
        };
        let text = |value: Option<&AttributeValue>| {
            let text = value.and_then(|value| value.as_s().ok());
            text.cloned().with_context(|| format!("{item:?}"))
        };
        // "2 nothing, 3 ship, 4-1003 nothing"
        let mut actions = BTreeMap::new();
        for run in text(item.get("actions"))?.split(", ") {
            let (numbers, action) = run.split_once(' ').context("no action")?;
            let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
            let numbers: RangeInclusive<u64> = first.parse()?..=last.parse()?;
            actions.extend(numbers.map(|number| (number, action.to_owned())));
        }
        Ok(Some(Remembered {
            goods: text(item.get("goods"))?,
            sequence: number("sequence")?.try_into()?,
            actions,
            expires_at: number("expires_at")?,
        }))
    }

    /// Waits until what is remembered of a payment is as wanted.
    ///
    /// # Errors
    ///
    /// When that does not happen in time.
    pub async fn until(
        &self,
        payment_id: &str,
        wanted: impl Fn(&Remembered) -> bool,
    ) -> anyhow::Result<Remembered> {
        let last = std::sync::Mutex::new(None);
        let found = eventually("the memory", || async {
            let remembered = self.of(payment_id).await?;
            if let Ok(mut last) = last.lock() {
                last.clone_from(&remembered);
            }
            Ok(remembered.filter(|remembered| wanted(remembered)))
        });
        found
            .await
            .with_context(|| format!("of {payment_id} is remembered: {last:?}"))
    }

    /// Spoils what is remembered of a payment, so that no event of it can be taken.
    ///
    /// # Errors
    ///
    /// When the table cannot be written.
    pub async fn spoil(&self, payment_id: &str) -> anyhow::Result<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("payment", self.key(payment_id))
            .item("goods", AttributeValue::S("nobody knows".into()))
            .send()
            .await
            .context("The consumer's table cannot be written")?;
        Ok(())
    }

    /// Forgets a payment.
    ///
    /// # Errors
    ///
    /// When the table cannot be written.
    pub async fn forget(&self, payment_id: &str) -> anyhow::Result<()> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .key("payment", self.key(payment_id))
            .send()
            .await
            .context("The consumer's table cannot be written")?;
        Ok(())
    }

    fn key(&self, payment_id: &str) -> AttributeValue {
        let payment_id = payment_id.to_ascii_lowercase();
        AttributeValue::S(format!("{}/{payment_id}", self.project_id))
    }
}
