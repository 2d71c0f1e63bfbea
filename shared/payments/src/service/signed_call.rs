//! Sends calls to Gate, signed with the project's current key.
//!
//! If the platform refuses the signature, an operator has probably replaced the key. The keys are then read again,
//! and the call is repeated once with the new key. If the keys cannot be read, the call counts as unanswered.

use std::time::Duration;

use ecommpay::answer::Answer;
use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};

use crate::log::Line;
use crate::ports::{Gate, NoAnswer};

/// The time limit of a call together with its repeat. One request has its own limit of 8 s, in the adapter of Gate. The
/// functions that call Gate have at least 15 s.
pub const MAX_CALL: Duration = Duration::from_secs(10);

/// Posts a request that `sign` creates. Returns `None` if the request cannot be signed. Returns [`Answer::Unclear`]
/// after [`MAX_CALL`].
pub(super) async fn post<G: Gate>(
    gate: &G,
    project_id: ProjectId,
    keyring: &Keyring,
    path: &'static str,
    sign: impl Fn(&ProjectKey) -> Option<Vec<u8>>,
) -> Option<Answer> {
    let call = post_and_repeat(gate, project_id, keyring, path, sign);
    let answer = tokio::time::timeout(MAX_CALL, call).await;
    answer.unwrap_or_else(|_| {
        log_late(path);
        Some(Answer::Unclear)
    })
}

async fn post_and_repeat<G: Gate>(
    gate: &G,
    project_id: ProjectId,
    keyring: &Keyring,
    path: &'static str,
    sign: impl Fn(&ProjectKey) -> Option<Vec<u8>>,
) -> Option<Answer> {
    let answer = gate.post(path, sign(keyring.current())?).await;
    let is_refused = |answer: &Answer| match answer {
        Answer::Refused(refusal) => refusal.is_about_signature(),
        Answer::Accepted { .. } | Answer::Unclear => false,
    };
    if !is_refused(&answer) {
        return Some(answer);
    }
    let answer = match gate.newer_keyring(project_id, keyring).await {
        Ok(Some(newer)) => gate.post(path, sign(newer.current())?).await,
        Ok(None) => answer,
        Err(_) => Answer::Unclear,
    };
    if is_refused(&answer) {
        log_refused(project_id, path);
    }
    Some(answer)
}

/// Sends a query that `sign` creates. Returns the answer and the keys that signed the query; `None` if the query
/// cannot be signed. Returns an error after [`MAX_CALL`].
pub(super) async fn query<G: Gate>(
    gate: &G,
    project_id: ProjectId,
    keyring: &Keyring,
    path: &'static str,
    sign: impl Fn(&ProjectKey) -> Option<Vec<u8>>,
) -> Option<Result<(Vec<u8>, Keyring), NoAnswer>> {
    let call = query_and_repeat(gate, project_id, keyring, path, sign);
    let answer = tokio::time::timeout(MAX_CALL, call).await;
    answer.unwrap_or_else(|_| {
        log_late(path);
        Some(Err(NoAnswer::Failed("no answer in time".into())))
    })
}

async fn query_and_repeat<G: Gate>(
    gate: &G,
    project_id: ProjectId,
    keyring: &Keyring,
    path: &'static str,
    sign: impl Fn(&ProjectKey) -> Option<Vec<u8>>,
) -> Option<Result<(Vec<u8>, Keyring), NoAnswer>> {
    let answer = gate.query(path, sign(keyring.current())?).await;
    let (answer, keyring) = match answer {
        Err(NoAnswer::SignatureRefused) => match gate.newer_keyring(project_id, keyring).await {
            Ok(Some(newer)) => (gate.query(path, sign(newer.current())?).await, newer),
            Ok(None) => (answer, keyring.clone()),
            Err(error) => (Err(error), keyring.clone()),
        },
        _ => (answer, keyring.clone()),
    };
    if matches!(answer, Err(NoAnswer::SignatureRefused)) {
        log_refused(project_id, path);
    }
    Some(answer.map(|body| (body, keyring)))
}

fn log_late(path: &'static str) {
    Line::warn("Gate did not answer")
        .with("path", path)
        .with(
            "problem",
            format!("no answer within {} s", MAX_CALL.as_secs()),
        )
        .write();
}

/// Logs that an operator must store the right project key.
fn log_refused(project_id: ProjectId, path: &'static str) {
    Line::error("the platform refuses the project key")
        .with("project", project_id)
        .with("path", path)
        .write();
}
