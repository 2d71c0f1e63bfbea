//! Makes JSON objects that keep the order of their members.

use serde::{Serialize, Serializer};
use serde_json::Value;

#[derive(Debug, Clone, Default)]
pub struct Object(Vec<(&'static str, Member)>);

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Member {
    Value(Value),
    Object(Object),
    List(Vec<Object>),
}

impl Object {
    pub fn with(mut self, name: &'static str, member: impl Into<Member>) -> Self {
        self.0.push((name, member.into()));
        self
    }

    pub fn with_some(self, name: &'static str, member: Option<impl Into<Member>>) -> Self {
        match member {
            Some(member) => self.with(name, member),
            None => self,
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, member)| (name, member)))
    }
}

impl<V: Into<Value>> From<V> for Member {
    fn from(value: V) -> Self {
        Member::Value(value.into())
    }
}

impl From<Object> for Member {
    fn from(object: Object) -> Self {
        Member::Object(object)
    }
}
