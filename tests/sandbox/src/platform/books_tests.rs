//! What the books do, told step by step.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const WAY: Way = Way {
    redirect: true,
    error: false,
};

fn marks(operation_id: u64) -> Marks {
    Marks {
        operation_id,
        request_id: format!("request-{operation_id}"),
        now: NOW,
    }
}

fn order(payment_id: &str, amount: u64, last_name: Option<&str>) -> SaleOrder {
    let mut customer = Map::new();
    if let Some(name) = last_name {
        customer.insert("last_name".into(), json!(name));
    }
    SaleOrder {
        payment_id: payment_id.into(),
        amount,
        description: None,
        customer,
        return_url: Default::default(),
        callbacks: Default::default(),
        link: None,
    }
}

fn sold(amount: u64) -> Books {
    let mut books = Books::default();
    let order = order("p-1", amount, Some("Peeters"));
    books.sale(order, "token".into(), marks(1)).unwrap();
    books
}

fn paid(amount: u64) -> Books {
    let mut books = sold(amount);
    books.proceed("p-1", WAY, NOW).unwrap();
    books.choose("token", Choice::Pay(amount), NOW).unwrap();
    books
}

fn refund(books: &mut Books, number: u64, amount: u64, id: Option<&str>) -> Result<(), Code> {
    let order = RefundOrder {
        payment_id: "P-1".into(),
        sum: Some((amount, CURRENCY.into())),
        merchant_refund_id: id.map(str::to_owned),
    };
    books.refund(order, marks(number))
}

#[test]
fn a_sale_is_paid_once() {
    let mut books = sold(1000);
    let news = books.proceed("p-1", WAY, NOW).unwrap();
    assert_eq!(news.payment.status, Status::AwaitingRedirect);
    assert_eq!(news.operation.code, codes::AWAITING);
    assert!(books.proceed("p-1", WAY, NOW).is_none());
    let news = books.choose("token", Choice::Pay(1000), NOW).unwrap();
    assert_eq!(news.payment.status, Status::Success);
    assert!(books.choose("token", Choice::Decline, NOW).is_none());
    assert!(books.time_over(1, "p-1", NOW).is_none());
}

#[test]
fn a_sale_below_one_euro_is_declined() {
    let news = sold(99).proceed("p-1", WAY, NOW).unwrap();
    assert_eq!(news.payment.status, Status::Decline);
    assert_eq!(news.operation.code, codes::OUTSIDE_LIMITS);
    let news = sold(100).proceed("p-1", WAY, NOW).unwrap();
    assert_eq!(news.payment.status, Status::AwaitingRedirect);
}

#[test]
fn an_id_is_used_once_in_any_spelling_unless_it_ended_in_error() {
    let mut books = sold(1000);
    let again = |books: &mut Books| {
        books.sale(order("P-1", 1000, Some("Peeters")), "next".into(), marks(2))
    };
    assert_eq!(again(&mut books), Err(codes::PAYMENT_EXISTS));
    let way = Way { error: true, ..WAY };
    let news = books.proceed("p-1", way, NOW).unwrap();
    assert_eq!(news.payment.status, Status::Error);
    assert_eq!(again(&mut books), Ok(()));
    assert!(books.choose("token", Choice::Pay(1000), NOW).is_none());
}

#[test]
fn a_missing_last_name_is_asked_for_until_it_comes() {
    let mut books = Books::default();
    let order = order("p-1", 1000, None);
    books.sale(order, "token".into(), marks(1)).unwrap();
    let asked = books.proceed("p-1", WAY, NOW).unwrap();
    assert_eq!(asked.payment.status, Status::AwaitingClarification);
    assert_eq!(asked.operation.code, codes::NEED_CLARIFICATION);
    let still = books.clarify("p-1", &Map::new(), NOW).unwrap().unwrap();
    let round = asked.payment.round;
    assert!(books.clarification_over("p-1", round, NOW).is_none());

    let mut declined = Books {
        payments: books.payments.clone(),
        ..Books::default()
    };
    let round = still.payment.round;
    let news = declined.clarification_over("p-1", round, NOW).unwrap();
    assert_eq!(news.operation.status, Status::Decline);
    assert_eq!(news.operation.code, codes::NEED_CLARIFICATION);

    let data = Map::from_iter([("last_name".to_owned(), json!("Maes"))]);
    assert!(books.clarify("p-1", &data, NOW).unwrap().is_none());
    assert!(books.clarification_over("p-1", round, NOW).is_none());
    let news = books.proceed("p-1", WAY, NOW).unwrap();
    assert_eq!(news.payment.status, Status::AwaitingRedirect);
    let late = books.clarify("p-1", &data, NOW).unwrap_err();
    assert_eq!(late, codes::STATUS_FORBIDS);
}

#[test]
fn an_open_sale_is_declined_in_the_end() {
    let news = sold(1000).time_over(1, "p-1", NOW).unwrap();
    assert_eq!(news.operation.code, codes::TIME_OUT);
    assert!(sold(1000).time_over(2, "p-1", NOW).is_none());
}

#[test]
fn refunds_leave_the_rest() {
    let mut books = paid(1000);
    refund(&mut books, 2, 400, Some("r-1")).unwrap();
    let news = books.settle_refund("p-1", 2, NOW).unwrap();
    assert_eq!(news.payment.status, Status::PartiallyRefunded);
    assert_eq!(news.payment.left(), 600);
    assert!(books.settle_refund("p-1", 2, NOW).is_none());

    let rest = RefundOrder {
        payment_id: "p-1".into(),
        sum: None,
        merchant_refund_id: None,
    };
    books.refund(rest, marks(3)).unwrap();
    let news = books.settle_refund("p-1", 3, NOW).unwrap();
    assert_eq!(news.payment.status, Status::Refunded);
    assert_eq!((news.operation.amount, news.payment.left()), (600, 0));

    let repeat = refund(&mut books, 4, 400, Some("r-1")).unwrap_err();
    assert_eq!(repeat, codes::REFUND_EXISTS);
    let more = refund(&mut books, 4, 1, None).unwrap_err();
    assert_eq!(more, codes::STATUS_FORBIDS);
}

#[test]
fn a_refund_above_the_rest_is_declined_later() {
    let mut books = paid(1000);
    refund(&mut books, 2, 700, None).unwrap();
    refund(&mut books, 3, 700, None).unwrap();
    assert!(books.settle_refund("p-1", 2, NOW).is_some());
    let news = books.settle_refund("p-1", 3, NOW).unwrap();
    assert_eq!(news.operation.status, Status::Decline);
    assert_eq!(news.operation.code, codes::REFUND_TOO_LARGE);
    assert_eq!(news.payment.status, Status::PartiallyRefunded);
    assert_eq!(news.payment.left(), 300);
}

#[test]
fn a_refund_needs_a_paid_payment_and_its_currency() {
    let mut open = sold(1000);
    assert_eq!(refund(&mut open, 2, 1, None), Err(codes::STATUS_FORBIDS));
    let mut empty = Books::default();
    assert_eq!(refund(&mut empty, 2, 1, None), Err(codes::NOT_FOUND));
    let dollars = RefundOrder {
        payment_id: "p-1".into(),
        sum: Some((1, "USD".into())),
        merchant_refund_id: None,
    };
    let answer = paid(1000).refund(dollars, marks(2));
    assert_eq!(answer, Err(codes::REFUND_CURRENCY));
}

#[test]
fn the_bank_can_take_another_amount() {
    let mut books = sold(1000);
    books.proceed("p-1", WAY, NOW).unwrap();
    let news = books.choose("token", Choice::Pay(950), NOW).unwrap();
    assert_eq!(news.operation.amount, 1000);
    assert_eq!((news.operation.moved, news.payment.left()), (950, 950));
}
