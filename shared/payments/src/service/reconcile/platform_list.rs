//! Reads pages of the platform's list, and repeats a failed request.

use std::time::Duration;

use ecommpay::data_api::ListedOperation;
use ecommpay::fields::ProjectId;

use super::span::Span;
use crate::model::timestamp::Timestamp;
use crate::ports::{Clock, DataApi, NoAnswer};

/// The delays before the two repeats of a request.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// If the deadline interrupts a page after more than this time, the platform counts as failed.
const LONG_WAIT: Duration = Duration::from_secs(60);

pub(super) struct PlatformList<'a, C, D> {
    clock: &'a C,
    data_api: &'a D,
    project_id: ProjectId,
    pace: Duration,
    requested_at: Timestamp,
    pending: Option<PendingPage>,
}

/// A requested page that has not arrived. It stays pending if the deadline interrupts the request.
struct PendingPage {
    since: Timestamp,
    /// The error of the last request for this page.
    error: Option<NoAnswer>,
}

impl<'a, C: Clock, D: DataApi> PlatformList<'a, C, D> {
    /// Creates a list whose requests are at least `pace` apart. The first request also waits, because it can follow a
    /// request for another slice.
    pub(super) fn new(
        clock: &'a C,
        data_api: &'a D,
        project_id: ProjectId,
        pace: Duration,
    ) -> Self {
        Self {
            clock,
            data_api,
            project_id,
            pace,
            requested_at: clock.now(),
            pending: None,
        }
    }

    /// Returns the page of a slice that starts with operation number `offset`, counted from 0.
    pub(super) async fn page(
        &mut self,
        slice: Span,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let since = self.clock.now();
        self.pending = Some(PendingPage { since, error: None });
        for delay in RETRY_DELAYS {
            match self.request(slice, offset).await {
                Err(error @ NoAnswer::Failed(_)) => {
                    self.pending = Some(PendingPage {
                        since,
                        error: Some(error),
                    });
                }
                page => {
                    self.pending = None;
                    return page;
                }
            }
            self.clock.sleep(delay).await;
        }
        let page = self.request(slice, offset).await;
        self.pending = None;
        page
    }

    async fn request(
        &mut self,
        slice: Span,
        offset: u32,
    ) -> Result<Vec<ListedOperation>, NoAnswer> {
        let elapsed = self.clock.now().since(self.requested_at);
        if let Some(rest) = self.pace.checked_sub(elapsed)
            && !rest.is_zero()
        {
            self.clock.sleep(rest).await;
        }
        self.requested_at = self.clock.now();
        let Span { from, to } = slice;
        let page = self.data_api.operations(self.project_id, from, to, offset);
        page.await
    }

    /// Returns an error if the deadline interrupted a page because of the platform. Either a request for the page had
    /// failed, or the page was pending for longer than [`LONG_WAIT`].
    pub(super) fn take_error(&mut self) -> Option<NoAnswer> {
        let pending = self.pending.take()?;
        let waited = self.clock.now().since(pending.since);
        let is_long = waited > LONG_WAIT;
        let cut_off = || NoAnswer::Failed(format!("no answer in {} s", waited.as_secs()));
        pending.error.or_else(|| is_long.then(cut_off))
    }
}
