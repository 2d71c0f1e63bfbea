//! Makes one message of each event for each endpoint that wants it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::Webhooks;
use crate::model::ids::PaymentKey;
use crate::model::webhook::{EndpointKey, EndpointOwner};
use crate::ports::{
    DeliveryMessage, DeliveryQueue, EndpointEntry, EndpointStore, FirstTry, StoreError,
};

/// An event in a message of the queue to which the outbox publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedEvent {
    /// The payment.
    pub payment: PaymentKey,
    /// The storefront that created the payment; `None` if it was created elsewhere. Such a payment has no endpoints.
    pub storefront: Option<String>,
    /// The number of the event.
    pub sequence: u64,
    /// The type of the event.
    pub kind: String,
    /// The deduplication id of the message. It differs if an operator publishes the event again.
    pub deduplication_id: String,
}

impl RoutedEvent {
    fn owner(&self) -> Option<EndpointOwner> {
        Some(EndpointOwner {
            project_id: self.payment.project_id(),
            storefront: self.storefront.clone()?,
        })
    }

    /// Whether the endpoint wants the event. The first try of an event whose endpoint cannot be read is not made, and
    /// the event waits in the backlog.
    fn is_wanted(&self, entry: &EndpointEntry) -> bool {
        let endpoint = entry.endpoint.as_ref();
        endpoint.map_or(true, |endpoint| endpoint.wants(&self.kind))
    }

    fn message(&self, endpoint: &EndpointKey) -> DeliveryMessage {
        let first_try = FirstTry {
            endpoint: endpoint.clone(),
            payment_id: self.payment.folded_id().to_owned(),
            sequence: self.sequence,
        };
        DeliveryMessage::first_try(first_try, &self.deduplication_id)
    }
}

impl<E: EndpointStore, D, C> Webhooks<E, D, C> {
    /// Sends the first tries of the events of one batch. Returns the numbers of the events in the batch that were not
    /// sent to every endpoint. They must be routed again.
    ///
    /// After an event that was not sent, no later event of its payment is sent.
    pub async fn route<Q: DeliveryQueue>(
        &self,
        events: &[RoutedEvent],
        queue: &Q,
    ) -> (BTreeSet<usize>, Option<String>) {
        let mut failure = None;
        let endpoints = self.endpoints_of_all(events, &mut failure).await;
        let (mut failed, mut stopped) = (BTreeSet::new(), BTreeSet::new());
        for round in rounds(events) {
            let mut messages = Vec::new();
            let mut numbers = Vec::new();
            for number in round {
                let Some(event) = events.get(number) else {
                    continue;
                };
                let wanted = event.owner().map(|owner| endpoints.get(&owner));
                let is_read = wanted.is_none_or(|of_owner| of_owner.is_some());
                if !is_read || stopped.contains(&event.payment) {
                    failed.insert(number);
                    stopped.insert(&event.payment);
                    continue;
                }
                let of_owner = wanted.flatten().into_iter().flatten();
                for entry in of_owner.filter(|entry| event.is_wanted(entry)) {
                    messages.push(event.message(&entry.key));
                    numbers.push((number, &event.payment));
                }
            }
            if messages.is_empty() {
                continue;
            }
            let results = queue.send(&messages).await;
            for ((number, payment), result) in numbers.into_iter().zip(results) {
                if let Err(error) = result {
                    failure.get_or_insert_with(|| error.to_string());
                    failed.insert(number);
                    stopped.insert(payment);
                }
            }
        }
        (failed, failure)
    }

    /// Reads the endpoints of all storefronts of a batch. A storefront whose endpoints cannot be read is missing.
    async fn endpoints_of_all(
        &self,
        events: &[RoutedEvent],
        failure: &mut Option<String>,
    ) -> BTreeMap<EndpointOwner, Vec<EndpointEntry>> {
        let owners: BTreeSet<EndpointOwner> =
            events.iter().filter_map(RoutedEvent::owner).collect();
        let reads = owners.into_iter().map(|owner| async move {
            let read: Result<_, StoreError> = self.endpoints.endpoints_of(&owner).await;
            (owner, read)
        });
        let mut all = BTreeMap::new();
        for (owner, read) in join_all(reads).await {
            match read {
                Ok(endpoints) => {
                    all.insert(owner, endpoints);
                }
                Err(error) => {
                    failure.get_or_insert_with(|| error.to_string());
                }
            }
        }
        all
    }
}

/// Splits a batch so that each round has at most one event of each payment, in order.
fn rounds(events: &[RoutedEvent]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut counts: BTreeMap<&PaymentKey, usize> = BTreeMap::new();
    for (number, event) in events.iter().enumerate() {
        let count = counts.entry(&event.payment).or_default();
        match rounds.get_mut(*count) {
            Some(round) => round.push(number),
            None => rounds.push(vec![number]),
        }
        *count += 1;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use ecommpay::fields::ProjectId;

    use super::*;

    #[test]
    fn each_round_has_one_event_of_each_payment_in_order() {
        let events = ["a", "b", "a", "c", "b", "a"].map(|id| RoutedEvent {
            payment: PaymentKey::new(ProjectId::new(211).unwrap(), id),
            storefront: None,
            sequence: 1,
            kind: "payment.created".into(),
            deduplication_id: String::new(),
        });
        assert_eq!(rounds(&events), [vec![0, 1, 3], vec![2, 4], vec![5]]);
    }
}
