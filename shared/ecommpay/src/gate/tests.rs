//! Tests the requests to Gate: signed bodies, ambiguous clarifications, hidden data.

use std::collections::BTreeSet;

use super::*;
use crate::customer::CustomerDetails;
use crate::fields::{Currency, FieldError, MinorUnits, ProjectId, Text};
use crate::json::{Limits, parse};
use crate::signature;
use crate::signature::keyring::ProjectKey;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn sale() -> Sale {
    Sale {
        general: General::new(ProjectId::new(211).unwrap(), text("order-1")),
        payment: SalePayment {
            amount: MinorUnits::for_sale(1000).unwrap(),
            currency: Currency::Eur,
            description: None,
        },
        customer: Customer {
            id: text("123"),
            ip_address: text("192.0.2.10"),
            last_name: None,
            details: CustomerDetails::default(),
        },
        return_url: ReturnUrl::new(text("https://shop.example/back")),
    }
}

/// Checks the signature of a body and returns its canonical string.
fn signed_string(body: &[u8], key: &ProjectKey) -> String {
    let message = parse(body, Limits::CALLBACK).unwrap();
    let canonical = signature::canonical(&message);
    assert!(key.verifies(&canonical, &signature::of_message(&message).unwrap()));
    String::from_utf8(canonical).unwrap()
}

#[test]
fn the_signature_of_a_sale_covers_the_body_that_is_sent() {
    let key = ProjectKey::new("test-secret-key").unwrap();
    let body = sale().sign(&key).unwrap();
    assert_eq!(
        signed_string(&body, &key),
        "customer:id:123;customer:ip_address:192.0.2.10;general:payment_id:order-1;\
         general:project_id:211;payment:amount:1000;payment:currency:EUR;\
         return_url:return:https://shop.example/back"
    );
    assert!(!String::from_utf8(body).unwrap().contains("null"));
}

#[test]
fn a_sale_can_have_a_callback_address_and_a_return_address_for_each_result() {
    let key = ProjectKey::new("test-secret-key").unwrap();
    let mut sale = sale();
    sale.general.merchant_callback_url = Some(text("https://shop.example/hooks"));
    sale.return_url.success = Some(text("https://shop.example/thanks"));
    sale.return_url.decline = Some(text("https://shop.example/again"));
    let canonical = signed_string(&sale.sign(&key).unwrap(), &key);
    for line in [
        "general:merchant_callback_url:https://shop.example/hooks",
        "return_url:decline:https://shop.example/again",
        "return_url:return:https://shop.example/back",
        "return_url:success:https://shop.example/thanks",
    ] {
        assert!(canonical.split(';').any(|own| own == line), "{canonical}");
    }
}

#[test]
fn the_names_of_a_clarification_become_nested_objects_that_are_signed() {
    let key = ProjectKey::new("test-secret-key").unwrap();
    let clarification = clarification(&[
        ("customer.last_name", "Janssens"),
        ("customer.billing.city", "Gent"),
        ("avs_data.avs_post_code", "9000"),
    ]);
    assert_eq!(
        signed_string(&clarification.unwrap().sign(&key).unwrap(), &key),
        "additional_data:avs_data:avs_post_code:9000;additional_data:customer:billing:city:Gent;\
         additional_data:customer:last_name:Janssens;general:payment_id:order-1;general:project_id:211"
    );
}

fn clarification(answers: &[(&str, &str)]) -> Result<Clarification, FieldError> {
    let general = General::new(ProjectId::new(211).unwrap(), text("order-1"));
    let answers = answers.iter().map(|(name, answer)| (*name, text(answer)));
    Clarification::new(general, answers)
}

#[test]
fn a_clarification_is_refused_if_it_could_share_its_signature_with_another() {
    assert!(clarification(&[("customer.email", "a@b.c")]).is_ok());
    assert_eq!(clarification(&[]), Err(FieldError::Empty));
    for ambiguous in [
        vec![("customer.billing", "city:Gent")],
        vec![("customer.billing", "x"), ("customer.billing.city", "Gent")],
        vec![("customer.billing.city", "Gent"), ("customer.billing", "x")],
        vec![("customer.city", "Gent"), ("customer.city", "Brugge")],
        vec![("customer..city", "Gent")],
    ] {
        assert!(clarification(&ambiguous).is_err(), "{ambiguous:?}");
    }
}

#[test]
fn personal_data_is_hidden_in_debug() {
    let clarification = clarification(&[("customer.last_name", "Canary")]).unwrap();
    assert!(!format!("{clarification:?}").contains("Canary"));
    let refund = Refund {
        general: sale().general,
        payment: RefundPayment {
            amount: MinorUnits::new(1).unwrap(),
            currency: Currency::Eur,
            description: text("d"),
            merchant_refund_id: text("r"),
        },
        customer: RefundCustomer {
            ip_address: text("192.0.2.10"),
        },
    };
    assert!(!format!("{refund:?}").contains("192.0.2.10"));
    assert!(!format!("{:?}", sale()).contains("192.0.2.10"));
}

#[test]
fn a_name_is_not_sendable_if_a_part_is_invalid_or_if_it_contains_another_name() {
    let long = format!("customer.{}", "x".repeat(65));
    let (deep, deeper) = (["a"; 8].join("."), ["b"; 9].join("."));
    let names = [
        "customer.last_name",
        "customer.last-name",
        "customer.",
        "customer.billing",
        "customer.billing.city",
        "customer.signature",
        &long,
        &deep,
        &deeper,
    ];
    let expected = [&deep, "customer.billing.city", "customer.last_name"];
    assert_eq!(sendable_names(names), BTreeSet::from(expected));
}
