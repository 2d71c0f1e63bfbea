//! Tests changes of the secret with the project keys: concurrent changes, and lost answers.
#![allow(clippy::unwrap_used)]

use aws::secrets::{ProjectKeySetSecret, StoredKeySet, WriteError};
use ecommpay::fields::ProjectId;
use payments::service::project_keys::{ProjectKeySet, SecretText};
use wire::Wire;

const ONE: &str = r#"{"211":{"current":"a"}}"#;
const BOTH: &str = r#"{"211":{"current":"a"},"212":{"current":"z"}}"#;

/// Returns the keys that were read, with the key of one more project added.
fn with(read: &StoredKeySet, project: u64, key: &str) -> ProjectKeySet {
    let mut keys = read.keys.clone();
    let project = ProjectId::new(project).unwrap();
    keys.add(project, SecretText::read(key).unwrap()).unwrap();
    keys
}

async fn stored(secret: &ProjectKeySetSecret) -> String {
    secret.read().await.unwrap().keys.to_secret().unwrap()
}

async fn secret(value: Option<&str>) -> (Wire, ProjectKeySetSecret) {
    let wire = Wire::start().await.unwrap();
    if let Some(value) = value {
        wire.set_secret(value);
    }
    let secret = ProjectKeySetSecret::new(wire.config(), "keys");
    (wire, secret)
}

#[tokio::test]
async fn a_change_is_written_when_the_secret_has_not_changed() {
    let (wire, secret) = secret(Some(ONE)).await;
    let read = secret.read().await.unwrap();
    secret.write(&read, &with(&read, 212, "z")).await.unwrap();
    assert_eq!(stored(&secret).await, BOTH);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn a_change_is_refused_when_another_operator_was_faster() {
    let (wire, secret) = secret(Some(ONE)).await;
    let read = secret.read().await.unwrap();
    secret.write(&read, &with(&read, 212, "z")).await.unwrap();
    let late = secret.write(&read, &with(&read, 213, "y")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(stored(&secret).await, BOTH);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn a_change_is_refused_after_an_unconditional_put_of_another_program() {
    let (wire, secret) = secret(Some(BOTH)).await;
    let read = secret.read().await.unwrap();
    wire.set_secret(ONE);
    let late = secret.write(&read, &with(&read, 213, "y")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(stored(&secret).await, ONE);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test]
async fn only_one_of_two_concurrent_writes_of_the_first_key_is_stored() {
    let (wire, secret) = secret(None).await;
    let read = secret.read().await.unwrap();
    assert_eq!(read.keys, ProjectKeySet::default());
    secret.write(&read, &with(&read, 211, "a")).await.unwrap();
    let late = secret.write(&read, &with(&read, 212, "z")).await;
    assert!(matches!(late, Err(WriteError::Changed)), "{late:?}");
    assert_eq!(stored(&secret).await, ONE);
    assert_eq!(wire.secret_labels(), ["AWSCURRENT"]);
}

#[tokio::test]
async fn a_change_succeeds_when_the_first_answer_of_a_call_is_lost() {
    for lost in ["PutSecretValue", "UpdateSecretVersionStage"] {
        let (wire, secret) = secret(Some(ONE)).await;
        let read = secret.read().await.unwrap();
        wire.lose_next_answer_of(lost);
        secret.write(&read, &with(&read, 212, "z")).await.unwrap();
        assert_eq!(stored(&secret).await, BOTH, "{lost}");
        let tries = wire.calls().iter().filter(|call| *call == lost).count();
        assert!(tries >= 2, "{lost}: {:?}", wire.calls());
        assert_eq!(wire.secret_labels(), ["AWSCURRENT", "AWSPREVIOUS"]);
    }
}

#[tokio::test]
async fn an_invalid_value_of_the_secret_is_refused_and_not_shown() {
    for value in ["[]", "not keys", r#"{"211":{"current":"a","note":"b"}}"#] {
        let (_wire, secret) = secret(Some(value)).await;
        let error = secret.read().await.unwrap_err().to_string();
        assert!(error.contains("does not contain project keys"), "{error}");
        assert!(!error.contains(value), "{error}");
    }
}
