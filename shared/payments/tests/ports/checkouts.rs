//! Checkouts: one sale each, their links, and what the platform asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use futures_util::future::join_all;
use payments::model::Status;
use payments::ports::PaymentStore;
use payments::service::checkout::payment_page::{PaymentPageLinks, PaymentPageSettings};
use payments::service::checkout::token;
use payments::service::checkout::{Checkout, CheckoutError, hand_off_ready};
use payments::service::clarification::{ClarificationError, clarify};

use super::stage::*;

#[tokio::test]
async fn fifty_at_once_send_one_sale() {
    let world = World::new();
    let storefront = shop("shop");
    let all = join_all((0..50).map(|_| world.create(&storefront, 1000))).await;
    let all: Vec<Checkout> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all.iter().filter(|checkout| checkout.created).count(), 1);
    assert_eq!(
        all.iter()
            .map(|checkout| &checkout.token)
            .collect::<BTreeSet<_>>()
            .len(),
        1
    );
    assert_eq!(world.sales(), 1);
    assert_eq!(world.sent(), ["1 payment.created"]);
}

#[tokio::test]
async fn an_undisturbed_sale_reads_nothing_back() {
    let world = World::new();
    let checkout = world.create(&shop("shop"), 1000).await.unwrap();
    assert_eq!(checkout.payment.status(), Status::Processing);
    assert_eq!(world.payments.store.reads.load(SeqCst), 0);
    assert_eq!(world.sent(), ["1 payment.created"]);
}

#[tokio::test]
async fn what_is_heard_before_gate_has_answered_is_kept() {
    let world = World::new();
    let heard = async {
        while world.sales() == 0 {
            tokio::task::yield_now().await;
        }
        world.hear("success", "success").await
    };
    let storefront = shop("shop");
    let (checkout, is_sent) = tokio::join!(world.create(&storefront, 1000), heard);
    assert!(is_sent);
    assert_eq!(checkout.unwrap().payment.status(), Status::Succeeded);
    assert_eq!(world.status().await, Status::Succeeded);
    assert_eq!(world.sent(), ["1 payment.created", "2 payment.succeeded"]);
}

#[tokio::test]
async fn a_writer_that_cannot_be_seen_yet_is_waited_for() {
    let world = World::new();
    world.payments.store.invisible_conflicts.store(2, SeqCst);
    assert!(world.create(&shop("shop"), 1000).await.unwrap().created);
    assert_eq!(world.sales(), 1);
}

#[tokio::test]
async fn an_id_is_used_for_one_order_of_one_storefront() {
    let world = World::new();
    let first = world.create(&shop("shop"), 1000).await.unwrap();
    let same = world.create(&shop("shop"), 1000).await.unwrap();
    assert_eq!(
        (first.created, same.created, &first.token),
        (true, false, &same.token)
    );
    for (storefront, amount) in [(shop("shop"), 1001), (shop("other"), 1000)] {
        let other = world.create(&storefront, amount).await;
        assert!(matches!(other, Err(CheckoutError::Conflict)), "{other:?}");
    }
    assert_eq!(world.sales(), 1);
}

#[tokio::test]
async fn an_unclear_sale_is_sent_again_and_a_refusal_then_means_nothing() {
    let world = World::with_answers(&[Answer::Unclear, refused("303")]);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.status().await, Status::Processing);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(
        (world.sales(), world.status().await),
        (2, Status::Processing)
    );
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.sales(), 3);
    assert!(world.create(&shop("shop"), 1000).await.is_ok());
    assert_eq!(world.sales(), 3, "accepted, so not again");
}

#[tokio::test]
async fn after_a_failure_the_next_attempt_is_another_checkout() {
    let world = World::with_answers(&[refused("2004"), accepted("request-2")]);
    let refused = world.create(&shop("shop"), 1000).await;
    assert!(
        matches!(&refused, Err(CheckoutError::Refused(code)) if code == "2004"),
        "{refused:?}"
    );
    assert_eq!(world.status().await, Status::Failed);
    for (storefront, amount) in [(shop("shop"), 1001), (shop("other"), 1000)] {
        let other = world.create(&storefront, amount).await;
        assert!(matches!(other, Err(CheckoutError::Conflict)), "{other:?}");
    }
    let next = world.create(&shop("shop"), 1000).await.unwrap();
    assert!(next.created);
    let first = world.tokens.token(&key(), 0);
    assert_ne!(next.token, first);
    for token in [&first, &next.token] {
        let store = &world.payments.store;
        let found = store.payment_of_token(&token::hash(token)).await.unwrap();
        assert_eq!(found, Some(key()), "both lead on");
    }
    let again = world.create(&shop("shop"), 1000).await.unwrap();
    assert_eq!((again.created, again.token), (false, next.token));
    assert_eq!(
        (world.sales(), world.status().await),
        (2, Status::Processing)
    );
    assert_eq!(
        world.sent(),
        ["1 payment.created", "2 payment.failed", "3 payment.created"]
    );
    // Late news of what failed leave the second attempt alone, and are asked about.
    let error = r#"{"project_id":211,"payment":{"id":"order-1","status":"error"},
        "errors":[{"code":"2004","message":"late"}],
        "operation":{"type":"sale","status":"error","request_id":"request-1"}}"#;
    world.hear_this(error).await;
    assert_eq!(world.status().await, Status::Processing);
    assert!(world.payment().await.polling().needs_recheck());
    world
        .hear_this(&error.replace("request-1", "request-2"))
        .await;
    assert_eq!(world.status().await, Status::Failed);
}

#[tokio::test]
async fn a_link_to_payment_page_needs_no_sale() {
    let world = World::new();
    let on_page = r#""channel":"payment_page","language":"nl","#;
    let checkout = world.create_with(&shop("shop"), on_page).await.unwrap();
    assert_eq!(world.sales(), 0);
    assert_eq!(world.status().await, Status::AwaitingCustomer);
    assert_eq!(
        world.sent(),
        ["1 payment.created", "2 payment.awaiting_customer"]
    );
    let settings = PaymentPageSettings {
        languages: ["nl".to_owned()].into(),
        automatic_return: true,
    };
    let links = PaymentPageLinks {
        page_url: "https://page.example/payment",
        settings: &settings,
        base_url: "https://pay.example",
        tokens: &world.tokens,
    };
    let link = links
        .link(&checkout.payment, world.keyring.current())
        .unwrap();
    let link = url::Url::parse(&link).unwrap();
    let parameters: BTreeMap<String, String> = link.query_pairs().into_owned().collect();
    for (name, value) in [
        ("force_payment_method", "bancontact"),
        ("payment_amount", "1000"),
        ("language_code", "nl"),
        ("best_before", "2027-01-15T08:30:00+00:00"),
        ("customer_last_name", "Janssens"),
    ] {
        assert_eq!(
            parameters.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    let back = format!("https://pay.example/checkouts/{}/return", checkout.token);
    assert_eq!(parameters["redirect_success_url"], back);
    let again = world.create_with(&shop("shop"), on_page).await.unwrap();
    assert!(!again.created);
    // From the first use on the platform leads, and the link is no longer offered.
    world.hear("success", "success").await;
    let paid = world.payment().await;
    assert_eq!(paid.status(), Status::Succeeded);
    assert_eq!(links.link(&paid, world.keyring.current()), None);
}

#[tokio::test]
async fn answers_go_to_the_platform_once_each_time_it_asks() {
    let asks = r#"{"project_id":211,"payment":{"id":"order-1","status":"awaiting clarification",
        "date":"2026-11-21T10:00:00+0000"},"clarification_fields":{"customer":["last_name"]},
        "operation":{"id":7,"type":"sale","status":"awaiting clarification"}}"#;
    let world = World::with_answers(&[
        accepted("r"),
        Answer::Unclear,
        refused("2004"),
        accepted("r"),
    ]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear_this(asks).await;
    let answer = |name: &'static str| {
        let world = &world;
        async move {
            let answers = [(name.to_owned(), Text::new("Janssens").unwrap())];
            let payment = world.payment().await;
            clarify(
                &world.payments,
                &world.gate,
                &world.keyring,
                &payment,
                payment.clarification_request(),
                &answers,
            )
            .await
        }
    };
    use ClarificationError::{NoAnswer, NotRequested, Refused};
    assert!(matches!(answer("customer.email").await, Err(NotRequested)));
    assert_eq!(world.gate.got.lock().unwrap().len(), 1, "only the sale");
    assert!(matches!(answer("customer.last_name").await, Err(NoAnswer)));
    assert!(matches!(answer("customer.last_name").await, Err(Refused(code)) if code == "2004"));
    assert_eq!(world.status().await, Status::AwaitingClarification);
    answer("customer.last_name").await.unwrap();
    assert_eq!(world.status().await, Status::Processing, "not asked twice");
    assert!(matches!(
        answer("customer.last_name").await,
        Err(NotRequested)
    ));
    // The same news again asks nothing; newer news do.
    world.hear_this(asks).await;
    assert_eq!(world.status().await, Status::Processing);
    world.hear_this(&asks.replace("10:00:00", "10:00:05")).await;
    assert_eq!(world.status().await, Status::AwaitingClarification);
    let told = world.sent();
    let told = told
        .iter()
        .filter(|event| event.contains("awaiting_clarification"));
    assert_eq!(told.count(), 2, "each question is told");
}

#[tokio::test]
async fn who_waits_for_the_bank_reads_three_times_a_second() {
    let world = World::new();
    world.create(&shop("shop"), 1000).await.unwrap();
    let before = world.payments.store.reads.load(SeqCst);
    let wait = Duration::from_secs(5);
    let waited = world
        .payments
        .wait_until(&key(), wait, hand_off_ready)
        .await;
    assert!(!hand_off_ready(&waited.unwrap().unwrap()));
    let reads = world.payments.store.reads.load(SeqCst) - before;
    assert!((13..=20).contains(&reads), "{reads} reads in 5 s");
}
