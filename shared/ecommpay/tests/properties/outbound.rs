//! What we send: no two messages share a canonical string.

use ecommpay::customer::{CustomerDetail, CustomerDetails};
use ecommpay::fields::{Currency, FieldName, LastName, MinorUnits, ProjectId, Text};
use ecommpay::gate::{
    Clarification, Customer, General, Refund, RefundCustomer, RefundPayment, Request,
    RequestStatus, ReturnUrl, Sale, SalePayment, Status,
};
use ecommpay::signature::canonical_of;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::message::*;
use super::{cases, key};

/// Text as a field takes it, often such as looks like lines of a message.
fn field_texts(least: usize, most: usize) -> impl Strategy<Value = String> {
    let line = select(vec![
        "general:project_id:1",
        "payment:amount:100",
        ":",
        "a:b",
        "10",
        "1",
        "0",
        "EUR",
        "null",
    ]);
    let character = any::<char>().prop_map(|c| match c {
        ';' => '_',
        c if c.is_control() => '_',
        c => c,
    });
    let free = vec(character, 1..8).prop_map(|text| text.into_iter().collect::<String>());
    let pieces = vec(
        prop_oneof![2 => line.prop_map(String::from), 1 => free],
        1..4,
    );
    pieces.prop_map(move |pieces| {
        let text: String = pieces.concat().chars().take(most).collect();
        format!("{text:_<least$}")
    })
}

fn field() -> impl Strategy<Value = Text> {
    prop_oneof![
        8 => field_texts(1, 255).prop_map(|text| Text::new(text).unwrap()),
        1 => Just(Text::new("x".repeat(255)).unwrap()),
    ]
}

fn last_names() -> impl Strategy<Value = LastName> {
    field_texts(3, 100).prop_map(|name| LastName::new(name).unwrap())
}

/// Details of which some look like others.
fn details() -> impl Strategy<Value = CustomerDetails> {
    let free = select(vec![
        CustomerDetail::FirstName,
        CustomerDetail::MiddleName,
        CustomerDetail::City,
        CustomerDetail::State,
        CustomerDetail::Address,
        CustomerDetail::Street,
    ]);
    vec((free, field_texts(1, 255)), 0..4).prop_map(|told| {
        let mut details = CustomerDetails::default();
        for (detail, text) in told {
            details.set(detail, text).unwrap();
        }
        details
    })
}

fn sales() -> impl Strategy<Value = Sale> {
    (
        prop_oneof![1..=20_u64, 1..=u64::from(u32::MAX)],
        field(),
        prop_oneof![100..=120_u64, 100..=MinorUnits::MAX],
        option::of(field()),
        (field(), field(), option::of(last_names()), details()),
        field(),
    )
        .prop_map(
            |(project, payment_id, amount, description, customer, back)| Sale {
                general: General::new(ProjectId::new(project).unwrap(), payment_id),
                payment: SalePayment {
                    amount: MinorUnits::for_sale(amount).unwrap(),
                    currency: Currency::Eur,
                    description,
                },
                customer: Customer {
                    id: customer.0,
                    ip_address: customer.1,
                    last_name: customer.2,
                    details: customer.3,
                },
                return_url: ReturnUrl { back },
            },
        )
}

/// A pair of which the second has most fields of the first.
fn two_sales() -> impl Strategy<Value = (Sale, Sale)> {
    (sales(), sales(), any::<u8>()).prop_map(|(one, mut other, kept)| {
        let keep = |bit: u8| kept & (1 << bit) != 0;
        if keep(0) {
            other.general = one.general.clone();
        }
        if keep(1) {
            other.payment.amount = one.payment.amount;
        }
        if keep(2) {
            other.payment.description = one.payment.description.clone();
        }
        if keep(3) {
            other.customer.id = one.customer.id.clone();
        }
        if keep(4) {
            other.customer.ip_address = one.customer.ip_address.clone();
        }
        if keep(5) {
            other.customer.last_name = one.customer.last_name.clone();
        }
        if keep(7) {
            other.customer.details = one.customer.details.clone();
        }
        if keep(6) {
            other.return_url = one.return_url.clone();
        }
        (one, other)
    })
}

proptest! {
    #![proptest_config(cases(500, 1_000_000))]

    #[test]
    fn two_sales_share_a_string_only_if_they_are_one((one, other) in two_sales()) {
        let strings = (canonical_of(&one).unwrap(), canonical_of(&other).unwrap());
        prop_assert_eq!(strings.0 == strings.1, one == other);

        let body = String::from_utf8(one.clone().sign(&key()).unwrap()).unwrap();
        prop_assert!(verifies(&body), "{body}");
        prop_assert_eq!(canonical_of_json(&body).into_bytes(), strings.0);
    }
}

/// The strings of every other request that can be made of the same values.
fn strings_of_others(sale: &Sale) -> Vec<Vec<u8>> {
    let general = &sale.general;
    let refund = Refund {
        general: general.clone(),
        payment: RefundPayment {
            amount: sale.payment.amount,
            currency: sale.payment.currency,
            description: sale.customer.id.clone(),
            merchant_refund_id: sale.customer.id.clone(),
        },
        customer: RefundCustomer {
            ip_address: sale.customer.ip_address.clone(),
        },
    };
    let name = |name: &str| FieldName::new(name).unwrap();
    let clarify = |object: &str, field: &str| Clarification {
        general: general.clone(),
        additional_data: [(
            name(object),
            [(name(field), sale.customer.id.clone())].into(),
        )]
        .into(),
    };
    let status = Status {
        general: general.clone(),
    };
    let request = RequestStatus::new(general.project_id, general.payment_id.clone());
    vec![
        canonical_of(sale).unwrap(),
        canonical_of(&refund).unwrap(),
        canonical_of(&clarify("customer", "id")).unwrap(),
        canonical_of(&clarify("customer", "last_name")).unwrap(),
        canonical_of(&clarify("general", "payment_id")).unwrap(),
        canonical_of(&status).unwrap(),
        canonical_of(&request).unwrap(),
    ]
}

proptest! {
    #![proptest_config(cases(100, 100_000))]

    #[test]
    fn requests_of_different_kinds_never_share_a_string(sale in sales()) {
        let mut strings = strings_of_others(&sale);
        let all = strings.len();
        strings.sort();
        strings.dedup();
        prop_assert_eq!(strings.len(), all);
    }
}
