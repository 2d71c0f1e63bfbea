//! Builds the values that tests need: ids, a storefront, requests, Gate's answers, and the platform's reports.

// Each test binary uses a part of this module.
#![allow(dead_code)]

pub mod reports;

use ecommpay::answer::{Answer, Refusal};
use ecommpay::fields::{ProjectId, Text};
use ecommpay::{Keyring, ProjectKey};
use payments::model::RefundOrder;
use payments::model::storefront::{Scope, Storefront};
use payments::service::project_keys::ProjectKeys;
use payments::{MerchantId, PaymentKey, Timestamp};
use serde_json::{Value, json};

/// The secret key of every project.
pub const SECRET: &str = "test-secret-key";

pub fn project() -> ProjectId {
    ProjectId::new(211).unwrap()
}

pub fn key(payment_id: &str) -> PaymentKey {
    PaymentKey::new(project(), payment_id)
}

pub fn id(id: &str) -> MerchantId {
    MerchantId::new(id).unwrap()
}

pub fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

/// Parses a time in UTC, such as `2026-11-21T12:00:00`.
pub fn at(text: &str) -> Timestamp {
    Timestamp::of_platform(&format!("{text}+0000")).unwrap()
}

pub fn keyring() -> Keyring {
    Keyring::new(ProjectKey::new(SECRET).unwrap(), None)
}

pub fn project_keys(projects: &[u64]) -> ProjectKeys {
    let project = |number: &u64| (ProjectId::new(*number).unwrap(), keyring());
    projects.iter().map(project).collect()
}

pub fn storefront(name: &str) -> Storefront {
    Storefront {
        key_id: name.into(),
        key_hash: String::new(),
        name: name.into(),
        project_id: project(),
        scopes: [Scope::Checkout, Scope::Read, Scope::Refund].into(),
        return_origins: ["https://shop.example".into()].into(),
        payment_id_prefix: None,
    }
}

/// Returns a storefront's request for a checkout of 10.00 EUR.
pub fn checkout_request(payment_id: &str) -> Value {
    json!({
        "payment_id": payment_id, "amount": 1000, "currency": "EUR",
        "return_url": "https://shop.example/",
        "customer": { "id": "c", "ip_address": "192.0.2.1", "last_name": "Janssens" },
    })
}

/// Returns a storefront's request for a refund. If `amount` is `None`, the request is for the whole remaining amount.
pub fn refund_order(refund_id: &str, amount: Option<u64>) -> RefundOrder {
    RefundOrder {
        refund_id: id(refund_id),
        amount,
        description: text("returned"),
        ip_address: None,
        content: format!("{amount:?}"),
    }
}

pub fn accepted(request_id: &str) -> Answer {
    Answer::Accepted {
        request_id: Some(request_id.into()),
    }
}

pub fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
        request_id: None,
    })
}
