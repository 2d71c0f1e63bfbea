//! Reads the requests of an API Gateway HTTP API, and writes the answers.
//!
//! Strangers choose almost every text of a request. Therefore this module reads only the parts that the functions use,
//! and no text causes an error or a panic: unusable headers are left out, and an unreadable request is empty. No URL is
//! made of the host, the forwarded headers, the path or the query string
//! (`shared/decisions/functions/0044-gateway-requests.md`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
pub use lambda_runtime::Error;
use lambda_runtime::{LambdaEvent, service_fn};
use payments::api::problem::{FieldProblem, Problem};
use payments::log::Line;
use payments::model::path_id;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A request. `Debug` hides the content, because the headers and the body can have keys and personal data.
#[derive(Clone, Default)]
pub struct Request {
    route: String,
    parameters: HashMap<String, String>,
    /// The headers that HTTP allows.
    pub headers: HeaderMap,
    /// The body as bytes.
    pub body: Vec<u8>,
}

/// The parts of an event in payload format 2.0 that a request is made of.
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

/// Answers the requests of the gateway until Lambda stops the function.
pub async fn run<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Request) -> F,
    F: Future<Output = Response<String>>,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<Request>| {
        let response = handle(event.payload);
        async { Ok::<_, Error>(Answer::from(response.await)) }
    }))
    .await
}

impl Request {
    /// Creates a request without a route, as a test of `POST /callbacks` needs it.
    pub fn with_body(body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::default()
        }
    }

    /// Reads an event in payload format 2.0. An event that cannot be read is logged, and the request is empty.
    pub fn from_event(event: &str) -> Self {
        let read = serde_json::from_str::<Event>(event)
            .ok()
            .and_then(Self::new);
        // The reason is not logged, because the text of an error can have a part of the request.
        read.unwrap_or_else(|| {
            Line::warn("a request of the gateway cannot be read").write();
            Self::default()
        })
    }

    /// Returns `None` if the body is not in base64 although the event says so.
    fn new(event: Event) -> Option<Self> {
        let body = event.body.unwrap_or_default();
        let body = match event.is_base64_encoded {
            true => STANDARD.decode(body).ok()?,
            false => body.into_bytes(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in event.headers.unwrap_or_default() {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                // An error means that the map is full.
                let _ = headers.try_insert(name, value);
            }
        }
        Some(Self {
            route: event.route_key.unwrap_or_default(),
            parameters: event.path_parameters.unwrap_or_default(),
            headers,
            body,
        })
    }

    /// Returns the route that the gateway matched, for example `GET /payments/{payment_id}`. A function dispatches by
    /// this route, so only the gateway decodes and matches paths.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Returns a path parameter as the gateway decoded it; empty if the route does not have the parameter.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Returns the id in a path parameter; empty if the route does not have the parameter. The id can be encoded
    /// ([`path_id`]).
    pub fn id_parameter(&self, name: &str) -> Result<Cow<'_, str>, Problem> {
        path_id::from_path(self.parameter(name)).map_err(|error| {
            Problem::invalid(vec![FieldProblem {
                pointer: format!("/{name}"),
                code: "invalid",
                detail: format!("in the path {error}"),
            }])
        })
    }
}

impl<'de> Deserialize<'de> for Request {
    /// Accepts every JSON value, because an error would leave the request without an answer.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self::from_event(event.get()))
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Request")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
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
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

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
        fn every_json_value_is_read_as_a_request(
            event in any_json(),
            part in "routeKey|headers|pathParameters|body|isBase64Encoded|rawPath|requestContext",
        ) {
            let _: Request = serde_json::from_str(&event.to_string()).unwrap();
            let _: Request = serde_json::from_str(&json!({ part: event }).to_string()).unwrap();
        }

        #[test]
        fn the_parts_of_an_event_are_unchanged_in_the_request(
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
            let request = Request::from_event(&event.to_string());
            prop_assert_eq!(request.route(), route);
            prop_assert_eq!(request.parameter("token"), token);
            prop_assert_eq!(&request.body, &body);
            prop_assert!(request.headers.len() <= headers.len());
        }
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_left_out() {
        let headers = json!({
            "Accept-Language": "fr", "origin": "a\nb", "a b": "x", "": "x", "prefer": "wait=1, \u{e9}",
        });
        let request = Request::from_event(&json!({ "headers": headers, "body": "{}" }).to_string());
        let mut names: Vec<_> = request.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-language", "prefer"]);
        assert_eq!(request.body, b"{}");
    }

    #[test]
    fn an_event_that_cannot_be_read_is_an_empty_request() {
        for event in [
            r#"{"routeKey":"POST /callbacks","body":"%","isBase64Encoded":true}"#,
            r#"{"routeKey":"\ud800"}"#,
            "7",
            "",
        ] {
            let request = Request::from_event(event);
            assert_eq!((request.route(), request.body.len()), ("", 0), "{event}");
        }
    }

    #[test]
    fn an_answer_has_the_status_the_headers_and_the_body() {
        let mut response = Response::new("body".to_owned());
        *response.status_mut() = http::StatusCode::CREATED;
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
