//! Tests that no two different requests have the same canonical string, apart from links that differ only in
//! `frame_mode`.

use ecommpay::customer::{CustomerDetail, CustomerDetails};
use ecommpay::data_api::{Interval, OperationsGet};
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::gate::{
    Clarification, Customer, General, Refund, RefundCustomer, RefundPayment, Request, ReturnUrl,
    Sale, SalePayment, Status, sendable_names,
};
use ecommpay::payment_page::{NumberParameter, PaymentPage, TextParameter};
use ecommpay::signature::canonical_of;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::message::*;
use super::{cases, key};

/// Texts that a field accepts, often with parts that look like lines of a message.
fn field_texts(min: usize, max: usize) -> impl Strategy<Value = String> {
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
        let text: String = pieces.concat().chars().take(max).collect();
        format!("{text:_<min$}")
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

/// Customer details, of the kinds that accept any text.
fn details() -> impl Strategy<Value = CustomerDetails> {
    let free = select(vec![
        CustomerDetail::FirstName,
        CustomerDetail::MiddleName,
        CustomerDetail::City,
        CustomerDetail::State,
        CustomerDetail::Address,
        CustomerDetail::Street,
    ]);
    vec((free, field_texts(1, 255)), 0..4).prop_map(|texts| {
        let mut details = CustomerDetails::default();
        for (detail, text) in texts {
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

/// Two sales that have most of their fields in common.
fn two_sales() -> impl Strategy<Value = (Sale, Sale)> {
    (sales(), sales(), any::<u8>()).prop_map(|(one, mut other, mask)| {
        let copy = |bit: u8| mask & (1 << bit) != 0;
        if copy(0) {
            other.general = one.general.clone();
        }
        if copy(1) {
            other.payment.amount = one.payment.amount;
        }
        if copy(2) {
            other.payment.description = one.payment.description.clone();
        }
        if copy(3) {
            other.customer.id = one.customer.id.clone();
        }
        if copy(4) {
            other.customer.ip_address = one.customer.ip_address.clone();
        }
        if copy(5) {
            other.customer.last_name = one.customer.last_name.clone();
        }
        if copy(7) {
            other.customer.details = one.customer.details.clone();
        }
        if copy(6) {
            other.return_url = one.return_url.clone();
        }
        (one, other)
    })
}

proptest! {
    #![proptest_config(cases(500, 1_000_000))]

    #[test]
    fn two_sales_have_the_same_canonical_string_only_if_they_are_equal((one, other) in two_sales()) {
        let strings = (canonical_of(&one).unwrap(), canonical_of(&other).unwrap());
        prop_assert_eq!(strings.0 == strings.1, one == other);

        let body = String::from_utf8(one.clone().sign(&key()).unwrap()).unwrap();
        prop_assert!(verifies(&body), "{body}");
        prop_assert_eq!(canonical_of_json(&body).into_bytes(), strings.0);
    }
}

proptest! {
    #![proptest_config(cases(500, 1_000_000))]

    #[test]
    fn one_request_carries_all_names_that_are_sendable(
        names in btree_set("([ab_.-]|signature|é){1,6}(\\.[ab.]{1,3})?", 1..8),
        answered in vec(any::<bool>(), 8),
        general in generals(),
    ) {
        let sendable = sendable_names(names.iter().map(String::as_str));
        let answers = sendable.iter().zip(answered).filter(|(_, answered)| *answered);
        let answers: Vec<_> = answers.map(|(name, _)| (*name, Text::new("x").unwrap())).collect();
        if !answers.is_empty() {
            let body = Clarification::new(general, answers).unwrap().sign(&key()).unwrap();
            prop_assert!(verifies(&String::from_utf8(body).unwrap()));
        }
    }
}

/// Any request that is signed.
#[derive(Debug, Clone, PartialEq)]
enum AnyRequest {
    Sale(Sale),
    Refund(Refund),
    Clarification(Clarification),
    Status(Status),
    Page(PaymentPage),
    Operations(OperationsGet),
}

impl AnyRequest {
    fn canonical(&self) -> Vec<u8> {
        match self {
            AnyRequest::Sale(message) => canonical_of(message),
            AnyRequest::Refund(message) => canonical_of(message),
            AnyRequest::Clarification(message) => canonical_of(message),
            AnyRequest::Status(message) => canonical_of(message),
            AnyRequest::Page(message) => canonical_of(message),
            AnyRequest::Operations(message) => canonical_of(message),
        }
        .unwrap()
    }
}

/// One of a few texts, so that two requests often have most of their fields in common.
fn few_texts() -> impl Strategy<Value = Text> + Clone {
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
    (1..=2_u64, few_texts(), option::of(few_texts())).prop_map(
        |(project, payment_id, callbacks)| {
            let mut general = General::new(ProjectId::new(project).unwrap(), payment_id);
            general.merchant_callback_url = callbacks;
            general
        },
    )
}

fn few_sales() -> impl Strategy<Value = Sale> {
    let payment = (100..=101_u64, option::of(few_texts()));
    let customer = (
        few_texts(),
        few_texts(),
        option::of("[ab]{3}"),
        few_details(),
    );
    let back = (
        few_texts(),
        option::of(few_texts()),
        option::of(few_texts()),
    );
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
    vec((detail, few_texts()), 0..3).prop_map(|texts| {
        let mut details = CustomerDetails::default();
        for (detail, text) in texts {
            details.set(detail, text).unwrap();
        }
        details
    })
}

fn refunds() -> impl Strategy<Value = Refund> {
    (generals(), 1..=2_u64, few_texts(), few_texts(), few_texts()).prop_map(
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
    (generals(), btree_map(path, few_texts(), 1..4)).prop_filter_map(
        "ambiguous",
        |(general, data)| {
            let data = data
                .iter()
                .map(|(name, text)| (name.as_str(), text.clone()));
            Clarification::new(general, data).ok()
        },
    )
}

/// Payment pages without `frame_mode`, the only parameter that is not signed.
fn pages() -> impl Strategy<Value = PaymentPage> {
    let mandatory = (1..=2_u64, few_texts(), 100..=101_u64, few_texts());
    let text = select(vec![
        TextParameter::PaymentDescription,
        TextParameter::MerchantCallbackUrl,
        TextParameter::PaymentExtraParam,
    ]);
    let number = select(vec![
        NumberParameter::RedirectSuccessEnabled,
        NumberParameter::MerchantFailEnabled,
    ]);
    let optional = (
        vec((text, few_texts()), 0..3),
        vec((number, 0..=2_u8), 0..3),
    );
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
    (
        few_texts(),
        1..=2_u64,
        times.clone(),
        times,
        few_texts(),
        0..2_u32,
    )
        .prop_map(|(token, project, from, to, tz, offset)| {
            let interval = Interval::new(from, to).unwrap();
            OperationsGet::new(
                token,
                ProjectId::new(project).unwrap(),
                interval,
                tz,
                offset,
            )
        })
}

fn requests() -> BoxedStrategy<AnyRequest> {
    prop_oneof![
        2 => few_sales().prop_map(AnyRequest::Sale),
        2 => refunds().prop_map(AnyRequest::Refund),
        3 => clarifications().prop_map(AnyRequest::Clarification),
        1 => generals().prop_map(|general| AnyRequest::Status(Status { general })),
        2 => pages().prop_map(AnyRequest::Page),
        1 => operations().prop_map(AnyRequest::Operations),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(cases(2_000, 1_000_000))]

    #[test]
    fn two_requests_have_the_same_canonical_string_only_if_they_are_equal(one in requests(), other in requests()) {
        prop_assert_eq!(one.canonical() == other.canonical(), one == other);
    }

    #[test]
    fn a_page_with_another_frame_mode_has_the_same_canonical_string(page in pages(), mode in few_texts()) {
        let framed = page.clone().with(TextParameter::FrameMode, mode).unwrap();
        prop_assert_eq!(canonical_of(&framed).unwrap(), canonical_of(&page).unwrap());
        prop_assert!(framed != page);
    }
}
