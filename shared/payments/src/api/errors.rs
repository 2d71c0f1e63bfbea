//! The problem document for each error of the services. A handler converts them with `?`.
//!
//! Any other error that keeps the service from an answer becomes a problem by
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
        Problem::unavailable(error)
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
            Rejection::OtherContent => {
                Problem::conflict("This refund_id was used for another refund.")
            }
            Rejection::NotRefundable | Rejection::NoMoney => {
                Problem::conflict("The payment cannot be refunded in its present status.")
            }
            Rejection::TooMany => {
                Problem::conflict("The payment has as many refunds as can be kept of one.")
            }
            Rejection::MoreThanLeft(left) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "more-than-left",
                "More than what is left",
                format!("At most {left} minor units can be refunded; nothing was sent."),
            ),
            Rejection::NoAddress => Problem::invalid(vec![FieldProblem {
                pointer: "/customer/ip_address".into(),
                code: "missing",
                detail: "is required, as the checkout's is not known".into(),
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
            ClarificationError::Refused(code) => Problem::platform_refused(&code),
            // The adapter of Gate has logged the reason.
            ClarificationError::NoAnswer => Problem::temporary(),
            ClarificationError::Unavailable(error) => error.into(),
        }
    }
}
