//! Simulates one payment, from its creation to a refund, with at most one crash and without other faults.

use std::rc::Rc;
use std::time::Duration;

use crate::invariants::Invariants;
use crate::jobs::{Job, Task, timers};
use crate::random_run::settle;
use crate::system::System;

/// After `crash_at` steps of the run, crashes the current job and starts it again. `None` causes no crash. Returns the
/// number of steps.
pub fn run(crash_at: Option<u64>) -> u64 {
    let timers = timers();
    let _timers = timers.enter();
    let system = System::with_seed(11);
    system.behaviour().stop();
    let mut invariants = Invariants::default();
    let mut steps = 0;
    let mut run_to_end = |job: Job| {
        let mut task = Task::start(&system, job.clone());
        loop {
            if Some(steps) == crash_at {
                steps += 1;
                // After this time, the claim of a sale without an answer counts as abandoned.
                system.clock().pass(Duration::from_secs(60));
                task = Task::start(&system, job.clone());
            }
            steps += 1;
            let done = task.step();
            invariants.check(&system);
            match done {
                Some(true) => return,
                Some(false) => panic!("the job failed without a fault"),
                None => {}
            }
        }
    };
    run_to_end(Job::Create(1));
    while system.platform.accounts()["order-1"].status == "processing" {
        system.platform.act(true);
    }
    for message in system.platform.take_messages() {
        run_to_end(Job::Deliver(Rc::new(message)));
    }
    run_to_end(Job::Refund(1, 1, Some(400)));
    system.platform.finish();
    for message in system.platform.take_messages() {
        run_to_end(Job::Deliver(Rc::new(message)));
    }
    settle(&system, &mut invariants);
    invariants.check_end(&system);
    steps
}
