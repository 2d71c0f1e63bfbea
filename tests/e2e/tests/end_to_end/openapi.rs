//! The API against `infra/openapi.yaml`, by schemathesis: it calls every route with what the document
//! allows and with what it does not, and holds each answer against what the document promises.
//!
//! The same seed each time, so that a failure comes again; `LONG=1` tries much more.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use e2e::shopper::Shopper;
use e2e::storefront::Storefront;
use sandbox::workspace::Folder;
use sandbox::{Options, Ready, Sandbox};
use schemas::openapi::Document;
use serde_json::{Value, json};

/// Those that say something here. Not `positive_data_acceptance`: most of what is well-formed names
/// payments that do not exist. Not `unsupported_method`: the gateway answers other methods.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection";

/// The payment of the document's examples.
const PAYMENT: &str = "order-1001-1";

#[tokio::test]
async fn the_api_is_as_described() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let ready = sandbox.ready();
    let supervisor = sandbox.supervisor();
    let pins = "tests/e2e/tests/end_to_end/openapi/requirements.txt";
    let schemathesis = supervisor.install(pins).await?.join("bin/schemathesis");

    let folder = Folder::new()?;
    let document = for_this_sandbox(ready, &folder).await?;
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
        .args([
            "--include-tag",
            "storefront",
            "--include-operation-id",
            "showStatus",
        ])
        .args([
            "--checks",
            CHECKS,
            "--seed",
            "1",
            "-w",
            "1",
            "--phases",
            phases,
            "--max-examples",
            examples,
        ])
        .args(["--no-color"])
        .current_dir(folder.file("."));
    let (status, output) = supervisor.output(command).await?;
    sandbox.stop().await;
    let output = String::from_utf8_lossy(&output);
    ensure!(status.success(), "{output}");
    Ok(())
}

/// The document with what only a storefront knows: its origin, a payment that is paid, a token.
async fn for_this_sandbox(ready: &Ready, folder: &Folder) -> anyhow::Result<PathBuf> {
    let storefront = Storefront::new(ready)?;
    let shopper = Shopper::new()?;
    let checkout = storefront.create(PAYMENT).await?;
    let url = checkout["checkout_url"].as_str().unwrap_or_default();
    let bank = shopper.bank_of(url).await?;
    shopper.push(&bank, "pay").await?;
    storefront.until(PAYMENT, "succeeded").await?;

    let mut document = Document::read()?.json().clone();
    let mut put = |pointer: &str, value: Value| {
        let place = document.pointer_mut(pointer);
        place
            .map(|place| *place = value)
            .with_context(|| format!("{pointer} is missing"))
    };
    let token = url.rsplit('/').next();
    put("/components/parameters/Token/example", json!(token))?;
    put(
        "/components/schemas/CheckoutRequest/properties/return_url",
        json!({ "type": "string", "pattern": r"^https://shop\.example/[a-z]{1,20}$" }),
    )?;
    let path = folder.file("openapi.json");
    std::fs::write(&path, document.to_string())?;
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/events/definitions.json");
    std::fs::create_dir_all(folder.file("events"))?;
    std::fs::copy(shared, folder.file("events/definitions.json"))?;
    Ok(path)
}
