//! The answers to status requests.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::codes::{self, Code};
use super::faults::{Answer, NotFoundForm};
use super::{Shared, messages};

/// The answer about a payment, as it is or as switched.
pub fn answer(shared: &Shared, payment_id: &str, kind: Answer) -> Response {
    let state = shared.state();
    let form = state.faults.of(payment_id).not_found_form;
    let body = match (kind, state.records.payment(payment_id)) {
        (Answer::DetailsNotReceived, Some(_)) => {
            without(shared, payment_id, codes::DETAILS_NOT_RECEIVED, form)
        }
        (Answer::NotFound, _) | (_, None) => without(shared, payment_id, codes::NOT_FOUND, form),
        (_, Some(payment)) => messages::status(&shared.project, payment),
    };
    match body {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An answer that says nothing about a payment.
fn without(
    shared: &Shared,
    payment_id: &str,
    code: Code,
    form: NotFoundForm,
) -> Result<Vec<u8>, ecommpay::signature::SignError> {
    let key = &shared.project.key;
    match form {
        NotFoundForm::Payment => messages::status_error(&shared.project, payment_id, code),
        NotFoundForm::TopLevel => messages::service_error(code, Some(key)),
        NotFoundForm::TopLevelUnsigned => messages::service_error(code, None),
    }
}
