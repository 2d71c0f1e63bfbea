//! Compares the platform records with ours (reconciliation), in the parts of a run ([`super::daily_run`]).
//!
//! A reconciliation finds operations that only one side has, and operations whose status or amount differs. It has two
//! steps:
//! - `compare_list`: the platform's list of an interval of at most one hour is read page by page. Each listed operation
//!   is compared with the payment itself. The digests of the listed operations are stored, for each shard separately.
//! - `find_missing`: after all lists, the payments of each day are read, shard by shard. An operation of ours that ended
//!   in the interval is missing at the platform if the digests of its shard do not contain it.
//!
//! No part holds more than a page of payments and the digests of one shard in memory. Only a difference that remains
//! when the payment is loaded is applied as a fact.
//!
//! The platform lists an operation by the time of its completion. This time can differ by seconds from the date in the
//! reports about the operation. So the lists of a run cover a margin on both sides of its interval.

mod digest;
mod list;
mod missing;
mod platform_list;
mod span;
mod summary;

pub(crate) use self::list::MARGIN;
pub use self::span::Span;
pub use self::summary::Differences;
