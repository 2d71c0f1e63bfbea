//! Tests the log lines of `CommandFunction`.

use anyhow::{Context, ensure};
use e2e::{eventually, logs};

use super::callback::{DESCRIPTION, EMAIL};
use crate::operator::Operator;

pub async fn each_command_is_logged_without_personal_data(
    operator: &Operator,
) -> anyhow::Result<()> {
    let log = eventually("the lines of all commands", || async {
        let log = logs::of_functions(&operator.system.sandbox).await?;
        let is_logged = |name: &&str| {
            let command = format!("\"command\":\"{name}\"");
            let mut lines = log.lines();
            lines.any(|line| line.contains(&command) && line.contains("\"outcome\":\"done\""))
        };
        let commands = ["republish", "resync", "release", "reject"];
        Ok(commands.iter().all(is_logged).then_some(log))
    })
    .await?;
    let mut lines = log.lines();
    let is_apply = |line: &&str| {
        line.contains("\"command\":\"apply_callback\"") && line.contains("\"outcome\":\"applied\"")
    };
    let apply = lines.find(is_apply).context("no line of the callback")?;
    let has_context = apply.contains("\"by\":\"anna\"") && apply.contains("211/saved");
    ensure!(has_context, "{apply}");
    for personal in ["Janssens", "192.0.2.", EMAIL, DESCRIPTION] {
        ensure!(!log.contains(personal), "the log has {personal}");
    }
    Ok(())
}
