//! Defines the platform's interfaces: Gate and Data API.

use std::future::Future;

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use thiserror::Error;

use crate::model::timestamp::Timestamp;

/// Why a query has no usable answer of the platform.
#[derive(Debug, Error)]
pub enum NoAnswer {
    /// The platform refuses the signature of the query.
    #[error("the platform refuses the signature of the query")]
    SignatureRefused,
    /// The platform did not answer, or its answer cannot be used. The query may be repeated.
    #[error("the platform gave no usable answer: {0}")]
    Failed(String),
    /// The answer exceeds a limit of size. A repeat of the query would have the same result.
    #[error("the platform's answer is too large")]
    TooLarge,
}

/// The platform's Gate.
pub trait Gate {
    /// Posts a signed request that changes something at the platform. After any failure the answer is
    /// [`Answer::Unclear`], because the platform may have received the request.
    fn post(&self, path: &'static str, body: Vec<u8>) -> impl Future<Output = Answer> + Send;

    /// Posts a signed query that changes nothing. Returns the body of an answer with HTTP status 200. The
    /// caller verifies the signature of the body.
    fn query(
        &self,
        path: &'static str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, NoAnswer>> + Send;

    /// Reads the keys of a project again, because the platform refused a signature made with `known`. Returns the keys
    /// if the current key differs from the current key of `known`. If the keys cannot be read, returns an error.
    fn newer_keyring(
        &self,
        project_id: ProjectId,
        known: &Keyring,
    ) -> impl Future<Output = Result<Option<Keyring>, NoAnswer>> + Send {
        let _ = (project_id, known);
        async { Ok(None) }
    }
}

/// The platform's Data API, which lists the platform records.
pub trait DataApi {
    /// Returns a page of a project's operations that were completed from `from` to `to`. The page starts with operation
    /// number `offset`, counted from 0. A full page has [`PAGE`](ecommpay::data_api::PAGE) operations, and the last
    /// page has fewer. The platform numbers the operations anew for each call. So an operation that is added between
    /// two calls can move other operations to another page.
    fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> impl Future<Output = Result<Vec<ListedOperation>, NoAnswer>> + Send;
}
