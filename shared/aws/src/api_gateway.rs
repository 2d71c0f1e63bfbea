//! Reads the requests of an API Gateway HTTP API.

use std::borrow::Cow;

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use payments::api::problem::{FieldProblem, Problem};
use payments::model::path_id;

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

/// Returns the id in a path parameter; empty if the route does not have the parameter. The id can be encoded
/// ([`path_id`]).
pub fn id_parameter(request: &Request, name: &str) -> Result<String, Problem> {
    let segment = parameter(request, name);
    let id = path_id::from_path(&segment);
    id.map(Cow::into_owned).map_err(|error| {
        Problem::invalid(vec![FieldProblem {
            pointer: format!("/{name}"),
            code: "invalid",
            detail: format!("in the path {error}"),
        }])
    })
}

/// Returns a path parameter as the gateway decoded it; empty if the route does not have the parameter.
pub fn parameter(request: &Request, name: &str) -> String {
    let parameters = request.path_parameters();
    parameters.first(name).unwrap_or_default().to_owned()
}
