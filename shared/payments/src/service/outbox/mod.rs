//! Publishes the outbox: sends committed events to the queues (`shared/decisions/state/0001-outbox.md`).
//!
//! The outbox is published in pages of at most 10 events. A page is marked as published after every queue has
//! accepted its events. After a crash before the mark, the page is sent again. No event is lost, and the order does
//! not change. FIFO queues drop a repeat within five minutes, and consumers drop a later repeat by the event's id.
//!
//! Each queue receives the events of a payment one at a time, the oldest first. After a failed send, a queue receives
//! no further event of this call. Different queues receive events in parallel.
//!
//! A request publishes at most two pages. The outbox sweep ([`crate::service::sweep`]) publishes the rest.
//!
//! A stored event that cannot be read counts as published, so that it does not stop later events. The adapter of the
//! store logs the item. An operator repairs the item and sends its event with `republish`.

mod paid_twice;
mod publish;
mod read_events;
pub mod republish;
mod send;

pub(crate) use self::publish::PublishLimit;
pub use self::read_events::{ReadEvents, pages, read_events};
