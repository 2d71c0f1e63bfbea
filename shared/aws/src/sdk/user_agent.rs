//! Sets the user agent of calls to DynamoDB and SQS.

use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::disable_interceptor;

pub(super) const USER_AGENT: &str = concat!("bancontact-on-lambda/", env!("CARGO_PKG_VERSION"));

/// Sends [`USER_AGENT`] instead of the SDK's two headers. Those headers cost 4 % of the instructions of a callback.
#[derive(Debug)]
pub(crate) struct OwnUserAgent;

impl Intercept for OwnUserAgent {
    fn name(&self) -> &'static str {
        "OwnUserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let off = disable_interceptor::<UserAgentInterceptor>("this crate sets the user agent");
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
