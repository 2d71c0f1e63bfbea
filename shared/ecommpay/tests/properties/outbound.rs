//! What we send: no two messages share a canonical string.

use ecommpay::customer::{CustomerDetail, CustomerDetails};
use ecommpay::data_api::{Interval, OperationsGet};
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::gate::{
    Clarification, Customer, General, Refund, RefundCustomer, RefundPayment, Request, ReturnUrl,
    Sale, SalePayment, Status,
};
use ecommpay::payment_page::{NumberParameter, PaymentPage, TextParameter};
use ecommpay::signature::canonical_of;
use proptest::collection::{btree_map, vec};
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
                return_url: ReturnUrl::new(back),
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

/// Anything that we sign.
#[derive(Debug, Clone, PartialEq)]
enum Message {
    Sale(Sale),
    Refund(Refund),
    Clarification(Clarification),
    Status(Status),
    Page(PaymentPage),
    Operations(OperationsGet),
}

impl Message {
    fn canonical(&self) -> Vec<u8> {
        match self {
            Message::Sale(message) => canonical_of(message),
            Message::Refund(message) => canonical_of(message),
            Message::Clarification(message) => canonical_of(message),
            Message::Status(message) => canonical_of(message),
            Message::Page(message) => canonical_of(message),
            Message::Operations(message) => canonical_of(message),
        }
        .unwrap()
    }
}

/// One of few texts, so that two messages often agree in most of their fields.
fn few() -> impl Strategy<Value = Text> + Clone {
    let texts = vec![
        "a",
        "a:b",
        "b",
        "1",
        "10",
        ":",
        "general:project_id:1",
        "customer:id:a",
    ];
    select(texts).prop_map(|text| Text::new(text).unwrap())
}

fn generals() -> impl Strategy<Value = General> {
    (1..=2_u64, few(), option::of(few())).prop_map(|(project, payment_id, callbacks)| {
        let mut general = General::new(ProjectId::new(project).unwrap(), payment_id);
        general.merchant_callback_url = callbacks;
        general
    })
}

fn few_sales() -> impl Strategy<Value = Sale> {
    let payment = (100..=101_u64, option::of(few()));
    let customer = (few(), few(), option::of("[ab]{3}"), few_details());
    let back = (few(), option::of(few()), option::of(few()));
    (generals(), payment, customer, back).prop_map(|(general, payment, customer, back)| Sale {
        general,
        payment: SalePayment {
            amount: MinorUnits::for_sale(payment.0).unwrap(),
            currency: Currency::Eur,
            description: payment.1,
        },
        customer: Customer {
            id: customer.0,
            ip_address: customer.1,
            last_name: customer.2.map(|name| LastName::new(name).unwrap()),
            details: customer.3,
        },
        return_url: ReturnUrl {
            back: back.0,
            success: back.1,
            decline: back.2,
        },
    })
}

fn few_details() -> impl Strategy<Value = CustomerDetails> {
    let detail = select(vec![CustomerDetail::FirstName, CustomerDetail::City]);
    vec((detail, few()), 0..3).prop_map(|told| {
        let mut details = CustomerDetails::default();
        for (detail, text) in told {
            details.set(detail, text).unwrap();
        }
        details
    })
}

fn refunds() -> impl Strategy<Value = Refund> {
    (generals(), 1..=2_u64, few(), few(), few()).prop_map(
        |(general, amount, description, merchant_refund_id, ip_address)| Refund {
            general,
            payment: RefundPayment {
                amount: MinorUnits::new(amount).unwrap(),
                currency: Currency::Eur,
                description,
                merchant_refund_id,
            },
            customer: RefundCustomer { ip_address },
        },
    )
}

fn clarifications() -> impl Strategy<Value = Clarification> {
    let name = select(vec!["a", "b", "customer", "last_name", "1", "10"]);
    let path = vec(name, 1..4).prop_map(|names| names.join("."));
    (generals(), btree_map(path, few(), 1..4)).prop_filter_map("ambiguous", |(general, data)| {
        let data = data
            .iter()
            .map(|(name, text)| (name.as_str(), text.clone()));
        Clarification::new(general, data).ok()
    })
}

/// Pages without `frame_mode`, which is the one parameter that is not signed.
fn pages() -> impl Strategy<Value = PaymentPage> {
    let mandatory = (1..=2_u64, few(), 100..=101_u64, few());
    let text = select(vec![
        TextParameter::PaymentDescription,
        TextParameter::MerchantCallbackUrl,
        TextParameter::PaymentExtraParam,
    ]);
    let number = select(vec![
        NumberParameter::RedirectSuccessEnabled,
        NumberParameter::MerchantFailEnabled,
    ]);
    let optional = (vec((text, few()), 0..3), vec((number, 0..=2_u8), 0..3));
    let name = option::of("[ab]{3}");
    (mandatory, optional, name, few_details()).prop_map(|(mandatory, optional, name, details)| {
        let (project, payment_id, amount, customer_id) = mandatory;
        let mut page = PaymentPage::new(
            ProjectId::new(project).unwrap(),
            payment_id,
            MinorUnits::for_sale(amount).unwrap(),
            Currency::Eur,
            customer_id,
        );
        page = page.with_customer(&details);
        if let Some(name) = name {
            page = page.with_last_name(LastName::new(name).unwrap());
        }
        for (parameter, text) in optional.0 {
            page = page.with(parameter, text).unwrap();
        }
        for (parameter, number) in optional.1 {
            page = page.with_number(parameter, number).unwrap();
        }
        page
    })
}

fn operations() -> impl Strategy<Value = OperationsGet> {
    let times = select(vec!["2030-01-01 00:00:00", "2030-01-02 00:00:00"]);
    (few(), 1..=2_u64, times.clone(), times, few(), 0..2_u32).prop_map(
        |(token, project, from, to, tz, offset)| {
            let interval = Interval::new(from, to).unwrap();
            OperationsGet::new(
                token,
                ProjectId::new(project).unwrap(),
                interval,
                tz,
                offset,
            )
        },
    )
}

fn outbound() -> BoxedStrategy<Message> {
    prop_oneof![
        2 => few_sales().prop_map(Message::Sale),
        2 => refunds().prop_map(Message::Refund),
        3 => clarifications().prop_map(Message::Clarification),
        1 => generals().prop_map(|general| Message::Status(Status { general })),
        2 => pages().prop_map(Message::Page),
        1 => operations().prop_map(Message::Operations),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(cases(2_000, 1_000_000))]

    #[test]
    fn two_messages_share_a_string_only_if_they_are_one(one in outbound(), other in outbound()) {
        prop_assert_eq!(one.canonical() == other.canonical(), one == other);
    }

    #[test]
    fn two_pages_that_share_a_string_differ_in_the_frame_at_most(page in pages(), mode in few()) {
        let framed = page.clone().with(TextParameter::FrameMode, mode).unwrap();
        prop_assert_eq!(canonical_of(&framed).unwrap(), canonical_of(&page).unwrap());
        prop_assert!(framed != page);
    }
}
