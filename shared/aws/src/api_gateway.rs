//! Reads the requests of an API Gateway HTTP API.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

/// Returns the route that the gateway matched, for example `GET /payments/{payment_id}`. A function dispatches by this
/// route, so only the gateway decodes and matches paths.
pub fn route(request: &Request) -> &str {
    let context = request.request_context_ref();
    let route = context.and_then(|context| match context {
        RequestContext::ApiGatewayV2(context) => context.route_key.as_deref(),
        _ => None,
    });
    route.unwrap_or_default()
}

/// Returns a path parameter as the gateway decoded it; empty if the route does not have the parameter.
pub fn parameter(request: &Request, name: &str) -> String {
    let parameters = request.path_parameters();
    parameters.first(name).unwrap_or_default().to_owned()
}
