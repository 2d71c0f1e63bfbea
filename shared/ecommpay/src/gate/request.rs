//! Defines the trait of all requests, and the part `general` of each request.
//!
//! Sources ([list](crate::sources)): Gate, organisation; Gate API; Signature.

use serde::Serialize;

use crate::fields::{ProjectId, Text};
use crate::signature::keyring::ProjectKey;
use crate::signature::{self, SignError};

/// A request to Gate.
pub trait Request: Serialize {
    /// The path below the Gate host.
    const PATH: &'static str;

    /// Returns the part that holds the signature.
    fn general_mut(&mut self) -> &mut General;

    /// Returns the signed body.
    fn sign(self, key: &ProjectKey) -> Result<Vec<u8>, SignError>
    where
        Self: Sized,
    {
        signature::signed_request(self, key, |request, signature| {
            request.general_mut().signature = Some(signature);
        })
    }
}

/// The part of every request that names the payment and holds the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct General {
    /// The project that accepts the payment.
    pub project_id: ProjectId,
    /// The payment's id, unique in the project. The platform compares ids without case.
    pub payment_id: Text,
    /// The address for the callbacks of this payment. This address replaces the project's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_callback_url: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl General {
    /// Creates an unsigned part that names a payment.
    pub fn new(project_id: ProjectId, payment_id: Text) -> Self {
        Self {
            project_id,
            payment_id,
            merchant_callback_url: None,
            signature: None,
        }
    }
}
