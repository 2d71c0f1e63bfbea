//! Makes the signed link to the platform's Payment Page.
//!
//! The signature covers all parameters except `frame_mode`. The values are signed before they are percent-encoded.
//!
//! The payment exists at the platform only after the customer has confirmed the payment on the page. The result arrives
//! by callback, as with Gate.

mod link;
mod page;
mod parameters;

pub use link::{LinkError, PAYMENT_PAGE, link};
pub use page::PaymentPage;
pub use parameters::{NumberParameter, TextParameter};
