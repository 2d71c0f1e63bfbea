//! Defines what is posted to a storefront's endpoint, and to which addresses it may be posted.
//!
//! | module | holds |
//! | --- | --- |
//! | [`signature`] | the secrets of endpoints, and the signature of an event |

pub mod signature;

pub use self::signature::{MasterSecret, SignedEvent, WebhookSecret};
