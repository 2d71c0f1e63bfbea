//! Tests that the API's answers conform to `infra/openapi.yaml`. The tool Schemathesis calls the routes with valid and
//! invalid requests.
//!
//! The seed is fixed, so that a failure can be repeated. `LONG=1` runs many more cases.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use e2e::storefront::checkout_url;
use e2e::system::System;
use sandbox::Options;
use sandbox::workspace::Folder;
use schemas::openapi::Document;
use serde_json::{Value, json};

/// The checks of Schemathesis that apply. Two checks do not apply:
/// - `positive_data_acceptance`: most valid requests name payments that do not exist.
/// - `unsupported_method`: API Gateway itself answers a request with another method.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection";

/// The payment id of the document's examples.
const PAYMENT: &str = "order-1001-1";

#[tokio::test]
async fn every_answer_of_the_api_conforms_to_its_document() -> anyhow::Result<()> {
    let system = System::start(Options::any_ports()).await?;
    let ready = system.ready();
    let supervisor = system.sandbox.supervisor();
    let pins = "tests/e2e/tests/end_to_end/api/openapi/requirements.txt";
    let schemathesis = supervisor.install(pins).await?.join("bin/schemathesis");

    let folder = Folder::new()?;
    let document = document_of(&system, &folder).await?;
    let (phases, examples) = match std::env::var_os("LONG") {
        Some(_) => ("examples,coverage,fuzzing,stateful", "100"),
        None => ("examples,coverage,fuzzing", "15"),
    };
    let mut command = supervisor.command(schemathesis);
    command
        .arg("run")
        .arg(document)
        .args(["--url", &ready.api, "--header"])
        .arg(format!("Authorization: Bearer {}", ready.storefront_key))
        .args(["--include-tag", "storefront"])
        .args(["--include-operation-id", "showStatus"])
        .args(["--checks", CHECKS, "--seed", "1", "-w", "1"])
        .args(["--phases", phases, "--max-examples", examples])
        .args(["--no-color"])
        .current_dir(folder.file("."));
    let (status, output) = supervisor.output(command).await?;
    system.stop().await;
    let output = String::from_utf8_lossy(&output);
    ensure!(status.success(), "{output}");
    Ok(())
}

/// Writes the document with values for this sandbox: return URLs that the sandbox allows, and the checkout token of a
/// paid payment.
async fn document_of(system: &System, folder: &Folder) -> anyhow::Result<PathBuf> {
    let checkout = system.storefront.create(PAYMENT).await?;
    system.pay(&checkout).await?;

    let mut document = Document::read()?.json().clone();
    let mut put = |pointer: &str, value: Value| {
        let old = document.pointer_mut(pointer);
        *old.with_context(|| format!("{pointer} is missing"))? = value;
        anyhow::Ok(())
    };
    let token = checkout_url(&checkout)?.rsplit('/').next();
    put("/components/parameters/Token/example", json!(token))?;
    put(
        "/components/schemas/CheckoutRequest/properties/return_url",
        json!({ "type": "string", "pattern": r"^https://shop\.example/[a-z]{1,20}$" }),
    )?;
    let path = folder.file("openapi.json");
    std::fs::write(&path, document.to_string())?;
    let definitions = tools::root().join("infra/events/definitions.json");
    std::fs::create_dir_all(folder.file("events"))?;
    std::fs::copy(definitions, folder.file("events/definitions.json"))?;
    Ok(path)
}
