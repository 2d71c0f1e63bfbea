//! Tests that each attempt has only one sale, even after failures and races.

use std::collections::BTreeSet;
use std::time::Duration;

use ecommpay::answer::Answer;
use futures_util::future::join_all;
use payments::api::problem::Problem;
use payments::decide::Rejection;
use payments::model::Status;
use payments::ports::PaymentStore;
use payments::service::checkout::{Checkout, CheckoutError, hand_off_ready, token};

use super::system::*;
use crate::builders::*;

#[tokio::test]
async fn fifty_parallel_requests_for_one_checkout_send_one_sale() {
    let system = System::empty();
    let shop = storefront("shop");
    let all = join_all((0..50).map(|_| system.create_order(&shop, 1000))).await;
    let all: Vec<Checkout> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(all.iter().filter(|checkout| checkout.created).count(), 1);
    let tokens: BTreeSet<&String> = all.iter().map(|checkout| &checkout.token).collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(system.sales(), 1);
    assert_eq!(system.sent(), ["1 payment.created"]);
}

#[tokio::test]
async fn a_checkout_without_a_race_loads_no_payment() {
    let system = System::created(&[]).await;
    assert_eq!(system.status(), Status::Processing);
    assert_eq!(system.tables().loads, 0);
    assert_eq!(system.sent(), ["1 payment.created"]);
}

#[tokio::test]
async fn a_callback_that_arrives_before_gates_answer_counts() {
    let system = System::empty();
    let callback = async {
        while system.sales() == 0 {
            tokio::task::yield_now().await;
        }
        system.sale_succeeds().await
    };
    let shop = storefront("shop");
    let (checkout, is_acknowledged) = tokio::join!(system.create_order(&shop, 1000), callback);
    assert!(is_acknowledged);
    assert_eq!(checkout.unwrap().payment.status(), Status::Succeeded);
    assert_eq!(system.status(), Status::Succeeded);
    assert_eq!(system.sent(), ["1 payment.created", "2 payment.succeeded"]);
}

#[tokio::test]
async fn a_checkout_is_tried_again_while_the_conflicting_write_is_not_visible() {
    let system = System::empty();
    system.behaviour().commits(2);
    let checkout = system.create_order(&storefront("shop"), 1000).await;
    assert!(checkout.unwrap().created);
    assert_eq!(system.sales(), 1);
}

/// Asserts that a request with other content, and a request of another storefront, are answered as conflicts.
async fn assert_conflicts(system: &System) {
    for (shop, amount) in [("shop", 1001), ("other", 1000)] {
        assert_matches!(
            system.create_order(&storefront(shop), amount).await,
            Err(CheckoutError::Conflict)
        );
    }
}

#[tokio::test]
async fn a_payment_id_belongs_to_one_order_of_one_storefront() {
    let system = System::empty();
    let shop = storefront("shop");
    let first = system.create_order(&shop, 1000).await.unwrap();
    let same = system.create_order(&shop, 1000).await.unwrap();
    assert_eq!((first.created, same.created), (true, false));
    assert_eq!(first.token, same.token);
    assert_conflicts(&system).await;
    assert_eq!(system.sales(), 1);
}

#[tokio::test]
async fn a_sale_without_a_clear_answer_is_sent_again_until_gate_accepts_it() {
    // A refusal of a repeated sale does not show whether Gate accepted the first request.
    let system = System::created(&[Answer::Unclear, refused("303")]).await;
    // The second repeat waits until ten seconds have passed since the first repeat.
    for (seconds, sales) in [(0, 2), (0, 2), (9, 2), (1, 3), (10, 3)] {
        system.pass(Duration::from_secs(seconds));
        let again = system.create_order(&storefront("shop"), 1000).await;
        assert!(!again.unwrap().created);
        assert_eq!(
            (system.sales(), system.status()),
            (sales, Status::Processing)
        );
    }
}

#[tokio::test]
async fn a_repeated_sale_that_gate_refuses_after_a_lock_is_answered_as_refused() {
    let system = System::created(&[refused("2147"), refused("2004")]).await;
    let again = system.create_order(&storefront("shop"), 1000).await;
    assert_matches!(again, Err(CheckoutError::Refused(code)) if code == "2004");
    assert_eq!((system.sales(), system.status()), (2, Status::Failed));
}

#[tokio::test]
async fn the_next_attempt_of_a_failed_payment_is_a_new_checkout() {
    let system = System::with_answers(&[refused("2004"), accepted("request-2")]);
    let shop = storefront("shop");
    assert_matches!(system.create_order(&shop, 1000).await, Err(CheckoutError::Refused(code)) if code == "2004");
    assert_eq!(system.status(), Status::Failed);
    assert_conflicts(&system).await;
    let next = system.create_order(&shop, 1000).await.unwrap();
    assert!(next.created);
    let first = system.tokens.token(&key(PAYMENT), 0);
    assert_ne!(next.token, first);
    for token in [&first, &next.token] {
        let hash = token::hash(token);
        let found = system.payments.store.checkout_of_token(&hash).await;
        assert_eq!(found.unwrap().unwrap().key, key(PAYMENT));
    }
    let again = system.create_order(&shop, 1000).await.unwrap();
    assert_eq!((again.created, again.token), (false, next.token));
    assert_eq!((system.sales(), system.status()), (2, Status::Processing));
    let sent = ["1 payment.created", "2 payment.failed", "3 payment.created"];
    assert_eq!(system.sent(), sent);
}

#[tokio::test]
async fn attempt_101_is_a_conflict_that_asks_for_another_payment_id() {
    let system = System::with_answers(&vec![refused("2004"); 100]);
    let shop = storefront("shop");
    for _ in 0..100 {
        let failed = system.create_order(&shop, 1000).await;
        assert_matches!(failed, Err(CheckoutError::Refused(_)));
    }
    let error = system.create_order(&shop, 1000).await.unwrap_err();
    assert_matches!(&error, CheckoutError::Rejected(Rejection::TooManyAttempts));
    let response = Problem::from(error).into_response();
    assert_eq!(response.status(), 409);
    assert!(response.body().contains("Use another payment_id"));
    assert_eq!(system.sales(), 100);
}

#[tokio::test]
async fn the_next_attempt_can_have_other_customer_data_but_no_other_money_channel_or_order() {
    let system = System::with_answers(&[refused("2004"), accepted("request-2")]);
    let shop = storefront("shop");
    let first = system.create_order(&shop, 1000).await;
    assert_matches!(first, Err(CheckoutError::Refused(_)));

    let mut on_payment_page = checkout_request("Order-1");
    on_payment_page["channel"] = "payment_page".into();
    let conflict = system.create(&shop, &on_payment_page).await;
    assert_matches!(conflict, Err(CheckoutError::Conflict));

    let mut other_order = checkout_request("Order-1");
    other_order["order_id"] = "order-2".into();
    let conflict = system.create(&shop, &other_order).await;
    assert_matches!(conflict, Err(CheckoutError::Conflict));

    let mut other_customer = checkout_request("Order-1");
    other_customer["customer"]["last_name"] = "Peeters".into();
    let next = system.create(&shop, &other_customer).await.unwrap();
    assert!(next.created);
    assert_eq!((system.sales(), system.status()), (2, Status::Processing));
}

#[tokio::test]
async fn a_caller_that_waits_for_the_redirect_url_loads_the_payment_three_or_four_times_a_second() {
    let system = System::created(&[]).await;
    let (key, wait) = (key(PAYMENT), Duration::from_secs(5));
    let waited = system.payments.wait_until(&key, wait, hand_off_ready).await;
    assert!(!hand_off_ready(&waited.unwrap().unwrap()));
    let loads = system.tables().loads;
    assert!((13..=20).contains(&loads), "{loads} loads in 5 s");
}

#[tokio::test]
async fn a_checkout_expires_after_30_minutes_or_after_expires_in() {
    for (expires_in, seconds) in [
        (None, 1_800),
        (Some(600), 600),
        (Some(2_592_000), 2_592_000),
    ] {
        let system = System::empty();
        let mut request = checkout_request("Order-1");
        request["expires_in"] = expires_in.into();
        let start = system.now();
        let checkout = system.create(&storefront("shop"), &request).await;
        let payment = checkout.unwrap().payment;
        let end = start.after(Duration::from_secs(seconds));
        assert_eq!(payment.order().unwrap().expires_at, end, "{expires_in:?}");
    }
}
