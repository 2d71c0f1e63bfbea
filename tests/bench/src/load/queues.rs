//! Replaces the queues: accepts all messages, and stores what the checks need.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::events::EventKind;
use payments::sha256;
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::Plan;
use crate::settings::PROJECT;

#[derive(Debug, Default)]
pub struct Queues {
    content: Mutex<Content>,
    /// For tests: the payment and the sequence number of an event that is accepted, but lost.
    lost: Option<(Plan, u32)>,
}

#[derive(Debug, Default)]
struct Content {
    /// The messages by queue and payment number, in the order of arrival, without repeats.
    groups: BTreeMap<(String, u32), Vec<Stored>>,
    accepted: u64,
    repeats: u64,
    invalid: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    message: Message,
    body: u64,
}

/// The part of a message that is compared with the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The sequence number of the event.
    pub sequence: u32,
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
    /// Returns empty queues that lose the event with this payment number and sequence number.
    pub fn losing(event: Option<(u32, u32)>) -> Self {
        Self {
            lost: event.map(|(number, sequence)| (Plan(number), sequence)),
            ..Self::default()
        }
    }

    /// Accepts any `SendMessage` call, and returns the answer. Stores an invalid message for the checks.
    pub fn accept(&self, body: &[u8]) -> Option<Value> {
        let read = read(body);
        let mut content = self.content();
        content.accepted += 1;
        let number = content.accepted;
        match read {
            Some((_, plan, stored)) if self.lost == Some((plan, stored.message.sequence)) => {}
            Some((queue, plan, stored)) => content.store(queue, plan, stored),
            None => {
                let text = String::from_utf8_lossy(body).into_owned();
                content.invalid.push(text);
            }
        }
        Some(json!({
            "MessageId": format!("{number:032}"),
            "MD5OfMessageBody": "not computed",
            "SequenceNumber": format!("{number:020}"),
        }))
    }

    /// Returns the messages of a payment in a queue, in the order of arrival and without repeats.
    pub fn group(&self, queue_url: &str, plan: Plan) -> Vec<Message> {
        let content = self.content();
        let group = content.groups.get(&(queue_url.to_owned(), plan.0));
        let messages = group.into_iter().flatten();
        messages.map(|stored| stored.message).collect()
    }

    /// Returns the number of messages in all queues, without repeats.
    pub fn messages(&self) -> usize {
        self.content().groups.values().map(Vec::len).sum()
    }

    /// Returns the number of repeats. A FIFO queue drops a message with the deduplication id of an earlier message.
    pub fn repeats(&self) -> u64 {
        self.content().repeats
    }

    /// Returns descriptions of the invalid messages. A message is invalid if it is not an event of a planned payment,
    /// if its group or deduplication id is wrong, or if it contradicts an earlier message.
    pub fn invalid(&self) -> Vec<String> {
        self.content().invalid.clone()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn store(&mut self, queue_url: String, plan: Plan, stored: Stored) {
        let group = self.groups.entry((queue_url, plan.0)).or_default();
        // Messages with the same sequence number have the same deduplication id.
        let same = |one: &&Stored| one.message.sequence == stored.message.sequence;
        match group.iter().find(same) {
            Some(first) if first.body == stored.body => self.repeats += 1,
            Some(_) => self.invalid.push(format!(
                "two different messages have the same sequence number: {plan:?} {stored:?}"
            )),
            None => group.push(stored),
        }
    }
}

/// Reads the queue, the payment and the message. Returns `None` if the message is not an event of a planned payment, or
/// if its group or deduplication id does not fit the event.
fn read(body: &[u8]) -> Option<(String, Plan, Stored)> {
    let sent: Sent = serde_json::from_slice(body).ok()?;
    let event: Event = serde_json::from_str(&sent.message_body).ok()?;
    let plan = Plan::of(&event.subject)?;
    let group = format!("{PROJECT}/{}", event.subject);
    let sequence = event.id.strip_prefix(&group)?.strip_prefix('/')?;
    let is_valid = sent.message_group_id == sha256::hex(group.as_bytes())
        && sent.message_deduplication_id == sha256::hex(event.id.as_bytes());
    let message = Message {
        sequence: sequence.parse().ok()?,
        kind: event.kind,
    };
    let mut hasher = DefaultHasher::new();
    sent.message_body.hash(&mut hasher);
    let body = hasher.finish();
    is_valid.then_some((sent.queue_url, plan, Stored { message, body }))
}
