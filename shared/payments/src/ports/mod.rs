//! Defines the ports: the traits between the use cases and the outside world. The crate `aws` implements the ports, and
//! tests have implementations in memory.
//!
//! | port | guarantee |
//! | --- | --- |
//! | [`PaymentStore`] | a commit is atomic and conditional; a read of an index is eventually consistent |
//! | [`StorefrontStore`] | a revoked key is unknown from the next read on |
//! | [`ProgressStore`] | progress never moves back |
//! | [`RunStore`] | the first content of a key stays |
//! | [`EventQueue`] | an accepted event is delivered at least once |
//! | [`WorkQueue`] | none: a message can be lost, or delivered twice or late |
//! | [`Gate`] | none: a request can reach the platform although its answer is lost |
//! | [`DataApi`] | none: the platform's list can change between the calls for two pages |
//! | [`WebhookSender`] | none: an event can reach the endpoint although its answer is lost |
//! | [`EndpointStore`] | a removed endpoint is unknown from the next read on |
//! | [`DeliveryStore`] | each write of a backlog item is conditional; a read of the index of waiting payments is eventually consistent |
//! | [`DeliveryQueue`] | an accepted message is delivered at least once, in the order of its group |
//! | [`Clock`] | none: the time of different machines can differ |

mod clock;
mod daily_run;
mod payment_store;
mod platform;
mod progress_store;
mod queue;
mod store_error;
mod storefront_store;
mod webhook_queue;
mod webhook_sender;
mod webhook_store;
mod work_queue;

pub use self::clock::{Clock, SystemClock};
pub use self::daily_run::{DayPart, Part, Run, RunStore};
pub use self::payment_store::{
    Commit, CommitError, Committed, Due, Index, PaymentStore, SHARDS, Stored, TokenCheckout,
};
pub use self::platform::{DataApi, Gate, NoAnswer};
pub use self::progress_store::{Daily, ProgressStore};
pub use self::queue::{EventQueue, SendError};
pub use self::store_error::StoreError;
pub use self::storefront_store::StorefrontStore;
pub use self::webhook_queue::{
    Delivery, DeliveryMessage, DeliveryQueue, FIRST_TRY_GROUPS, FirstTry, RETRY_GROUPS, Retry,
    RetryAction, retry_group,
};
pub use self::webhook_sender::{DeliveryOutcome, WebhookSender};
pub use self::webhook_store::{
    DeadLetter, DeliveryStore, EndpointEntry, EndpointStore, Listed, Replaced, Waiting,
};
pub use self::work_queue::{Work, WorkMessage, WorkQueue, WorkQueueError};
