//! Describes failed calls for the log.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Describes a failed call by its stage, and by the code and the message of the service. The SDK's own description can
/// contain the answer, with data that must not be logged.
pub fn describe<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let stage = match error {
        SdkError::ConstructionFailure(_) => "the request could not be created",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "the answer could not be read",
        _ => "the service refused",
    };
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{stage}: {code}: {message}"),
        (Some(code), None) => format!("{stage}: {code}"),
        _ => stage.to_owned(),
    }
}
