//! Tests the progress of the daily tasks.

use std::time::Duration;

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::ports::{Daily, ProgressStore};

use crate::world::World;

#[tokio::test]
async fn progress_never_moves_back_and_is_separate_for_each_project_and_task() {
    let world = World::new().await;
    let store = world.store();
    let [project, other_project] = [211, 212].map(|id| ProjectId::new(id).unwrap());
    assert_eq!(store.progress(project, Daily::Compare).await.unwrap(), None);
    let noon = Timestamp::from_millis(1_900_000_000_000);
    let (before, after) = (
        noon.before(Duration::from_secs(1)),
        noon.after(Duration::from_secs(1)),
    );
    for (until, expected) in [(noon, noon), (before, noon), (noon, noon), (after, after)] {
        store.advance(project, Daily::Compare, until).await.unwrap();
        assert_eq!(
            store.progress(project, Daily::Compare).await.unwrap(),
            Some(expected)
        );
    }
    for (project_id, daily) in [(project, Daily::Report), (other_project, Daily::Compare)] {
        assert_eq!(store.progress(project_id, daily).await.unwrap(), None);
    }
}
