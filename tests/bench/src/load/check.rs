//! What must hold in the end, of the table, of the queues and of what the platform was sent.

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
use crate::world::PROJECT;

/// Items that are there before the first payment: the storefront's key, and its entry in the list.
const ITEMS_BEFORE: u64 = 2;
/// How many reasons are named.
const NAMED: usize = 10;

/// Looks at everything, with the number of payments that were made.
pub struct Check<'a> {
    /// What the functions have called.
    pub services: &'a Services,
    /// The way to the table.
    pub store: &'a DynamoStore,
    /// The queues and what they want.
    pub queues: &'a [QueueConfig],
    /// The payments' number.
    pub payments: u32,
}

/// What there is in the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    /// Items of the table that belong to the payments.
    pub items: u64,
    /// Messages in the queues.
    pub messages: usize,
    /// Messages that a queue has dropped as repeats.
    pub repeats: u64,
}

impl Check<'_> {
    /// Checks all.
    ///
    /// # Errors
    ///
    /// When anything is not as it must be; names some of it.
    pub async fn all(&self) -> anyhow::Result<Found> {
        // Four at once keep the CPUs busy.
        let parts = tokio::join!(self.part(0), self.part(1), self.part(2), self.part(3));
        let (mut wrong, mut found) = (Vec::new(), Found::default());
        for (of_part, wrong_of_part) in [parts.0, parts.1, parts.2, parts.3] {
            found.items += of_part.items;
            found.messages += of_part.messages;
            wrong.extend(wrong_of_part);
        }
        if wrong.is_empty() {
            wrong.extend(self.sums(&found).err().map(|error| error.to_string()));
        }
        let open = self.nothing_open().await.err();
        wrong.extend(open.map(|error| error.to_string()));
        let named = wrong.iter().take(NAMED).cloned();
        let named = named.collect::<Vec<_>>().join("\n");
        ensure!(
            wrong.is_empty(),
            "{} things are wrong:\n{named}",
            wrong.len()
        );
        found.repeats = self.services.queues.repeats();
        Ok(found)
    }

    /// Every fourth payment from one on; gives what was found and what is wrong.
    async fn part(&self, first: u32) -> (Found, Vec<String>) {
        let (mut wrong, mut found) = (Vec::new(), Found::default());
        for number in (first..self.payments).step_by(4) {
            match self.payment(Plan(number)).await {
                Ok((items, messages)) => {
                    found.items += items;
                    found.messages += messages;
                }
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
        (found, wrong)
    }

    /// One payment; gives how many items and messages belong to it.
    async fn payment(&self, plan: Plan) -> anyhow::Result<(u64, usize)> {
        let id = plan.payment_id();
        let key = PaymentKey::new(ProjectId::new(PROJECT)?, &id);
        let stored = self.store.load(&key).await?;
        let stored = stored.with_context(|| format!("{id} is not there"))?;
        let last = stored.payment.sequence();
        let events = self.store.events(&key, 0, u64::MAX).await?;
        is_as_planned(plan, &stored, &events).with_context(|| id.clone())?;
        let sales = self.services.platform.sales(plan);
        ensure!(sales == 1, "{id}: its sale was sent {sales} times");
        let mut messages = 0;
        for queue in self.queues {
            let group = self.services.queues.group(&queue.url, plan);
            is_told(queue, &group, &plan.events()).with_context(|| id.clone())?;
            messages += group.len();
        }
        // The payment itself, its token, its events, its days, and that it has paid its order.
        let days = stored.payment.days().len() as u64;
        let paid = u64::from(stored.payment.paid_order().is_some());
        Ok((2 + last + days + paid, messages))
    }

    /// Nothing is there that belongs to no payment.
    fn sums(&self, found: &Found) -> anyhow::Result<()> {
        let items = self.services.store.items()?;
        ensure!(
            items == found.items + ITEMS_BEFORE,
            "the table has {items} items, the payments {}",
            found.items
        );
        let kept = self.services.queues.kept();
        ensure!(
            kept == found.messages,
            "the queues have {kept} messages, the payments {}",
            found.messages
        );
        Ok(())
    }

    /// Nothing is unpublished, and nothing was refused.
    async fn nothing_open(&self) -> anyhow::Result<()> {
        let wrong = self.services.queues.wrong();
        ensure!(wrong.is_empty(), "no events: {wrong:?}");
        for shard in 0..SHARDS {
            let now = Timestamp::now();
            let outbox = self.store.due(Index::Outbox, shard, now, None).await?;
            ensure!(outbox.is_empty(), "not sent: {outbox:?}");
        }
        let refused = self.services.calls().refused;
        ensure!(refused.is_empty(), "calls were refused: {refused:?}");
        Ok(())
    }
}

fn is_as_planned(plan: Plan, stored: &Stored, events: &[Event]) -> anyhow::Result<()> {
    let payment = &stored.payment;
    let (status, planned) = (payment.status(), plan.status());
    ensure!(status == planned, "is {status:?}, not {planned:?}");
    let paid = payment.paid_amount();
    let due = if plan.is_declined() { 0 } else { AMOUNT };
    ensure!(paid == due, "{paid} were paid, not {due}");
    let sequences = events.iter().map(|event| event.sequence);
    ensure!(
        sequences.eq(1..=payment.sequence()),
        "the events are not numbered from 1 to {}",
        payment.sequence()
    );
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    ensure!(
        kinds == plan.events(),
        "announces {kinds:?}, not {:?}",
        plan.events()
    );
    let published = stored.published;
    ensure!(
        published == payment.sequence(),
        "{published} of {} events are marked as sent",
        payment.sequence()
    );
    Ok(())
}

/// A queue has each event that it wants, in order.
fn is_told(queue: &QueueConfig, group: &[Message], events: &[EventKind]) -> anyhow::Result<()> {
    let wants = |kind| {
        queue
            .types
            .as_ref()
            .is_none_or(|types| types.contains(kind))
    };
    let wanted: Vec<Message> = (1..)
        .zip(events)
        .filter(|(_, kind)| wants(kind))
        .map(|(sequence, kind)| Message {
            sequence,
            kind: *kind,
        })
        .collect();
    ensure!(
        group == wanted,
        "{} has {group:?}, not {wanted:?}",
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
    fn a_queue_has_just_what_it_wants_in_order() {
        let events = [CREATED.kind, PAID.kind];
        let queue = |types: Option<&[EventKind]>| QueueConfig {
            url: "queue".into(),
            types: types.map(<[EventKind]>::to_vec),
        };
        let (all, paid) = (queue(None), queue(Some(&[PAID.kind])));
        assert!(is_told(&all, &[CREATED, PAID], &events).is_ok());
        assert!(is_told(&paid, &[PAID], &events).is_ok());
        for wrong in [&[CREATED][..], &[PAID], &[], &[PAID, CREATED]] {
            assert!(is_told(&all, wrong, &events).is_err(), "{wrong:?}");
        }
        for wrong in [&[CREATED, PAID][..], &[CREATED], &[]] {
            assert!(is_told(&paid, wrong, &events).is_err(), "{wrong:?}");
        }
    }
}
