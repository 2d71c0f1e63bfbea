//! Refunds: what goes out, what goes out again, and what an operator sends back.

use std::collections::BTreeSet;

use ecommpay::answer::Answer;
use ecommpay::fields::Text;
use futures_util::future::join_all;
use payments::MerchantId;
use payments::decide::Rejection;
use payments::events::EventKind;
use payments::model::{GateRequest, RefundStatus, Status};
use payments::service::clarification::{ClarificationError, clarify};
use payments::service::refund::RefundError;
use payments::service::review::ReviewError;

use super::stage::*;

#[tokio::test]
async fn of_twenty_refunds_at_once_ten_go_out() {
    let world = World::paid(&[]).await;
    let ids: Vec<String> = (0..20).map(|number| format!("r-{number}")).collect();
    let all = join_all(ids.iter().map(|id| world.refund(id, 100))).await;
    let out = all.iter().filter(|refund| refund.is_ok()).count();
    let refused = all
        .iter()
        .filter(|refund| {
            matches!(
                refund,
                Err(RefundError::Rejected(Rejection::MoreThanLeft(0)))
            )
        })
        .count();
    assert_eq!((out, refused), (10, 10));
    let refunds = world.refunds();
    let refunds: BTreeSet<&String> = refunds.iter().collect();
    assert_eq!(refunds.len(), 10, "{refunds:?}");
}

#[tokio::test]
async fn the_same_refund_again_is_found_and_not_sent() {
    let world = World::paid(&[Answer::Accepted { request_id: None }, Answer::Unclear]).await;
    for _ in 0..2 {
        let payment = world.refund("r-1", 400).await.unwrap();
        let refund = payment
            .refund(&MerchantId::new("r-1").unwrap())
            .unwrap()
            .clone();
        assert_eq!(
            (refund.amount(), refund.status()),
            (400, RefundStatus::Unknown)
        );
    }
    let other = world.refund("r-1", 500).await;
    assert!(matches!(
        other,
        Err(RefundError::Rejected(Rejection::OtherContent))
    ));
    let got = world.gate.got.lock().unwrap().clone();
    assert_eq!(got[1..], ["/v2/payment/bancontact/refund Order-1 r-1 400"]);
}

#[tokio::test]
async fn a_lost_refund_is_sent_again_only_after_an_answer_without_it() {
    let lost = [
        accepted("sale"),
        Answer::Unclear,
        Answer::Unclear,
        accepted("refund"),
    ];
    let world = World::paid(&lost).await;
    let refunded = world.refund("r-1", 400).await.unwrap();
    assert_eq!(refunded.refunds()[0].status(), RefundStatus::Unknown);
    assert!(world.poll(None).await.is_err());
    assert_eq!(world.refunds().len(), 1, "no answer shows nothing");
    // An operation that could be it: nobody knows, so it is not sent again.
    let other = r#",{"id":8,"type":"refund","status":"processing","request_id":"q","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    let ambiguous = World::paid(&lost[..2]).await;
    ambiguous.refund("r-1", 400).await.unwrap();
    ambiguous.poll(Some(status_answer(other))).await.unwrap();
    assert_eq!(ambiguous.refunds().len(), 1);
    assert_eq!(
        ambiguous.payment().await.pending_refund_amount(),
        800,
        "both are held"
    );
    // Nothing there: sent again, lost again, asked again, sent again.
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 2);
    assert_eq!(
        world.payment().await.refunds()[0].status(),
        RefundStatus::Unknown
    );
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 3);
    let refunds = world.refunds();
    let refunds: BTreeSet<&String> = refunds.iter().collect();
    assert_eq!(refunds.len(), 1, "the same each time: {refunds:?}");
    let payment = world.payment().await;
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Pending);
    assert_eq!(payment.refundable_amount(), 600);
}

#[tokio::test]
async fn a_refund_that_the_platform_says_it_has_is_the_only_one_that_it_can_be() {
    let world = World::paid(&[accepted("sale"), Answer::Unclear, refused("3230")]).await;
    world.refund("r-1", 400).await.unwrap();
    world.poll(Some(status_answer(""))).await.unwrap();
    let refund = world.payment().await.refunds()[0].clone();
    assert!(
        matches!(
            refund.request(),
            GateRequest::Unknown {
                duplicate: Some(_),
                ..
            }
        ) && refund.status() == RefundStatus::Unknown
    );
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 2, "it is there, so not again");
    let done = r#",{"id":8,"type":"refund","status":"success","request_id":"q","created_date":"2027-01-15T08:00:01+0000","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    let old = r#",{"id":6,"type":"refund","status":"success","created_date":"2020-01-01T00:00:00+0000","sum_initial":{"amount":400,"currency":"EUR"}}"#;
    world
        .poll(Some(status_answer(&format!("{old}{done}"))))
        .await
        .unwrap();
    let payment = world.payment().await;
    let refund = payment.refund(&MerchantId::new("r-1").unwrap()).unwrap();
    assert_eq!(refund.status(), RefundStatus::Succeeded);
    assert_eq!(refund.operation_id(), Some("8"));
    assert_eq!(payment.refunded_amount(), 800, "and one from elsewhere");
    assert_eq!(world.poll_at().await, None);
}

#[tokio::test]
async fn a_repeat_that_is_refused_ends_only_after_another_answer_without_it() {
    let world = World::paid(&[accepted("sale"), Answer::Unclear, refused("3285")]).await;
    world.refund("r-1", 400).await.unwrap();
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 2);
    let payment = world.payment().await;
    assert_eq!(
        payment.refunds()[0].status(),
        RefundStatus::Unknown,
        "still held"
    );
    world.poll(Some(status_answer(""))).await.unwrap();
    assert_eq!(world.refunds().len(), 2, "not sent a third time");
    let payment = world.payment().await;
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Declined);
    assert_eq!(payment.refunds()[0].code(), Some("3285"));
    assert_eq!(payment.refundable_amount(), 1000);
    assert!(world.sent().last().unwrap().contains("refund.declined"));
}

#[tokio::test]
async fn what_is_rejected_goes_back_and_was_never_paid() {
    let world = World::with_answers(&[accepted("sale"), accepted("back")]);
    world.create(&shop("shop"), 1000).await.unwrap();
    world.hear_this(
        r#"{"project_id":211,"payment":{"id":"order-1","status":"success","sum":{"amount":900,"currency":"EUR"}},
        "operation":{"id":7,"type":"sale","status":"success","sum_initial":{"amount":900,"currency":"EUR"}}}"#,
    )
    .await;
    assert_eq!(world.status().await, Status::Quarantined);
    let desk = world.desk();
    let items = world.payment().await.quarantine();
    let rejected = desk.reject(&key(), "anna", &items).await.unwrap().payment;
    assert_eq!(rejected.pending_refund_amount(), 900);
    assert_eq!(rejected.status(), Status::Quarantined, "until it is back");
    let again = desk.reject(&key(), "anna", &items).await.unwrap();
    assert_eq!(
        again.payment.pending_refund_amount(),
        900,
        "nothing is left"
    );
    assert_eq!(world.refunds().len(), 1);
    let refund_id = rejected.refunds()[0].refund_id().unwrap();
    assert!(refund_id.as_str().starts_with("rejected-"));
    let back = r#"{"project_id":211,"payment":{"id":"order-1","status":"refunded","merchant_refund_id":"REFUND","sum":{"amount":0,"currency":"EUR"}},
        "operation":{"id":8,"type":"refund","status":"success","sum_initial":{"amount":900,"currency":"EUR"}}}"#;
    world
        .hear_this(&back.replace("REFUND", refund_id.as_str()))
        .await;
    assert_eq!(world.status().await, Status::Refunded);
    let too_late = desk.reject(&key(), "anna", &items).await;
    assert!(
        matches!(too_late, Err(ReviewError::AlreadyRefunded)),
        "{too_late:?}"
    );
    let sent = world.sent();
    assert!(
        !sent.iter().any(|event| event.contains("payment.succeeded")),
        "{sent:?}"
    );
    assert!(
        sent.last().unwrap().contains("refund.succeeded"),
        "{sent:?}"
    );
}

/// The callback and the refund function publish the same event; the metric counts it once.
#[tokio::test]
async fn a_refund_is_counted_once_when_callback_and_refund_function_publish_it() {
    let this = "refunds::a_refund_is_counted_once_when_callback_and_refund_function_publish_it";
    if let Some(lines) = log_lines_of(this) {
        let rounds = lines.iter().filter(|line| line["round"].is_u64());
        let rounds: Vec<_> = rounds.map(|line| line["sent"].as_u64().unwrap()).collect();
        assert!(
            rounds.iter().all(|sent| (1..=2).contains(sent)),
            "{rounds:?}"
        );
        assert!(
            rounds.contains(&2),
            "both published it in none of {rounds:?}"
        );
        let counted = lines.iter().filter_map(|line| line["refunded"].as_u64());
        assert_eq!(counted.sum::<u64>(), rounds.len() as u64);
        return;
    }
    let succeeded = r#"{"project_id":211,"payment":{"id":"order-1","status":"partially refunded","merchant_refund_id":"r-1","sum":{"amount":1000,"currency":"EUR"}},
        "operation":{"id":8,"type":"refund","status":"success","sum_initial":{"amount":400,"currency":"EUR"}}}"#;
    for round in 0..60 {
        let world = World::paid(&[accepted("sale"), accepted("refund")]).await;
        // The callback comes some moments after the request, or after Gate's answer to it.
        let callback = async {
            while world.refunds().is_empty() {
                tokio::task::yield_now().await;
            }
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            world.published(succeeded).await
        };
        let (refunded, published) = tokio::join!(world.refund("r-1", 400), callback);
        refunded.unwrap();
        // The callback function counts what its call published.
        let is_refund = |kind: &&EventKind| **kind == EventKind::RefundSucceeded;
        let counted = published.iter().filter(is_refund).count();
        let events = world.sent();
        let sent = events
            .iter()
            .filter(|one| one.ends_with("refund.succeeded"))
            .count();
        println!(r#"{{"round":{round},"refunded":{counted},"sent":{sent}}}"#);
    }
}

/// What the platform asks for a refund goes to it by the same request as for a sale.
#[tokio::test]
async fn a_refund_that_asks_for_data_is_answered_once_each_time_it_asks() {
    let asks = r#"{"project_id":211,"payment":{"id":"order-1","status":"success","date":"2027-01-15T08:01:00+0000","merchant_refund_id":"r-1","sum":{"amount":1000,"currency":"EUR"}},
        "operation":{"id":8,"type":"refund","status":"awaiting clarification","date":"2027-01-15T08:01:00+0000","sum_initial":{"amount":400,"currency":"EUR"}},
        "clarification_fields":{"account":["number"]}}"#;
    let answers = [
        accepted("sale"),
        accepted("r"),
        Answer::Unclear,
        refused("2004"),
        accepted("c"),
    ];
    let world = World::paid(&answers).await;
    world.refund("r-1", 400).await.unwrap();
    world.hear_this(asks).await;
    let fields = async || {
        let payment = world.payment().await;
        let waiting = payment.clarification_request_of(&payment.refunds()[0]);
        waiting.map_or(0, |waiting| waiting.clarification_fields().len())
    };
    let answer = async |name: &str| {
        let payment = world.payment().await;
        let asked = payment.clarification_request_of(&payment.refunds()[0]);
        let answers = [(name.to_owned(), Text::new("BE68539007547034").unwrap())];
        clarify(
            &world.payments,
            &world.gate,
            &world.keyring,
            &payment,
            asked,
            &answers,
        )
        .await
    };
    use ClarificationError::{NoAnswer, NotRequested, Refused};
    assert_eq!(fields().await, 1);
    assert!(matches!(answer("customer.email").await, Err(NotRequested)));
    assert!(matches!(answer("account.number").await, Err(NoAnswer)));
    assert!(matches!(answer("account.number").await, Err(Refused(code)) if code == "2004"));
    assert_eq!(fields().await, 1, "still asked");
    answer("account.number").await.unwrap();
    assert_eq!(fields().await, 0);
    assert!(matches!(answer("account.number").await, Err(NotRequested)));
    world.hear_this(asks).await;
    assert_eq!(fields().await, 0, "the same report again asks nothing");
    world.hear_this(&asks.replace("08:01:00", "08:01:05")).await;
    assert_eq!(fields().await, 1);

    let payment = world.payment().await;
    assert_eq!(payment.refunds()[0].status(), RefundStatus::Pending);
    assert_eq!(
        payment.status(),
        Status::Succeeded,
        "the sale is not touched"
    );
    assert!(payment.clarification_request().is_none());
    let sent = world.sent();
    let pending = sent.iter().filter(|one| one.ends_with("refund.pending"));
    assert_eq!(
        pending.count(),
        3,
        "one at the start, one each time it asks: {sent:?}"
    );
}
