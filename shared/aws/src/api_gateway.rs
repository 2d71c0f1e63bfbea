//! Reads the requests of an API Gateway HTTP API, and counts the answers with server errors.

use std::borrow::Cow;
use std::sync::LazyLock;

use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt, Response};
use payments::api::problem::{FieldProblem, Problem};
use payments::log::{Line, Metric};
use payments::model::path_id;

/// The release of the function. The template sets this variable. An alarm stops the deployment of a release if the
/// functions of the release answer with server errors.
static RELEASE: LazyLock<String> = LazyLock::new(|| {
    let configured = std::env::var("RELEASE_NAME").ok();
    configured.unwrap_or_else(|| "none".to_owned())
});

/// Returns the answer to a request. Logs and counts an answer with a server error.
pub async fn counted(
    answer: impl Future<Output = Result<Response<String>, Error>>,
) -> Result<Response<String>, Error> {
    let answer = answer.await?;
    if answer.status().is_server_error() {
        server_error(answer.status().as_u16()).write();
    }
    Ok(answer)
}

fn server_error(status: u16) -> Line {
    Line::error("a request was answered with a server error")
        .with("status", status)
        .with("release", RELEASE.as_str())
        .with_metrics(&["release"], &[Metric::once("server_errors")])
}

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

#[cfg(test)]
mod tests {
    use payments::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_server_error_is_counted_by_release() {
        let line = server_error(503).at(Timestamp::from_millis(0));
        let line: Value = serde_json::from_str(&line).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["release"]]));
        assert_eq!(directive["Metrics"][0]["Name"], "server_errors");
        let fields = ["status", "release", "server_errors"].map(|name| &line[name]);
        assert_eq!(fields, [&json!(503), &json!("none"), &json!(1)]);
    }
}
