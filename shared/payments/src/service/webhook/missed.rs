//! Finds the events of a storefront that were emitted since some time.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::Deserialize;

use crate::events::Event;
use crate::model::Payment;
use crate::model::day::Day;
use crate::model::ids::PaymentKey;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::EndpointOwner;
use crate::ports::{DayPart, PaymentStore, StoreError};
use crate::service::day_pages::{DayPages, load_all};
use crate::service::outbox::{pages, read_events};

/// A payment is found by the days of its creation and its operations. An event can follow this long after the last of
/// these days: an operator can decide a quarantine, and a refund can be requested.
const LOOK_BACK: Duration = Duration::from_secs(100 * 24 * 3_600);

/// The events of a payment that an endpoint missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) payment: PaymentKey,
    /// The first event since the time.
    pub(super) first: u64,
    /// The last event.
    pub(super) last: u64,
}

/// The part of a CloudEvent that has its time.
#[derive(Deserialize)]
struct Time {
    time: Timestamp,
}

/// Finds the events of a storefront from `from` to `now`. A payment can be found more than once.
pub(super) fn missed<'a, S: PaymentStore + Sync>(
    store: &'a S,
    owner: &'a EndpointOwner,
    from: Timestamp,
    now: Timestamp,
) -> BoxStream<'a, Result<Missed, StoreError>> {
    let parts = Day::between(from.before(LOOK_BACK), now).map(DayPart::whole);
    let pages = stream::iter(parts).flat_map(move |part| {
        let pages = DayPages::new(owner.project_id, part);
        stream::try_unfold(pages, move |mut pages| async move {
            let page = pages.next(store).await?;
            Ok::<_, StoreError>(page.map(|page| (page.keys, pages)))
        })
    });
    let payments = pages.flat_map(move |page| match page {
        Ok(keys) => load_all(store, keys).boxed(),
        Err(error) => stream::iter([Err(error)]).boxed(),
    });
    let found = payments.filter_map(move |payment| async move {
        match payment {
            Ok(payment) => of_payment(store, owner, &payment, from).await.transpose(),
            Err(error) => Some(Err(error)),
        }
    });
    found.boxed()
}

async fn of_payment<S: PaymentStore>(
    store: &S,
    owner: &EndpointOwner,
    payment: &Payment,
    from: Timestamp,
) -> Result<Option<Missed>, StoreError> {
    let storefront = payment.order().map(|order| &order.storefront);
    if storefront != Some(&owner.storefront) || payment.updated_at() < from {
        return Ok(None);
    }
    let (key, last) = (payment.key(), payment.sequence());
    for (first, end) in pages(1, last) {
        let read = read_events(store, &key, first, end).await?;
        // The time of an event that cannot be read is unknown, so the event counts as missed. It becomes a dead letter.
        let missed = read.events.iter().filter(|event| is_since(event, from));
        let missed = missed.map(|event| event.sequence).chain(read.unreadable);
        if let Some(first) = missed.min() {
            return Ok(Some(Missed {
                payment: key,
                first,
                last,
            }));
        }
    }
    Ok(None)
}

fn is_since(event: &Event, from: Timestamp) -> bool {
    let time = serde_json::from_str::<Time>(&event.body);
    time.is_ok_and(|Time { time }| time >= from)
}
