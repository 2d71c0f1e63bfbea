//! Writes JSON as PHP's `json_encode` writes it: `\/` for a slash, `\u00e9` for an é.
//!
//! The real platform writes its messages with PHP, so a receiver must accept these escapes.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

pub fn to_vec<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Php))?;
    Ok(text)
}

struct Php;

impl Formatter for Php {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                ' '..='~' => write!(writer, "{character}")?,
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn strings_are_escaped_as_php_does() {
        let text = super::to_vec(&["https://a/é", "\"\\\n😀"]).unwrap();
        let expected = r#"["https:\/\/a\/\u00e9","\"\\\n\ud83d\ude00"]"#;
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
