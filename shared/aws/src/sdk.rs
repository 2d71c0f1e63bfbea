//! The AWS configuration of a Lambda function, from the environment that Lambda sets.
//!
//! Built by hand: the loader of `aws-config` asks places that a function does not have, and its
//! defaults bring a second TLS stack. Credentials in the environment are valid as long as the
//! function's process lives. Root certificates are the system's, so that those of AWS can change
//! without a new build; built in, they would save half a millisecond of init.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    ConfigBag, Intercept, RuntimeComponents, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::config::{ConfigError, required};

/// What answers later than this hangs, and is asked again by the SDK: all three tries fit into the
/// time of a function.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// An answer that stalls half way is given up after this, and a second in which that is noticed.
const STALLS_FOR: Duration = Duration::from_secs(2);

/// Our name in the calls.
const USER_AGENT: &str = concat!("bancontact-on-lambda/", env!("CARGO_PKG_VERSION"));

/// The configuration that all clients of a function share, with one HTTP client.
pub fn from_environment() -> Result<SdkConfig, ConfigError> {
    let credentials = credentials_from_environment()?;
    let endpoint = std::env::var("AWS_ENDPOINT_URL")
        .ok()
        .filter(|url| !url.is_empty());
    Ok(config(required("AWS_REGION")?, credentials, endpoint))
}

/// Whose calls they are, by the usual variables.
pub fn credentials_from_environment() -> Result<Credentials, ConfigError> {
    Ok(Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN")
            .ok()
            .filter(|token| !token.is_empty()),
        None,
        "environment",
    ))
}

/// A configuration for a region, credentials and, on a local AWS, its address.
pub fn config(region: String, credentials: Credentials, endpoint: Option<String>) -> SdkConfig {
    // What hangs while it is sent is not answered in time, so nobody need look at that too.
    let stalled = StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .grace_period(STALLS_FOR)
        .build();
    let mut config = SdkConfig::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(TimeoutConfig::builder().read_timeout(ANSWER_WITHIN).build())
        .stalled_stream_protection(stalled)
        .http_client(http_client());
    config.set_endpoint_url(endpoint);
    config.build()
}

/// The HTTP client of all services, with one pool of connections. It trusts what the system trusts,
/// or the certificates in the file that `SSL_CERT_FILE` names.
fn http_client() -> SharedHttpClient {
    let client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    // The SDK has each of its clients check the HTTP client, which then reads the system's 150 root
    // certificates and throws them away. Behind a function it has nothing to check.
    http_client_fn(move |settings, components| client.http_connector(settings, components))
}

/// Names us in the calls of the payments' table and queues. The SDK's own interceptor puts a long
/// text together of some twenty pieces for each call, twice, and one of the two is signed: 4 % of a
/// callback's instructions.
#[derive(Debug)]
pub(super) struct OwnUserAgent;

impl Intercept for OwnUserAgent {
    fn name(&self) -> &'static str {
        "OwnUserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let off = disable_interceptor::<UserAgentInterceptor>("we have a name of our own");
        config.interceptor_state().store_put(off);
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.insert("user-agent", USER_AGENT);
        Ok(())
    }
}

/// A failed call in a few words: the service's code and message, or how far the call got. The
/// SDK's own description can hold the reply, and with it what must not reach a log.
pub fn describe<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let what = match error {
        SdkError::ConstructionFailure(_) => "the request could not be made",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "the answer could not be read",
        _ => "the service refused",
    };
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{what}: {code}: {message}"),
        (Some(code), None) => format!("{what}: {code}"),
        _ => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::Builder;
    use aws_sdk_dynamodb::types::AttributeValue;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::*;

    /// Takes in a request, and answers with as much of an answer as is given.
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
    async fn a_call_names_us_and_is_repeated_if_its_answer_stalls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let config = config("eu-west-1".into(), credentials, Some(address));
        let config = Builder::from(&config).interceptor(OwnUserAgent).build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        let key = AttributeValue::S("key".into());
        let call = client.get_item().table_name("table").key("pk", key).send();
        let service = async {
            let (_stalled, _) = answer(&listener, "{").await;
            answer(&listener, "{}").await
        };
        let called = timeout(ANSWER_WITHIN * 3, async { tokio::join!(call, service) });
        let (called, (_, request)) = called.await.expect("neither is given up in time");
        called.unwrap();
        let agents: Vec<&str> = request
            .lines()
            .filter(|line| line.contains("user-agent"))
            .collect();
        let own = format!("user-agent: {USER_AGENT}");
        assert_eq!(agents, [own.as_str()], "{request}");
        assert!(!request.contains("aws-sdk-rust"), "{request}");
    }
}
