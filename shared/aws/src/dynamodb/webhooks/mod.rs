//! Stores the endpoints of storefronts and the events that wait for them, in two tables of their own
//! (`shared/decisions/state/0047-webhooks.md`).
//!
//! The table of endpoints, which only operators write:
//!
//! | attribute | content |
//! | --- | --- |
//! | `owner` | `<project>/<storefront>`, the partition key |
//! | `id` | the endpoint's id, the sort key |
//! | `url` | |
//! | `types` | the wanted types of events; absent if the endpoint wants all |
//! | `secret_version`, `previous_until` | the versions of the secret; the second is absent before the first rotation |
//! | `created_at` | milliseconds |
//!
//! The table of deliveries, which functions write:
//!
//! | `pk` | `sk` | attributes |
//! | --- | --- | --- |
//! | `endpoint#<id>` | `health` | `failures`, `failing_since`, `state`, `state_since`, `disabled_by`, `reason`, `enabled_at`; `expires_at` after the endpoint is removed |
//! | `endpoint#<id>` | `backlog#<project>/<payment id>` | `next`, `through`, `failures`, `since`, `due`, `version`, `due_of`: the endpoint's id, `expires_at` |
//! | `endpoint#<id>` | `dead#<project>/<payment id>#<sequence>` | `sequence`, `since`, `at`, `error`, `expires_at` |
//! | `listed` | `<endpoint id>` | `project_id`, `storefront`, `at` |
//!
//! The index `due` has the backlog items of each endpoint (`due_of`), sorted by `due`.

mod backlog;
mod dead_letters;
mod deliveries;
mod endpoints;
mod health;
mod listed;
mod stored;

use std::time::Duration;

pub use self::deliveries::WebhookDeliveries;
pub use self::endpoints::WebhookEndpoints;
pub use self::stored::StoredCounts;

/// An item expires this long after its last write. The events that it names expire at about the same time.
const RETENTION: Duration = Duration::from_secs(90 * 24 * 3_600);
