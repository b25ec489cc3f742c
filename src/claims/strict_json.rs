//! The form of nested JSON: how deep it goes, whose names stand twice.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::raw::Malformed;

/// Levels of nesting; the payload object is the first.
const MAX_DEPTH: usize = 128;

/// A member's name, borrowed where it has no escapes.
pub(crate) struct MemberName;

impl<'t> DeserializeSeed<'t> for MemberName {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for MemberName {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Walks a nested value: its depth, its members' names, its strings.
pub(super) fn deep_form(raw: &str) -> Result<(), Malformed> {
    let mut json = serde_json::Deserializer::from_str(raw);
    // The library stops one level too early; `Form` counts for itself.
    json.disable_recursion_limit();
    Form { depth: 2 }
        .deserialize(&mut json)
        .map_err(|_| Malformed)
}

struct Form {
    depth: usize,
}

impl Form {
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth > MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
        })
    }
}

impl<'t> DeserializeSeed<'t> for Form {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Form {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        let inner = self.inner::<A::Error>()?.depth;
        while let Some(name) = map.next_key_seed(MemberName)? {
            if is_of_the_library(&name) {
                return Err(serde::de::Error::custom("a name that is read as no member"));
            }
            if !names.insert(name) {
                return Err(serde::de::Error::custom("a member twice"));
            }
            map.next_value_seed(Self { depth: inner })?;
        }
        Ok(())
    }
}

/// Whether serde_json reads a member of that name as something else, such as the JSON in its text.
pub(crate) fn is_of_the_library(name: &str) -> bool {
    name.starts_with("$serde_json::private::")
}

/// Whether an object has a member of that name; its value is not looked at.
pub(super) fn has_member(raw: &str, name: &str) -> bool {
    struct Finds<'n>(&'n str);
    impl<'t> Visitor<'t> for Finds<'_> {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<bool, A::Error> {
            let mut found = false;
            while let Some(member) = map.next_key_seed(MemberName)? {
                found |= member == self.0;
                map.next_value::<IgnoredAny>()?;
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(raw)
        .deserialize_map(Finds(name))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_an_object_alone() {
        assert!(has_member(r#"{"groups":"src1"}"#, "groups"));
        assert!(!has_member(r#"{"other":"groups"}"#, "groups"));
        assert!(!has_member("[]", "groups"));
    }
}
