//! Lists what the platform recommends for a code.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: the operation succeeded.
    Nothing,
    /// Wait: there is no result yet.
    Wait,
    /// The customer can try again immediately.
    Retry,
    /// The same request can succeed later.
    RetryLater,
    FixRequest,
    FixOrRetryLater,
    /// Do not try again with the same payment instrument.
    DoNotRetry,
    /// Only the platform's support can help.
    Support,
    /// The platform's documentation has a page for this code.
    SeeDocumentation,
}
