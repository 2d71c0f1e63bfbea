//! Prewarms a function: opens its connections and reads its secrets before the first request.
//!
//! During init, a function has a whole CPU. Later the function has only the share that its memory setting allows
//! (`shared/decisions/functions/0022-prewarm.md`). A failure does not end init: the first call that needs the
//! connection or the secret tries again.

use std::time::Duration;

use payments::log::Line;

/// Prewarming adds at most this time to init. [Lambda limits init to ten
/// seconds](https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const LIMIT: Duration = Duration::from_secs(1);

/// Waits until `prewarming` ends. Cancels `prewarming` after one second.
pub async fn within_limit(prewarming: impl Future) {
    within(LIMIT, prewarming).await;
}

async fn within(limit: Duration, prewarming: impl Future) {
    if tokio::time::timeout(limit, prewarming).await.is_err() {
        Line::warn("prewarming did not end in time").write();
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn prewarming_ends_when_it_is_done_or_at_its_limit() {
        let hour = Duration::from_secs(3_600);
        within(hour, ready(())).await;
        within(Duration::from_millis(1), pending::<()>()).await;
    }
}
