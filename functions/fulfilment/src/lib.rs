//! Implements the sample consumer of the `fulfilment` queue. It decides from the events of a payment whether to ship,
//! hold or take back the goods. The warehouse reads the stored actions as its instructions.
//!
//! SQS can deliver an event twice or late, and an operator can publish an event again months later. Therefore the
//! consumer stores the memory of each payment: the processed events with their actions, and the newest state. One
//! conditional write stores an event together with its action. After a crash before the write, SQS delivers the event
//! again. After a later crash, the event arrives again as a duplicate, which changes nothing.
//!
//! The crate is also a library, so that tests can run a consumer with these rules.

mod actions;
mod batch;
pub mod decide;
mod dynamodb;
pub mod event;
pub mod goods;
mod handler;
pub mod memory;
mod process;

pub use dynamodb::MemoryTable;
pub use handler::Fulfilment;
