//! One order that is paid by more than one payment.
//!
//! Looked for whenever a payment is announced as succeeded, before that is marked as sent, so that
//! the relay does what is broken off; and again when its day is reported, as a refund that turns out
//! to be none makes an order paid twice too. The first to pay an order need not look: the commit
//! shows that it is, and whoever comes later looks at both. (Who looks while the first commit is
//! still being applied, which DynamoDB does item by item, leaves it to the day's report.) Of the
//! payments that have paid an order and still have its money, each but the first is told.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::apply::{ApplyError, Payments};
use crate::decide::{self, Fact};
use crate::event;
use crate::ids::PaymentKey;
use crate::model::{Operation, Payment, Status};
use crate::ports::{Clock, EventQueue, PaymentStore};
use crate::publish::{self, PublishError};
use crate::timestamp::Timestamp;

/// No more payments of one order are looked at: some shops give all of them the same number.
const MOST: usize = 20;
/// How many of them are read at once.
const AT_ONCE: usize = 4;

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Looks at who else has paid a payment's order, and tells.
    pub(crate) async fn look_for_paid_twice(&self, payment: &Payment) -> Result<(), PublishError> {
        let Some(order) = payment.paid_order() else {
            return Ok(());
        };
        let own = payment.key();
        let mut others = self.store.paid_by(order).await?;
        others.retain(|key| *key != own);
        if others.is_empty() {
            return Ok(());
        }
        let loads = stream::iter(others.into_iter().map(|key| self.load(key)));
        let loads = loads.buffered(AT_ONCE);
        let with_money = loads.try_filter_map(async |loaded| Ok(loaded.filter(has_money)));
        let mut paid: Vec<Payment> = with_money.take(MOST).try_collect().await?;
        paid.extend(has_money(payment).then(|| payment.clone()));
        // The platform's dates have whole seconds only.
        paid.sort_by_key(|payment| (paid_at(payment), payment.created_at(), payment.key()));
        for (index, payment) in paid.iter().enumerate() {
            let before = paid.iter().take(index);
            // The one that was emitted as the later one stays it, although dates can still change.
            let is_later = |other: &&Payment| {
                let earlier = other.earlier_payments_of_order();
                earlier.contains(payment.payment_id())
            };
            let before = before.filter(|other| !is_later(other));
            let before = before.map(|other| other.payment_id().to_owned()).collect();
            if !payment.earlier_payments_of_order().is_superset(&before) {
                self.add_earlier_payments(&payment.key(), &before).await?;
            }
        }
        Ok(())
    }

    async fn load(&self, key: PaymentKey) -> Result<Option<Payment>, PublishError> {
        let stored = self.store.load(&key).await?;
        Ok(stored.map(|stored| stored.payment))
    }

    async fn add_earlier_payments(
        &self,
        key: &PaymentKey,
        ids: &BTreeSet<String>,
    ) -> Result<(), PublishError> {
        let told = self.update(key, |payment, at| {
            let fact = Fact::EarlierPayments { ids };
            Ok::<_, ApplyError>(payment.and_then(|one| decide::decide(Some(one), fact, at)))
        });
        let Some((stored, Some(change))) = told.await? else {
            return Ok(());
        };
        let sent = publish::send(&self.store, &self.queues, &stored, &change.events).await?;
        let published = publish::mark(&self.store, &stored).await?;
        event::count(key, &publish::marked_here(&stored, published, &sent));
        Ok(())
    }
}

/// Whether a payment has paid and was not given back.
fn has_money(payment: &Payment) -> bool {
    let status = payment.status();
    status.is_paid() && status != Status::Refunded
}

/// When it was paid, by the platform's clock.
fn paid_at(payment: &Payment) -> Timestamp {
    let sales = payment.successful_sales();
    let ends = sales.filter_map(Operation::ended_at);
    ends.min().unwrap_or(payment.created_at())
}
