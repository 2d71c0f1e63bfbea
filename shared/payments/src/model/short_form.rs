//! Stores a value as a short text if possible, and as JSON otherwise. A payment can have thousands of values in this
//! form.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that can be stored as a short text.
pub(in crate::model) trait ShortForm: Sized {
    /// Returns the short text; `None` if the text cannot contain the whole value.
    fn write(&self) -> Option<String>;

    /// Returns the value of a short text; `None` if the text is not valid.
    fn read(text: &str) -> Option<Self>;
}

/// A value in its stored form.
pub(in crate::model) struct Stored<T>(pub(in crate::model) T);

impl<T: ShortForm + Serialize> Serialize for Stored<&T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.write() {
            Some(text) => to.serialize_str(&text),
            None => self.0.serialize(to),
        }
    }
}

impl<'de, T: ShortForm + Deserialize<'de>> Deserialize<'de> for Stored<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StoredVisitor(PhantomData)).map(Self)
    }
}

struct StoredVisitor<T>(PhantomData<T>);

impl<'de, T: ShortForm + Deserialize<'de>> Visitor<'de> for StoredVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a short text or a map")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::read(text).ok_or_else(|| E::custom("a short text cannot be read"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
