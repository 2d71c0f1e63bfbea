//! Reads pages of the platform's list, and repeats a request that fails.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;

use super::span::Span;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, DataApi, NoAnswer};

/// The platform's list is requested from this long before a slice until this long after the slice.
const MARGIN: Duration = Duration::from_secs(600);
/// The delays before the first and the second repeat of a request.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// If the deadline cuts off the request of a page after more than this time, the platform counts as failed.
const LONG_WAIT: Duration = Duration::from_secs(60);

/// The list of one project.
pub(super) struct PlatformList<'a, C, D> {
    clock: &'a C,
    data_api: &'a D,
    project_id: ProjectId,
    pending: Option<PendingPage>,
}

/// A page that was requested and has not arrived. The page stays pending if the deadline cuts the request off.
struct PendingPage {
    since: Timestamp,
    /// The error of the last failed request for this page.
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

    /// Returns the page of a slice's list that starts with operation number `offset`, counted from 0.
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
                Err(NoAnswer::TooLarge) => {
                    self.pending = None;
                    return Err(NoAnswer::TooLarge);
                }
                Err(error) => pending.error = Some(error),
            }
            self.clock.sleep(delay).await;
        }
        let page = data_api.operations(project_id, from, to, offset).await;
        self.pending = None;
        page
    }

    /// Returns an error if the deadline cut off a page because of the platform: a request for the page had failed, or
    /// the page was pending for longer than [`LONG_WAIT`].
    pub(super) fn take_error(&mut self) -> Option<NoAnswer> {
        let pending = self.pending.take()?;
        let waited = self.clock.now().since(pending.since);
        let is_long = waited > LONG_WAIT;
        let cut_off = || NoAnswer::Failed(format!("no answer in {} s", waited.as_secs()));
        pending.error.or_else(|| is_long.then(cut_off))
    }
}
