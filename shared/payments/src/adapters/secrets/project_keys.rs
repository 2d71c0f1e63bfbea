//! The keys of the projects, as a function keeps them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use ecommpay::Keyring;
use ecommpay::fields::ProjectId;
use tokio::sync::Mutex;

use super::{SecretError, fetch, tell};
use crate::callback::ProjectKeys;
use crate::key_book::KeyBook;
use crate::log::Line;

/// When keys are fetched again.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// How old they become at most: so long may we sign with an old one.
    pub most: Duration,
    /// How old they must be before a signature that does not fit has them fetched again: so a new
    /// key soon serves, and a flood of forged callbacks takes no more calls than one in this time.
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

/// The project keys, fetched when they are first needed and again after a while.
#[derive(Debug)]
pub struct ProjectKeySecret {
    client: Client,
    name: String,
    ages: Ages,
    kept: Mutex<Option<Kept>>,
}

/// Keys, and when they were fetched, or this was last tried.
#[derive(Debug)]
struct Kept {
    at: Instant,
    keys: Arc<ProjectKeys>,
}

impl Kept {
    fn is_under(&self, age: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < age
    }
}

impl ProjectKeySecret {
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

    /// Fetches the keys before the first event; see [`crate::adapters::opening`].
    pub async fn open(&self) {
        tell(self.get().await);
    }

    /// The keys of every project. When they cannot be fetched again, those that are known serve on.
    pub async fn get(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            Some(young) if young.is_under(self.ages.most, Instant::now()) => {
                Ok(Arc::clone(&young.keys))
            }
            _ => self.renew(&mut kept).await,
        }
    }

    /// The keys by now, if they are not so young that others than `known` can hardly be there.
    pub async fn instead_of(&self, known: &Arc<ProjectKeys>) -> Option<Arc<ProjectKeys>> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            // Somebody else has fetched them meanwhile.
            Some(other) if !Arc::ptr_eq(&other.keys, known) => Some(Arc::clone(&other.keys)),
            Some(young) if young.is_under(self.ages.doubtful, Instant::now()) => None,
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
        let keys = match (self.fetch().await, kept.take()) {
            (Ok(keys), _) => keys,
            (Err(error), Some(Kept { keys, .. })) => {
                Line::error("the project keys cannot be fetched again")
                    .with("error", error.to_string())
                    .write();
                keys
            }
            (Err(error), None) => return Err(error),
        };
        // Not again at once, even if it has failed: each caller would wait for it.
        *kept = Some(Kept {
            at: Instant::now(),
            keys: Arc::clone(&keys),
        });
        Ok(keys)
    }

    async fn fetch(&self) -> Result<Arc<ProjectKeys>, SecretError> {
        let secret = fetch(&self.client, &self.name).await?;
        KeyBook::read(&secret)
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
        let Ages { most, doubtful } = Ages::default();
        let at = Instant::now();
        let keys = Arc::default();
        let kept = Kept { at, keys };
        let ages = [0, 59, 60, 299, 300].map(|age| {
            let now = at + Duration::from_secs(age);
            (kept.is_under(doubtful, now), kept.is_under(most, now))
        });
        let expected = [
            (true, true),
            (true, true),
            (false, true),
            (false, true),
            (false, false),
        ];
        assert_eq!(ages, expected);
    }
}
