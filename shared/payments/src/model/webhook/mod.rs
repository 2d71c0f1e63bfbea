//! Defines what is posted to a storefront's endpoint, and to which addresses it may be posted.
//!
//! | module | holds |
//! | --- | --- |
//! | [`signature`] | the secrets of endpoints, and the signature of an event |
//! | [`url`] | the URL of an endpoint |
//! | [`address`] | which IP addresses are public |

pub mod address;
pub mod signature;
pub mod url;

pub use self::signature::{MasterSecret, SignedEvent, WebhookSecret};
pub use self::url::{EndpointUrl, EndpointUrlError, LoopbackHosts};
