//! Invokes functions of the stack. The functions can read the keys and send to the queues. Therefore operators need no
//! permission to do so (`shared/decisions/functions/0019-command-function.md`).

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

use super::Stack;

/// The time limit of an invocation. A function can run for 15 minutes, which is the maximum of Lambda.
const TIMEOUT: Duration = Duration::from_secs(16 * 60);

/// Invokes a function by its short name and returns its answer. A failed invocation is not repeated, because the
/// function can have changed something before it failed.
pub async fn invoke(stack: &Stack, function: &str, event: &Value) -> anyhow::Result<Value> {
    let name = stack.resources.functions.get(function);
    let name = name.with_context(|| format!("the stack has no function {function}"))?;
    let config = Builder::from(&stack.config)
        .retry_config(RetryConfig::disabled())
        // While the function runs, the connection transfers nothing. The SDK would count this as a stalled stream.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(TimeoutConfig::builder().read_timeout(TIMEOUT).build())
        .build();
    let request = Client::from_conf(config).invoke();
    let output = request
        .function_name(name)
        .payload(Blob::new(event.to_string()))
        .send()
        .await
        .map_err(|error| anyhow!(describe(&error)))
        .with_context(|| format!("{name} cannot be invoked"))?;
    read_answer(name, &output)
}

fn read_answer(name: &str, output: &InvokeOutput) -> anyhow::Result<Value> {
    let payload = output.payload().map_or(&[][..], Blob::as_ref);
    let answer = serde_json::from_slice::<Value>(payload);
    if output.function_error().is_some() {
        let error = answer.ok();
        let message = error.as_ref().and_then(|error| error.get("errorMessage"));
        let message = message.and_then(Value::as_str);
        bail!("{name} failed: {}", message.unwrap_or("no reason given"));
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
    fn the_answer_of_a_function_is_its_payload() {
        let answer = read_answer("f", &output(r#"{"done":1}"#)).unwrap();
        assert_eq!(answer, json!({ "done": 1 }));
        let error = read_answer("f", &output("killed")).unwrap_err();
        assert_eq!(error.to_string(), "f did not answer in JSON");
    }

    #[test]
    fn the_error_of_a_failed_function_has_its_message() {
        let failed = |payload: &str| {
            let mut output = output(payload);
            output.function_error = Some("Unhandled".into());
            read_answer("f", &output).unwrap_err().to_string()
        };
        let message = r#"{"errorType":"Sandbox.Timedout","errorMessage":"timed out"}"#;
        assert_eq!(failed(message), "f failed: timed out");
        assert_eq!(failed("killed"), "f failed: no reason given");
    }
}
