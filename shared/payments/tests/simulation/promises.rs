//! What must hold after every step, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use payments::PaymentKey;
use payments::event::EventKind;
use payments::model::{Outcome, Payment, RefundStatus, Status};
use payments::ports::Stored;
use payments::schedule::{Next, Schedule};
use payments::view::{PaymentView, RefundView};

use crate::platform::{Account, Oddity};
use crate::world::{QUEUES, Store, wants};

#[derive(Default)]
pub struct Promises {
    before: BTreeMap<PaymentKey, Stored>,
    sent_seen: usize,
    /// The highest number that was sent first, by queue and payment.
    first_sent: BTreeMap<(usize, PaymentKey), u64>,
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
            for sequence in 1..=now.payment.sequence {
                assert!(
                    events.contains_key(&(key.clone(), sequence)),
                    "{key}: no event {sequence}"
                );
            }
            assert!(
                !events.contains_key(&(key.clone(), now.payment.sequence + 1)),
                "{key}: one event too many"
            );
            self.check_published(key, now, &events);
            check_state(&now.payment);
            if let Some(before) = before {
                check_step(before, now);
            }
            self.before.insert(key.clone(), now.clone());
        }
    }

    /// What is marked as sent was sent to everybody who wants it.
    fn check_published(
        &self,
        key: &PaymentKey,
        now: &Stored,
        events: &BTreeMap<(PaymentKey, u64), payments::event::Event>,
    ) {
        assert!(now.published <= now.payment.sequence);
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
                stored.published, stored.payment.sequence,
                "{key}: something is unsent"
            );
            let id = stored.payment.payment_id.to_ascii_lowercase();
            let account = accounts.get(&id);
            if let Some(account) = account {
                check_books(&stored.payment, account);
            }
            let oddity = account.map_or(Oddity::None, |account| account.oddity);
            check_announced(store, key, &stored.payment, oddity);
        }
        for id in accounts.keys() {
            let known = store.memory.rows.lock().unwrap();
            assert!(
                known
                    .values()
                    .any(|row| row.payment.payment_id.eq_ignore_ascii_case(id)),
                "{id}: sent before it was stored"
            );
        }
    }
}

/// What must hold of every state.
fn check_state(payment: &Payment) {
    let key = payment.key();
    let next = Schedule::default().next(payment);
    let is_open = payment.is_open() || payment.doubted.is_some();
    let is_right = match next {
        None => !is_open,
        Some(Next::Ask(_) | Next::Overdue(_)) => is_open,
        Some(Next::Erase(_)) => true,
    };
    assert!(is_right, "{key}: silent for ever, or asked for nothing");
    if payment.status().is_paid() {
        let order = payment.order.as_ref().unwrap();
        assert_eq!(payment.paid_amount(), order.amount.get(), "{key}");
    }
}

/// From one committed state to the next.
fn check_step(before: &Stored, now: &Stored) {
    let (was, is) = (&before.payment, &now.payment);
    let key = was.key();
    assert!(
        now.version >= before.version && now.published >= before.published,
        "{key}"
    );
    assert!(is.sequence >= was.sequence, "{key}");
    let money = |payment: &Payment| {
        let order = payment.order.as_ref();
        order.map(|order| (order.amount, order.currency, order.channel))
    };
    assert_eq!(money(is), money(was), "{key}: the order changed");
    let (was_status, is_status) = (was.status(), is.status());
    if is.attempt > was.attempt {
        assert_eq!(was_status, Status::Failed, "{key}: begun again");
        return;
    }
    assert!(
        !was_status.is_final() || is_status.is_final(),
        "{key}: {was_status:?} became {is_status:?}"
    );
    // Only the platform's signed word takes a success back.
    let is_taken_back = is.operations.values().any(|operation| operation.taken_back);
    let is_asked = is_status == Status::Quarantined && is.doubted.is_some();
    assert!(
        !was_status.is_paid() || is_status.is_paid() || is_taken_back || is_asked,
        "{key}: {was_status:?} became {is_status:?}"
    );
    assert!(
        is.paid_amount() >= was.paid_amount() || is_taken_back,
        "{key}"
    );
    assert!(is.refunded_amount() >= was.refunded_amount(), "{key}");
    for refund in &is.refunds {
        let Some(id) = &refund.refund_id else {
            continue;
        };
        if was.refund(id).is_none() {
            let held = is.refunded_amount() + is.pending_refund_amount();
            assert!(
                held <= is.paid_amount(),
                "{key}: {id} holds more than is left"
            );
        }
    }
}

/// Our ledger and the platform's.
fn check_books(payment: &Payment, account: &Account) {
    let key = payment.key();
    assert_eq!(payment.paid_amount(), account.paid(), "{key}: {account:?}");
    assert_eq!(
        payment.refunded_amount(),
        account.refunded(),
        "{key}: {account:?}"
    );
    let expected = match (account.paid(), account.refunded()) {
        _ if account.oddity == Oddity::MadeElsewhere => Status::Unmatched,
        (900, _) if account.oddity == Oddity::OtherAmount => Status::Quarantined,
        (0, _) => Status::Declined,
        (_, 0) => Status::Succeeded,
        (paid, refunded) if refunded < paid => Status::PartiallyRefunded,
        _ => Status::Refunded,
    };
    assert_eq!(payment.status(), expected, "{key}: {account:?}");
    assert_eq!(payment.doubted, None, "{key}: {account:?}");
    let mut intents = BTreeSet::new();
    for operation in account
        .operations
        .iter()
        .filter(|one| one.status == "success")
    {
        let is_first = operation
            .intent
            .as_ref()
            .is_none_or(|intent| intents.insert(intent));
        assert!(is_first, "{key}: given back twice: {account:?}");
    }
    for operation in &account.operations {
        let done = operation.status == "success";
        let Some(known) = payment.operations.get(&operation.id.to_string()) else {
            // Once the payment has ended, nobody asks about an attempt to pay that came to nothing.
            let is_failed_attempt = operation.kind == "sale" && !done;
            assert!(is_failed_attempt, "{key}: {operation:?}");
            continue;
        };
        assert_eq!(
            known.outcome == Outcome::Succeeded,
            done,
            "{key}: {operation:?}"
        );
        let Some(refund_id) = &operation.merchant_refund_id else {
            continue;
        };
        let of_this = |refund: &&payments::model::Refund| {
            refund.operation_id.as_deref() == Some(&operation.id.to_string())
        };
        let refunds: Vec<_> = payment.refunds.iter().filter(of_this).collect();
        assert_eq!(refunds.len(), 1, "{key}: {operation:?}");
        let ours = refunds[0].refund_id.as_ref().map(|id| id.as_str());
        assert_eq!(ours, Some(refund_id.as_str()), "{key}: {operation:?}");
        let status = if done {
            RefundStatus::Succeeded
        } else {
            RefundStatus::Declined
        };
        assert_eq!(refunds[0].status, status, "{key}: {operation:?}");
    }
}

/// Each outcome was announced once, and the last event agrees with the state.
fn check_announced(store: &Store, key: &PaymentKey, payment: &Payment, oddity: Oddity) {
    let events = store.memory.events.lock().unwrap();
    let own: Vec<_> = events
        .iter()
        .filter(|((of, _), _)| of == key)
        .map(|(_, event)| event)
        .collect();
    let times = |kind: EventKind| own.iter().filter(|event| event.kind == kind).count();
    let status = payment.status();
    // What a signed answer took back may have been announced before.
    if oddity != Oddity::Contradicted {
        let is = |which: bool| usize::from(which);
        assert_eq!(
            times(EventKind::PaymentSucceeded),
            is(status.is_paid()),
            "{key}"
        );
        assert!(times(EventKind::PaymentDeclined) <= 1, "{key}");
        let quarantined = times(EventKind::PaymentQuarantined);
        assert_eq!(quarantined, is(status == Status::Quarantined), "{key}");
        let unmatched = times(EventKind::PaymentUnmatched) > 0;
        assert_eq!(unmatched, status == Status::Unmatched, "{key}");
    }
    for refund in &payment.refunds {
        let view = serde_json::to_value(RefundView::new(refund)).unwrap();
        let is_this = |told: &serde_json::Value| match &refund.refund_id {
            Some(_) => told["refund_id"] == view["refund_id"],
            None => told["refund_id"].is_null() && told["operation_id"] == view["operation_id"],
        };
        for (kind, status) in [
            (EventKind::RefundSucceeded, RefundStatus::Succeeded),
            (EventKind::RefundDeclined, RefundStatus::Declined),
        ] {
            let told = own.iter().filter(|event| event.kind == kind);
            let told = told.filter(|event| {
                let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
                is_this(&body["data"]["refund"])
            });
            let expected = usize::from(refund.status == status);
            assert_eq!(told.count(), expected, "{key}: {kind:?} of {view}");
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
    // Whoever only reads the events knows what went back.
    let mut went_back: BTreeMap<String, u64> = BTreeMap::new();
    for event in own
        .iter()
        .filter(|event| event.kind == EventKind::RefundSucceeded)
    {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let refund = &body["data"]["refund"];
        let operation_id = refund["operation_id"].as_str().unwrap();
        went_back.insert(operation_id.into(), refund["amount"].as_u64().unwrap());
    }
    let has_sale = payment.has_taken_money() || payment.order.is_none();
    assert!(
        went_back.values().sum::<u64>() == payment.refunded_amount() || !has_sale,
        "{key}: {went_back:?}"
    );
    let last: serde_json::Value = serde_json::from_str(&own.last().unwrap().body).unwrap();
    let state = serde_json::to_value(PaymentView::new(payment)).unwrap();
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
