//! The outbox: publishes committed events to the queues (`shared/decisions/state/0001-outbox.md`).
//!
//! Events are published oldest first, and one at a time to each queue. The queues work in parallel; a queue
//! stops at its first failure. The events are marked as published only after every queue has accepted them. A
//! crash in between leads to a repeat, never to a loss or to another order. FIFO queues drop a repeat within
//! five minutes; consumers drop it by the event's id. The outbox sweep ([`crate::service::sweep::outbox`])
//! finds payments whose outbox no call has emptied.

mod paid_twice;
mod publish;
pub mod republish;
mod send;
