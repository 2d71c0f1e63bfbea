//! Checks the conditions that must hold after each step and at the end of a run.

use std::collections::BTreeSet;

use payments::PaymentKey;

use super::run::Run;

impl Run {
    /// Checks the state after each step.
    pub fn check_step(&mut self) {
        let given_up: Vec<_> = self.system.tables().dead_letters.keys().cloned().collect();
        for (id, payment, sequence) in given_up {
            let is_new = self.given_up.insert((id.to_string(), payment, sequence));
            self.count("given up", u64::from(is_new));
        }
        let tables = self.system.tables();
        let listed: BTreeSet<&str> = tables.listed.keys().map(|key| key.id.as_str()).collect();
        for ((id, payment), item) in &tables.backlogs {
            let is_removed = self.removed.contains(id.as_str());
            let is_found = is_removed || listed.contains(id.as_str());
            assert!(
                is_found,
                "no run finds the backlog of {payment} for {id}: {item:?}"
            );
            assert!(item.next <= item.through, "{item:?}");
            assert!(item.failures < 8, "{item:?}");
        }
    }

    /// Checks that no event was sent to an endpoint that was switched off or removed before the deliveries started.
    pub fn check_none_posted_to(&self, off: &BTreeSet<String>, before: usize) {
        let state = self.system.sender.state();
        for posted in &state.posted[before..] {
            let id = posted.endpoint.trim_end_matches(".example");
            assert!(
                !off.contains(id),
                "{posted:?} was sent although {id} is off"
            );
        }
    }

    /// Returns the events that an endpoint wants: payment and number.
    fn wanted(&self, types: &[&str]) -> Vec<(PaymentKey, u64)> {
        let events = self.all_events().iter();
        let wanted = events.filter(|event| types.is_empty() || types.contains(&&*event.kind));
        wanted
            .map(|event| (event.payment.clone(), event.sequence))
            .collect()
    }

    /// Checks the order of the first tries, and that each event was delivered or given up.
    pub fn check_end(&self) {
        for (id, types) in self.endpoints() {
            let wanted = self.wanted(types);
            let payments: BTreeSet<&PaymentKey> = wanted.iter().map(|(key, _)| key).collect();
            for payment in payments {
                let posted = self.system.posted_of(id, payment.folded_id());
                let of_payment = wanted.iter().filter(|(key, _)| key == payment);
                let numbers: BTreeSet<u64> = of_payment.map(|(_, number)| *number).collect();
                let given_up = |number: &u64| {
                    let key = (id.to_owned(), payment.clone(), *number);
                    self.given_up.contains(&key)
                };
                for number in &numbers {
                    let is_done = posted.contains(number) || given_up(number);
                    assert!(
                        is_done,
                        "{id} has not received {payment}/{number}: {posted:?}"
                    );
                }
                let unwanted = posted.iter().find(|number| !numbers.contains(number));
                assert_eq!(unwanted, None, "{id} does not want an event of {payment}");
                let mut first = Vec::new();
                for number in posted.into_iter().filter(|number| !given_up(number)) {
                    if !first.contains(&number) {
                        first.push(number);
                    }
                }
                assert!(
                    first.is_sorted(),
                    "{id} received {payment} in the order {first:?}"
                );
            }
        }
    }

    /// Checks that each wanted event was posted, even if the event had been given up before.
    pub fn check_all_delivered(&self) {
        for (id, types) in self.endpoints() {
            for (payment, number) in self.wanted(types) {
                let posted = self.system.posted_of(id, payment.folded_id());
                assert!(
                    posted.contains(&number),
                    "{id} has not received {payment}/{number}"
                );
            }
        }
        assert_eq!(self.system.dead_letters(), []);
    }
}
