//! Manages the keys that the platform issued for its projects. One secret has the keys of all projects.

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, bail};
use aws::secrets::{ProjectKeySetSecret, WriteError};
use clap::{Args, Subcommand};
use ecommpay::fields::ProjectId;
use payments::service::project_keys::{KeyPair, ProjectKeySet, Refusal, SecretText};
use serde::Serialize;

use crate::input::{secret, values};
use crate::session::Session;

const COLUMNS: [&str; 3] = ["project_id", "current", "previous"];

/// Adds, rotates, retires and lists the project keys that the platform issued.
///
/// The tool reads a new key from standard input. On a terminal, the tool prompts for the key. Otherwise the first line
/// is the key. The tool shows only fingerprints of keys: the first twelve digits of the SHA-256, as in
/// `printf %s "$key" | sha256sum | cut -c1-12`. The functions refresh the keys every five minutes.
#[derive(Args)]
pub struct ProjectKeyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Stores the first key of a project, from standard input.
    Add(ProjectArgs),
    /// Stores a new current key of a project, from standard input. The old current key becomes the previous key.
    ///
    /// The functions sign requests with the current key, and verify callbacks with both keys.
    Rotate {
        #[command(flatten)]
        of: ProjectArgs,
        /// Deletes a previous key that is still stored. Without this option, the command fails if a previous key is
        /// stored.
        #[arg(long)]
        replace_previous: bool,
    },
    /// Deletes the previous key of a project. After at most five minutes, the functions refuse callbacks that this key
    /// signed.
    Retire(ProjectArgs),
    /// Lists the projects and the fingerprints of their keys, as CSV; with --json as JSON lines.
    List,
}

#[derive(Args)]
struct ProjectArgs {
    /// The id of the project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
}

#[derive(Serialize)]
struct Fingerprints {
    project_id: ProjectId,
    current: String,
    previous: Option<String>,
}

impl Fingerprints {
    fn new(project_id: ProjectId, pair: &KeyPair) -> Self {
        Self {
            project_id,
            current: pair.current.fingerprint(),
            previous: pair.previous.as_ref().map(SecretText::fingerprint),
        }
    }

    fn find(keys: &ProjectKeySet, project_id: ProjectId) -> Option<Self> {
        keys.of(project_id).map(|pair| Self::new(project_id, pair))
    }
}

impl Display for Fingerprints {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "current key {}", self.current)?;
        match &self.previous {
            Some(previous) => write!(to, " and previous key {previous}"),
            None => Ok(()),
        }
    }
}

impl ProjectKeyArgs {
    pub async fn run(&self, mut session: Session<'_>) -> anyhow::Result<()> {
        let secret = ProjectKeySetSecret::new(
            &session.stack.config,
            &session.stack.resources.project_keys_secret,
        );
        let stored = secret.read().await?;
        let mut keys = stored.keys.clone();
        let project = match &self.action {
            Action::List => return list(&keys, session),
            Action::Add(of) => {
                keys.add(of.project, read_key(of.project)?)?;
                of.project
            }
            Action::Rotate {
                of,
                replace_previous,
            } => {
                let key = read_key(of.project)?;
                match keys.rotate(of.project, key, *replace_previous) {
                    Err(refusal @ Refusal::HasPrevious(_)) => {
                        bail!(
                            "{refusal}: retire the previous key first, or delete it with --replace-previous"
                        )
                    }
                    rotated => rotated?,
                }
                of.project
            }
            Action::Retire(of) => {
                keys.retire(of.project)?;
                of.project
            }
        };
        let before = Fingerprints::find(&stored.keys, project);
        let after = Fingerprints::find(&keys, project);
        let after = after.with_context(|| format!("project {project} has no key"))?;
        session.confirm.ask(&question(before.as_ref(), &after))?;
        match secret.write(&stored, &keys).await {
            Err(WriteError::Changed) => bail!("nothing was changed: {}", WriteError::Changed),
            written => written?,
        }
        session.write(&after, result(&after))
    }
}

fn read_key(project: ProjectId) -> anyhow::Result<SecretText> {
    secret::read(&format!("key of project {project}"))
}

fn list(keys: &ProjectKeySet, mut session: Session<'_>) -> anyhow::Result<()> {
    let mut table = session.table(&COLUMNS)?;
    for (project_id, pair) in keys.projects() {
        table.write(&Fingerprints::new(project_id, pair))?;
    }
    table.end()
}

/// Shows fingerprints, so that the operator can detect a wrong key before it is stored.
fn question(before: Option<&Fingerprints>, after: &Fingerprints) -> String {
    let project = after.project_id;
    let before = before.map_or("no key".to_owned(), ToString::to_string);
    format!("Project {project} has {before}. It will have {after}. Continue?")
}

fn result(stored: &Fingerprints) -> String {
    let project = stored.project_id;
    let retire = match &stored.previous {
        Some(_) => {
            " Retire the previous key when the metric `callbacks` with the dimension `key` = `previous` stays at 0."
        }
        None => "",
    };
    format!(
        "Project {project} has {stored}. All functions use the changed keys within five minutes.{retire}\n"
    )
}
