//! Every body of the corpus, posted to the real callback function.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail, ensure};
use e2e::queue::Queue;
use e2e::simulator::Simulator;
use e2e::storefront::Storefront;
use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use futures_util::StreamExt;
use futures_util::stream;
use payments::Timestamp;
use payments::decide::{self, Command, decide};
use payments::events::view::PaymentView;
use payments::model::Payment;
use payments::service::callback::verify;
use payments::service::checkout::CheckoutRequest;
use reqwest::{Client, Method, StatusCode, Url, header};
use sandbox::{Options, Ready, Sandbox};
use serde_json::{Value, json};

/// The payment that the corpus is about.
const PAYMENT: &str = "ECT_TEST_1562051806691899";

fn corpus(file: &str) -> anyhow::Result<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/callbacks");
    std::fs::read(folder.join(file)).with_context(|| format!("{file} cannot be read"))
}

/// The answer that is promised for a file of the corpus.
fn promised(entry: &Value) -> StatusCode {
    let file = entry["file"].as_str().unwrap_or_default();
    if entry["own_project"] == json!(false) {
        return StatusCode::FORBIDDEN;
    }
    if entry["valid"] == json!(true) {
        return StatusCode::OK;
    }
    match file {
        "invalid_bad_utf8.json"
        | "invalid_duplicate_key.json"
        | "invalid_empty_body.json"
        | "invalid_not_json.json"
        | "invalid_trailing_comma.json" => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    }
}

struct Platform<'a> {
    http: Client,
    ready: &'a Ready,
}

impl<'a> Platform<'a> {
    fn of(ready: &'a Ready) -> anyhow::Result<Self> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, ready })
    }

    async fn post(&self, body: Vec<u8>, content_type: &str) -> anyhow::Result<StatusCode> {
        let response = self
            .http
            .post(format!("{}/callbacks", self.ready.api))
            .header(header::CONTENT_TYPE, content_type)
            .body(body)
            .send()
            .await?;
        let status = response.status();
        let told = response.text().await?;
        ensure!(told.is_empty(), "a callback was told {told}");
        Ok(status)
    }
}

#[tokio::test]
async fn every_body_is_answered_as_promised() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let ready = sandbox.ready();
    let platform = Platform::of(ready)?;

    let index: Value = serde_json::from_slice(&corpus("index.json")?)?;
    let entries = index["callbacks"]
        .as_array()
        .context("The index has no list")?;
    ensure!(
        entries.len() == 81,
        "the corpus has {} bodies",
        entries.len()
    );
    let mut wrong = Vec::new();
    for entry in entries {
        let file = entry["file"].as_str().context("An entry has no file")?;
        let status = platform.post(corpus(file)?, "application/json").await?;
        if status != promised(entry) {
            wrong.push(format!("{file}: {status} instead of {}", promised(entry)));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");

    // The gateway hands other content types over in base64.
    let paid = || corpus("sale_success.json");
    ensure!(platform.post(paid()?, "application/octet-stream").await? == StatusCode::OK);
    let tampered = corpus("invalid_tampered_amount.json")?;
    ensure!(platform.post(tampered, "application/octet-stream").await? == StatusCode::UNAUTHORIZED);

    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
    ensure!(
        platform.post(large.into(), "application/json").await? == StatusCode::PAYLOAD_TOO_LARGE
    );
    let deep = "[".repeat(40) + &"]".repeat(40);
    ensure!(platform.post(deep.into(), "application/json").await? == StatusCode::BAD_REQUEST);

    // Nobody created this payment here: it is kept, shown to who may see it, and not taken over.
    let storefront = Storefront::new(ready)?;
    let payment_id = index["payment_id"].as_str().unwrap_or_default();
    let payment = storefront.payment(payment_id).await?;
    ensure!(payment["status"] == json!("unmatched"), "{payment}");
    let order = storefront.order(payment_id);
    let (status, problem) = storefront
        .call(Method::POST, "/checkouts", Some(&order))
        .await?;
    ensure!(status == StatusCode::CONFLICT, "{status} {problem}");

    sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_checkout_is_paid_by_the_callbacks_of_the_corpus() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let ready = sandbox.ready();
    let platform = Platform::of(ready)?;
    let storefront = Storefront::new(ready)?;
    Simulator::new(ready)?.keep_quiet_about(PAYMENT).await?;
    storefront.create(PAYMENT).await?;

    for (file, status) in [
        ("redirect_get.json", "awaiting_customer"),
        ("sale_success.json", "succeeded"),
        ("sale_success_reordered.json", "succeeded"),
        ("late_redirect_after_success.json", "succeeded"),
        ("refund_partial_1.json", "partially_refunded"),
        ("refund_partial_1.json", "partially_refunded"),
        ("refund_partial_2_rest.json", "refunded"),
    ] {
        ensure!(platform.post(corpus(file)?, "application/json").await? == StatusCode::OK);
        let payment = storefront.payment(PAYMENT).await?;
        ensure!(
            payment["status"] == json!(status),
            "after {file}: {payment}"
        );
    }
    let payment = storefront.payment(PAYMENT).await?;
    ensure!(payment["refunded_amount"] == json!(1000), "{payment}");
    ensure!(payment["refundable_amount"] == json!(0), "{payment}");

    sandbox.stop().await;
    Ok(())
}

/// What callbacks alone must make of the payment: the pure rules, in the order of the index.
fn expected(files: &[String], known: &Value) -> anyhow::Result<Payment> {
    let key = ProjectKey::new("test-secret-key")?;
    let project_id = ProjectId::new(211)?;
    let keys = [(project_id, Keyring::new(key, None))].into();
    let return_url = Url::parse(known["return_url"].as_str().unwrap_or_default())?;
    let shop = payments::model::storefront::Storefront {
        key_id: String::new(),
        key_hash: String::new(),
        name: String::new(),
        project_id,
        scopes: [].into(),
        return_origins: [return_url.origin().ascii_serialization()].into(),
    };
    let now = Timestamp::now();
    let order = CheckoutRequest::read(known.to_string().as_bytes(), &shop, now);
    let order = order.map_err(|error| anyhow!("{error:?}"))?;
    let create = Command::Create {
        project_id,
        payment_id: &order.payment_id,
        order: &order.order,
    };
    let created = decide::execute(None, create, now).ok().flatten();
    let mut payment = created.context("not created")?.payment;
    for file in files {
        let verified = verify(&corpus(file)?, &keys).map_err(|error| anyhow!("{error:?}"))?;
        if let Some(change) = decide(Some(&payment), verified.fact(), now) {
            payment = change.payment;
        }
    }
    Ok(payment)
}

#[tokio::test]
async fn a_crowd_of_callbacks_ends_as_one_after_the_other() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Options::any_ports()).await?;
    let ready = sandbox.ready();
    let platform = Platform::of(ready)?;
    let storefront = Storefront::new(ready)?;
    Simulator::new(ready)?.keep_quiet_about(PAYMENT).await?;
    storefront.create(PAYMENT).await?;

    let index: Value = serde_json::from_slice(&corpus("index.json")?)?;
    let entries = index["callbacks"].as_array();
    let entries = entries.context("The index has no list")?.iter();
    let about_it = |entry: &&Value| {
        entry["valid"] == json!(true)
            && entry["own_project"] != json!(false)
            && entry["payment_id"].is_string()
    };
    let name = |entry: &Value| entry["file"].as_str().unwrap_or_default().to_owned();
    let files: Vec<String> = entries.filter(about_it).map(name).collect();
    ensure!(files.len() > 50, "only {} callbacks", files.len());

    // Each twice, in another order each time, which a failure names.
    let mut crowd: Vec<&String> = files.iter().chain(&files).collect();
    let seed = RandomState::new().hash_one(PAYMENT);
    crowd.sort_by_cached_key(|file| {
        let mut hasher = DefaultHasher::new();
        (seed, *file, RandomState::new().hash_one(0)).hash(&mut hasher);
        hasher.finish()
    });
    let post = |file: &String| {
        let (body, file) = (corpus(file), file.clone());
        let platform = &platform;
        async move {
            // The platform repeats what is not answered with 200.
            for _ in 0..20 {
                if platform
                    .post(
                        body.as_ref().map_err(|e| anyhow!("{e}"))?.clone(),
                        "application/json",
                    )
                    .await?
                    == StatusCode::OK
                {
                    return Ok(());
                }
            }
            bail!("{file} is never answered with 200")
        }
    };
    let answers: Vec<anyhow::Result<()>> = stream::iter(crowd.iter().map(|file| post(file)))
        .buffer_unordered(8)
        .collect()
        .await;
    answers.into_iter().collect::<anyhow::Result<()>>()?;

    let payment = storefront.payment(PAYMENT).await?;
    let expected = expected(&files, &storefront.order(PAYMENT))?;
    for (name, value) in [
        ("status", json!(expected.status())),
        ("paid_amount", json!(expected.paid_amount())),
        ("refunded_amount", json!(expected.refunded_amount())),
        (
            "pending_refund_amount",
            json!(expected.pending_refund_amount()),
        ),
        (
            "quarantine",
            json!(PaymentView::new(&expected, Timestamp::now()))["quarantine"].clone(),
        ),
    ] {
        ensure!(
            payment[name] == value,
            "{name} is not {value} after {crowd:?}: {payment}"
        );
    }

    // Both queues have what they want of it, in order; nothing is among the dead letters.
    let last = payment["sequence"].as_u64().context("no sequence")?;
    for (queue, all) in [("audit", true), ("fulfilment", false)] {
        let queue = Queue::new(ready, queue)?;
        let events = queue.drain().await?;
        let numbers: Vec<u64> = events
            .iter()
            .filter_map(|event| event["data"]["sequence"].as_u64())
            .collect();
        let mut first = numbers.clone();
        first.sort_unstable();
        first.dedup();
        ensure!(
            first == numbers,
            "out of order after {crowd:?}: {numbers:?}"
        );
        ensure!(
            !all || numbers == (1..=last).collect::<Vec<u64>>(),
            "{last}: {numbers:?}"
        );
        ensure!(!numbers.is_empty());
        ensure!(queue.dead_letters().await?.counts().await? == (0, 0));
    }
    sandbox.stop().await;
    Ok(())
}
