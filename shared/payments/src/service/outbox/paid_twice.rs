//! Finds orders that more than one payment has paid.
//!
//! The check runs after `payment.succeeded` is sent, and before the event is marked as published. So the outbox sweep
//! repeats an interrupted check. If the commit proved that no payment had paid the order before, the check is
//! skipped, because the check of each later payment finds this payment.
//!
//! The check also runs when the payment's day is reported, because the first check can miss a case:
//! - A returned refund can make an order paid twice without a new success.
//! - DynamoDB applies a transaction item by item. During the first check, the transaction of the other payment can
//!   still be in progress.
//!
//! `order.paid_twice` is emitted for each payment that holds money of the order, except for the first. The first is
//! the payment that events have shown as paid since the earliest time, because its goods were shipped first. The
//! platform's dates do not decide, because a payment can be in quarantine for some time. Each payment stores since when
//! events show it as paid, so all checks have the same result.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::publish::PublishLimit;
use crate::decide::{self, Fact};
use crate::events::{Event, metrics};
use crate::model::ids::PaymentKey;
use crate::model::{Payment, Status};
use crate::ports::{Clock, EventQueue, PaymentStore, StoreError, Stored};
use crate::service::commit::Payments;
use crate::service::error::{ApplyError, PublishError, left_to_sweep};

/// The maximum number of other payments with money that are compared. The number is limited, because some shops use one
/// order id for all payments.
const MAX_PAYMENTS: usize = 20;
const CONCURRENCY: usize = 4;

impl<S: PaymentStore, Q: EventQueue, C: Clock> Payments<S, Q, C> {
    /// Calls [`Self::find_paid_twice`], and publishes the outbox of `payment` if it has changed.
    pub(crate) async fn check_paid_twice(&self, payment: &Payment) -> Result<(), PublishError> {
        if let Some((mut stored, fresh)) = self.find_paid_twice(payment).await? {
            let published = self.publish(&mut stored, fresh, PublishLimit::REQUEST);
            let published = left_to_sweep(published.await)?;
            metrics::count(&payment.key(), &published);
        }
        Ok(())
    }

    /// Compares the payments of an order that have money. Emits `order.paid_twice` for each of them except the first.
    ///
    /// Publishes the events of the other payments. If `payment` has changed, returns its new version and events,
    /// which the caller must publish.
    pub(super) async fn find_paid_twice(
        &self,
        payment: &Payment,
    ) -> Result<Option<(Stored, Vec<Event>)>, PublishError> {
        let mut changed = None;
        let Some(order) = payment.paid_order() else {
            return Ok(changed);
        };
        let own = payment.key();
        let mut others = self.store.payments_of_order(order).await?;
        others.retain(|key| *key != own);
        if others.is_empty() {
            return Ok(changed);
        }
        let loads = stream::iter(others.into_iter().map(|key| self.load(key)));
        let loads = loads.buffered(CONCURRENCY);
        let with_money = loads.try_filter_map(async |loaded| Ok(loaded.filter(has_money)));
        let mut paid: Vec<Payment> = with_money.take(MAX_PAYMENTS).try_collect().await?;
        paid.extend(has_money(payment).then(|| payment.clone()));
        paid.sort_by_key(|payment| {
            let emitted = payment.emitted();
            let shown = (!emitted.success, emitted.paid_since);
            (shown, payment.created_at(), payment.key())
        });
        for (index, payment) in paid.iter().enumerate() {
            let earlier = paid.iter().take(index);
            // A quarantine can change later which of two payments is the earlier payment. But if an event has named
            // `payment` as the earlier payment, it stays the earlier payment.
            let is_later = |other: &&Payment| {
                let earlier = other.earlier_payments_of_order();
                earlier.contains(payment.payment_id())
            };
            let earlier = earlier.filter(|other| !is_later(other));
            let earlier = earlier.map(|other| other.payment_id().to_owned()).collect();
            if payment.earlier_payments_of_order().is_superset(&earlier) {
                continue;
            }
            let key = payment.key();
            let Some((stored, events)) = self.add_earlier_payments(&key, &earlier).await? else {
                continue;
            };
            if key == own {
                changed = Some((stored, events));
            } else {
                self.publish_without_check(stored, events).await?;
            }
        }
        Ok(changed)
    }

    /// Loads a payment. Returns `None` if the payment cannot be read, because it must not stop the events of other
    /// payments.
    async fn load(&self, key: PaymentKey) -> Result<Option<Payment>, PublishError> {
        let stored = StoreError::pass_over(self.store.load(&key).await)?;
        Ok(stored.flatten().map(|stored| stored.payment))
    }

    async fn add_earlier_payments(
        &self,
        key: &PaymentKey,
        ids: &BTreeSet<String>,
    ) -> Result<Option<(Stored, Vec<Event>)>, PublishError> {
        let added = self.update(key, |payment, at| {
            let fact = Fact::EarlierPayments { ids };
            Ok::<_, ApplyError>(payment.and_then(|one| decide::decide(Some(one), fact, at)))
        });
        Ok(match added.await? {
            Some((stored, Some(change))) => Some((stored, change.events)),
            _ => None,
        })
    }
}

fn has_money(payment: &Payment) -> bool {
    let status = payment.status();
    status.is_paid() && status != Status::Refunded
}
