//! The queues: they take everything, and remember of each message just what is checked in the end.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::events::EventKind;
use payments::sha256;
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::Plan;
use crate::world::PROJECT;

/// All queues.
#[derive(Debug, Default)]
pub struct Queues {
    content: Mutex<Content>,
    /// A fault for tests: messages with this event are answered and not kept.
    loses: Option<(Plan, u32)>,
}

#[derive(Debug, Default)]
struct Content {
    /// For each queue, what each payment's group has, by the payment's number.
    groups: BTreeMap<String, Vec<Vec<Kept>>>,
    taken: u64,
    repeats: u64,
    wrong: Vec<String>,
}

/// A message, and what tells its body from others.
#[derive(Debug, Clone, Copy)]
struct Kept {
    message: Message,
    body: u64,
}

/// What is checked of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The event's number within its payment.
    pub sequence: u32,
    /// What it announces.
    pub kind: EventKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    queue_url: String,
    message_body: String,
    message_group_id: String,
    message_deduplication_id: String,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    subject: String,
    #[serde(rename = "type")]
    kind: EventKind,
}

impl Queues {
    /// Empty queues, which lose that event of the payment of that number.
    pub fn losing(event: Option<(u32, u32)>) -> Self {
        Self {
            loses: event.map(|(number, sequence)| (Plan(number), sequence)),
            ..Self::default()
        }
    }

    /// Takes a `SendMessage`; whatever is wrong with it is told in the end.
    pub fn take(&self, body: &[u8]) -> Value {
        let read = read(body);
        let mut content = self.content();
        content.taken += 1;
        let number = content.taken;
        match read {
            Some((_, plan, kept)) if self.loses == Some((plan, kept.message.sequence)) => {}
            Some((queue, plan, kept)) => content.keep(queue, plan, kept),
            None => {
                let wrong = String::from_utf8_lossy(body).into_owned();
                content.wrong.push(wrong);
            }
        }
        json!({
            "MessageId": format!("{number:032}"),
            "MD5OfMessageBody": "not computed",
            "SequenceNumber": format!("{number:020}"),
        })
    }

    /// What a payment's group has in a queue, each message once, in the order in which they first came.
    pub fn group(&self, queue_url: &str, plan: Plan) -> Vec<Message> {
        let content = self.content();
        let groups = content.groups.get(queue_url);
        let group = groups.and_then(|groups| groups.get(plan.0 as usize));
        group
            .into_iter()
            .flatten()
            .map(|kept| kept.message)
            .collect()
    }

    /// How many messages all groups of all queues have.
    pub fn kept(&self) -> usize {
        let content = self.content();
        let groups = content.groups.values().flatten();
        groups.map(Vec::len).sum()
    }

    /// How many messages had the deduplication id of another one, so that a queue drops them.
    pub fn repeats(&self) -> u64 {
        self.content().repeats
    }

    /// Messages that are none, or not what a function may send.
    pub fn wrong(&self) -> Vec<String> {
        self.content().wrong.clone()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn keep(&mut self, queue_url: String, plan: Plan, kept: Kept) {
        let groups = self.groups.entry(queue_url).or_default();
        let place = plan.0 as usize;
        if groups.len() <= place {
            groups.resize_with(place + 1, Vec::new);
        }
        let Some(group) = groups.get_mut(place) else {
            return;
        };
        // The deduplication id is made of the payment and this number, and of nothing else.
        let same = |one: &&Kept| one.message.sequence == kept.message.sequence;
        match group.iter().find(same) {
            Some(first) if first.body == kept.body => self.repeats += 1,
            Some(_) => self
                .wrong
                .push(format!("two messages have one number: {plan:?} {kept:?}")),
            None => group.push(kept),
        }
    }
}

/// The queue, the payment and what is kept; `None` if the group or the deduplication id is not the event's.
fn read(body: &[u8]) -> Option<(String, Plan, Kept)> {
    let sent: Sent = serde_json::from_slice(body).ok()?;
    let event: Event = serde_json::from_str(&sent.message_body).ok()?;
    let plan = Plan::of(&event.subject)?;
    let group = format!("{PROJECT}/{}", event.subject);
    let sequence = event.id.strip_prefix(&group)?.strip_prefix('/')?;
    let is_right = sent.message_group_id == sha256::hex(group.as_bytes())
        && sent.message_deduplication_id == sha256::hex(event.id.as_bytes());
    let message = Message {
        sequence: sequence.parse().ok()?,
        kind: event.kind,
    };
    let mut hasher = DefaultHasher::new();
    sent.message_body.hash(&mut hasher);
    let body = hasher.finish();
    is_right.then_some((sent.queue_url, plan, Kept { message, body }))
}
