//! Defines what the payments of a run share: the project, the keys and the ids.

use std::cell::RefCell;

use anyhow::Context;
use ecommpay::fields::ProjectId;
use ecommpay::{Keyring, ProjectKey};
use payments::events::{Event, EventKind};
use payments::ports::{Clock, SystemClock};
use payments::service::project_keys::ProjectKeys;
use payments::{MerchantId, PaymentKey, Timestamp};
use time::OffsetDateTime;

use super::history::History;
use crate::platform::ids::Ids;
use crate::platform::messages::Project;
use crate::platform::records::Stamp;

const PROJECT_KEY: &str = "rehearsal";

/// What the payments of a run share.
pub struct Shared {
    pub project_id: ProjectId,
    /// The project at the simulated platform.
    pub project: Project,
    pub keys: ProjectKeys,
    pub storefront: String,
    run: String,
    ids: RefCell<Ids>,
    last_id: RefCell<u32>,
}

impl Shared {
    pub fn new(project: u32, storefront: &str) -> anyhow::Result<Self> {
        let project_id = ProjectId::new(project.into())?;
        let key = || ProjectKey::new(PROJECT_KEY);
        Ok(Self {
            project_id,
            project: Project {
                id: project,
                key: key()?,
            },
            keys: [(project_id, Keyring::new(key()?, None))].into(),
            storefront: storefront.to_owned(),
            run: format!("{:016x}", SystemClock.random(u64::MAX)),
            ids: RefCell::new(Ids::new(PROJECT_KEY, OffsetDateTime::now_utc())?),
            last_id: RefCell::default(),
        })
    }

    /// Returns an id that no other run has, such as `rehearsal-5f0c1d2e3a4b5c6d-7`.
    pub fn next_id(&self) -> anyhow::Result<MerchantId> {
        let mut last_id = self.last_id.borrow_mut();
        *last_id += 1;
        let id = format!("rehearsal-{}-{last_id}", self.run);
        MerchantId::new(id).context("The id of a payment is invalid")
    }

    /// Creates a payment at the bank.
    pub fn history(&self) -> anyhow::Result<History<'_>> {
        History::new(self, self.next_id()?)
    }

    /// Returns a message that is not an event, with its own message group.
    pub fn poison(&self, body: &str) -> anyhow::Result<Event> {
        let id = self.next_id()?;
        Ok(Event {
            key: PaymentKey::new(self.project_id, id.as_str()),
            sequence: 1,
            kind: EventKind::PaymentSucceeded,
            id: format!("{}/{id}/1", self.project_id),
            body: body.to_owned(),
            stored: String::new(),
        })
    }

    pub fn stamp(&self, at: Timestamp) -> anyhow::Result<Stamp> {
        Ok(Stamp {
            now: OffsetDateTime::from_unix_timestamp(at.unix_seconds())?,
            ..self.ids.borrow_mut().stamp()
        })
    }
}

/// Whether the queue `fulfilment` receives events of this kind.
pub fn is_wanted(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::PaymentCreated
            | EventKind::PaymentAwaitingCustomer
            | EventKind::PaymentAwaitingClarification
            | EventKind::PaymentFailed
            | EventKind::ReconciliationDifference
            | EventKind::Other(_)
    )
}

/// Returns an event as a later release could send it: with a further field.
pub fn later_release(event: &Event, kind: EventKind) -> anyhow::Result<Event> {
    let mut stored: serde_json::Value = serde_json::from_str(&event.stored)?;
    let data = stored
        .get_mut("data")
        .and_then(serde_json::Value::as_object_mut);
    let field = serde_json::json!({ "added": [1, null, "later"] });
    data.context("An event has no data")?
        .insert("rehearsed".to_owned(), field);
    let stored = stored.to_string();
    Ok(Event::from_stored(
        event.key.clone(),
        event.sequence,
        kind,
        &stored,
    )?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_sent_events_are_those_of_the_queue_fulfilment_in_the_template() {
        let template = std::fs::read_to_string(tools::root().join("infra/template.yaml")).unwrap();
        let (_, types) = template.split_once("${FulfilmentQueue}\"").unwrap();
        let (types, _) = types.split_once(']').unwrap();
        for kind in EventKind::ALL {
            let is_listed = types.contains(&format!("\"{}\"", kind.as_str()));
            assert_eq!(is_wanted(kind), is_listed, "{kind:?}");
        }
    }
}
