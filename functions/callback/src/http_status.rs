//! Selects the HTTP status of the answer to a callback.

use ecommpay::json::JsonError;
use lambda_http::http::StatusCode;
use payments::service::callback::{Outcome, Refusal};

/// Returns the HTTP status for an outcome. After every status except 200, the platform repeats the callback. The answer
/// has no body, because an attacker should learn only the status.
pub fn http_status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Applied
        | Outcome::Duplicate
        | Outcome::Hint
        | Outcome::NoPayment
        | Outcome::NotACallback => StatusCode::OK,
        Outcome::Refused(Refusal::Malformed(JsonError::TooLarge)) => StatusCode::PAYLOAD_TOO_LARGE,
        Outcome::Refused(Refusal::Malformed(_)) => StatusCode::BAD_REQUEST,
        Outcome::Refused(Refusal::Unsigned) => StatusCode::UNAUTHORIZED,
        Outcome::Refused(Refusal::ForeignProject) => StatusCode::FORBIDDEN,
        Outcome::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::NotCommitted | Outcome::NotPublished => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_the_status_that_the_platform_expects() {
        let refused = |error| Outcome::Refused(Refusal::Malformed(error));
        for (outcome, status) in [
            (Outcome::Applied, 200),
            (Outcome::Duplicate, 200),
            (Outcome::Hint, 200),
            (Outcome::NoPayment, 200),
            (Outcome::NotACallback, 200),
            (refused(JsonError::NotUtf8), 400),
            (refused(JsonError::TooLarge), 413),
            (Outcome::Refused(Refusal::Unsigned), 401),
            (Outcome::Refused(Refusal::ForeignProject), 403),
            (Outcome::NoKeys, 503),
            (Outcome::NotCommitted, 500),
            (Outcome::NotPublished, 500),
        ] {
            assert_eq!(http_status(outcome), status, "{}", outcome.as_str());
        }
    }
}
