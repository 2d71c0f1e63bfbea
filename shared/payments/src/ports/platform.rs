//! Defines the platform's interfaces: Gate and Data API.

use std::future::Future;

use ecommpay::Keyring;
use ecommpay::answer::Answer;
use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;
use thiserror::Error;

use crate::model::timestamp::Timestamp;

/// Why a query has no usable answer.
#[derive(Debug, Error)]
pub enum NoAnswer {
    /// The platform refuses the signature of the query.
    #[error("the platform refuses the signature of the query")]
    SignatureRefused,
    /// The platform did not answer, or its answer is unusable. The caller can repeat the query.
    #[error("the platform gave no usable answer: {0}")]
    Failed(String),
    /// The answer exceeds a size limit. A repeat would have the same result.
    #[error("the platform's answer is too large")]
    TooLarge,
}

/// The platform's Gate.
pub trait Gate {
    /// Posts a signed request that changes something. After any failure, the answer is [`Answer::Unclear`], because it
    /// is unknown whether the platform received the request.
    fn post(&self, path: &'static str, body: Vec<u8>) -> impl Future<Output = Answer> + Send;

    /// Posts a signed query that changes nothing, and returns the body of an answer with HTTP status 200. The caller
    /// must verify the signature of the body.
    fn query(
        &self,
        path: &'static str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, NoAnswer>> + Send;

    /// Reads the keys of a project again, because the platform refused a signature with the keys `known`. Returns
    /// `None` if the current key is unchanged.
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
    /// Returns a page of a project's operations that were completed from `from` to `to`. The page starts with
    /// operation number `offset`, counted from 0. A page with fewer than [`PAGE`](ecommpay::data_api::PAGE)
    /// operations is the last.
    ///
    /// The platform numbers the operations anew for each call. An operation that is added between two calls can move
    /// other operations to another page.
    fn operations(
        &self,
        project_id: ProjectId,
        from: Timestamp,
        to: Timestamp,
        offset: u32,
    ) -> impl Future<Output = Result<Vec<ListedOperation>, NoAnswer>> + Send;
}
