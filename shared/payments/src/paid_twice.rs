//! One order that is paid by more than one payment.
//!
//! Looked for whenever a payment is announced as succeeded, and again when its day is reported, so
//! that nothing is missed where a function was broken off in between. Of the payments that have
//! paid an order and still have its money, each but the first is told.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::apply::{ApplyError, Payments};
use crate::decide::{self, Fact};
use crate::event::EventKind;
use crate::ids::PaymentKey;
use crate::payment::{Operation, Payment, Status};
use crate::ports::{Clock, EventQueue, PaymentStore};
use crate::publish::{self, PublishError};
use crate::timestamp::Timestamp;

/// No more payments of one order are looked at: some shops give all of them the same number.
const MOST: usize = 20;
/// How many of them are read at once.
const AT_ONCE: usize = 4;

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Looks at who else has paid a payment's order. Gives the events that were sent.
    pub(crate) async fn look_for_paid_twice(
        &self,
        payment: &Payment,
    ) -> Result<Vec<EventKind>, PublishError> {
        let Some(order_id) = payment.paid_order() else {
            return Ok(Vec::new());
        };
        let own = payment.key();
        let mut keys = self.store.paid_by(payment.project_id, order_id).await?;
        keys.retain(|key| *key != own);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        keys.truncate(MOST);
        keys.push(own);
        let loads = stream::iter(keys.into_iter().map(|key| self.load(key)));
        let loads = loads.buffered(AT_ONCE);
        let mut paid: Vec<Payment> = loads.try_filter_map(has_money).try_collect().await?;
        paid.sort_by_key(|payment| (paid_at(payment), payment.key()));
        let mut before = BTreeSet::new();
        let mut sent = Vec::new();
        for payment in paid {
            if !payment.paid_before_by.is_superset(&before) {
                sent.extend(self.tell_paid_before(&payment.key(), &before).await?);
            }
            before.insert(payment.payment_id);
        }
        Ok(sent)
    }

    async fn load(&self, key: PaymentKey) -> Result<Option<Payment>, PublishError> {
        let stored = self.store.load(&key).await?;
        Ok(stored.map(|stored| stored.payment))
    }

    async fn tell_paid_before(
        &self,
        key: &PaymentKey,
        by: &BTreeSet<String>,
    ) -> Result<Vec<EventKind>, PublishError> {
        let told = self.update(key, |payment, at| {
            let fact = Fact::PaidBefore { by };
            Ok::<_, ApplyError>(payment.and_then(|one| decide::decide(Some(one), fact, at)))
        });
        let Some((stored, Some(change))) = told.await? else {
            return Ok(Vec::new());
        };
        publish::publish(&self.store, &self.queues, &stored, &change.events).await
    }
}

/// Passes on a payment that has paid and was not given back.
async fn has_money(payment: Option<Payment>) -> Result<Option<Payment>, PublishError> {
    let has_money = |payment: &Payment| {
        let status = payment.status();
        status.is_paid() && status != Status::Refunded
    };
    Ok(payment.filter(has_money))
}

/// When it was paid, by the platform's clock.
fn paid_at(payment: &Payment) -> Timestamp {
    let sales = payment.successful_sales();
    let ends = sales.filter_map(Operation::ended_at);
    ends.min().unwrap_or(payment.created_at)
}
