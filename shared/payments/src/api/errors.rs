//! Converts the errors of the services into problem documents. Handlers convert all other errors with
//! [`map_err(Problem::unavailable)`](Problem::unavailable).

use http::StatusCode;

use super::problem::{FieldProblem, Problem};
use crate::decide::Rejection;
use crate::ports::StoreError;
use crate::service::checkout::CheckoutError;
use crate::service::clarification::ClarificationError;
use crate::service::error::ApplyError;
use crate::service::refund::RefundError;
use crate::service::storefront::Denied;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Problem::unavailable(error)
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(error) => error.into(),
            ApplyError::Contention => Problem::unavailable(error).caused_externally(),
            ApplyError::NeedsNewerRelease => Problem::unavailable(error),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Problem::unauthorized(),
            Denied::Scope => Problem::forbidden("The key lacks the scope for this call."),
            Denied::Store(error) => error.into(),
        }
    }
}

impl From<CheckoutError> for Problem {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::Conflict => {
                Problem::conflict("This payment_id was used for another payment.")
            }
            CheckoutError::Rejected(rejection) => rejection.into(),
            CheckoutError::Refused(code) => Problem::platform_refused(&code),
            CheckoutError::Unavailable(error) => error.into(),
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NotFound => Problem::not_found("There is no such payment."),
            RefundError::Rejected(rejection) => rejection.into(),
            RefundError::Unavailable(error) => error.into(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NeedsNewerRelease => ApplyError::NeedsNewerRelease.into(),
            Rejection::OtherContent => {
                Problem::conflict("This refund_id was used for another refund.")
            }
            Rejection::NotRefundable | Rejection::NoMoney => {
                Problem::conflict("The payment cannot be refunded in its current status.")
            }
            Rejection::TooMany | Rejection::TooManyDecisions => {
                Problem::conflict("The payment has the maximum number of refunds.")
            }
            Rejection::TooManyAttempts => Problem::conflict(
                "The payment has the maximum number of attempts. Use another payment_id.",
            ),
            Rejection::OtherSystem => Problem::conflict(
                "The platform has a payment of another system with this payment_id. Use another payment_id.",
            ),
            Rejection::MoreThanLeft(left) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "more-than-left",
                "More than the refundable amount",
                format!("At most {left} minor units can be refunded; nothing was sent."),
            ),
            Rejection::NoAddress => Problem::invalid(vec![FieldProblem {
                pointer: "/customer/ip_address".into(),
                code: "missing",
                detail: "is required, because the shopper's IP address is not known".into(),
            }]),
        }
    }
}

impl From<ClarificationError> for Problem {
    fn from(error: ClarificationError) -> Self {
        match error {
            ClarificationError::NotRequested => {
                Problem::conflict("The platform requests no data now.")
            }
            ClarificationError::NotSendable => Problem::conflict(
                "The service cannot send the requested data: no request to the platform can have these field names.",
            ),
            ClarificationError::TooManyTries => Problem::conflict(
                "The data was sent too often for the same fields, and the platform did not accept it.",
            ),
            ClarificationError::Refused(code) => Problem::platform_refused(&code),
            // The adapter of Gate has logged the reason.
            ClarificationError::NoAnswer => Problem::temporary().caused_externally(),
            ClarificationError::Unavailable(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::problem::ExternalCause;

    #[test]
    fn an_error_that_the_platform_or_other_requests_cause_has_an_external_cause() {
        let unreadable = ApplyError::Store(StoreError::Failed("the table".to_owned()));
        for (problem, expected) in [
            (Problem::from(ApplyError::Contention), true),
            (
                Problem::from(RefundError::Unavailable(ApplyError::Contention)),
                true,
            ),
            (Problem::from(ClarificationError::NoAnswer), true),
            (Problem::from(unreadable), false),
        ] {
            let response = problem.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let cause = response.extensions().get::<ExternalCause>();
            assert_eq!(cause.is_some(), expected);
        }
    }
}
