//! The signed link to the platform's Payment Page.
//!
//! The signature covers the values of all parameters except `frame_mode`, before they are percent-encoded.
//! Two links that differ in `frame_mode` only have the same signature.
//!
//! The payment exists at the platform only after the customer has confirmed it on the page. Its result
//! arrives by callback, as with Gate.

mod link;
mod page;
mod parameters;

pub use link::{LinkError, PAYMENT_PAGE, link};
pub use page::PaymentPage;
pub use parameters::{NumberParameter, TextParameter};
