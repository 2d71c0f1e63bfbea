//! What must hold after every step, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use payments::PaymentKey;
use payments::events::view::{PaymentView, RefundView};
use payments::events::{Event, EventKind};
use payments::model::schedule::{Next, Schedule};
use payments::model::{Evidence, Outcome, Payment, RefundStatus, Status, Verdict};
use payments::ports::Stored;

use crate::platform::{Account, Story};
use crate::world::{QUEUES, Store, wants};

#[derive(Default)]
pub struct Promises {
    before: BTreeMap<PaymentKey, Stored>,
    sent_seen: usize,
    /// The highest number that was sent first, by queue and payment.
    first_sent: BTreeMap<(usize, PaymentKey), u64>,
    /// Every change of a status that was seen.
    pub transitions: BTreeSet<(Status, Status)>,
}

impl Promises {
    /// Checks what has changed since the last call.
    pub fn check(&mut self, store: &Store) {
        let events = store.memory.events.lock().unwrap();
        for sent in store.world.sent_after(self.sent_seen) {
            self.sent_seen += 1;
            let event = &sent.event;
            let stored = events.get(&(event.key.clone(), event.sequence));
            assert_eq!(stored, Some(event), "sent, but not what was committed");
            let last = self
                .first_sent
                .entry((sent.queue, event.key.clone()))
                .or_default();
            if event.sequence > *last {
                for skipped in *last + 1..event.sequence {
                    let skipped = &events[&(event.key.clone(), skipped)];
                    assert!(
                        !wants(sent.queue, skipped.kind),
                        "{} was passed by",
                        skipped.id
                    );
                }
                *last = event.sequence;
            }
        }
        for (key, now) in store.memory.rows.lock().unwrap().iter() {
            let before = self.before.get(key);
            if before == Some(now) {
                continue;
            }
            for sequence in 1..=now.payment.sequence() {
                assert!(
                    events.contains_key(&(key.clone(), sequence)),
                    "{key}: no event {sequence}"
                );
            }
            assert!(
                !events.contains_key(&(key.clone(), now.payment.sequence() + 1)),
                "{key}: one event too many"
            );
            self.check_published(key, now, &events);
            check_state(&now.payment);
            if let Some(before) = before {
                check_step(before, now);
                let change = (before.payment.status(), now.payment.status());
                if change.0 != change.1 {
                    self.transitions.insert(change);
                }
            }
            self.before.insert(key.clone(), now.clone());
        }
    }

    /// What is marked as sent was sent to everybody who wants it.
    fn check_published(
        &self,
        key: &PaymentKey,
        now: &Stored,
        events: &BTreeMap<(PaymentKey, u64), payments::events::Event>,
    ) {
        assert!(now.published <= now.payment.sequence());
        for queue in 0..QUEUES {
            let first_sent = self
                .first_sent
                .get(&(queue, key.clone()))
                .copied()
                .unwrap_or(0);
            for sequence in first_sent + 1..=now.published {
                let event = &events[&(key.clone(), sequence)];
                assert!(
                    !wants(queue, event.kind),
                    "{} is marked and was not sent",
                    event.id
                );
            }
        }
    }

    /// What must hold when nothing goes wrong any more and everything was delivered.
    pub fn check_end(&mut self, store: &Store, accounts: &BTreeMap<String, Account>) {
        self.check(store);
        for (key, stored) in store.memory.rows.lock().unwrap().iter() {
            assert_eq!(
                stored.published,
                stored.payment.sequence(),
                "{key}: something is unpublished"
            );
            let id = stored.payment.payment_id().to_ascii_lowercase();
            let account = accounts.get(&id);
            if let Some(account) = account {
                check_records(&stored.payment, account);
            }
            check_emitted(store, key, &stored.payment, account);
        }
        for id in accounts.keys() {
            let known = store.memory.rows.lock().unwrap();
            assert!(
                known
                    .values()
                    .any(|row| row.payment.payment_id().eq_ignore_ascii_case(id)),
                "{id}: sent before it was stored"
            );
        }
    }
}

/// What must hold of every state.
fn check_state(payment: &Payment) {
    let key = payment.key();
    let next = Schedule::default().next(payment);
    let is_open = payment.is_open() || payment.polling().needs_recheck();
    let is_right = match next {
        None => !is_open,
        Some(Next::Poll(_) | Next::Overdue(_)) => is_open,
        Some(Next::Expire(_) | Next::Erase(_)) => true,
    };
    assert!(is_right, "{key}: open for ever, or polled for nothing");
    let is_released = payment
        .decisions()
        .iter()
        .any(|one| one.verdict == Verdict::Released);
    if payment.status().is_paid() && !is_released && !payment.is_rejected() {
        let order = payment.order().unwrap();
        assert_eq!(
            payment.paid_amount(),
            order.amount.get(),
            "{key} {payment:#?}"
        );
    }
    let (paid, left) = (payment.paid_amount(), payment.refundable_amount());
    assert!(left <= paid, "{key}");
}

/// From one committed state to the next.
fn check_step(before: &Stored, now: &Stored) {
    let (was, is) = (&before.payment, &now.payment);
    let key = was.key();
    assert!(
        now.version >= before.version && now.published >= before.published,
        "{key}"
    );
    assert!(is.sequence() >= was.sequence(), "{key}");
    let money = |payment: &Payment| {
        let order = payment.order();
        order.map(|order| (order.amount, order.currency, order.channel))
    };
    assert_eq!(money(is), money(was), "{key}: the order changed");
    let (was_status, is_status) = (was.status(), is.status());
    if is.attempt().number() > was.attempt().number() {
        assert_eq!(was_status, Status::Failed, "{key}: next attempt");
        return;
    }
    // Only a confirmation turns what was final into something open again: by reports that
    // contradict each other, or whose order was changed on the way.
    let has = |kind: &str| is.operations().any(|(_, one)| one.kind().as_str() == kind);
    let is_confirmed_later = has("payment confirmation");
    let is_held = is.operations().any(|(_, one)| one.is_successful_sale());
    assert!(
        !was_status.is_final() || is_status.is_final() || is_confirmed_later || is_held,
        "{key}: {was_status:?} became {is_status:?}"
    );
    // Only the platform's signed answers, or a confirmation, withdraw a success.
    let is_overruled = is
        .operations()
        .any(|(_, one)| one.evidence() == Evidence::Overruled);
    let is_rechecked = is_status == Status::Quarantined && is.polling().needs_recheck();
    let is_signed = is_status == Status::Quarantined && is.polling().last_answered() > 0;
    assert!(
        !was_status.is_paid()
            || is_status.is_paid()
            || is_overruled
            || is_rechecked
            || is_signed
            || is_confirmed_later,
        "{key}: {was_status:?} became {is_status:?}"
    );
    let is_returned = has("refund reverse") || has("reversal");
    assert!(
        is.refunded_amount() >= was.refunded_amount() || is_returned,
        "{key}"
    );
    for refund in is.refunds() {
        let Some(id) = refund.refund_id() else {
            continue;
        };
        // Only of the very change that reserves it: later ones can report another refund.
        if was.refund(id).is_none() && now.version == before.version + 1 {
            let held = is.refunded_amount() + is.pending_refund_amount();
            assert!(
                held <= is.paid_amount(),
                "{key}: {id} holds more than is left"
            );
        }
    }
}

/// Our ledger and the platform's records, to the cent.
fn check_records(payment: &Payment, account: &Account) {
    let key = payment.key();
    let (came, went_back) = (account.came(), account.went_back());
    assert_eq!(
        payment.paid_amount(),
        came,
        "{key}: {account:#?} {payment:#?}"
    );
    assert_eq!(payment.refunded_amount(), went_back, "{key}: {account:#?}");
    let verdict = |verdict| payment.decisions().iter().any(|one| one.verdict == verdict);
    let (is_released, is_rejected) = (verdict(Verdict::Released), verdict(Verdict::Rejected));
    let by_money = match (came, went_back) {
        (0, _) => Status::Declined,
        (_, 0) => Status::Succeeded,
        (came, back) if back < came => Status::PartiallyRefunded,
        _ => Status::Refunded,
    };
    let expected: &[Status] = match account.story {
        Story::External => &[Status::Unmatched],
        story if story.differs() && came > 0 && is_released => &[by_money, Status::Quarantined],
        story if story.differs() && came > 0 && is_rejected => {
            &[Status::Refunded, Status::Quarantined]
        }
        story if story.differs() && came > 0 => &[Status::Quarantined],
        _ => &[by_money],
    };
    let status = payment.status();
    assert!(
        expected.contains(&status),
        "{key}: {status:?} {account:#?} {payment:#?}"
    );
    assert!(
        !payment.polling().needs_recheck(),
        "{key}: {account:#?} {payment:#?}"
    );
    let mut intents = BTreeSet::new();
    let operations = account.operations.iter();
    for operation in operations.filter(|one| one.status == "success" && one.gives_back()) {
        let is_first = operation
            .intent
            .as_ref()
            .is_none_or(|intent| intents.insert(intent));
        assert!(is_first, "{key}: given back twice: {account:?}");
    }
    for operation in account.operations.iter().filter(|one| !one.is_open()) {
        let is_done = operation.status == "success";
        let Some(known) = payment.operation(&operation.id.to_string()) else {
            // Once the payment has ended, nobody polls for an attempt to pay that came to nothing.
            let is_failed_attempt = operation.kind == "sale" && !is_done;
            assert!(is_failed_attempt, "{key}: {operation:?}");
            continue;
        };
        let is_known_done = known.outcome() == Outcome::Succeeded;
        assert_eq!(is_known_done, is_done, "{key}: {operation:?}");
        let Some(refund_id) = &operation.merchant_refund_id else {
            continue;
        };
        if !operation.gives_back() {
            continue;
        }
        let id = operation.id.to_string();
        let refunds = payment.refunds().iter();
        let refunds: Vec<_> = refunds
            .filter(|one| one.operation_id() == Some(&id))
            .collect();
        assert_eq!(refunds.len(), 1, "{key}: {operation:?}");
        let ours = refunds[0].refund_id().map(|id| id.as_str());
        assert_eq!(ours, Some(refund_id.as_str()), "{key}: {operation:?}");
        let expected: &[RefundStatus] = match is_done {
            true => &[RefundStatus::Succeeded, RefundStatus::Returned],
            false => &[RefundStatus::Declined],
        };
        assert!(
            expected.contains(&refunds[0].status()),
            "{key}: {operation:?}"
        );
    }
}

/// Each outcome was emitted once, and the last event agrees with the state.
fn check_emitted(store: &Store, key: &PaymentKey, payment: &Payment, account: Option<&Account>) {
    let events = store.memory.events.lock().unwrap();
    let own: Vec<_> = events
        .iter()
        .filter(|((of, _), _)| of == key)
        .map(|(_, event)| event)
        .collect();
    if own.is_empty() {
        return;
    }
    let times = |kind: EventKind| own.iter().filter(|event| event.kind == kind).count();
    let status = payment.status();
    let story = account.map_or(Story::Usual, |account| account.story);
    let is = usize::from;
    match story {
        // What a signed answer overruled, or a confirmation withdrew, may have been emitted before.
        Story::Contradicted => {}
        Story::Confirmed { .. } => {
            let was_credited = account.is_some_and(|account| account.was_credited);
            let succeeded = times(EventKind::PaymentSucceeded);
            assert!(
                was_credited || succeeded == 0,
                "{key}: {account:#?} {payment:#?}"
            );
        }
        _ => {
            let succeeded = times(EventKind::PaymentSucceeded);
            let is_paid = status.is_paid() && !payment.is_rejected();
            match story.differs() {
                // Only a release makes it paid; more may speak against it afterwards.
                true => {
                    let mut decisions = payment.decisions().iter();
                    let is_released = decisions.any(|one| one.verdict == Verdict::Released);
                    let was_whole = matches!(story, Story::SecondCharge | Story::UnknownOperation);
                    assert!(
                        succeeded == 0 || is_released || was_whole,
                        "{key}: {payment:#?}"
                    );
                }
                false => assert_eq!(succeeded, is(is_paid), "{key}: {account:#?}"),
            }
            assert!(times(EventKind::PaymentDeclined) <= 1, "{key}");
            let quarantined = times(EventKind::PaymentQuarantined);
            assert!(quarantined == 0 || story.differs(), "{key}");
            let unmatched = times(EventKind::PaymentUnmatched) > 0;
            assert_eq!(unmatched, status == Status::Unmatched, "{key}");
        }
    }
    assert!(
        times(EventKind::CheckoutExpired)
            <= 1 + own
                .iter()
                .filter(|one| one.kind == EventKind::PaymentFailed)
                .count(),
        "{key}"
    );
    for refund in payment.refunds() {
        let view = serde_json::to_value(RefundView::new(payment, refund)).unwrap();
        let is_this = |told: &serde_json::Value| match refund.refund_id() {
            Some(_) => told["refund_id"] == view["refund_id"],
            None => told["refund_id"].is_null() && told["operation_id"] == view["operation_id"],
        };
        for (kind, status) in [
            (EventKind::RefundSucceeded, RefundStatus::Succeeded),
            (EventKind::RefundDeclined, RefundStatus::Declined),
        ] {
            let bodies = own.iter().filter(|event| event.kind == kind).map(|event| {
                let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
                body["data"].clone()
            });
            let of_this = bodies.filter(|data| is_this(&data["refund"]));
            let (corrections, firsts): (Vec<_>, Vec<_>) =
                of_this.partition(|data| data["corrects"] == "refund.returned");
            let (all, firsts) = (corrections.len() + firsts.len(), firsts.len());
            let is_right = match refund.status() {
                current if current == status => all >= 1 && firsts <= 1,
                // One that was taken back may have been emitted as succeeded before.
                RefundStatus::Returned => firsts <= 1,
                _ => all == 0,
            };
            assert!(is_right, "{key}: {kind:?} of {view}: {all} {firsts}");
        }
    }
    let mut differences = BTreeSet::new();
    for event in &own {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let difference = (event.kind == EventKind::ReconciliationDifference).then(|| {
            let data = &body["data"];
            format!(
                "{} {}",
                data["operation"]["operation_id"], data["difference"]
            )
        });
        let is_new = difference.is_none_or(|difference| differences.insert(difference));
        assert!(is_new, "{key}: a difference is told twice: {body}");
    }
    check_refunds_by_events(key, payment, &own);
    let last: serde_json::Value = serde_json::from_str(&own.last().unwrap().body).unwrap();
    let at = payment.updated_at();
    let state = serde_json::to_value(PaymentView::new(payment, at)).unwrap();
    for name in [
        "status",
        "paid_amount",
        "refunded_amount",
        "refunds",
        "quarantine",
    ] {
        let (told, is) = (&last["data"][name], &state[name]);
        assert!(
            told == is || !status.is_final(),
            "{key}: {name} {told} is {is}"
        );
    }
}

/// Who only reads the events of refunds knows what went back.
fn check_refunds_by_events(key: &PaymentKey, payment: &Payment, own: &[&Event]) {
    let mut refunds: BTreeMap<String, (String, i64)> = BTreeMap::new();
    let of_refunds = own
        .iter()
        .filter(|event| event.kind.as_str().starts_with("refund."));
    for event in of_refunds {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let data = &body["data"];
        let refund = &data["refund"];
        let name = match refund["refund_id"].as_str() {
            Some(refund_id) => refund_id.to_owned(),
            None => format!("external {}", refund["operation_id"]),
        };
        let operations = data["operations"].as_array().unwrap().iter();
        let mut of_refund = operations.filter(|one| one["operation_id"] == refund["operation_id"]);
        let is_return = of_refund.any(|one| one["type"] == "refund reverse");
        let number = |field: &str| refund[field].as_i64().unwrap();
        let counts = match refund["status"].as_str().unwrap() {
            "returned" if is_return => -number("amount"),
            "succeeded" | "returned" => number("amount") - number("returned_amount"),
            _ => 0,
        };
        refunds.insert(name, (refund.to_string(), counts));
    }
    // What turned out to belong to another refund is no longer among the payment's.
    let is_known = |name: &str| {
        let mut refunds = payment.refunds().iter();
        refunds.any(|refund| match refund.refund_id() {
            Some(refund_id) => refund_id.as_str() == name,
            None => name == format!("external {:?}", refund.operation_id().unwrap()),
        })
    };
    let known = refunds.iter().filter(|(name, _)| is_known(name));
    let counted: i64 = known.map(|(_, (_, counts))| counts).sum();
    let has_sale = payment.has_money() || payment.order().is_none();
    let went_back = i64::try_from(payment.refunded_amount()).unwrap();
    let is_unconfirmed = payment
        .operations()
        .any(|(_, one)| one.kind().as_str() == "reversal");
    assert!(
        counted == went_back || !has_sale || is_unconfirmed,
        "{key}: {counted} {went_back} {refunds:#?}"
    );
}
