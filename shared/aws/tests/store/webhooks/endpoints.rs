//! Tests the store of endpoints.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::ports::{EndpointEntry, EndpointStore};
use wire::WEBHOOK_ENDPOINTS;

use super::*;

fn ids(entries: &[EndpointEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.key.id.as_str()).collect()
}

#[tokio::test]
async fn an_endpoint_is_read_as_it_was_added_until_it_is_removed() {
    let stores = Stores::new().await;
    let mut all = endpoint("shop", "ep_2");
    all.types.clear();
    for endpoint in [&endpoint("shop", "ep_1"), &all] {
        assert!(stores.endpoints.add(endpoint).await.unwrap());
        let read = stores.endpoints.endpoint(&endpoint.key).await.unwrap();
        assert_eq!(read.as_ref(), Some(endpoint));
    }
    assert!(stores.endpoints.remove(&all.key).await.unwrap());
    assert!(!stores.endpoints.remove(&all.key).await.unwrap());
    assert_eq!(stores.endpoints.endpoint(&all.key).await.unwrap(), None);
}

#[tokio::test]
async fn an_endpoint_does_not_replace_another() {
    let stores = Stores::new().await;
    let first = endpoint("shop", "ep_1");
    assert!(stores.endpoints.add(&first).await.unwrap());
    let mut second = first.clone();
    second.created_at = NOW.after(Duration::from_secs(1));
    assert!(!stores.endpoints.add(&second).await.unwrap());
    let read = stores.endpoints.endpoint(&first.key).await.unwrap();
    assert_eq!(read, Some(first));
}

#[tokio::test]
async fn an_endpoint_whose_answer_was_lost_is_added_once() {
    let stores = Stores::new().await;
    stores.wire.lose_next_answer_of("PutItem");
    assert!(
        stores
            .endpoints
            .add(&endpoint("shop", "ep_1"))
            .await
            .unwrap()
    );
    assert_eq!(stores.endpoints.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_endpoints_of_a_storefront_are_listed_apart_from_others() {
    let stores = Stores::new().await;
    for (storefront, id) in [("shop", "ep_2"), ("shop", "ep_1"), ("shop/2", "ep_3")] {
        stores
            .endpoints
            .add(&endpoint(storefront, id))
            .await
            .unwrap();
    }
    let of = async |storefront| {
        stores
            .endpoints
            .endpoints_of(&owner(storefront))
            .await
            .unwrap()
    };
    assert_eq!(ids(&of("shop").await), ["ep_1", "ep_2"]);
    assert_eq!(of("shop/2").await[0].key, endpoint_key("shop/2", "ep_3"));
    assert_eq!(ids(&of("other").await), Vec::<&str>::new());
    assert_eq!(
        ids(&stores.endpoints.list().await.unwrap()),
        ["ep_1", "ep_2", "ep_3"]
    );
    let found = stores.endpoints.find(&id("ep_3")).await.unwrap();
    assert_eq!(found.unwrap().key, endpoint_key("shop/2", "ep_3"));
    assert!(stores.endpoints.find(&id("ep_4")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_secret_is_rotated_once_if_two_operators_rotate_it_at_the_same_time() {
    let stores = Stores::new().await;
    let endpoint = endpoint("shop", "ep_1");
    stores.endpoints.add(&endpoint).await.unwrap();
    let rotated = endpoint.secrets.rotated(NOW, Duration::from_secs(3_600));
    let (store, key) = (&stores.endpoints, &endpoint.key);
    assert!(
        store
            .replace_secrets(key, endpoint.secrets, rotated)
            .await
            .unwrap()
    );
    let read = store.endpoint(key).await.unwrap().unwrap();
    assert_eq!(read.secrets, rotated);
    let later = endpoint.secrets.rotated(NOW, Duration::ZERO);
    assert!(
        !store
            .replace_secrets(key, endpoint.secrets, later)
            .await
            .unwrap()
    );
    let unknown = endpoint_key("shop", "ep_2");
    assert!(
        !store
            .replace_secrets(&unknown, rotated, later)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_read_is_listed_with_the_reason() {
    let stores = Stores::new().await;
    for id in ["ep_1", "ep_2"] {
        stores.endpoints.add(&endpoint("shop", id)).await.unwrap();
    }
    let client = aws_sdk_dynamodb::Client::new(stores.wire.config());
    let damage = client
        .update_item()
        .table_name(WEBHOOK_ENDPOINTS)
        .key("owner", AttributeValue::S("211/shop".into()))
        .key("id", AttributeValue::S("ep_1".into()))
        .update_expression("SET #url = :url")
        .expression_attribute_names("#url", "url")
        .expression_attribute_values(":url", AttributeValue::S("https://10.0.0.1/".into()));
    damage.send().await.unwrap();
    let key = endpoint_key("shop", "ep_1");
    let error = stores.endpoints.endpoint(&key).await.unwrap_err();
    assert!(error.is_unreadable(), "{error}");
    let listed = stores.endpoints.endpoints_of(&owner("shop")).await.unwrap();
    assert_eq!(ids(&listed), ["ep_1", "ep_2"]);
    assert!(listed[0].endpoint.is_err() && listed[1].endpoint.is_ok());
}
