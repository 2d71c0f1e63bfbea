//! Has a function of the stack do something: it has the keys, the schedule and the way to the
//! platform, and nobody's own machine needs them.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use aws::sdk::describe;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::account::Account;

/// Longer than a function can run.
const LONGEST: Duration = Duration::from_secs(16 * 60);

/// Runs a function, named by what it is for, with an event, waits until it ends, and gives its answer.
/// It is called once: whoever repeats a change decides so.
pub async fn invoke(account: &Account, function: &str, event: &Value) -> anyhow::Result<Value> {
    let name = account.stack.functions.get(function);
    let name = name.with_context(|| format!("the stack has no function {function}"))?;
    let config = Builder::from(&account.config)
        .retry_config(RetryConfig::disabled())
        // It says nothing while it works.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::builder().read_timeout(LONGEST).build())
        .build();
    let request = Client::from_conf(config).invoke();
    let called = request
        .function_name(name)
        .payload(Blob::new(event.to_string()))
        .send()
        .await;
    let output = called
        .map_err(|error| anyhow!(describe(&error)))
        .with_context(|| format!("{name} cannot be called"))?;
    answer(name, &output)
}

fn answer(name: &str, output: &InvokeOutput) -> anyhow::Result<Value> {
    let payload = output.payload().map_or(&[][..], Blob::as_ref);
    let answer = serde_json::from_slice::<Value>(payload);
    if output.function_error().is_some() {
        let message = answer.ok();
        let message = message.as_ref().and_then(|error| error.get("errorMessage"));
        let why = message.and_then(Value::as_str).unwrap_or("it did not end");
        bail!("{name} failed: {why}");
    }
    answer.with_context(|| format!("{name} did not answer in JSON"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn output(payload: &str) -> InvokeOutput {
        InvokeOutput::builder()
            .payload(Blob::new(payload))
            .status_code(200)
            .build()
    }

    #[test]
    fn a_function_that_fails_says_why() {
        assert_eq!(
            answer("f", &output(r#"{"done":1}"#)).unwrap(),
            json!({ "done": 1 })
        );
        let failed = |payload: &str| {
            let mut output = output(payload);
            output.function_error = Some("Unhandled".into());
            answer("f", &output).unwrap_err().to_string()
        };
        let message = r#"{"errorType":"Sandbox.Timedout","errorMessage":"timed out"}"#;
        assert_eq!(failed(message), "f failed: timed out");
        assert_eq!(failed("killed"), "f failed: it did not end");
        let odd = answer("f", &output("killed")).unwrap_err().to_string();
        assert_eq!(odd, "f did not answer in JSON");
    }
}
