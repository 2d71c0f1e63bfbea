//! The secret with the project keys, changed by several at once and over a bad line.
#![allow(clippy::unwrap_used)]

use aws::secrets::{ProjectKeySetSecret, StoredKeySet, WriteError};
use ecommpay::fields::ProjectId;
use payments::service::project_keys::{ProjectKeySet, SecretText};
use wire::Wire;

const ONE: &str = r#"{"211":{"current":"a"}}"#;
const BOTH: &str = r#"{"211":{"current":"a"},"212":{"current":"z"}}"#;

fn with(read: &StoredKeySet, project: u64, key: &str) -> ProjectKeySet {
    let mut book = read.book.clone();
    let project = ProjectId::new(project).unwrap();
    book.add(project, SecretText::read(key).unwrap()).unwrap();
    book
}

async fn held(secret: &ProjectKeySetSecret) -> String {
    secret.read().await.unwrap().book.to_secret().unwrap()
}

async fn world(value: Option<&str>) -> (Wire, ProjectKeySetSecret) {
    let wire = Wire::start().await.unwrap();
    if let Some(value) = value {
        wire.set_secret(value);
    }
    let secret = ProjectKeySetSecret::new(wire.config(), "keys");
    (wire, secret)
}

#[tokio::test]
async fn a_change_is_written_over_what_was_read() {
    let (wire, secret) = world(Some(ONE)).await;
    let read = secret.read().await.unwrap();
    secret.write(&read, &with(&read, 212, "z")).await.unwrap();
    assert_eq!(held(&secret).await, BOTH);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn who_has_read_what_was_replaced_since_changes_nothing() {
    let (wire, secret) = world(Some(ONE)).await;
    let read = secret.read().await.unwrap();
    secret.write(&read, &with(&read, 212, "z")).await.unwrap();
    let late = secret.write(&read, &with(&read, 213, "y")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(held(&secret).await, BOTH);

    // Whoever puts a value in without looking is noticed too.
    let read = secret.read().await.unwrap();
    wire.set_secret(ONE);
    let late = secret.write(&read, &with(&read, 213, "y")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(held(&secret).await, ONE);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn of_two_first_keys_at_once_one_is_stored() {
    let (wire, secret) = world(None).await;
    let read = secret.read().await.unwrap();
    assert_eq!(read.book, ProjectKeySet::default());
    secret.write(&read, &with(&read, 211, "a")).await.unwrap();
    let late = secret.write(&read, &with(&read, 212, "z")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(held(&secret).await, ONE);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT"]);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_known_again() {
    for lost in ["PutSecretValue", "UpdateSecretVersionStage"] {
        let (wire, secret) = world(Some(ONE)).await;
        let read = secret.read().await.unwrap();
        wire.lose_next_answer_of(lost);
        secret.write(&read, &with(&read, 212, "z")).await.unwrap();
        assert_eq!(held(&secret).await, BOTH, "{lost}");
        let twice = wire.calls().iter().filter(|call| *call == lost).count();
        assert!(
            twice >= 2,
            "the SDK's own second attempt: {:?}",
            wire.calls()
        );
        assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
    }
}

#[tokio::test]
async fn what_is_no_book_is_not_written_over() {
    for value in ["[]", "not keys", r#"{"211":{"current":"a","note":"b"}}"#] {
        let (_wire, secret) = world(Some(value)).await;
        let told = secret.read().await.unwrap_err().to_string();
        assert!(told.contains("does not hold project keys"), "{told}");
        assert!(!told.contains(value), "{told}");
    }
}
