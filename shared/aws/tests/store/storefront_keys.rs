//! Tests the keys of storefronts: adding, revoking and listing.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::storefront::{ListedKey, Scope, Storefront};
use payments::ports::StorefrontStore;
use payments::service::storefront::NewKey;
use payments::service::storefront::{Denied, authorize, key_id};
use payments::sha256;
use wire::TABLE;

use crate::world::World;

const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_123);

fn storefront(key: &str, name: &str) -> Storefront {
    Storefront {
        key_id: key_id(key).unwrap().into(),
        key_hash: sha256::hex(key.as_bytes()),
        name: name.into(),
        project_id: ProjectId::new(211).unwrap(),
        scopes: [Scope::Checkout, Scope::Read].into(),
        return_origins: ["https://shop.example".into()].into(),
    }
}

async fn add(world: &World, key: &str, name: &str) -> bool {
    let storefront = storefront(key, name);
    let added = world.store().add_storefront_key(&storefront, NOW);
    added.await.unwrap()
}

async fn revoke(world: &World, id: &str, at: Timestamp) -> bool {
    let revoked = world.store().revoke_storefront_key(id, at);
    revoked.await.unwrap()
}

async fn authorized(world: &World, key: &str) -> Result<Storefront, Denied> {
    let header = format!("Bearer {key}");
    authorize(world.store(), Some(&header), Scope::Checkout).await
}

#[tokio::test]
async fn the_id_of_a_key_is_never_used_again() {
    let world = World::new().await;
    assert!(add(&world, "sk_a1_secret", "shop").await);
    assert!(!add(&world, "sk_a1_other", "other").await);
    assert_eq!(
        authorized(&world, "sk_a1_secret").await.unwrap().name,
        "shop"
    );
    assert!(authorized(&world, "sk_a1_other").await.is_err());
    assert!(revoke(&world, "a1", NOW).await);
    assert!(!add(&world, "sk_a1_secret", "shop").await);
    assert!(authorized(&world, "sk_a1_secret").await.is_err());
    let listed = world.store().storefront_keys().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "shop");
}

#[tokio::test]
async fn a_storefront_can_use_a_new_key_before_its_old_key_is_revoked() {
    let world = World::new().await;
    let [old, new] = [(); 2].map(|()| NewKey::random().unwrap());
    for key in [&old, &new] {
        assert!(add(&world, key.reveal(), "shop").await);
        assert_eq!(authorized(&world, key.reveal()).await.unwrap().name, "shop");
    }
    assert!(revoke(&world, key_id(old.reveal()).unwrap(), NOW).await);
    assert!(authorized(&world, old.reveal()).await.is_err());
    assert!(authorized(&world, new.reveal()).await.is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_denied_like_an_unknown_key() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    // Each request costs one read.
    world.wire.forget();
    authorized(&world, "sk_a1_secret").await.unwrap();
    assert_eq!(world.wire.calls(), ["GetItem"]);

    world.wire.forget();
    assert!(revoke(&world, "a1", NOW).await);
    assert_eq!(world.wire.calls(), ["TransactWriteItems"]);
    for key in ["sk_a1_secret", "sk_a1_guess", "sk_never_secret"] {
        world.wire.forget();
        let denied = authorized(&world, key).await;
        assert!(matches!(denied, Err(Denied::Unknown)), "{key}: {denied:?}");
        assert_eq!(world.wire.calls(), ["GetItem"]);
    }
    let stored = world.store().storefront("a1").await.unwrap();
    assert_eq!(stored, None);
}

#[tokio::test]
async fn a_key_is_revoked_only_once() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    add(&world, "sk_b2_secret", "shop").await;
    let later = NOW.after(Duration::from_secs(60));
    for (id, at, done) in [
        ("never", NOW, false),
        ("a1", NOW, true),
        ("a1", later, false),
    ] {
        assert_eq!(revoke(&world, id, at).await, done, "{id} {at}");
    }
    let listed = world.store().storefront_keys().await.unwrap();
    let revoked: Vec<_> = listed
        .iter()
        .map(|key| (key.key_id.as_str(), key.revoked_at))
        .collect();
    assert_eq!(revoked, [("a1", Some(NOW)), ("b2", None)]);
}

#[tokio::test]
async fn a_key_is_added_and_revoked_when_the_first_answer_is_lost() {
    let world = World::new().await;
    world.wire.lose_next_answer_of("TransactWriteItems");
    assert!(add(&world, "sk_a1_secret", "shop").await);
    assert!(authorized(&world, "sk_a1_secret").await.is_ok());
    world.wire.lose_next_answer_of("TransactWriteItems");
    assert!(revoke(&world, "a1", NOW).await);
}

#[tokio::test]
async fn the_list_contains_no_secret_and_no_hash() {
    let world = World::new().await;
    assert!(world.store().storefront_keys().await.unwrap().is_empty());
    let known = storefront("sk_a1_secret", "shop");
    add(&world, "sk_a1_secret", "shop").await;
    // The list must not read payments.
    world.create("order").await;
    world.wire.forget();
    let listed = world.store().storefront_keys().await.unwrap();
    assert_eq!(world.wire.calls(), ["Query"]);
    assert_eq!(listed, [ListedKey::new(&known, NOW)]);
    let shown = serde_json::to_string(&listed).unwrap();
    assert!(
        !shown.contains("hash") && !shown.contains(&known.key_hash),
        "{shown}"
    );

    let client = Client::new(world.wire.config());
    let rows = client.query().table_name(TABLE);
    let rows = rows
        .key_condition_expression("pk = :list")
        .expression_attribute_values(":list", aws::dynamodb::attributes::text("storefront_keys"))
        .send();
    let rows = format!("{:?}", rows.await.unwrap().items());
    assert!(!rows.contains(&known.key_hash), "{rows}");
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let world = World::new().await;
    let name = "x".repeat(64);
    for number in 0..300 {
        let mut long = storefront(&format!("sk_{number:03}_secret"), &name);
        long.return_origins = (0..80)
            .map(|n| format!("https://{n}.{name}.example"))
            .collect();
        assert!(world.store().add_storefront_key(&long, NOW).await.unwrap());
    }
    world.wire.forget();
    let listed = world.store().storefront_keys().await.unwrap();
    assert_eq!(listed.len(), 300);
    assert!(world.wire.calls().len() > 1);
}
