//! Tests the keys of storefronts: adding, revoking and listing.

use std::time::Duration;

use aws::dynamodb::attributes::text;
use aws::dynamodb::{KeyEntry, Revocation, StorefrontKeys};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::storefront::{ListedKey, Scope, Storefront};
use payments::ports::StorefrontStore;
use payments::service::storefront::NewKey;
use payments::service::storefront::{Denied, authorize, key_id};
use payments::sha256;
use wire::{STOREFRONT_KEYS, TABLE};

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
        payment_id_prefix: None,
    }
}

fn keys(world: &World) -> StorefrontKeys {
    world.store().storefront_keys(STOREFRONT_KEYS)
}

async fn add(world: &World, key: &str, name: &str) -> bool {
    let storefront = storefront(key, name);
    keys(world).add(&storefront, NOW).await.unwrap()
}

async fn revoke(world: &World, id: &str, at: Timestamp) -> Revocation {
    keys(world).revoke(id, at).await.unwrap()
}

async fn list(world: &World) -> Vec<KeyEntry> {
    keys(world).list().await.unwrap()
}

async fn authorized(world: &World, key: &str) -> Result<Storefront, Denied> {
    let header = format!("Bearer {key}");
    authorize(&keys(world), Some(&header), Scope::Checkout).await
}

/// Sets an attribute of a key's item. If `value` is `None`, removes the attribute.
async fn damage(world: &World, id: &str, name: &str, value: Option<AttributeValue>) {
    let update = Client::new(world.wire.config()).update_item();
    let update = update
        .table_name(STOREFRONT_KEYS)
        .key("key_id", text(id))
        .expression_attribute_names("#name", name);
    let update = match value {
        None => update.update_expression("REMOVE #name"),
        Some(value) => update
            .update_expression("SET #name = :value")
            .expression_attribute_values(":value", value),
    };
    update.send().await.unwrap();
}

/// Returns the names of the attributes of a key's item.
async fn attributes(world: &World, id: &str) -> Vec<String> {
    let get = Client::new(world.wire.config()).get_item();
    let get = get.table_name(STOREFRONT_KEYS).key("key_id", text(id));
    let item = get.send().await.unwrap().item.unwrap();
    let mut names: Vec<String> = item.into_keys().collect();
    names.sort_unstable();
    names
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
    assert_eq!(revoke(&world, "a1", NOW).await, Revocation::Done);
    assert!(!add(&world, "sk_a1_secret", "shop").await);
    assert!(authorized(&world, "sk_a1_secret").await.is_err());
    let listed = list(&world).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].key.as_ref().unwrap().name, "shop");
}

#[tokio::test]
async fn a_storefront_can_use_a_new_key_before_its_old_key_is_revoked() {
    let world = World::new().await;
    let [old, new] = [(); 2].map(|()| NewKey::random().unwrap());
    for key in [&old, &new] {
        assert!(add(&world, key.reveal(), "shop").await);
        assert_eq!(authorized(&world, key.reveal()).await.unwrap().name, "shop");
    }
    revoke(&world, key_id(old.reveal()).unwrap(), NOW).await;
    assert!(authorized(&world, old.reveal()).await.is_err());
    assert!(authorized(&world, new.reveal()).await.is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_denied_like_an_unknown_key() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    world.wire.forget();
    authorized(&world, "sk_a1_secret").await.unwrap();
    assert_eq!(world.wire.calls(), ["GetItem"]);

    world.wire.forget();
    assert_eq!(revoke(&world, "a1", NOW).await, Revocation::Done);
    assert_eq!(world.wire.calls(), ["UpdateItem"]);
    for key in ["sk_a1_secret", "sk_a1_guess", "sk_never_secret"] {
        world.wire.forget();
        let denied = authorized(&world, key).await;
        assert!(matches!(denied, Err(Denied::Unknown)), "{key}: {denied:?}");
        assert_eq!(world.wire.calls(), ["GetItem"]);
    }
    let stored = keys(&world).storefront("a1").await.unwrap();
    assert_eq!(stored, None);
}

#[tokio::test]
async fn a_revocation_removes_the_hash_of_the_key() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    let stored = ["created_at", "document", "key_hash", "key_id"];
    assert_eq!(attributes(&world, "a1").await, stored);
    revoke(&world, "a1", NOW).await;
    let revoked = ["created_at", "document", "key_id", "revoked_at"];
    assert_eq!(attributes(&world, "a1").await, revoked);
    // Even if the time of the revocation is removed, no reader can accept the key.
    damage(&world, "a1", "revoked_at", None).await;
    assert!(authorized(&world, "sk_a1_secret").await.is_err());
}

#[tokio::test]
async fn a_key_is_revoked_only_once() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    add(&world, "sk_b2_secret", "shop").await;
    let later = NOW.after(Duration::from_secs(60));
    for (id, at, expected) in [
        ("never", NOW, Revocation::UnknownKey),
        ("a1", NOW, Revocation::Done),
        ("a1", later, Revocation::AlreadyRevoked(Some(NOW))),
    ] {
        assert_eq!(revoke(&world, id, at).await, expected, "{id} {at}");
    }
    assert!(keys(&world).find("never").await.unwrap().is_none());
    let listed = list(&world).await;
    let revoked: Vec<_> = listed
        .iter()
        .map(|entry| {
            let key = entry.key.as_ref().unwrap();
            (key.key_id.as_str(), key.revoked_at, entry.is_revoked)
        })
        .collect();
    assert_eq!(revoked, [("a1", Some(NOW), true), ("b2", None, false)]);
}

#[tokio::test]
async fn a_key_is_added_and_revoked_when_the_first_answer_is_lost() {
    let world = World::new().await;
    world.wire.lose_next_answer_of("PutItem");
    assert!(add(&world, "sk_a1_secret", "shop").await);
    assert_eq!(world.wire.calls(), ["PutItem", "PutItem"]);
    assert!(authorized(&world, "sk_a1_secret").await.is_ok());
    world.wire.forget();
    world.wire.lose_next_answer_of("UpdateItem");
    assert_eq!(revoke(&world, "a1", NOW).await, Revocation::Done);
    assert_eq!(world.wire.calls(), ["UpdateItem", "UpdateItem"]);
}

#[tokio::test]
async fn an_item_of_the_payment_table_is_never_read_as_a_storefront_key() {
    let world = World::new().await;
    let forged = storefront("sk_a1_secret", "shop");
    let document = format!(
        r#"{{"key_id":"a1","key_hash":"{}","name":"shop","project_id":211,"scopes":["checkout"],"return_origins":[]}}"#,
        forged.key_hash
    );
    for (pk, sk) in [
        ("storefront_key#a1", "storefront_key"),
        ("storefront_keys", "a1"),
        ("a1", "a1"),
    ] {
        let put = Client::new(world.wire.config()).put_item();
        put.table_name(TABLE)
            .item("pk", text(pk))
            .item("sk", text(sk))
            .item("key_id", text("a1"))
            .item("key_hash", text(&forged.key_hash))
            .item("created_at", AttributeValue::N("1900000000123".into()))
            .item("document", text(&document))
            .send()
            .await
            .unwrap();
    }
    let denied = authorized(&world, "sk_a1_secret").await;
    assert!(matches!(denied, Err(Denied::Unknown)), "{denied:?}");
}

#[tokio::test]
async fn the_list_contains_no_secret_and_no_hash() {
    let world = World::new().await;
    assert!(list(&world).await.is_empty());
    let known = storefront("sk_a1_secret", "shop");
    add(&world, "sk_a1_secret", "shop").await;
    // Listing keys must not read payments.
    world.create("order").await;
    world.wire.forget();
    let listed = list(&world).await;
    assert_eq!(world.wire.calls(), ["Scan"]);
    let listed: Vec<_> = listed.into_iter().map(|entry| entry.key.unwrap()).collect();
    assert_eq!(listed, [ListedKey::new(&known, NOW)]);
    let shown = serde_json::to_string(&listed).unwrap();
    assert!(
        !shown.contains("hash") && !shown.contains(&known.key_hash),
        "{shown}"
    );
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end_and_sorted_by_id() {
    let world = World::new().await;
    let name = "x".repeat(64);
    for number in 0..300 {
        let mut long = storefront(&format!("sk_{number:03}_secret"), &name);
        long.return_origins = (0..80)
            .map(|n| format!("https://{n}.{name}.example"))
            .collect();
        assert!(keys(&world).add(&long, NOW).await.unwrap());
    }
    world.wire.forget();
    let listed = list(&world).await;
    assert!(world.wire.calls().len() > 1);
    let expected = (0..300).map(|number| format!("{number:03}"));
    let ids = listed.into_iter().map(|entry| entry.key_id);
    assert!(ids.eq(expected));
}

#[tokio::test]
async fn a_damaged_key_is_listed_and_can_be_revoked_like_other_keys() {
    let number = AttributeValue::N("7".into());
    for (name, value) in [
        ("document", None),
        ("document", Some(text("{"))),
        ("document", Some(number)),
        ("created_at", None),
        ("created_at", Some(text("yesterday"))),
    ] {
        let case = format!("{name} {value:?}");
        let world = World::new().await;
        for key in ["sk_a1_secret", "sk_b2_secret", "sk_c3_secret"] {
            add(&world, key, "shop").await;
        }
        damage(&world, "b2", name, value).await;
        let listed = list(&world).await;
        let readable: Vec<_> = listed.iter().map(|entry| entry.key.is_ok()).collect();
        assert_eq!(readable, [true, false, true], "{case}");
        assert_eq!(listed[1].key_id, "b2", "{case}");
        assert!(!listed[1].is_revoked, "{case}");
        for key in ["sk_a1_secret", "sk_c3_secret"] {
            assert!(authorized(&world, key).await.is_ok(), "{case}");
        }
        // The functions do not read `created_at`, so a damaged `created_at` causes no error.
        match authorized(&world, "sk_b2_secret").await {
            Ok(_) => assert_eq!(name, "created_at", "{case}"),
            Err(Denied::Store(error)) => assert!(
                error.to_string().contains("storefront_key b2"),
                "{case}: {error}"
            ),
            Err(denied) => panic!("{case}: {denied:?}"),
        }
        let found = keys(&world).find("b2").await.unwrap().unwrap();
        assert!(found.key.is_err(), "{case}");

        assert_eq!(revoke(&world, "b2", NOW).await, Revocation::Done, "{case}");
        let denied = authorized(&world, "sk_b2_secret").await;
        assert!(matches!(denied, Err(Denied::Unknown)), "{case}: {denied:?}");
        let listed = list(&world).await;
        assert!(listed[1].is_revoked && listed.len() == 3, "{case}");
    }
}

#[tokio::test]
async fn a_key_with_an_unreadable_time_of_revocation_stays_revoked() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    damage(&world, "a1", "revoked_at", Some(text("now"))).await;
    let denied = authorized(&world, "sk_a1_secret").await;
    assert!(matches!(denied, Err(Denied::Unknown)), "{denied:?}");
    let again = revoke(&world, "a1", NOW).await;
    assert_eq!(again, Revocation::AlreadyRevoked(None));
    assert!(list(&world).await[0].is_revoked);
}

#[tokio::test]
async fn a_scope_of_a_newer_release_permits_nothing_and_damages_no_key() {
    let world = World::new().await;
    add(&world, "sk_a1_secret", "shop").await;
    let newer =
        r#"{"name":"shop","project_id":211,"scopes":["checkout","next"],"return_origins":[]}"#;
    damage(&world, "a1", "document", Some(text(newer))).await;
    let key = list(&world).await.remove(0).key.unwrap();
    assert_eq!(key.scopes, [Scope::Checkout].into());
    assert!(authorized(&world, "sk_a1_secret").await.is_ok());
}
