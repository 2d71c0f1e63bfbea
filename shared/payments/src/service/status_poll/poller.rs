//! Defines the status poller and its dependencies.

use ecommpay::Keyring;
use ecommpay::fields::ProjectId;

use super::error::PollError;
use crate::service::checkout::token::TokenSecret;
use crate::service::commit::Payments;
use crate::service::project_keys::ProjectKeys;

/// Polls the platform, and repeats sales and refunds that never reached the platform.
#[derive(Debug)]
pub struct StatusPoller<'a, S, Q, C, G> {
    /// The use cases of payments.
    pub payments: &'a Payments<S, Q, C>,
    /// The platform's Gate.
    pub gate: &'a G,
    /// The keys of every project.
    pub keys: &'a ProjectKeys,
    /// The secret of checkout tokens.
    pub tokens: &'a TokenSecret,
    /// The public address of this service, without a trailing slash.
    pub base_url: &'a str,
}

impl<S, Q, C, G> StatusPoller<'_, S, Q, C, G> {
    pub(super) fn keyring(&self, project_id: ProjectId) -> Result<&Keyring, PollError> {
        self.keys.get(&project_id).ok_or(PollError::NoKey)
    }
}
