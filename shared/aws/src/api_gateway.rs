//! Runs a function behind an API Gateway HTTP API: reads each event as a request, and returns the response.
//!
//! Clients control almost every text of a request. Therefore this module leaves out a header that HTTP does not allow,
//! and turns an event that cannot be read into an empty request. For the same reason, no URL is built from the host,
//! the forwarded headers, the path or the query string (`shared/decisions/functions/0044-gateway-requests.md`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::http::{HeaderName, HeaderValue};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, LambdaEvent, Request, RequestExt, Response, service_fn};
use payments::api::problem::{ExternalCause, FieldProblem, Problem};
use payments::log::{Line, Metric};
use payments::model::path_id;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The fields of an event in payload format 2.0 that this module reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    route_key: Option<String>,
    headers: Option<HashMap<String, String>>,
    path_parameters: Option<HashMap<String, String>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// An answer in payload format 2.0.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

/// Answers requests until Lambda stops the function. The event is read as raw JSON, because an error of deserialization
/// would leave the request without an answer.
pub async fn run<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Request) -> F,
    F: Future<Output = Response<String>>,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let response = handle(read_request(event.payload.get()));
        async {
            let response = response.await;
            if is_fault(&response) {
                server_error(response.status().as_u16()).write();
            }
            Ok::<_, Error>(Answer::from(response))
        }
    }))
    .await
}

/// Reads an event. If the event cannot be read, logs a warning and returns an empty request.
pub fn read_request(event: &str) -> Request {
    let event = serde_json::from_str::<Event>(event).ok();
    // The error is not logged, because its text can quote the request.
    event.and_then(request_of).unwrap_or_else(|| {
        Line::warn("a request of the gateway cannot be read").write();
        Request::default()
    })
}

/// Returns `None` if the event says that its body is base64, but the body is not base64.
fn request_of(event: Event) -> Option<Request> {
    let body = event.body.unwrap_or_default();
    let body = match event.is_base64_encoded {
        true => STANDARD.decode(body).ok()?,
        false => body.into_bytes(),
    };
    let mut context = ApiGatewayV2httpRequestContext::default();
    context.route_key = event.route_key;
    let mut request = Request::new(Body::Binary(body))
        .with_path_parameters(event.path_parameters.unwrap_or_default())
        .with_request_context(RequestContext::ApiGatewayV2(context));
    for (name, value) in event.headers.unwrap_or_default() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            // `try_insert` fails only if the map is full. In this case, the header is left out.
            let _ = request.headers_mut().try_insert(name, value);
        }
    }
    Some(request)
}

/// The name of the release. Server errors are counted for each release, because an alarm stops the deployment of a
/// release that causes them.
static RELEASE: LazyLock<String> = LazyLock::new(|| {
    let configured = std::env::var("RELEASE_NAME").ok();
    configured.unwrap_or_else(|| "none".to_owned())
});

/// Whether the answer is a server error that the release itself can have caused. An error with an external cause is not
/// counted. If it were counted, a storefront or the platform could stop a deployment.
fn is_fault(response: &Response<String>) -> bool {
    response.status().is_server_error() && response.extensions().get::<ExternalCause>().is_none()
}

fn server_error(status: u16) -> Line {
    Line::error("a request was answered with a server error")
        .with("status", status)
        .with("release", RELEASE.as_str())
        .with_metrics(&["release"], &[Metric::once("server_errors")])
}

/// Returns the route that the gateway matched, for example `GET /payments/{payment_id}`.
pub fn route(request: &Request) -> &str {
    let context = request.request_context_ref();
    let route = context.and_then(|context| match context {
        RequestContext::ApiGatewayV2(context) => context.route_key.as_deref(),
        _ => None,
    });
    route.unwrap_or_default()
}

/// Returns the id in a path parameter, decoded with [`path_id`]. Returns an empty id if the route has no such
/// parameter.
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

/// Returns a path parameter. Returns an empty text if the route has no such parameter.
pub fn parameter(request: &Request, name: &str) -> String {
    let parameters = request.path_parameters();
    parameters.first(name).unwrap_or_default().to_owned()
}

impl From<Response<String>> for Answer {
    fn from(response: Response<String>) -> Self {
        let headers = response.headers().iter();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            status_code: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: response.into_body(),
            is_base64_encoded: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::StatusCode;
    use payments::Timestamp;
    use proptest::prelude::*;
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

    #[test]
    fn a_server_error_with_an_external_cause_is_not_counted() {
        let mut response = Response::new(String::new());
        assert!(!is_fault(&response));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        assert!(is_fault(&response));
        response.extensions_mut().insert(ExternalCause);
        assert!(!is_fault(&response));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_event_is_read_without_a_panic(
            event in any_json(),
            part in "routeKey|headers|pathParameters|body|isBase64Encoded|rawPath|requestContext",
        ) {
            read_request(&event.to_string());
            read_request(&json!({ part: event }).to_string());
        }

        #[test]
        fn a_request_has_the_route_the_parameters_and_the_body_of_its_event(
            route in any::<String>(),
            token in any::<String>(),
            body in any::<Vec<u8>>(),
            headers in proptest::collection::hash_map(any::<String>(), any::<String>(), 0..8),
        ) {
            let event = json!({
                "routeKey": route,
                "pathParameters": { "token": token },
                "headers": headers,
                "body": STANDARD.encode(&body),
                "isBase64Encoded": true,
            });
            let request = read_request(&event.to_string());
            prop_assert_eq!(super::route(&request), route);
            prop_assert_eq!(parameter(&request, "token"), token);
            prop_assert_eq!(request.body().as_ref(), body);
            prop_assert!(request.headers().len() <= headers.len());
        }
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_left_out() {
        let headers = json!({
            "Accept-Language": "fr", "origin": "a\nb", "a b": "x", "": "x", "prefer": "wait=1, \u{e9}",
        });
        let request = read_request(&json!({ "headers": headers, "body": "{}" }).to_string());
        let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-language", "prefer"]);
        assert_eq!(request.body().as_ref(), b"{}");
    }

    #[test]
    fn an_event_that_cannot_be_read_becomes_an_empty_request() {
        for event in [
            r#"{"routeKey":"POST /callbacks","body":"%","isBase64Encoded":true}"#,
            r#"{"routeKey":"\ud800"}"#,
            "7",
            "",
        ] {
            let request = read_request(event);
            assert_eq!((route(&request), request.body().len()), ("", 0), "{event}");
        }
    }

    #[test]
    fn an_answer_has_the_status_the_headers_and_the_body_of_the_response() {
        let mut response = Response::new("body".to_owned());
        *response.status_mut() = lambda_http::http::StatusCode::CREATED;
        let value = HeaderValue::from_bytes(b"https://shop.example/\xc3\xa9").unwrap();
        response.headers_mut().insert("location", value);
        assert_eq!(
            serde_json::to_value(Answer::from(response)).unwrap(),
            json!({
                "statusCode": 201,
                "headers": { "location": "https://shop.example/\u{e9}" },
                "body": "body",
                "isBase64Encoded": false,
            })
        );
    }
}
