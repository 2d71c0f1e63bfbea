//! Defines the explanation of a refused callback.

use serde::Serialize;

/// Why a callback does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The reason in one word, for programs.
    pub reason: &'static str,
    /// The reason in a sentence, for people.
    pub detail: String,
    /// Other observations about the body.
    pub observations: Vec<String>,
}
