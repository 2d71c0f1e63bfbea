//! What a function does before its first event: its connections are opened and its secrets fetched,
//! all side by side.
//!
//! Init has a whole CPU, later a function has only the share that its memory buys: a TLS handshake
//! of a millisecond takes fourteen on a function of 128 MB. So each adapter has an `open` that
//! leaves what the first event needs in the same client, and a connection in that client's own
//! pool. Nothing that goes wrong there ends init: the first call that needs it tries again.

use std::time::Duration;

use payments::log::Line;

/// Init goes on after this, whatever is ready by then. Lambda itself gives it ten seconds.
const AT_MOST: Duration = Duration::from_secs(1);

/// Waits for what is opened, but not for long.
pub async fn within_limit(opening: impl Future) {
    within(AT_MOST, opening).await;
}

async fn within(limit: Duration, opening: impl Future) {
    // What is not ready then is given up here, and left to the first call that needs it.
    if tokio::time::timeout(limit, opening).await.is_err() {
        Line::warn("not everything is open before the first event").write();
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_is_ready_is_not_waited_for_and_what_never_is_neither() {
        let hour = Duration::from_secs(3_600);
        within(hour, ready(())).await;
        within(Duration::from_millis(1), pending::<()>()).await;
    }
}
