//! Checks the table, the queues and the platform's requests after a load test.

use anyhow::{Context, ensure};
use aws::config::QueueConfig;
use aws::dynamodb::DynamoStore;
use ecommpay::fields::ProjectId;
use payments::events::{Event, EventKind};
use payments::ports::{Index, PaymentStore, SHARDS, Stored};
use payments::{PaymentKey, Timestamp};

use super::plan::{AMOUNT, Plan};
use super::queues::Message;
use super::services::Services;
use crate::settings::PROJECT;

/// An error shows at most this many failures.
const SHOWN_FAILURES: usize = 10;

pub struct Check<'a> {
    pub services: &'a Services,
    pub store: &'a DynamoStore,
    /// The queues, with the types of events that each queue receives.
    pub queues: &'a [QueueConfig],
    pub payments: u32,
}

/// The totals over all payments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// The number of items in the table.
    pub items: u64,
    /// The number of messages in the queues.
    pub messages: usize,
    /// The number of messages that a FIFO queue drops, because they are repeats.
    pub repeats: u64,
}

impl Check<'_> {
    /// Runs all checks. The error shows the first failures.
    pub async fn all(&self) -> anyhow::Result<Found> {
        // Four concurrent parts keep the CPUs busy.
        let parts = tokio::join!(self.part(0), self.part(1), self.part(2), self.part(3));
        let (mut failures, mut found) = (Vec::new(), Found::default());
        for (of_part, failures_of_part) in [parts.0, parts.1, parts.2, parts.3] {
            found.items += of_part.items;
            found.messages += of_part.messages;
            failures.extend(failures_of_part);
        }
        if failures.is_empty() {
            failures.extend(self.check_sums(&found).err().map(|error| error.to_string()));
        }
        let rest = self.check_rest().await.err();
        failures.extend(rest.map(|error| error.to_string()));
        let shown = failures.iter().take(SHOWN_FAILURES).cloned();
        let shown = shown.collect::<Vec<_>>().join("\n");
        ensure!(
            failures.is_empty(),
            "{} checks failed:\n{shown}",
            failures.len()
        );
        found.repeats = self.services.queues.repeats();
        Ok(found)
    }

    /// Checks every fourth payment from `first` on. Returns the totals and the failures.
    async fn part(&self, first: u32) -> (Found, Vec<String>) {
        let (mut failures, mut found) = (Vec::new(), Found::default());
        for number in (first..self.payments).step_by(4) {
            match self.payment(Plan(number)).await {
                Ok((items, messages)) => {
                    found.items += items;
                    found.messages += messages;
                }
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
        (found, failures)
    }

    /// Checks a payment. Returns the numbers of its items and messages.
    async fn payment(&self, plan: Plan) -> anyhow::Result<(u64, usize)> {
        let id = plan.payment_id();
        let key = PaymentKey::new(ProjectId::new(PROJECT)?, &id);
        let stored = self.store.load(&key).await?;
        let stored = stored.with_context(|| format!("{id} is not in the table"))?;
        let last = stored.payment.sequence();
        let events = self.store.events(&key, 0, u64::MAX).await?;
        check_payment(plan, &stored, &events).with_context(|| id.clone())?;
        let sales = self.services.platform.sales_of(plan);
        ensure!(sales == 1, "{id}: its sale was sent {sales} times");
        let mut messages = 0;
        for queue in self.queues {
            let group = self.services.queues.group(&queue.url, plan);
            check_group(queue, &group, &plan.events()).with_context(|| id.clone())?;
            messages += group.len();
        }
        // The items are the payment, its token, each event, each day after the day of creation, and the record that the
        // payment paid its order.
        let later_days = stored.payment.days().len() as u64 - 1;
        let paid = u64::from(stored.payment.paid_order().is_some());
        Ok((2 + last + later_days + paid, messages))
    }

    /// Checks that all items and all messages belong to a payment.
    fn check_sums(&self, found: &Found) -> anyhow::Result<()> {
        let items = self.services.store.items()?;
        ensure!(
            items == found.items,
            "the table has {items} items, but the payments have {}",
            found.items
        );
        let messages = self.services.queues.messages();
        ensure!(
            messages == found.messages,
            "the queues have {messages} messages, but the payments have {}",
            found.messages
        );
        Ok(())
    }

    /// Checks that no message is invalid, no event is unpublished and no call was refused.
    async fn check_rest(&self) -> anyhow::Result<()> {
        let invalid = self.services.queues.invalid();
        ensure!(invalid.is_empty(), "invalid messages: {invalid:?}");
        for shard in 0..SHARDS {
            let now = Timestamp::now();
            let outbox = self.store.due(Index::Outbox, shard, now, None).await?;
            ensure!(
                outbox.is_empty(),
                "the outbox has unpublished events: {outbox:?}"
            );
        }
        let refused = self.services.calls().refused;
        ensure!(refused.is_empty(), "refused calls: {refused:?}");
        Ok(())
    }
}

fn check_payment(plan: Plan, stored: &Stored, events: &[Event]) -> anyhow::Result<()> {
    let payment = &stored.payment;
    let (status, planned) = (payment.status(), plan.status());
    ensure!(
        status == planned,
        "the status is {status:?}, not {planned:?}"
    );
    let paid = payment.paid_amount();
    let expected = if plan.is_declined() { 0 } else { AMOUNT };
    ensure!(
        paid == expected,
        "the paid amount is {paid}, not {expected}"
    );
    let sequences = events.iter().map(|event| event.sequence);
    ensure!(
        sequences.eq(1..=payment.sequence()),
        "the events are not numbered from 1 to {}",
        payment.sequence()
    );
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    ensure!(
        kinds == plan.events(),
        "the events are {kinds:?}, not {:?}",
        plan.events()
    );
    let published = stored.published;
    ensure!(
        published == payment.sequence(),
        "{published} of {} events are marked as published",
        payment.sequence()
    );
    Ok(())
}

/// Checks that a queue has exactly one message for each event that it receives, in the order of the events.
fn check_group(queue: &QueueConfig, group: &[Message], events: &[EventKind]) -> anyhow::Result<()> {
    let accepts = |kind| {
        queue
            .types
            .as_ref()
            .is_none_or(|types| types.contains(kind))
    };
    let expected: Vec<Message> = (1..)
        .zip(events)
        .filter(|(_, kind)| accepts(kind))
        .map(|(sequence, kind)| Message {
            sequence,
            kind: *kind,
        })
        .collect();
    ensure!(
        group == expected,
        "{} has {group:?}, not {expected:?}",
        queue.url
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: Message = Message {
        sequence: 1,
        kind: EventKind::PaymentCreated,
    };
    const PAID: Message = Message {
        sequence: 2,
        kind: EventKind::PaymentSucceeded,
    };

    #[test]
    fn a_queue_must_have_exactly_the_events_of_its_types_in_order() {
        let events = [CREATED.kind, PAID.kind];
        let queue = |types: Option<&[EventKind]>| QueueConfig {
            url: "queue".into(),
            types: types.map(<[EventKind]>::to_vec),
        };
        let (all, paid) = (queue(None), queue(Some(&[PAID.kind])));
        assert!(check_group(&all, &[CREATED, PAID], &events).is_ok());
        assert!(check_group(&paid, &[PAID], &events).is_ok());
        for wrong in [&[CREATED][..], &[PAID], &[], &[PAID, CREATED]] {
            assert!(check_group(&all, wrong, &events).is_err(), "{wrong:?}");
        }
        for wrong in [&[CREATED, PAID][..], &[CREATED], &[]] {
            assert!(check_group(&paid, wrong, &events).is_err(), "{wrong:?}");
        }
    }
}
