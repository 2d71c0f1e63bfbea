//! Tests the scenarios with our functions from the dev build and with the stubs.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::functions;
use tools::Supervisor;

use super::world::{Endpoints, World};
use crate::host::{Instance, Program, check_log};
use crate::scenario::Scenario;

/// Returns the calls of a warm event. For callbacks, `functions/callback/tests/round_trips.rs` expects the same calls.
fn calls(scenario: Scenario) -> BTreeMap<String, u64> {
    let calls: &[(&str, u64)] = match scenario {
        Scenario::NewCallback => &[
            ("GetItem", 1),
            ("TransactWriteItems of 3", 1),
            ("SendMessage", 2),
            ("UpdateItem", 1),
        ],
        Scenario::DuplicateCallback => &[("GetItem", 1)],
        Scenario::ForgedCallback => &[],
        Scenario::Checkout => &[
            ("GetItem", 1),
            ("TransactWriteItems of 3", 1),
            ("SendMessage", 1),
            ("UpdateItem", 2),
            ("Gate sale", 1),
        ],
        Scenario::Refund => &[
            ("GetItem", 2),
            ("TransactWriteItems of 2", 1),
            ("SendMessage", 2),
            ("UpdateItem", 2),
            ("Gate refund", 1),
        ],
    };
    let calls = calls.iter();
    calls
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[tokio::test]
async fn each_scenario_makes_the_expected_calls_and_returns_the_expected_status() {
    let names: BTreeSet<String> = Scenario::ALL.map(|one| one.function().to_owned()).into();
    let names: Vec<String> = names.into_iter().collect();
    let supervisor = Supervisor::new().unwrap();
    let built = functions::build(&supervisor, &names).await.unwrap();
    let world = World::start(Endpoints::Local).unwrap();
    for scenario in Scenario::ALL {
        let function = scenario.function();
        let program = world.equip(Program::new(function, &built[function]));
        let mut instance = Instance::start(&program.unwrap()).await.unwrap();
        world.stubs.clear();
        for number in [1, 2] {
            let event = scenario.stage(number, &world.stubs).unwrap();
            world.stubs.take_counts();
            let answered = instance.invoke(event).await.unwrap();
            scenario.check(&answered.reply).unwrap();
        }
        // The first event does not count, because a function can read secrets during the first event.
        let counts = world.stubs.take_counts();
        assert_eq!(counts.calls, calls(scenario), "{}", scenario.name());
        check_log(&world.file("log")).unwrap();
        instance.stop().await.unwrap();
    }
}
