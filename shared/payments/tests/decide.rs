//! What facts make of a payment: the corpus' callbacks in many orders, answers, and refunds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::time::Duration;

use ecommpay::answer::{Answer, Refusal};
use ecommpay::fields::{Currency, LastName, MinorUnits, ProjectId, Text};
use ecommpay::{Keyring, ProjectKey};
use payments::callback::{ProjectKeys, Verified, verify};
use payments::decide::{
    Change, Fact, RefundOrder, RefundRejection, claim_resend, create, decide, reserve_refund,
};
use payments::event::{Event, EventKind};
use payments::payment::{
    Channel, Customer, Order, Payment, Private, QuarantineReason, RefundStatus, Status,
};
use payments::{MerchantId, Timestamp};

const PAYMENT: &str = "ECT_TEST_1562051806691899";
const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_000);
/// Longer than a request is ever on its way.
const ABANDONED: Duration = Duration::from_secs(30);

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn id(id: &str) -> MerchantId {
    MerchantId::new(id).unwrap()
}

fn keys() -> ProjectKeys {
    let key = ProjectKey::new("test-secret-key").unwrap();
    [(ProjectId::new(211).unwrap(), Keyring::new(key, None))].into()
}

fn corpus(file: &str) -> Verified {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/callbacks");
    let body = std::fs::read(folder.join(format!("{file}.json"))).unwrap();
    verify(&body, &keys()).unwrap()
}

fn created() -> Change {
    let order = Order {
        storefront: "shop".into(),
        order_id: Some(id("order-1")),
        amount: MinorUnits::for_sale(1000).unwrap(),
        currency: Currency::Eur,
        channel: Channel::Gate,
        return_url: text("https://shop.example/thanks"),
        language: None,
        description: None,
        customer: Customer {
            id: text("canary-customer"),
            ip_address: text("192.0.2.77"),
            last_name: Some(LastName::new("Canaryname").unwrap()),
        },
        expires_at: NOW.after(Duration::from_secs(1800)),
        content: "content".into(),
    };
    create(ProjectId::new(211).unwrap(), &id(PAYMENT), order, NOW)
}

/// A payment with everything that was announced about it.
struct Story {
    payment: Payment,
    events: Vec<Event>,
}

impl Story {
    fn begin() -> Self {
        let Change { payment, events } = created();
        Self { payment, events }
    }

    fn take(&mut self, change: Option<Change>) -> &mut Self {
        if let Some(change) = change {
            self.payment = change.payment;
            self.events.extend(change.events);
        }
        self
    }

    fn hear(&mut self, file: &str) -> &mut Self {
        let Verified {
            report,
            digest,
            hint,
            ..
        } = corpus(file);
        let fact = if hint {
            Fact::Hint
        } else {
            Fact::Report {
                report: &report,
                digest: &digest,
            }
        };
        self.take(decide(Some(&self.payment), fact, NOW))
    }

    fn answered(&mut self, answer: &Answer) -> &mut Self {
        self.take(decide(Some(&self.payment), Fact::SaleAnswer(answer), NOW))
    }

    fn refund(&mut self, refund: &RefundOrder) -> Result<bool, RefundRejection> {
        let change = reserve_refund(&self.payment, refund, NOW)?;
        let reserved = change.is_some();
        self.take(change);
        Ok(reserved)
    }

    fn refund_answered(&mut self, refund_id: &str, answer: &Answer) -> &mut Self {
        let fact = Fact::RefundAnswer {
            refund_id: &id(refund_id),
            answer,
        };
        self.take(decide(Some(&self.payment), fact, NOW))
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }

    /// What must be the same in whatever order the facts came.
    fn outcome(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let payment = &self.payment;
        let mut refunds: Vec<_> = payment
            .refunds
            .iter()
            .map(|refund| (refund.operation_id.clone(), refund.amount, refund.status))
            .collect();
        refunds.sort_by(|left, right| left.0.cmp(&right.0));
        (
            payment.status(),
            refunds,
            payment.quarantine.clone(),
            payment.operations.clone(),
            payment.platform_status.clone(),
            payment.waiting().cloned(),
            payment.sale.clone(),
        )
    }
}

fn accepted(request_id: &str) -> Answer {
    Answer::Accepted {
        request_id: Some(request_id.into()),
    }
}

fn refused(code: &str) -> Answer {
    Answer::Refused(Refusal {
        code: code.into(),
        message: None,
    })
}

fn refund(refund_id: &str, amount: Option<u64>) -> RefundOrder {
    RefundOrder {
        refund_id: id(refund_id),
        amount,
        description: text("returned"),
        ip_address: None,
        content: format!("{amount:?}"),
    }
}

fn permutations(files: &[&'static str]) -> Vec<Vec<&'static str>> {
    if files.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for index in 0..files.len() {
        let mut others = files.to_vec();
        let first = others.remove(index);
        for mut rest in permutations(&others) {
            rest.insert(0, first);
            all.push(rest);
        }
    }
    all
}

#[test]
fn the_usual_way_is_announced_step_by_step() {
    let mut story = Story::begin();
    assert_eq!(story.payment.status(), Status::Created);
    story.answered(&accepted("r"));
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("redirect_get");
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    assert!(
        story
            .payment
            .redirect()
            .unwrap()
            .url
            .starts_with("https://bancontact.girogate.be/")
    );
    story
        .hear("sale_success")
        .hear("sale_success")
        .hear("sale_success_reordered");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "payment.awaiting_customer",
            "payment.succeeded"
        ]
    );
    let sequences: Vec<u64> = story.events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(story.events[2].id, format!("211/{PAYMENT}/3"));
}

/// One thing that is heard: a callback of the corpus, or Gate's answer to the sale.
const ANSWER: &str = "Gate's answer";

#[test]
fn any_order_of_the_same_facts_ends_the_same() {
    let sets: [&[&str]; 8] = [
        &[
            "processing",
            "redirect_get",
            "redirect_second_url",
            "sale_success",
            ANSWER,
        ],
        &[
            "sale_success",
            "refund_partial_1",
            "refund_partial_2_rest",
            "redirect_get",
        ],
        &[
            "sale_decline_customer",
            "success_after_decline",
            "redirect_get",
            "refund_partial_1",
        ],
        &[
            "clarification_last_name",
            "redirect_get",
            "sale_decline_timeout",
            "late_redirect_after_success",
        ],
        &[
            "awaiting_customer",
            "redirect_second_url",
            "success_after_decline",
            ANSWER,
        ],
        &[
            "sale_decline_customer",
            "redirect_second_url",
            "redirect_get",
            ANSWER,
        ],
        &["error_validation", "redirect_get", ANSWER],
        &[
            "sale_success",
            "refund_success",
            "refund_decline_amount",
            "amount_differs",
        ],
    ];
    for set in sets {
        let mut known = None;
        for order in permutations(set) {
            let mut story = Story::begin();
            let hear = |story: &mut Story, fact: &str| {
                let before = story.payment.status();
                match fact {
                    ANSWER => story.answered(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c")),
                    file => story.hear(file),
                };
                let after = story.payment.status();
                assert!(
                    !before.is_final() || after.is_final(),
                    "{order:?}: {before:?} became {after:?}"
                );
            };
            for fact in &order {
                hear(&mut story, fact);
            }
            let once = story.outcome();
            for fact in &order {
                hear(&mut story, fact);
            }
            assert_eq!(story.outcome(), once, "{order:?} twice");
            assert_eq!(
                &once,
                known.get_or_insert_with(|| story.outcome()),
                "{order:?}"
            );
            for kind in [
                "payment.created",
                "payment.succeeded",
                "payment.declined",
                "payment.failed",
            ] {
                let times = story.kinds().iter().filter(|told| **told == kind).count();
                assert!(times <= 1, "{order:?} told {kind} {times} times");
            }
            let sequences: Vec<u64> = story.events.iter().map(|event| event.sequence).collect();
            let gapless: Vec<u64> = (1..=sequences.len() as u64).collect();
            assert_eq!(sequences, gapless, "{order:?}");
            let last = story.events.last().unwrap();
            let status = serde_json::to_value(story.payment.status()).unwrap();
            let told: serde_json::Value = serde_json::from_str(&last.body).unwrap();
            let open = !story.payment.status().is_final();
            assert!(
                open || told["data"]["status"] == status,
                "{order:?} ended {status} but told {told}"
            );
        }
    }
}

#[test]
fn another_attempt_may_follow_a_decline_that_is_not_the_end() {
    let mut story = Story::begin();
    story.hear("awaiting_customer");
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("redirect_second_url");
    assert_eq!(story.payment.status(), Status::AwaitingCustomer);
    story.hear("success_after_decline");
    assert_eq!(
        story.kinds(),
        [
            "payment.created",
            "payment.awaiting_customer",
            "payment.succeeded"
        ]
    );
    assert!(!story.events[2].body.contains("late"));
}

#[test]
fn a_refund_is_announced_after_its_sale() {
    let mut story = Story::begin();
    story.hear("refund_partial_1");
    assert_eq!(story.kinds(), ["payment.created"]);
    story.hear("sale_success");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.succeeded", "refund.succeeded"]
    );
    assert_eq!(story.payment.status(), Status::PartiallyRefunded);
    assert_eq!(story.payment.refundable_amount(), 750);
}

#[test]
fn other_money_than_ordered_is_kept_apart() {
    for (file, reason) in [
        ("amount_differs", QuarantineReason::AmountDiffers),
        ("currency_differs", QuarantineReason::CurrencyDiffers),
    ] {
        let mut story = Story::begin();
        story.hear(file);
        assert_eq!(story.payment.status(), Status::Quarantined, "{file}");
        assert!(story.payment.quarantine.contains(&reason), "{file}");
        assert_eq!(
            story.kinds(),
            ["payment.created", "payment.quarantined"],
            "{file}"
        );
    }
}

#[test]
fn a_late_success_wins_and_says_so() {
    let mut story = Story::begin();
    story
        .hear("sale_decline_customer")
        .hear("success_after_decline");
    assert_eq!(
        story.kinds(),
        ["payment.created", "payment.declined", "payment.succeeded"]
    );
    assert!(story.events[2].body.contains("\"late\":true"));

    let mut story = Story::begin();
    story
        .hear("sale_success")
        .hear("late_decline_after_success");
    assert_eq!(story.payment.status(), Status::Succeeded);
    story.hear("sale_decline_customer");
    assert_eq!(story.payment.status(), Status::Succeeded);
    assert!(
        story.payment.check_at.is_some(),
        "the contradiction is to be asked about"
    );
}

#[test]
fn answers_that_leave_it_open_leave_it_open() {
    for answer in [
        Answer::Unclear,
        refused("3041"),
        refused("2147"),
        refused("3613"),
    ] {
        let mut story = Story::begin();
        story.answered(&answer);
        assert_eq!(story.payment.status(), Status::Processing, "{answer:?}");
        let again = claim_resend(&story.payment, ABANDONED, NOW).unwrap();
        assert_eq!(again.payment.status(), Status::Processing);
        assert!(again.events.is_empty());
        assert_eq!(claim_resend(&again.payment, ABANDONED, NOW), None);
    }
    // A refusal of what was sent before says nothing about the first request.
    let mut story = Story::begin();
    story.answered(&Answer::Unclear);
    let again = claim_resend(&story.payment, ABANDONED, NOW);
    story.take(again).answered(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Processing);

    let mut story = Story::begin();
    story.answered(&refused("2004"));
    assert_eq!(story.payment.status(), Status::Failed);
    assert_eq!(story.kinds(), ["payment.created", "payment.failed"]);
    assert_eq!(claim_resend(&story.payment, ABANDONED, NOW), None);
}

#[test]
fn a_sale_being_sent_is_sent_again_only_when_it_was_abandoned() {
    let payment = created().payment;
    assert_eq!(
        claim_resend(&payment, ABANDONED, NOW.after(ABANDONED / 2)),
        None
    );
    assert!(claim_resend(&payment, ABANDONED, NOW.after(ABANDONED)).is_some());
}

#[test]
fn an_error_counts_only_for_the_open_request() {
    let mut story = Story::begin();
    story.answered(&accepted("7e08d48c4f5da3692b65e5426f44ed36896e569c"));
    story.hear("error_duplicate_payment");
    assert_eq!(story.payment.status(), Status::Processing);
    story.hear("error_validation");
    assert_eq!(story.payment.status(), Status::Failed);

    let mut story = Story::begin();
    story
        .answered(&accepted("another"))
        .hear("error_validation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(story.payment.check_at.is_some());
}

#[test]
fn a_payment_nobody_created_is_kept_and_announced_once() {
    let Verified { report, digest, .. } = corpus("sale_success");
    let fact = Fact::Report {
        report: &report,
        digest: &digest,
    };
    let change = decide(None, fact, NOW).unwrap();
    assert_eq!(change.payment.status(), Status::Unmatched);
    assert_eq!(change.events.len(), 1);
    assert_eq!(change.events[0].kind, EventKind::PaymentUnmatched);
    assert_eq!(decide(Some(&change.payment), fact, NOW), None);
    assert_eq!(decide(None, Fact::Hint, NOW), None);
}

#[test]
fn money_of_a_payment_nobody_created_is_told_when_it_comes() {
    let hear = |payment: Option<&Payment>, file: &str| {
        let Verified { report, digest, .. } = corpus(file);
        decide(
            payment,
            Fact::Report {
                report: &report,
                digest: &digest,
            },
            NOW,
        )
        .unwrap()
    };
    let first = hear(None, "processing");
    let paid = hear(Some(&first.payment), "sale_success");
    assert_eq!(paid.events.len(), 1);
    assert!(paid.events[0].body.contains("\"paid_amount\":1000"));
    let refund = RefundOrder {
        ip_address: Some(Private(text("192.0.2.1"))),
        ..refund("r-1", None)
    };
    assert!(
        reserve_refund(&paid.payment, &refund, NOW)
            .unwrap()
            .is_some()
    );
    let nowhere = RefundOrder {
        ip_address: None,
        ..refund
    };
    assert_eq!(
        reserve_refund(&paid.payment, &nowhere, NOW),
        Err(RefundRejection::NoAddress)
    );
}

#[test]
fn a_success_that_names_no_sale_is_asked_about() {
    let mut story = Story::begin();
    story.hear("payment_confirmation");
    assert_eq!(story.payment.status(), Status::Processing);
    assert!(story.payment.check_at.is_some());
}

#[test]
fn refunds_never_exceed_what_is_left() {
    let mut story = Story::begin();
    assert_eq!(
        story.refund(&refund("r-0", None)),
        Err(RefundRejection::NotRefundable)
    );
    story.hear("sale_success");
    assert_eq!(story.refund(&refund("r-1", Some(400))), Ok(true));
    assert_eq!(
        story.refund(&refund("R-1", Some(400))),
        Ok(false),
        "the same again"
    );
    assert_eq!(
        story.refund(&refund("r-1", Some(500))),
        Err(RefundRejection::OtherContent)
    );
    assert_eq!(
        story.refund(&refund("r-2", Some(601))),
        Err(RefundRejection::MoreThanLeft(600))
    );
    assert_eq!(story.refund(&refund("r-2", None)), Ok(true));
    assert_eq!(story.payment.refund(&id("r-2")).unwrap().amount, 600);
    assert_eq!(
        story.refund(&refund("r-3", Some(1))),
        Err(RefundRejection::MoreThanLeft(0))
    );

    story.refund_answered("r-2", &refused("3060"));
    assert_eq!(story.payment.refundable_amount(), 600, "given back");
    story.refund_answered("r-1", &Answer::Unclear);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Unknown
    );
    assert_eq!(story.payment.refundable_amount(), 600, "still held");
    assert_eq!(
        story.kinds()[2..],
        [
            "refund.pending",
            "refund.pending",
            "refund.declined",
            "refund.unknown"
        ]
    );
}

#[test]
fn a_refund_is_recognised_by_its_request() {
    let mut story = Story::begin();
    story.hear("sale_success");
    story.refund(&refund("r-1", Some(250))).unwrap();
    // The callback is faster than the answer that names the request.
    story.hear("refund_partial_1");
    assert_eq!(
        story.payment.refunds.len(),
        2,
        "not ours as far as we can know"
    );
    story.refund_answered(
        "r-1",
        &accepted("9d11b2ca618ec3ba0f588af8af3c4fc9f5fa58f174"),
    );
    assert_eq!(story.payment.refunds.len(), 1);
    assert_eq!(
        story.payment.refund(&id("r-1")).unwrap().status,
        RefundStatus::Succeeded
    );
    assert_eq!(
        (
            story.payment.refunded_amount(),
            story.payment.pending_refund_amount()
        ),
        (250, 0)
    );
}

#[test]
fn events_hold_no_personal_data() {
    let mut story = Story::begin();
    story
        .answered(&accepted("r"))
        .hear("sale_success_account")
        .hear("refund_partial_1");
    for event in &story.events {
        for canary in ["Canaryname", "canary-customer", "192.0.2.77", "Johnson"] {
            assert!(!event.body.contains(canary), "{canary} in {}", event.body);
        }
    }
    assert!(!format!("{:?}", story.payment).contains("Canaryname"));
}
