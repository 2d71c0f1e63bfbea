//! Builds the configuration of the AWS SDK, from the environment variables that Lambda sets.
//!
//! This module does not use the loader of `aws-config`. The loader contacts services that a function does not have, and
//! its defaults add a second TLS stack (`shared/decisions/functions/0021-aws-configuration.md`).

mod dynamodb;
mod error;
mod user_agent;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient, http_client_fn};
use aws_types::SdkConfig;
use aws_types::region::Region;

pub use self::dynamodb::dynamodb;
pub use self::error::describe;
pub(super) use self::user_agent::OwnUserAgent;
use crate::config::{ConfigError, optional, required};

/// The time within which an answer must start. The SDK makes up to three tries for SQS and Secrets Manager. Three tries
/// without an answer fit into the time limit of every function. For DynamoDB, see [`dynamodb`].
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// After an answer has started, the call fails if the answer stalls for this time. The SDK notices a stalled answer up
/// to one second late.
const STALL_TIMEOUT: Duration = Duration::from_secs(2);

/// Creates the configuration from the environment. All clients of a function share the configuration and its HTTP
/// client.
pub fn from_environment() -> Result<SdkConfig, ConfigError> {
    let credentials = credentials_from_environment()?;
    let endpoint = optional("AWS_ENDPOINT_URL");
    Ok(config(required("AWS_REGION")?, credentials, endpoint))
}

/// Reads the credentials from the environment. The credentials are valid for the whole life of a function's process.
pub fn credentials_from_environment() -> Result<Credentials, ConfigError> {
    Ok(Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

/// Creates a configuration. `endpoint` is the URL of a local AWS, or `None` for the real AWS.
pub fn config(region: String, credentials: Credentials, endpoint: Option<String>) -> SdkConfig {
    // Uploads need no protection: a stalled upload has no answer within `READ_TIMEOUT`.
    let stalled = StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .grace_period(STALL_TIMEOUT)
        .build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build())
        .stalled_stream_protection(stalled)
        .http_client(http_client());
    config.set_endpoint_url(endpoint);
    config.build()
}

/// Creates the HTTP client for all AWS services, with one pool of connections.
fn http_client() -> SharedHttpClient {
    let client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    // `http_client_fn` creates a client without validation. The validation would read the 150 root certificates of the
    // system and discard the result.
    http_client_fn(move |settings, components| client.http_connector(settings, components))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::Builder;
    use aws_sdk_dynamodb::types::AttributeValue;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::user_agent::USER_AGENT;
    use super::*;

    async fn service() -> (TcpListener, Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let config = config("eu-west-1".into(), credentials, Some(address));
        let config = Builder::from(&config).interceptor(OwnUserAgent).build();
        (listener, Client::from_conf(config))
    }

    async fn call(client: &Client) {
        let key = AttributeValue::S("key".into());
        let call = client.get_item().table_name("table").key("pk", key).send();
        call.await.unwrap();
    }

    /// Reads a request and sends an answer with the content length 2 and this `body`, which can be shorter. Returns the
    /// connection, and the request in lower case.
    async fn answer(listener: &TcpListener, body: &str) -> (TcpStream, String) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}}") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        (stream, String::from_utf8(request).unwrap().to_lowercase())
    }

    #[tokio::test]
    async fn a_call_has_only_our_user_agent() {
        let (listener, client) = service().await;
        let ((), (_, request)) = tokio::join!(call(&client), answer(&listener, "{}"));
        let agents: Vec<&str> = request
            .lines()
            .filter(|line| line.contains("user-agent"))
            .collect();
        let own = format!("user-agent: {USER_AGENT}");
        assert_eq!(agents, [own.as_str()], "{request}");
        assert!(!request.contains("aws-sdk-rust"), "{request}");
    }

    #[tokio::test]
    async fn a_call_is_repeated_when_its_answer_stalls() {
        let (listener, client) = service().await;
        let answers = async {
            let _stalled = answer(&listener, "{").await;
            answer(&listener, "{}").await
        };
        let called = async { tokio::join!(call(&client), answers) };
        let called = timeout(READ_TIMEOUT * 3, called).await;
        called.expect("the second try must be answered");
    }
}
