//! Publishes the outbox: sends committed events to the queues (`shared/decisions/state/0001-outbox.md`).
//!
//! The outbox is published in pages of at most 10 events. A page is sent, and then marked as published. So each page is
//! progress that a crash or a time-out cannot undo, and only one page is in memory. A request publishes at most two
//! pages. The outbox sweep ([`crate::service::sweep`]) publishes the remaining events.
//!
//! Each queue receives the events of a payment one at a time, oldest first. The queues receive events in parallel.
//! After a failed send, the queue receives no further event of this call. The events of a page are marked as published
//! only after every queue has accepted all events of its types. After a crash before the mark, the events of the page
//! are sent again. No event is lost, and the order does not change. FIFO queues drop a repeat within five minutes, and
//! consumers drop a later repeat by the event's id. The sweep finds payments whose outbox still has events.
//!
//! A stored event that cannot be read counts as published, so that it stops no later event of its payment. The adapter
//! of the store logs the item. An operator repairs the item and then sends the event with `republish`.

mod paid_twice;
mod publish;
mod read_events;
pub mod republish;
mod send;

pub(crate) use self::publish::PublishLimit;
pub use self::read_events::{ReadEvents, pages, read_events};
