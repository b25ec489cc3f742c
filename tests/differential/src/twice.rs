//! Names that are there twice in one object, which a reader into a map does not show.

use std::collections::HashSet;

/// Whether a name is there twice in an object, at any depth.
pub fn has_twice(text: &str) -> bool {
    struct Once;
    impl<'de> serde::de::DeserializeSeed<'de> for Once {
        type Value = bool;
        fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
            from.deserialize_any(self)
        }
    }
    impl<'de> serde::de::Visitor<'de> for Once {
        type Value = bool;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_str<E>(self, _: &str) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_unit<E>(self) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
            let mut twice = false;
            while let Some(found) = list.next_element_seed(Once)? {
                twice |= found;
            }
            Ok(twice)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
            let (mut names, mut twice) = (HashSet::<String>::new(), false);
            while let Some(name) = object.next_key::<String>()? {
                twice |= !names.insert(name);
                twice |= object.next_value_seed(Once)?;
            }
            Ok(twice)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde::de::DeserializeSeed::deserialize(Once, &mut reader).unwrap_or(false)
}
