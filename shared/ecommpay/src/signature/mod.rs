//! Computes the canonical string of a message and its HMAC-SHA-512 signature.
//!
//! Every scalar has one line `path:value`. The lines are sorted in the natural order of their paths and
//! joined with `;`. The path consists of the keys and indices from the top level, joined with `:`.
//!
//! - Empty arrays and objects have no line.
//! - `null` and the empty string have a line without a value.
//! - `true` is `1` and `false` is `0`.
//! - A colon inside a key is doubled.
//! - The keys `signature` and `frame_mode` are left out at every depth, with everything below them.
//!
//! Source ([list](crate::sources)): Signature.

mod canonical;
mod digest;
pub mod keyring;
mod lines;
pub mod path_order;
mod php_number;
mod reframing;
mod sign;
mod verify;

pub use canonical::{canonical, canonical_as_php};
pub use digest::Signature;
pub(crate) use lines::is_signed;
pub use reframing::may_be_reframed;
pub(crate) use sign::signed_request;
pub use sign::{SignError, canonical_of, canonical_to_sign};
pub use verify::{SignedForms, of_message, verify};
