//! Serves the routes of storefronts.
//!
//! | route | file |
//! | --- | --- |
//! | `POST /checkouts` | `create.rs` |
//! | `GET /payments/{payment_id}` | `payment.rs` |
//! | `POST /payments/{payment_id}/clarification` | `clarification.rs` |

mod clarification;
mod create;
mod payment;
mod prefer;
