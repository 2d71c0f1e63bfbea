//! Defines the endpoints of storefronts, what is posted to them and when, and to which addresses it may be posted.
//!
//! | module | holds |
//! | --- | --- |
//! | [`endpoint`] | an endpoint, the events that it wants, and the versions of its secret |
//! | [`health`] | failures in a row, the breaker, and whether an endpoint is switched on |
//! | [`backlog`] | the events of a payment that wait for an endpoint |
//! | [`retry_schedule`] | when a failed event is tried again |
//! | [`signature`] | the secrets of endpoints, and the signature of an event |
//! | [`url`] | the URL of an endpoint |
//! | [`address`] | which IP addresses are public |

pub mod address;
pub mod backlog;
pub mod endpoint;
pub mod health;
pub mod retry_schedule;
pub mod signature;
pub mod url;

pub use self::backlog::{Backlog, Claim, Conclusion, End};
pub use self::endpoint::{Endpoint, EndpointId, EndpointKey, EndpointOwner, SecretVersions};
pub use self::health::{Admission, DisabledBy, EndpointState, Health, Reason};
pub use self::retry_schedule::RetrySchedule;
pub use self::signature::{MasterSecret, SignedEvent, WebhookSecret};
pub use self::url::{EndpointUrl, EndpointUrlError, LoopbackHosts};
