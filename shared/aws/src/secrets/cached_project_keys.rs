//! Implements the cache of the project keys in a function (`shared/decisions/protocol/0014-project-keys.md`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_types::SdkConfig;
use ecommpay::Keyring;
use ecommpay::fields::ProjectId;
use payments::log::Line;
use payments::service::project_keys::{ProjectKeySet, ProjectKeys};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::secret::{Secret, SecretError};
use super::warn_if_failed;

/// The limits of the cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheTtl {
    /// Cached keys of this age are fetched again before their next use. Younger keys can include a key that an operator
    /// has already replaced.
    pub max: Duration,
    /// The minimum time between two fetches, so that forged callbacks cause few fetches. After a failed fetch, cached
    /// keys of any age are used for this time. Only [`CachedProjectKeys::newer`] ignores this limit.
    pub min_refetch: Duration,
}

impl Default for CacheTtl {
    fn default() -> Self {
        Self {
            max: Duration::from_secs(300),
            min_refetch: Duration::from_secs(60),
        }
    }
}

/// The time limit of a fetch when older keys are cached.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// The cache of the project keys. The keys are fetched at their first use, and again when they are too old.
#[derive(Debug)]
pub struct CachedProjectKeys {
    secret: Secret,
    ttl: CacheTtl,
    cached: Mutex<Option<Cached>>,
}

#[derive(Debug)]
struct Cached {
    keys: Arc<ProjectKeys>,
    /// The time at which these keys were fetched.
    fetched_at: Instant,
    /// The time of the last fetch, failed or not.
    attempted_at: Instant,
}

impl Cached {
    fn is_usable(&self, ttl: CacheTtl, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.fetched_at);
        age < ttl.max || !self.may_refetch(ttl, now)
    }

    fn may_refetch(&self, ttl: CacheTtl, now: Instant) -> bool {
        now.saturating_duration_since(self.attempted_at) >= ttl.min_refetch
    }
}

impl CachedProjectKeys {
    /// Creates an empty cache of the secret with this name or ARN.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self {
            secret: Secret::new(config, name),
            ttl: CacheTtl::default(),
            cached: Mutex::new(None),
        }
    }

    /// Replaces the default limits.
    pub fn with_ttl(self, ttl: CacheTtl) -> Self {
        Self { ttl, ..self }
    }

    /// Fetches the keys before the first request; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        warn_if_failed(self.get().await);
    }

    /// Returns the keys of every project. Keys that are too old are fetched again. If this fetch fails, returns the
    /// cached keys.
    pub async fn get(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let mut cached = self.cached.lock().await;
        match cached.as_ref() {
            Some(entry) if entry.is_usable(self.ttl, Instant::now()) => Ok(Arc::clone(&entry.keys)),
            _ => self.refresh(&mut cached).await,
        }
    }

    /// Returns newer keys than `known`. If the cache still holds `known`, fetches the keys first, unless the last fetch
    /// is less than [`CacheTtl::min_refetch`] ago. Returns `None` if there are no newer keys.
    pub async fn refresh_if_stale(&self, known: &Arc<ProjectKeys>) -> Option<Arc<ProjectKeys>> {
        let mut cached = self.cached.lock().await;
        match cached.as_ref() {
            // Another caller has refreshed the cache.
            Some(entry) if !Arc::ptr_eq(&entry.keys, known) => Some(Arc::clone(&entry.keys)),
            Some(entry) if !entry.may_refetch(self.ttl, Instant::now()) => None,
            _ => {
                let keys = self.refresh(&mut cached).await.ok()?;
                (!Arc::ptr_eq(&keys, known)).then_some(keys)
            }
        }
    }

    /// Returns the keys of a project after the platform has refused a signature with `known`. Returns `None` if the
    /// project still has the current key of `known`. Fetches the keys only if the cache has no newer key.
    ///
    /// Ignores [`CacheTtl::min_refetch`], because the request fails without a newer key. Only an answer of the platform
    /// causes this fetch, so forged callbacks cannot cause it. If the fetch fails, returns an error, because the cached
    /// keys do not show whether the key was replaced.
    pub async fn newer(
        &self,
        project_id: ProjectId,
        known: &Keyring,
    ) -> Result<Option<Keyring>, SecretError> {
        let is_newer = |keyring: &&Keyring| !keyring.current().is_same_as(known.current());
        let mut cached = self.cached.lock().await;
        let newer = |keys: &ProjectKeys| keys.get(&project_id).filter(is_newer).cloned();
        if let Some(keyring) = cached.as_ref().and_then(|entry| newer(&entry.keys)) {
            return Ok(Some(keyring));
        }
        let no_answer = |_| Err(self.secret.error("cannot be read: no answer in time"));
        let keys = timeout(REFRESH_TIMEOUT, self.fetch()).await;
        let keys = keys.unwrap_or_else(no_answer)?;
        let now = Instant::now();
        *cached = Some(Cached {
            keys: Arc::clone(&keys),
            fetched_at: now,
            attempted_at: now,
        });
        Ok(newer(&keys))
    }

    /// Returns the keys of one project.
    pub async fn of(&self, project_id: ProjectId) -> Result<Keyring, SecretError> {
        let keys = self.get().await?;
        let missing = || {
            self.secret
                .error(format!("has no key of project {project_id}"))
        };
        keys.get(&project_id).cloned().ok_or_else(missing)
    }

    /// Fetches the keys. If the fetch fails, returns the cached keys, or the error if no keys are cached.
    async fn refresh(&self, cached: &mut Option<Cached>) -> Result<Arc<ProjectKeys>, SecretError> {
        let fetched = match cached {
            Some(_) => timeout(REFRESH_TIMEOUT, self.fetch())
                .await
                .unwrap_or_else(|_| Err(self.secret.error("cannot be read: no answer in time"))),
            None => self.fetch().await,
        };
        let attempted_at = Instant::now();
        let (keys, fetched_at) = match (fetched, cached.take()) {
            (Ok(keys), _) => (keys, attempted_at),
            (Err(error), Some(old)) => {
                Line::error("the project keys could not be refreshed")
                    .with("error", error.to_string())
                    .write();
                (old.keys, old.fetched_at)
            }
            (Err(error), None) => return Err(error),
        };
        *cached = Some(Cached {
            keys: Arc::clone(&keys),
            fetched_at,
            attempted_at,
        });
        Ok(keys)
    }

    async fn fetch(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let value = self.secret.value().await?;
        let keys = ProjectKeySet::read(&value).and_then(|keys| keys.keyrings());
        let invalid = || self.secret.error("does not contain project keys");
        keys.map(Arc::new).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(fetched_at: Instant, attempted_at: Instant) -> Cached {
        Cached {
            keys: Arc::default(),
            fetched_at,
            attempted_at,
        }
    }

    #[test]
    fn keys_may_be_refetched_after_one_minute_and_are_too_old_after_five_minutes() {
        let start = Instant::now();
        let cached = cached(start, start);
        let ttl = CacheTtl::default();
        for (age_s, may_refetch, is_usable) in [
            (0, false, true),
            (59, false, true),
            (60, true, true),
            (299, true, true),
            (300, true, false),
        ] {
            let now = start + Duration::from_secs(age_s);
            assert_eq!(cached.may_refetch(ttl, now), may_refetch, "{age_s} s");
            assert_eq!(cached.is_usable(ttl, now), is_usable, "{age_s} s");
        }
    }

    #[test]
    fn old_keys_are_usable_for_a_minute_after_a_failed_fetch() {
        let start = Instant::now();
        let cached = cached(start, start + Duration::from_secs(299));
        for (age_s, is_usable) in [(300, true), (358, true), (359, false)] {
            let now = start + Duration::from_secs(age_s);
            let ttl = CacheTtl::default();
            assert_eq!(cached.is_usable(ttl, now), is_usable, "{age_s} s");
        }
    }
}
