//! Checks the conditions that must hold after every step and at the end of a run.

mod events;
mod records;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use payments::PaymentKey;
use payments::model::Status;
use payments::ports::Stored;

use self::events::check_emitted;
use self::records::check_records;
use self::states::{check_change, check_state};
use crate::fakes::store::Tables;
use crate::faults::QUEUES;
use crate::platform::Scenario;
use crate::system::System;

#[derive(Default)]
pub struct Invariants {
    before: BTreeMap<PaymentKey, Stored>,
    checked: [usize; QUEUES.len()],
    /// The sequence number of the last event that each queue accepted for each payment.
    last_sent: BTreeMap<(usize, PaymentKey), u64>,
    pub transitions: BTreeSet<(Status, Status)>,
}

impl Invariants {
    /// Checks everything that has changed since the last call.
    pub fn check(&mut self, system: &System) {
        let tables = system.tables();
        for queue in 0..QUEUES.len() {
            self.check_sent(system, queue, &tables);
        }
        for (key, now) in &tables.payments {
            let before = self.before.get(key);
            if before == Some(now) {
                continue;
            }
            let last = now.payment.sequence();
            let has_event = |sequence| tables.events.contains_key(&(key.clone(), sequence));
            assert!((1..=last).all(has_event), "{key}: an event is missing");
            assert!(
                !has_event(last + 1),
                "{key}: an event is newer than the payment"
            );
            self.check_published(key, now, &tables);
            check_state(&now.payment);
            if let Some(before) = before {
                check_change(before, now);
                let change = (before.payment.status(), now.payment.status());
                if change.0 != change.1 {
                    self.transitions.insert(change);
                }
            }
            self.before.insert(key.clone(), now.clone());
        }
    }

    /// Checks that a queue receives only committed events, and that no event that the queue wants is skipped.
    fn check_sent(&mut self, system: &System, queue: usize, tables: &Tables) {
        let sent = system.payments.queues[queue].sent();
        for event in sent[self.checked[queue]..].iter().map(|sent| &sent.event) {
            let committed = tables.events.get(&(event.key.clone(), event.sequence));
            assert_eq!(
                committed,
                Some(event),
                "the sent event differs from the committed event"
            );
            let last = self.last_sent.entry((queue, event.key.clone()));
            let last = last.or_default();
            for skipped in *last + 1..event.sequence {
                let skipped = &tables.events[&(event.key.clone(), skipped)];
                assert!(!QUEUES[queue](skipped.kind), "{} is skipped", skipped.id);
            }
            *last = event.sequence.max(*last);
        }
        self.checked[queue] = sent.len();
    }

    /// Checks that every queue has accepted each event that is marked as published and that the queue wants.
    fn check_published(&self, key: &PaymentKey, now: &Stored, tables: &Tables) {
        assert!(now.published <= now.payment.sequence());
        for (queue, wants) in QUEUES.iter().enumerate() {
            let last_sent = self.last_sent.get(&(queue, key.clone()));
            for sequence in last_sent.map_or(1, |last| last + 1)..=now.published {
                let event = &tables.events[&(key.clone(), sequence)];
                assert!(
                    !wants(event.kind),
                    "{} is marked as published, but was not sent",
                    event.id
                );
            }
        }
    }

    /// Checks the conditions that must hold after the faults have stopped and everything was delivered.
    pub fn check_end(&mut self, system: &System) {
        self.check(system);
        let (tables, accounts) = (system.tables(), system.platform.accounts());
        for (key, stored) in &tables.payments {
            let payment = &stored.payment;
            assert_eq!(
                stored.published,
                payment.sequence(),
                "{key}: an event is unpublished"
            );
            let account = accounts.get(&payment.payment_id().to_ascii_lowercase());
            if let Some(account) = account {
                check_records(payment, account);
            }
            let of_payment = tables.events.iter().filter(|((of, _), _)| of == key);
            let events = Vec::from_iter(of_payment.map(|(_, event)| event));
            check_emitted(payment, &events, account);
        }
        for (id, account) in &accounts {
            let is_this = |row: &Stored| row.payment.payment_id().eq_ignore_ascii_case(id);
            let is_known = tables.payments.values().any(is_this);
            assert!(
                is_known || account.scenario == Scenario::Foreign,
                "{id}: the sale was sent, but the payment is not stored"
            );
        }
    }
}
