//! The real functions, with the stubs: each scenario is answered as it must be, with the calls that it must take.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bench::host::{Program, Sandbox};
use bench::scenario::Scenario;
use bench::stubs::Options;
use bench::world::{Way, World};
use sandbox::functions;
use serde_json::Value;
use tools::Supervisor;

/// The calls of `functions/callback/tests/round_trips.rs`, and those of the storefronts' functions.
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
            ("TransactWriteItems of 4", 1),
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

async fn built() -> BTreeMap<String, PathBuf> {
    let names: BTreeSet<String> = Scenario::ALL.map(|one| one.function().to_owned()).into();
    let names: Vec<String> = names.into_iter().collect();
    functions::build(&Supervisor::new().unwrap(), &names)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_scenario_takes_its_calls_and_gets_its_answer() {
    let built = built().await;
    let world = World::start(Way::Ports, Options::default()).unwrap();
    for scenario in Scenario::ALL {
        let path = &built[scenario.function()];
        let mut program = world.equip(Program::new(scenario.function(), path));
        program.log = Some(world.file("log"));
        world.stubs.clear();
        let mut sandbox = Sandbox::start(&program).await.unwrap();
        for number in [1, 2] {
            let event = scenario.stage(number, &world.stubs).unwrap();
            world.stubs.take_counts();
            let answered = sandbox.invoke(event).await.unwrap();
            scenario.check(&answered.reply).unwrap();
        }
        // Of the second event: the first may fetch secrets.
        let counts = world.stubs.take_counts();
        assert_eq!(counts.calls, calls(scenario), "{}", scenario.name());
        // Some failures are none of the caller's business.
        let log = std::fs::read_to_string(world.file("log")).unwrap();
        assert!(!log.contains("\"ERROR\""), "{log}");
        sandbox.stop().await.unwrap();
    }
}

#[test]
fn the_program_is_the_only_one_of_its_package_and_starts() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let own = packages.find(|package| package["name"] == env!("CARGO_PKG_NAME"));
    let targets = own.unwrap()["targets"].as_array().unwrap();
    let programs = targets.iter().filter(|target| target["kind"][0] == "bin");
    // Else `cargo run -p bench` would have to be told which.
    assert_eq!(programs.count(), 1);
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("--no-build"), "{help}");
}

#[test]
fn the_functions_have_the_variables_of_the_template() {
    let template = schemas::yaml("template.yaml").unwrap();
    let names = |at: &str| -> BTreeSet<String> {
        let variables = template.pointer(&format!("{at}/Environment/Variables"));
        let variables = variables.unwrap().as_object().unwrap();
        variables.keys().cloned().collect()
    };
    let world = World::start(Way::Ports, Options::default()).unwrap();
    let program = world.equip(Program::new("callback", "/bootstrap"));
    for at in [
        "/Globals/Function",
        "/Resources/CallbackFunction/Properties",
        "/Resources/CheckoutFunction/Properties",
        "/Resources/RefundFunction/Properties",
    ] {
        for name in names(at) {
            assert!(program.variables.contains_key(&name), "{at}: {name}");
        }
    }
}
