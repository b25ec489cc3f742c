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
    let numbers_are_maps = numbers_are_maps();
    if numbers_are_maps && raw.contains(OF_THE_LIBRARY) {
        return Err(Malformed);
    }
    let form = Form {
        depth: 2,
        numbers_are_maps,
    };
    form.deserialize(&mut json).map_err(|_| Malformed)
}

#[derive(Clone, Copy)]
struct Form {
    depth: usize,
    numbers_are_maps: bool,
}

impl Form {
    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth > MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            ..*self
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
        let mut next = map.next_key_seed(MemberName)?;
        // The text has no such name, and one that is spelt with escapes is not borrowed.
        if self.numbers_are_maps && matches!(next, Some(Cow::Borrowed(NUMBER))) {
            let number = map.next_value::<String>()?.parse::<f64>();
            return match number.is_ok_and(f64::is_finite) {
                true => Ok(()),
                false => Err(serde::de::Error::custom("number out of range")),
            };
        }
        let inner = self.inner::<A::Error>()?;
        while let Some(name) = next {
            if is_of_the_library(&name) {
                return Err(serde::de::Error::custom("a name that is read as no member"));
            }
            if !names.insert(name) {
                return Err(serde::de::Error::custom("a member twice"));
            }
            map.next_value_seed(inner)?;
            next = map.next_key_seed(MemberName)?;
        }
        Ok(())
    }
}

/// How serde_json hands a number over where a program has switched on its `arbitrary_precision`.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Whether this program's serde_json does.
fn numbers_are_maps() -> bool {
    struct IsMap;
    impl<'t> Visitor<'t> for IsMap {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }

        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }

        fn visit_map<A: MapAccess<'t>>(self, _: A) -> Result<bool, A::Error> {
            Ok(true)
        }
    }
    // Small integers are no maps even there.
    serde_json::Deserializer::from_str("1.5")
        .deserialize_any(IsMap)
        .unwrap_or(false)
}

/// Whether serde_json reads a member of that name as something else, such as the JSON in its text.
pub(crate) fn is_of_the_library(name: &str) -> bool {
    name.starts_with(OF_THE_LIBRARY)
}

const OF_THE_LIBRARY: &str = "$serde_json::private::";

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
    use serde::de::value::BorrowedStrDeserializer;

    use super::*;

    /// A program's other crates may switch `arbitrary_precision` on for all of them.
    #[test]
    fn a_number_that_comes_as_a_map_is_a_number() {
        let form_of = |name: &'static str, value: &'static str, numbers_are_maps| {
            let depth = 2;
            let name = BorrowedStrDeserializer::new(name);
            let json = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
                [(name, value)].into_iter(),
            );
            let form = Form {
                depth,
                numbers_are_maps,
            };
            form.deserialize(json)
        };
        let form = |name, numbers_are_maps| form_of(name, "1", numbers_are_maps);
        assert!(form(NUMBER, true).is_ok());
        assert!(form_of(NUMBER, "1e999", true).is_err());
        assert!(form(NUMBER, false).is_err());
        assert!(form("$serde_json::private::RawValue", true).is_err());
    }

    #[test]
    fn a_member_is_found_in_an_object_alone() {
        assert!(has_member(r#"{"groups":"src1"}"#, "groups"));
        assert!(!has_member(r#"{"other":"groups"}"#, "groups"));
        assert!(!has_member("[]", "groups"));
    }
}
