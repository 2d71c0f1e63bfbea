//! Compares the platform records with our records, in the parts of a run ([`super::daily_run`]).
//!
//! The comparison finds operations that only one side has, and operations whose outcome or amount differs. It has two
//! steps:
//! 1. `compare_list` reads the platform's list of at most one hour, page by page. It compares each listed operation
//!    with the payment, and stores the digest of the operation by shard.
//! 2. `find_missing` runs after all lists. It reads our payments of each day, shard by shard. If the digests of the
//!    shard lack an operation of ours that ended in the interval, the platform does not list this operation.
//!
//! No part needs more memory than a page of payments and the digests of one shard.
//!
//! The platform lists an operation by the time of its completion, which can differ by seconds from the date in its
//! reports. Therefore the lists of a run also cover a margin on both sides of the run's interval.

mod digest;
mod list;
mod missing;
mod platform_list;
mod span;
mod summary;

pub(crate) use self::list::MARGIN;
pub use self::span::Span;
pub use self::summary::Differences;
