//! Defines the sender of events to the endpoints of storefronts.

use std::fmt;
use std::future::Future;

use crate::model::webhook::{EndpointUrl, SignedEvent};

/// How one try to deliver an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The endpoint accepted the event with this 2xx status.
    Delivered(u16),
    /// The endpoint answered 410: it wants no events any more.
    Gone,
    /// The endpoint answered with this other status. Redirects are not followed.
    Refused(u16),
    /// The endpoint gave no answer in time.
    Timeout,
    /// The host has no address.
    Dns,
    /// The host, or one of its addresses, is not allowed. Nothing was sent.
    ForbiddenAddress,
    /// No address of the host accepted a connection.
    Connect,
    /// There is no TLS connection, for example because the certificate is not valid for the host.
    Tls,
    /// The connection ended before the answer.
    Cut,
    /// The answer is not HTTP/1.1, or its headers are too large.
    InvalidAnswer,
}

impl DeliveryOutcome {
    /// Returns the outcome of an answer with this HTTP status.
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered(status),
            410 => Self::Gone,
            _ => Self::Refused(status),
        }
    }

    /// Whether the endpoint accepted the event.
    pub fn is_delivered(self) -> bool {
        matches!(self, Self::Delivered(_))
    }

    /// Returns the HTTP status of the answer; `None` without an answer.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Delivered(status) | Self::Refused(status) => Some(status),
            Self::Gone => Some(410),
            _ => None,
        }
    }

    /// Returns the name of the outcome in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Gone => "gone",
            Self::Refused(_) => "refused",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::ForbiddenAddress => "forbidden_address",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Cut => "cut",
            Self::InvalidAnswer => "invalid_answer",
        }
    }
}

/// Writes the name, and the status of a refusal, for example `refused 503`.
impl fmt::Display for DeliveryOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())?;
        match self {
            Self::Refused(status) => write!(formatter, " {status}"),
            _ => Ok(()),
        }
    }
}

/// Posts events to endpoints.
pub trait WebhookSender {
    /// Posts an event once. After any outcome except [`DeliveryOutcome::ForbiddenAddress`] and
    /// [`DeliveryOutcome::Dns`], the endpoint has possibly received the event.
    fn send(
        &self,
        url: &EndpointUrl,
        event: &SignedEvent,
    ) -> impl Future<Output = DeliveryOutcome> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_2xx_status_delivers_an_event() {
        for (status, outcome) in [
            (200, DeliveryOutcome::Delivered(200)),
            (204, DeliveryOutcome::Delivered(204)),
            (299, DeliveryOutcome::Delivered(299)),
            (101, DeliveryOutcome::Refused(101)),
            (302, DeliveryOutcome::Refused(302)),
            (404, DeliveryOutcome::Refused(404)),
            (410, DeliveryOutcome::Gone),
            (500, DeliveryOutcome::Refused(500)),
            (999, DeliveryOutcome::Refused(999)),
        ] {
            assert_eq!(DeliveryOutcome::of_status(status), outcome);
            assert_eq!(outcome.status(), Some(status));
            assert_eq!(outcome.is_delivered(), (200..300).contains(&status));
        }
    }

    #[test]
    fn an_outcome_is_shown_with_the_status_of_a_refusal() {
        for (outcome, text) in [
            (DeliveryOutcome::Delivered(204), "delivered"),
            (DeliveryOutcome::Refused(503), "refused 503"),
            (DeliveryOutcome::ForbiddenAddress, "forbidden_address"),
        ] {
            assert_eq!(outcome.to_string(), text);
        }
    }
}
