//! Simulates an hour in which all queues are down. Callbacks with unpublished events are not acknowledged, and the
//! platform repeats some callbacks. Then the outbox sweep publishes the unpublished events.

use std::rc::Rc;

use payments::ports::{Clock, Stored};

use crate::builders::key;
use crate::faults::QUEUES;
use crate::invariants::Invariants;
use crate::jobs::{Job, run_job, timers};
use crate::system::System;

/// Returns the number of delivered callbacks, and the number of events that are unpublished at the end of the hour.
pub fn run(payments: u64) -> (u64, u64) {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::with_seed(5);
    system.behaviour().stop();
    let mut invariants = Invariants::default();
    for number in 0..payments {
        run_job(&system, Job::Create(number));
    }
    invariants.check(&system);
    for queue in 0..QUEUES.len() {
        system.behaviour().toggle(queue);
    }
    let (mut callbacks, mut acts) = (0, 0);
    let usual = payments * 4;
    while acts < usual || !system.platform.is_done() {
        acts += 1;
        system.platform.act(acts > usual);
        let millis = 3_600_000 / (payments * 8);
        system.clock().move_by(i64::try_from(millis).unwrap());
        for message in system.platform.take_messages() {
            let message = Rc::new(message);
            for _ in 0..1 + system.clock().random(3) {
                callbacks += 1;
                let is_acknowledged = run_job(&system, Job::Deliver(message.clone()));
                let unpublished = unpublished(&system.tables().payments[&key(&message.payment_id)]);
                assert!(
                    !is_acknowledged || unpublished == 0,
                    "acknowledged with unpublished events"
                );
            }
        }
    }
    invariants.check(&system);
    let unpublished = system.tables().payments.values().map(unpublished).sum();
    for queue in 0..QUEUES.len() {
        system.behaviour().toggle(queue);
    }
    system.clock().move_by(1);
    assert!(run_job(&system, Job::SweepOutbox));
    invariants.check_end(&system);
    (callbacks, unpublished)
}

fn unpublished(stored: &Stored) -> u64 {
    stored.payment.sequence() - stored.published
}
