//! Tests repeated, reordered and parallel callbacks about a payment.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

use anyhow::{Context, anyhow, bail, ensure};
use e2e::ensure_contains;
use e2e::queue::sequences;
use e2e::system::System;
use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use futures_util::{StreamExt, TryStreamExt, stream};
use payments::Timestamp;
use payments::decide::{self, Command, Fact, decide};
use payments::events::view::PaymentView;
use payments::model::Payment;
use payments::model::storefront::Storefront;
use payments::service::callback::verify;
use payments::service::checkout::CheckoutRequest;
use reqwest::Url;
use sandbox::Options;
use serde_json::{Value, json};

use crate::callbacks::collection::{PAYMENT, REQUEST_ID, body, create, index};

/// Creates the payment of the callback collection.
async fn start() -> anyhow::Result<System> {
    let system = System::start(Options::any_ports()).await?;
    create(&system).await?;
    Ok(system)
}

#[tokio::test]
async fn repeated_and_late_callbacks_do_not_change_the_status() -> anyhow::Result<()> {
    let system = start().await?;
    for (file, status) in [
        ("redirect_get.json", "awaiting_customer"),
        ("sale_success.json", "succeeded"),
        ("sale_success_reordered.json", "succeeded"),
        ("late_redirect_after_success.json", "succeeded"),
        ("refund_partial_1.json", "partially_refunded"),
        ("refund_partial_1.json", "partially_refunded"),
        ("refund_partial_2_rest.json", "refunded"),
    ] {
        ensure!(system.post_callback(body(file)?).await? == 200, "{file}");
        let payment = system.storefront.payment(PAYMENT).await?;
        ensure!(payment["status"] == status, "after {file}: {payment}");
    }
    let payment = system.storefront.payment(PAYMENT).await?;
    let amounts = json!({ "refunded_amount": 1000, "refundable_amount": 0 });
    ensure_contains(&payment, amounts)?;
    system.stop().await;
    Ok(())
}

#[tokio::test]
async fn parallel_callbacks_in_random_order_have_the_same_result_as_ordered_callbacks()
-> anyhow::Result<()> {
    let system = start().await?;
    let is_applied = |entry: &&Value| {
        entry["valid"] == true && entry["own_project"] != false && entry["payment_id"].is_string()
    };
    let name = |entry: &Value| entry["file"].as_str().unwrap_or_default().to_owned();
    let files: Vec<String> = index()?.iter().filter(is_applied).map(name).collect();
    ensure!(files.len() > 50, "only {} callbacks", files.len());

    // Each file is posted twice. Error messages show the random order.
    let mut all: Vec<&String> = files.iter().chain(&files).collect();
    let seed = RandomState::new().hash_one(PAYMENT);
    all.sort_by_cached_key(|file| {
        let mut hasher = DefaultHasher::new();
        (seed, *file, RandomState::new().hash_one(0)).hash(&mut hasher);
        hasher.finish()
    });
    stream::iter(all.iter().map(|file| post_until_accepted(&system, file)))
        .buffer_unordered(8)
        .try_collect::<()>()
        .await?;

    let payment = system.storefront.payment(PAYMENT).await?;
    let expected = expected(&files, &system.storefront.order(PAYMENT))?;
    ensure_contains(&payment, expected).with_context(|| format!("after {all:?}"))?;

    let last = payment["sequence"]
        .as_u64()
        .context("the payment has no sequence number")?;
    for (queue, has_all) in [("audit", true), ("fulfilment", false)] {
        let queue = system.queue(queue)?;
        let numbers = sequences(&queue.drain().await?);
        ensure!(
            !numbers.is_empty() && numbers.is_sorted_by(|one, next| one < next),
            "out of order after {all:?}: {numbers:?}"
        );
        ensure!(
            !has_all || numbers.iter().copied().eq(1..=last),
            "1 to {last} were expected: {numbers:?}"
        );
        ensure!(queue.dead_letters().await?.counts().await? == (0, 0));
    }
    system.stop().await;
    Ok(())
}

/// Like the platform, repeats a callback until the answer is 200.
async fn post_until_accepted(system: &System, file: &str) -> anyhow::Result<()> {
    for _ in 0..20 {
        if system.post_callback(body(file)?).await? == 200 {
            return Ok(());
        }
    }
    bail!("{file} is never answered with 200")
}

/// Applies the callbacks with `decide`, in the order of the index. Returns the fields that the API must show.
fn expected(files: &[String], order: &Value) -> anyhow::Result<Value> {
    let project_id = ProjectId::new(211)?;
    let key = ProjectKey::new("test-secret-key")?;
    let keys = [(project_id, Keyring::new(key, None))].into();
    let now = Timestamp::now();
    let created = created(project_id, order, now)?;
    let request_id = Some(REQUEST_ID.to_owned());
    let answer = &Answer::Accepted { request_id };
    let answer = Fact::SaleAnswer { attempt: 0, answer };
    let accepted = decide(Some(&created), answer, now).context("the answer changes nothing")?;
    let mut payment = accepted.payment;
    for file in files {
        let verified = verify(&body(file)?, &keys).map_err(|error| anyhow!("{error:?}"))?;
        if let Some(change) = decide(Some(&payment), verified.fact(), now) {
            payment = change.payment;
        }
    }
    let shown = json!(PaymentView::new(&payment, now));
    Ok(json!({
        "status": payment.status(),
        "paid_amount": payment.paid_amount(),
        "refunded_amount": payment.refunded_amount(),
        "pending_refund_amount": payment.pending_refund_amount(),
        "quarantine": shown["quarantine"],
    }))
}

fn created(project_id: ProjectId, order: &Value, now: Timestamp) -> anyhow::Result<Payment> {
    let return_url = Url::parse(order["return_url"].as_str().unwrap_or_default())?;
    let storefront = Storefront {
        key_id: String::new(),
        key_hash: String::new(),
        name: String::new(),
        project_id,
        scopes: [].into(),
        return_origins: [return_url.origin().ascii_serialization()].into(),
        payment_id_prefix: None,
    };
    let request = CheckoutRequest::read(order.to_string().as_bytes(), &storefront, now);
    let request = request.map_err(|error| anyhow!("{error:?}"))?;
    let create = Command::Create {
        project_id,
        payment_id: &request.payment_id,
        order: &request.order,
    };
    let created = decide::execute(None, create, now).ok().flatten();
    Ok(created.context("the payment was not created")?.payment)
}
