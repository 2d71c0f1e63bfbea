//! Requests the status of a payment.
//!
//! Source ([list](crate::sources)): Gate, status.

use serde::Serialize;

use super::request::{General, Request};

/// `POST /v2/payment/status`: requests the status of a payment and its operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The project and the payment.
    pub general: General,
}

impl Request for Status {
    const PATH: &'static str = "/v2/payment/status";

    fn general_mut(&mut self) -> &mut General {
        &mut self.general
    }
}
