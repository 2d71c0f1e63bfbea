//! Defines what the tool shows of an endpoint.

use std::collections::BTreeSet;

use aws::dynamodb::webhooks::StoredCounts;
use aws::environment::LiveWebhooks;
use ecommpay::fields::ProjectId;
use payments::Timestamp;
use payments::model::webhook::{
    DisabledBy, Endpoint, EndpointId, EndpointKey, EndpointState, Health,
};
use payments::ports::{DeliveryStore, EndpointEntry, StoreError};
use serde::Serialize;

/// The settings of an endpoint.
#[derive(Serialize)]
pub struct EndpointRow {
    endpoint: EndpointId,
    project_id: ProjectId,
    storefront: String,
    url: String,
    /// The wanted types of events. If the set is empty, the endpoint wants all types.
    types: BTreeSet<String>,
    created_at: Timestamp,
    /// The time until which events are also signed with the previous secret.
    previous_secret_until: Option<Timestamp>,
}

impl EndpointRow {
    pub fn new(endpoint: &Endpoint, now: Timestamp) -> Self {
        let (key, secrets) = (&endpoint.key, endpoint.secrets);
        let until = secrets.previous_until;
        Self {
            endpoint: key.id.clone(),
            project_id: key.owner.project_id,
            storefront: key.owner.storefront.clone(),
            url: endpoint.url.as_str().to_owned(),
            types: endpoint.types.clone(),
            created_at: endpoint.created_at,
            previous_secret_until: until.filter(|_| secrets.previous(now).is_some()),
        }
    }
}

/// The settings of an endpoint; if they cannot be read, its key and the reason.
#[derive(Serialize)]
#[serde(untagged)]
enum Settings {
    Readable(EndpointRow),
    Unreadable {
        endpoint: EndpointId,
        project_id: ProjectId,
        storefront: String,
        problem: String,
    },
}

impl Settings {
    fn new(key: &EndpointKey, endpoint: &Result<Endpoint, StoreError>, now: Timestamp) -> Self {
        match endpoint {
            Ok(endpoint) => Self::Readable(EndpointRow::new(endpoint, now)),
            Err(error) => Self::Unreadable {
                endpoint: key.id.clone(),
                project_id: key.owner.project_id,
                storefront: key.owner.storefront.clone(),
                problem: error.why().to_owned(),
            },
        }
    }
}

/// Whether an endpoint gets events.
#[derive(Serialize)]
pub struct HealthRow {
    pub state: &'static str,
    pub disabled_at: Option<Timestamp>,
    pub disabled_by: Option<&'static str>,
    pub reason: Option<String>,
    /// The number of failed deliveries since the last success.
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
}

impl From<&Health> for HealthRow {
    fn from(health: &Health) -> Self {
        let (disabled_at, by) = match &health.state {
            EndpointState::Disabled { since, by } => (Some(*since), Some(by)),
            EndpointState::Enabled | EndpointState::Held => (None, None),
        };
        Self {
            state: match health.state {
                EndpointState::Enabled if health.is_breaker_open() => "breaker_open",
                EndpointState::Enabled => "enabled",
                EndpointState::Held => "held",
                EndpointState::Disabled { .. } => "disabled",
            },
            disabled_at,
            disabled_by: by.map(DisabledBy::as_str),
            reason: by.and_then(DisabledBy::reason).map(str::to_owned),
            failures: health.failures,
            failing_since: health.failing_since,
        }
    }
}

/// An endpoint with its state.
#[derive(Serialize)]
pub struct StateRow {
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    pub health: HealthRow,
    /// The number of payments with waiting events.
    pub waiting: u64,
    /// The number of events that were given up.
    pub dead_letters: u64,
}

impl StateRow {
    pub async fn read(
        webhooks: &LiveWebhooks,
        entry: &EndpointEntry,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let id = &entry.key.id;
        let deliveries = &webhooks.deliveries;
        let (health, counts) = tokio::try_join!(deliveries.health(id), deliveries.counts(id))?;
        let StoredCounts {
            waiting,
            dead_letters,
        } = counts;
        Ok(Self {
            settings: Settings::new(&entry.key, &entry.endpoint, now),
            health: (&health).into(),
            waiting,
            dead_letters,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use payments::model::webhook::health::BREAKER;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_562_059_700_123);

    fn shown(health: &Health) -> Value {
        serde_json::to_value(HealthRow::from(health)).unwrap()
    }

    #[test]
    fn the_state_of_an_endpoint_is_shown_with_its_time_and_reason() {
        let failing = (0..BREAKER).fold(Health::default(), |health, _| health.failed(NOW));
        let reason = "moved".to_owned();
        let operator = DisabledBy::Operator { reason };
        for (health, state, by, reason) in [
            (Health::default(), "enabled", Value::Null, Value::Null),
            (failing.clone(), "breaker_open", Value::Null, Value::Null),
            (failing.clone().held(), "held", Value::Null, Value::Null),
            (
                failing.disabled(NOW, operator),
                "disabled",
                json!("operator"),
                json!("moved"),
            ),
            (
                Health::default().disabled(NOW, DisabledBy::Endpoint),
                "disabled",
                json!("endpoint"),
                Value::Null,
            ),
        ] {
            let shown = shown(&health);
            assert_eq!(shown["state"], state);
            assert_eq!((&shown["disabled_by"], &shown["reason"]), (&by, &reason));
            assert_eq!(shown["disabled_at"].is_null(), by.is_null(), "{state}");
        }
    }
}
