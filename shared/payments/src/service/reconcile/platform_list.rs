//! Reads pages of the platform's list, and repeats a request that has no answer.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;

use super::span::Span;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, DataApi, NoAnswer};

/// The margin of a request on both sides of a slice.
const MARGIN: Duration = Duration::from_secs(600);
/// The delays before a request is repeated.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// A request that is cut off by the deadline after this time counts as a failure of the platform.
const LONG_WAIT: Duration = Duration::from_secs(60);

/// The list of one project.
pub(super) struct PlatformList<'a, C, D> {
    clock: &'a C,
    data_api: &'a D,
    project_id: ProjectId,
    pending: Option<PendingPage>,
}

/// A page that was requested and has not arrived. It remains here if the deadline cuts the request off.
struct PendingPage {
    since: Timestamp,
    /// The error of the last request.
    error: Option<NoAnswer>,
}

impl<'a, C: Clock, D: DataApi> PlatformList<'a, C, D> {
    pub(super) fn new(clock: &'a C, data_api: &'a D, project_id: ProjectId) -> Self {
        Self {
            clock,
            data_api,
            project_id,
            pending: None,
        }
    }

    /// Returns the page of a slice that starts with number `offset`.
    pub(super) async fn page(
        &mut self,
        slice: Span,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let (from, to) = (slice.from.before(MARGIN), slice.to.after(MARGIN));
        let (data_api, project_id) = (self.data_api, self.project_id);
        let since = self.clock.now();
        let pending = self.pending.insert(PendingPage { since, error: None });
        for delay in RETRY_DELAYS {
            match data_api.operations(project_id, from, to, offset).await {
                Ok(page) => {
                    self.pending = None;
                    return Ok(page);
                }
                Err(error) => pending.error = Some(error),
            }
            self.clock.sleep(delay).await;
        }
        let page = data_api.operations(project_id, from, to, offset).await;
        self.pending = None;
        page
    }

    /// Returns the error of the page that the deadline has cut off, if the platform is the cause: a request
    /// failed, or has had no answer for a long time.
    pub(super) fn take_error(&mut self) -> Option<NoAnswer> {
        let pending = self.pending.take()?;
        let waited = self.clock.now().since(pending.since);
        let is_long = waited > LONG_WAIT;
        let cut_off = || NoAnswer(format!("deadline after {} s", waited.as_secs()));
        pending.error.or_else(|| is_long.then(cut_off))
    }
}
