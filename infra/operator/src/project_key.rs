//! The keys that the platform has issued for its projects, in their secret.

use std::io::Write;

use anyhow::bail;
use aws::secrets::{ProjectKeySetSecret, StoredKeySet, WriteError};
use clap::{Args, Subcommand};
use ecommpay::fields::ProjectId;
use payments::service::project_keys::{KeyPair, ProjectKeySet, Refusal, SecretText};
use serde::Serialize;

use crate::answer;
use crate::session::Session;
use crate::stdin_key;
use crate::table::Table;
use crate::values;

const COLUMNS: [&str; 3] = ["project_id", "current", "previous"];

/// Adds, replaces and lists the keys of projects at the platform.
///
/// Keys are read from stdin, where one is piped in from its first line, and shown by their fingerprints
/// only: the first twelve digits of the key's SHA-256, as in `printf %s KEY | sha256sum`. The functions
/// read the keys again every five minutes.
#[derive(Args)]
pub struct ProjectKeyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Adds the first key of a project; the key is read from stdin.
    Add(OfProject),
    /// Makes a new key the current one and the current one the previous; the new one is read from stdin.
    ///
    /// What is sent is signed with the current key, and callbacks are taken with both.
    Rotate {
        #[command(flatten)]
        of: OfProject,
        /// Drops the previous key where there still is one.
        #[arg(long)]
        replace_previous: bool,
    },
    /// Drops the previous key of a project: callbacks signed with it are refused from then on.
    Retire(OfProject),
    /// Lists the projects and the fingerprints of their keys, as CSV; with --json as JSON lines.
    List,
}

#[derive(Args)]
struct OfProject {
    /// The project at the platform.
    #[arg(long, value_parser = values::project)]
    project: ProjectId,
}

/// The keys of a project, as they are shown.
#[derive(Serialize)]
struct Shown {
    project_id: ProjectId,
    current: String,
    previous: Option<String>,
}

impl Shown {
    fn new(project_id: ProjectId, pair: &KeyPair) -> Self {
        Self {
            project_id,
            current: pair.current.fingerprint(),
            previous: pair.previous.as_ref().map(|key| key.fingerprint()),
        }
    }
}

impl ProjectKeyArgs {
    pub async fn run(&self, session: Session<'_>) -> anyhow::Result<()> {
        let secret = ProjectKeySetSecret::new(
            &session.account.config,
            &session.account.stack.project_keys_secret,
        );
        let read = secret.read().await?;
        let mut book = read.keys.clone();
        let project = match &self.action {
            Action::List => return list(&book, session.json, session.out),
            Action::Add(of) => {
                book.add(of.project, read_key(of.project)?)?;
                of.project
            }
            Action::Rotate {
                of,
                replace_previous,
            } => {
                let key = read_key(of.project)?;
                match book.rotate(of.project, key, *replace_previous) {
                    Err(refusal @ Refusal::HasPrevious(_)) => {
                        bail!("{refusal}: retire it first, or drop it with --replace-previous")
                    }
                    rotated => rotated?,
                }
                of.project
            }
            Action::Retire(of) => {
                book.retire(of.project)?;
                of.project
            }
        };
        session.confirm.ask(&question(project, &read, &book))?;
        match secret.write(&read, &book).await {
            Err(WriteError::Changed) => bail!("nothing was changed: {}", WriteError::Changed),
            written => written?,
        }
        let Some(pair) = book.of(project) else {
            bail!("project {project} has no key");
        };
        let shown = Shown::new(project, pair);
        answer::write(session.out, session.json, &shown, &sentence(&shown))
    }
}

fn read_key(project: ProjectId) -> anyhow::Result<SecretText> {
    stdin_key::read(&format!("key of project {project}"))
}

fn list(book: &ProjectKeySet, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Table::new(&COLUMNS, json, out)?;
    for (project_id, pair) in book.projects() {
        table.write(&Shown::new(project_id, pair))?;
    }
    table.end()
}

/// What would change, so that a wrong key is seen before it is stored.
fn question(project: ProjectId, read: &StoredKeySet, book: &ProjectKeySet) -> String {
    let told = |pair: Option<&KeyPair>| match pair.map(|pair| Shown::new(project, pair)) {
        None => "no key".to_owned(),
        Some(Shown {
            current,
            previous: None,
            ..
        }) => current,
        Some(Shown {
            current,
            previous: Some(previous),
            ..
        }) => format!("{current}, before it {previous}"),
    };
    let (now, then) = (told(read.keys.of(project)), told(book.of(project)));
    format!("project {project} has: {now}; it will have: {then}; go on?")
}

fn sentence(shown: &Shown) -> String {
    let Shown {
        project_id,
        current,
        previous,
    } = shown;
    let known = "Known everywhere in five minutes";
    match previous {
        None => format!("project {project_id} has the key {current} only. {known}."),
        Some(previous) => format!(
            "project {project_id} has the key {current}, and {previous} before it. {known}; retire the \
             previous one when the metric `callbacks` by key `previous` is silent."
        ),
    }
}
