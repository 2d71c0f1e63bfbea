//! Answers status requests.

use axum::response::Response;
use ecommpay::signature::SignError;

use crate::platform::faults::{Answer, NotFoundForm};
use crate::platform::messages::codes::{self, Code};
use crate::platform::messages::{self, signed_json};
use crate::platform::shared::Shared;

/// Returns the status answer about a payment. If the payment is unknown, or if `answer` sets an error, the answer is an
/// error in the form that the switch `not_found_form` sets.
pub fn answer(shared: &Shared, payment_id: &str, answer: Answer) -> Response {
    let state = shared.state();
    let form = state.faults.of(payment_id).not_found_form;
    let body = match (answer, state.records.payment(payment_id)) {
        (Answer::DetailsNotReceived, Some(_)) => {
            error(shared, payment_id, codes::DETAILS_NOT_RECEIVED, form)
        }
        (Answer::NotFound, _) | (_, None) => error(shared, payment_id, codes::NOT_FOUND, form),
        (_, Some(payment)) => messages::status(&shared.project, payment),
    };
    signed_json(body)
}

fn error(
    shared: &Shared,
    payment_id: &str,
    code: Code,
    form: NotFoundForm,
) -> Result<Vec<u8>, SignError> {
    let key = &shared.project.key;
    match form {
        NotFoundForm::Payment => messages::status_error(&shared.project, payment_id, code),
        NotFoundForm::TopLevel => messages::service_error(code, Some(key)),
        NotFoundForm::TopLevelUnsigned => messages::service_error(code, None),
    }
}
