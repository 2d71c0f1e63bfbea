//! Reads redirect data: the page of the bank to which the shopper's browser is sent.
//!
//! Sources ([list](crate::sources)): Bancontact; Gate, callbacks.

use crate::json::Value;

/// The page to which the shopper's browser is sent, from `redirect_data`, `redirectData`, or an object `return_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `GET` or `POST`.
    pub method: RedirectMethod,
    /// The redirect URL.
    pub url: String,
    /// The form fields of a `POST`, in order. The signature covers the fields only in part: it leaves out fields with
    /// the names `signature` and `frame_mode`, and does not show where a nested name ends and its value begins.
    pub fields: Vec<(String, String)>,
}

/// The HTTP method of the redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectMethod {
    /// Open the URL; ignore the fields.
    Get,
    /// Post the fields as a form.
    Post,
}

/// Reads the redirect data of a message from the first location with usable data.
pub(super) fn redirect(message: &Value<'_>) -> Option<Redirect> {
    ["redirect_data", "redirectData", "return_url"]
        .iter()
        .find_map(|key| read(message.get(key)?))
}

/// Reads the redirect data at one location. `body` is an object, or `[]` if there are no fields. The names of nested
/// values are written as PHP writes form fields: `name[key][0]`.
fn read(value: &Value<'_>) -> Option<Redirect> {
    let method = match value.get("method")?.as_str()? {
        method if method.eq_ignore_ascii_case("GET") => RedirectMethod::Get,
        method if method.eq_ignore_ascii_case("POST") => RedirectMethod::Post,
        _ => return None,
    };
    let mut fields = Vec::new();
    if let Some(body) = value.get("body") {
        for (name, field) in body.members() {
            form_fields(name.to_string(), field, &mut fields);
        }
    }
    Some(Redirect {
        method,
        url: value.text_at("url")?,
        fields,
    })
}

fn form_fields(name: String, value: &Value<'_>, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Null => fields.push((name, String::new())),
        Value::Bool(flag) => fields.push((name, if *flag { "1" } else { "0" }.into())),
        Value::Number(text) => fields.push((name, (*text).into())),
        Value::String(text) => fields.push((name, text.to_string())),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                form_fields(format!("{name}[{index}]"), element, fields);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                form_fields(format!("{name}[{key}]"), member, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn redirect_data_is_read_from_each_of_its_three_locations() {
        let read = |text: &str| redirect(&parse(text.as_bytes(), Limits::CALLBACK).unwrap());
        let data =
            r#"{"url":"https://bank.example","method":"POST","body":{"a":"1","b":{"c":[2,null]}}}"#;
        let expected = Redirect {
            method: RedirectMethod::Post,
            url: "https://bank.example".into(),
            fields: [("a", "1"), ("b[c][0]", "2"), ("b[c][1]", "")]
                .map(|(name, field)| (name.into(), field.into()))
                .into(),
        };
        for location in ["redirect_data", "redirectData", "return_url"] {
            let read = read(&format!("{{\"{location}\":{data}}}"));
            assert_eq!(read.as_ref(), Some(&expected), "{location}");
        }
        let empty = format!("{{\"redirect_data\":[],\"return_url\":{data}}}");
        assert_eq!(read(&empty), Some(expected));
        assert_eq!(read(r#"{"return_url":"https://shop.example"}"#), None);
    }
}
