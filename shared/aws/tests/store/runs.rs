//! Tests the store of daily runs.

use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::ports::{Daily, Run, RunStore};

use crate::world::World;

fn run(id: &str) -> Run {
    let from = Timestamp::from_millis(1_900_000_000_000);
    Run {
        project_id: ProjectId::new(211).unwrap(),
        daily: Daily::Compare,
        from,
        to: from.after(std::time::Duration::from_secs(3_600)),
        id: id.into(),
        is_scheduled: true,
    }
}

#[tokio::test]
async fn the_first_content_of_a_key_stays_and_each_run_and_shard_has_its_own_keys() {
    let world = World::new().await;
    let store = world.store();
    let put = async |id: &str, shard, key, content: &str| {
        let stored = store.put(&run(id), shard, key, content.into()).await;
        stored.unwrap()
    };
    assert_eq!(put("a", None, "x", "first").await, "first");
    assert_eq!(put("a", None, "x", "second").await, "first");
    assert_eq!(put("a", None, "y", "").await, "");
    assert_eq!(put("a", None, "y", "second").await, "");
    assert_eq!(put("a", Some(7), "x", "shard").await, "shard");
    assert_eq!(put("b", None, "x", "other").await, "other");

    let contents = store.contents(&run("a"), None).await.unwrap();
    let expected = [
        ("x".to_owned(), "first".to_owned()),
        ("y".to_owned(), String::new()),
    ];
    assert_eq!(contents, expected);
    let of_shard = store.contents(&run("a"), Some(7)).await.unwrap();
    assert_eq!(of_shard, [("x".to_owned(), "shard".to_owned())]);
    assert!(store.contents(&run("a"), Some(8)).await.unwrap().is_empty());
}

#[tokio::test]
async fn contents_of_more_than_a_megabyte_are_read_in_pages() {
    let world = World::new().await;
    let store = world.store();
    for number in 0..20_u8 {
        let key = format!("{number:02}");
        let content = key.repeat(32 * 1024);
        store.put(&run("a"), Some(0), &key, content).await.unwrap();
    }
    let contents = store.contents(&run("a"), Some(0)).await.unwrap();
    assert_eq!(contents.len(), 20);
    assert!(
        contents
            .iter()
            .all(|(key, content)| content.starts_with(key))
    );
}
