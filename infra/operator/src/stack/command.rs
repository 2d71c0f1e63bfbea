//! Sends commands to `CommandFunction`.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Stack;
use super::invoke::invoke;
use crate::output::text::Foreign;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    /// A repeat would also be refused.
    Refused(Problem),
    /// A repeat can succeed.
    Failed(Problem),
}

#[derive(Deserialize)]
struct Problem {
    detail: Foreign,
}

pub struct Done<T> {
    /// The whole answer of the function, which `--json` shows.
    pub json: Value,
    /// The fields of the answer that the text shows.
    pub result: T,
}

pub async fn command<T: DeserializeOwned>(stack: &Stack, event: &Value) -> anyhow::Result<Done<T>> {
    let answer = invoke(stack, "command", event).await?;
    match serde_json::from_value(answer).context("the function's answer cannot be read")? {
        Answer::Done(json) => {
            let result = T::deserialize(&json)
                .context("the command succeeded, but its result cannot be read")?;
            Ok(Done { json, result })
        }
        Answer::Refused(problem) => bail!("{}", problem.detail),
        Answer::Failed(problem) => {
            bail!("the command failed and may be repeated: {}", problem.detail)
        }
    }
}
