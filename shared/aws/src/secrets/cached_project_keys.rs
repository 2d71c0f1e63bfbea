//! The keys of the projects, as a function keeps them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use ecommpay::Keyring;
use ecommpay::fields::ProjectId;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{SecretError, fetch, tell};
use payments::log::Line;
use payments::service::project_keys::{ProjectKeySet, ProjectKeys};

/// When keys are fetched again.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// How old they become at most: so long may we sign with an old one.
    pub most: Duration,
    /// How long ago they must have been asked for before a signature that does not fit has them fetched
    /// again: so a new key soon serves, and a flood of forged callbacks takes no more calls than one in
    /// this time. So long is also waited after a fetch that failed.
    pub doubtful: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            most: Duration::from_secs(300),
            doubtful: Duration::from_secs(60),
        }
    }
}

/// How long newer keys are waited for where some are known.
const KNOWN_WAIT: Duration = Duration::from_secs(1);

/// The project keys, fetched when they are first needed and again after a while.
#[derive(Debug)]
pub struct CachedProjectKeys {
    client: Client,
    name: String,
    ages: Ages,
    kept: Mutex<Option<Kept>>,
}

/// Keys, when they were fetched, and when this was last tried.
#[derive(Debug)]
struct Kept {
    fetched: Instant,
    tried: Instant,
    keys: Arc<ProjectKeys>,
}

impl Kept {
    /// Whether these serve on without another try.
    fn serve(&self, ages: Ages, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.fetched);
        age < ages.most || self.is_just_tried(ages, now)
    }

    /// Whether it is too early for another try: each caller would wait for it.
    fn is_just_tried(&self, ages: Ages, now: Instant) -> bool {
        now.saturating_duration_since(self.tried) < ages.doubtful
    }
}

impl CachedProjectKeys {
    /// The secret of that name or ARN.
    pub fn new(config: &aws_types::SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            name: name.into(),
            ages: Ages::default(),
            kept: Mutex::new(None),
        }
    }

    /// With other ages than usual.
    pub fn with_ages(self, ages: Ages) -> Self {
        Self { ages, ..self }
    }

    /// Fetches the keys before the first event; see [`crate::prewarm`].
    pub async fn prewarm(&self) {
        tell(self.get().await);
    }

    /// The keys of every project. When they cannot be fetched again, those that are known serve on.
    pub async fn get(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            Some(known) if known.serve(self.ages, Instant::now()) => Ok(Arc::clone(&known.keys)),
            _ => self.renew(&mut kept).await,
        }
    }

    /// The keys by now, if they are not so young that others than `known` can hardly be there.
    pub async fn refresh_if_stale(&self, known: &Arc<ProjectKeys>) -> Option<Arc<ProjectKeys>> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            // Somebody else has fetched them meanwhile.
            Some(other) if !Arc::ptr_eq(&other.keys, known) => Some(Arc::clone(&other.keys)),
            Some(young) if young.is_just_tried(self.ages, Instant::now()) => None,
            _ => {
                let keys = self.renew(&mut kept).await.ok()?;
                (!Arc::ptr_eq(&keys, known)).then_some(keys)
            }
        }
    }

    /// The keys of one project.
    pub async fn of(&self, project_id: ProjectId) -> Result<Keyring, SecretError> {
        let keys = self.get().await?;
        keys.get(&project_id).cloned().ok_or_else(|| SecretError {
            name: self.name.clone(),
            problem: format!("has no key of project {project_id}"),
        })
    }

    async fn renew(&self, kept: &mut Option<Kept>) -> Result<Arc<ProjectKeys>, SecretError> {
        let fetched = match kept {
            // Nobody waits long for others while there are some.
            Some(_) => timeout(KNOWN_WAIT, self.fetch()).await.unwrap_or_else(|_| {
                Err(SecretError {
                    name: self.name.clone(),
                    problem: "cannot be read: no answer in time".into(),
                })
            }),
            None => self.fetch().await,
        };
        let tried = Instant::now();
        let (fetched, keys) = match (fetched, kept.take()) {
            (Ok(keys), _) => (tried, keys),
            (Err(error), Some(Kept { fetched, keys, .. })) => {
                Line::error("the project keys cannot be fetched again")
                    .with("error", error.to_string())
                    .write();
                (fetched, keys)
            }
            (Err(error), None) => return Err(error),
        };
        *kept = Some(Kept {
            fetched,
            tried,
            keys: Arc::clone(&keys),
        });
        Ok(keys)
    }

    async fn fetch(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let secret = fetch(&self.client, &self.name).await?;
        ProjectKeySet::read(&secret)
            .and_then(|book| book.keyrings())
            .map(Arc::new)
            .ok_or_else(|| SecretError {
                name: self.name.clone(),
                problem: "does not hold project keys".into(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_doubtful_after_a_minute_and_too_old_after_five() {
        let ages = Ages::default();
        let fetched = Instant::now();
        let mut kept = Kept {
            fetched,
            tried: fetched,
            keys: Arc::default(),
        };
        let serve = |kept: &Kept, age| {
            let now = fetched + Duration::from_secs(age);
            (kept.is_just_tried(ages, now), kept.serve(ages, now))
        };
        let expected = [
            (true, true),
            (true, true),
            (false, true),
            (false, true),
            (false, false),
        ];
        assert_eq!([0, 59, 60, 299, 300].map(|age| serve(&kept, age)), expected);
        // A try that failed makes them serve a minute more, not five.
        kept.tried = fetched + Duration::from_secs(299);
        let later = [300, 358, 359].map(|age| serve(&kept, age));
        assert_eq!(later, [(true, true), (true, true), (false, false)]);
    }
}
