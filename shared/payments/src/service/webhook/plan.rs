//! Decides which waiting payments of an endpoint a run hands out, and in which messages.

use super::first_try::RETRY_VALID;
use crate::model::timestamp::Timestamp;
use crate::model::webhook::{Admission, EndpointKey, Health, Reason, RetrySchedule};
use crate::ports::{DeliveryMessage, RETRY_GROUPS, Retry, RetryAction, Waiting, retry_group};

/// The maximum number of payments in a message. A fast endpoint accepts these events while one invocation runs, and the
/// message is far smaller than SQS allows.
const PAYMENTS_PER_MESSAGE: usize = 100;
/// The maximum number of payments of an endpoint that a run hands out.
pub(super) const MAX_PAYMENTS: usize = PAYMENTS_PER_MESSAGE * RETRY_GROUPS as usize;

/// Plans the messages of an endpoint. `waiting` has the earliest due payments, in order. A probe is any of them that is
/// due. If some events make the endpoint fail, a probe with another event still finds out that the endpoint answers.
pub(super) fn messages(
    key: &EndpointKey,
    health: &Health,
    schedule: &RetrySchedule,
    waiting: &[Waiting],
    now: Timestamp,
    random: u64,
) -> Vec<DeliveryMessage> {
    let due: Vec<&Waiting> = waiting.iter().filter(|entry| entry.due <= now).collect();
    if health.admit(Reason::Retry) == Admission::Deliver {
        return in_groups(key, &due, RetryAction::Deliver, now);
    }
    if health.admit(Reason::Probe) != Admission::Deliver {
        return Vec::new();
    }
    let is_too_old = |entry: &&&Waiting| health.is_too_old(entry.since, schedule, now);
    let (old, others): (Vec<&Waiting>, Vec<&Waiting>) = due.iter().partition(is_too_old);
    let mut messages = in_groups(key, &old, RetryAction::GiveUp, now);
    let number = random.checked_rem(others.len() as u64).unwrap_or_default();
    let probe = others.get(usize::try_from(number).unwrap_or_default());
    messages.extend(probe.map(|entry| message(key, &[*entry], RetryAction::Probe, now)));
    messages
}

/// Makes one message for each group, with the payments that are due first.
fn in_groups(
    key: &EndpointKey,
    entries: &[&Waiting],
    action: RetryAction,
    now: Timestamp,
) -> Vec<DeliveryMessage> {
    let of_group = |group: u8| {
        let of_group = entries.iter().copied();
        let of_group = of_group.filter(move |entry| retry_group(&entry.payment) == group);
        of_group.take(PAYMENTS_PER_MESSAGE).collect::<Vec<_>>()
    };
    let groups = (0..RETRY_GROUPS).map(of_group);
    let groups = groups.filter(|entries| !entries.is_empty());
    groups
        .map(|entries| message(key, &entries, action, now))
        .collect()
}

fn message(
    key: &EndpointKey,
    entries: &[&Waiting],
    action: RetryAction,
    now: Timestamp,
) -> DeliveryMessage {
    let group = entries
        .first()
        .map_or(0, |entry| retry_group(&entry.payment));
    let ids = entries
        .iter()
        .map(|entry| entry.payment.folded_id().to_owned());
    let retry = Retry {
        endpoint: key.clone(),
        payments: ids.collect(),
        action,
        until: now.after(RETRY_VALID),
    };
    DeliveryMessage::retry(retry, group, now)
}

/// Orders the messages so that the endpoints take turns.
pub(super) fn take_turns(endpoints: Vec<Vec<DeliveryMessage>>) -> Vec<DeliveryMessage> {
    let numbered = endpoints.into_iter().flat_map(|of_endpoint| {
        let of_endpoint = of_endpoint.into_iter().enumerate();
        of_endpoint.collect::<Vec<_>>()
    });
    let mut messages: Vec<(usize, DeliveryMessage)> = numbered.collect();
    // The sort is stable, so the endpoints stay in their order.
    messages.sort_by_key(|(turn, _)| *turn);
    messages.into_iter().map(|(_, message)| message).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ecommpay::fields::ProjectId;

    use super::*;
    use crate::PaymentKey;
    use crate::model::webhook::health::BREAKER;
    use crate::model::webhook::{DisabledBy, EndpointId, EndpointOwner};
    use crate::ports::Delivery;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn key(id: &str) -> EndpointKey {
        EndpointKey {
            owner: EndpointOwner {
                project_id: ProjectId::new(211).unwrap(),
                storefront: "shop".into(),
            },
            id: EndpointId::new(id).unwrap(),
        }
    }

    fn waiting(number: usize, since: Timestamp, due: Timestamp) -> Waiting {
        Waiting {
            payment: PaymentKey::new(ProjectId::new(211).unwrap(), &format!("order-{number}")),
            since,
            due,
        }
    }

    fn many(count: usize) -> Vec<Waiting> {
        (0..count).map(|number| waiting(number, NOW, NOW)).collect()
    }

    fn open() -> Health {
        Health {
            failures: BREAKER,
            ..Health::default()
        }
    }

    fn plan(health: &Health, waiting: &[Waiting], random: u64) -> Vec<Retry> {
        let schedule = RetrySchedule::default();
        let messages = messages(&key("ep_1"), health, &schedule, waiting, NOW, random);
        let retries = messages.into_iter().map(|message| match message.delivery {
            Delivery::Retry(retry) => retry,
            other => panic!("{other:?}"),
        });
        retries.collect()
    }

    #[test]
    fn due_payments_are_handed_out_in_one_message_for_each_group() {
        let mut entries = many(1_000);
        entries.push(waiting(1_000, NOW, NOW.after(HOUR)));
        let retries = plan(&Health::default(), &entries, 0);
        assert_eq!(retries.len(), usize::from(RETRY_GROUPS));
        for retry in &retries {
            assert_eq!(
                (retry.action, retry.payments.len()),
                (RetryAction::Deliver, 100)
            );
        }
        let few = plan(&Health::default(), &entries[999..], 0);
        assert_eq!(few.len(), 1);
        assert_eq!(few[0].payments, ["order-999"]);
    }

    #[test]
    fn an_endpoint_with_an_open_breaker_gets_one_probe_of_any_payment() {
        let entries = many(100);
        for (random, expected) in [(0, "order-0"), (99, "order-99"), (100, "order-0")] {
            let retries = plan(&open(), &entries, random);
            assert_eq!(retries.len(), 1);
            assert_eq!(retries[0].action, RetryAction::Probe);
            assert_eq!(retries[0].payments, [expected]);
        }
    }

    #[test]
    fn events_that_are_too_old_are_given_up_while_the_breaker_is_open() {
        let old = NOW.before(HOUR * 32);
        let entries = [waiting(1, old, old), waiting(2, NOW, NOW)];
        let actions = |health: &Health| {
            let retries = plan(health, &entries, 0).into_iter();
            let mut actions: Vec<_> = retries
                .flat_map(|retry| retry.payments.into_iter().map(move |id| (id, retry.action)))
                .collect();
            actions.sort_by(|one, other| one.0.cmp(&other.0));
            actions
                .into_iter()
                .map(|(_, action)| action)
                .collect::<Vec<_>>()
        };
        assert_eq!(actions(&open()), [RetryAction::GiveUp, RetryAction::Probe]);
        assert_eq!(actions(&Health::default()), [RetryAction::Deliver; 2]);
    }

    #[test]
    fn an_endpoint_that_is_not_switched_on_gets_nothing() {
        let disabled = Health::default().disabled(NOW, DisabledBy::Endpoint);
        for health in [disabled, open().held()] {
            assert_eq!(plan(&health, &many(3), 0), []);
        }
    }

    #[test]
    fn endpoints_take_turns() {
        let of = |id: &str, count: usize| {
            let schedule = RetrySchedule::default();
            let mut all = messages(&key(id), &Health::default(), &schedule, &many(50), NOW, 0);
            all.truncate(count);
            all
        };
        let messages = take_turns(vec![of("a", 3), of("b", 1), of("c", 2)]);
        let ids = messages
            .iter()
            .map(|message| message.group.split('-').next().unwrap());
        assert_eq!(ids.collect::<String>(), "abcaca");
    }
}
