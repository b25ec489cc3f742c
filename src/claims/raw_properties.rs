//! Any JSON text: what is read is what every other reader reads, and no member is read twice.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::object_reader::CASE_CHECKED_CLAIMS;
use super::raw::{Name, RawClaims, Value as Read};
use super::strict_json::deep_form;

/// Names that decide, names that are known, and unknown names; no case variants.
const NAMES: [&str; 12] = [
    "iss", "aud", "tid", "exp", "sub", "oid", "scp", "x", "y", "é", "a b", "\"",
];

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Eighths, which every reader reads alike.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-c\\\\é\"]{0,3}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    prop::collection::btree_map(name, values(), 0..10).prop_map(|map| map.into_iter().collect())
}

/// Writes a value as JSON, escaping whatever `escape` says, white space in between.
fn write(value: &Value, escape: &mut impl FnMut() -> bool, to: &mut String) {
    match value {
        Value::String(text) => string(text, escape, to),
        Value::Array(values) => {
            to.push('[');
            for (index, value) in values.iter().enumerate() {
                to.push_str(if index == 0 { " " } else { ",\n" });
                write(value, escape, to);
            }
            to.push(']');
        }
        Value::Object(map) => {
            to.push('{');
            for (index, (name, value)) in map.iter().enumerate() {
                to.push_str(if index == 0 { "" } else { "\t," });
                string(name, escape, to);
                to.push_str(": ");
                write(value, escape, to);
            }
            to.push('}');
        }
        other => to.push_str(&other.to_string()),
    }
}

fn string(text: &str, escape: &mut impl FnMut() -> bool, to: &mut String) {
    to.push('"');
    for character in text.chars() {
        if escape() || matches!(character, '"' | '\\' | '\0'..='\x1f') {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                to.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            to.push(character);
        }
    }
    to.push('"');
}

fn written(object: &Map<String, Value>, seed: u64, every: u64) -> String {
    let mut state = seed;
    let mut escape = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33).is_multiple_of(every)
    };
    let mut text = String::new();
    write(&Value::Object(object.clone()), &mut escape, &mut text);
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn what_is_read_is_what_every_reader_reads(
        object in objects(), seed in any::<u64>(), every in 1..20_u64
    ) {
        let text = written(&object, seed, every);
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&value, &Value::Object(object.clone()));
        let draft = RawClaims::parse(text.as_bytes()).unwrap();
        for (name, known) in [
            ("iss", Name::Issuer),
            ("aud", Name::Audience),
            ("tid", Name::Tenant),
            ("exp", Name::ExpiresAt),
            ("sub", Name::Subject),
            ("oid", Name::Object),
            ("scp", Name::Scopes),
        ] {
            let absent = object.get(name).is_none_or(Value::is_null);
            prop_assert_eq!(draft.value(known) == Read::Absent, absent, "{}", name);
            prop_assert_eq!(draft.text(known), object.get(name).and_then(Value::as_str));
        }
        for name in ["x", "y", "é", "a b", "\""] {
            let read = draft
                .other(name)
                .map(|raw| serde_json::from_str::<Value>(raw).unwrap());
            prop_assert_eq!(read.as_ref(), object.get(name));
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_never_accepted(
        object in objects(), twice in prop::sample::select(NAMES.to_vec()), value in values(),
        seed in any::<u64>(), every in 1..20_u64, inside in any::<bool>()
    ) {
        let one = |value: &Value| {
            let mut map = Map::new();
            map.insert(twice.to_owned(), value.clone());
            let text = written(&map, seed, every);
            text[1..text.len() - 1].to_owned()
        };
        let mut object = object;
        object.remove(twice);
        let rest = written(&object, seed, every);
        let rest = &rest[1..rest.len() - 1];
        let comma = if object.is_empty() { "" } else { "," };
        let case_variants = format!("{{{},{rest}{comma}{}}}", one(&Value::Null), one(&value));
        let text = if inside { format!("{{\"z\":[1,{case_variants}]}}") } else { case_variants };
        prop_assert!(RawClaims::parse(text.as_bytes()).is_err());
    }

    /// A corrupted text is refused, or it is still JSON and read as the library reads it.
    #[test]
    fn what_is_accepted_of_corrupted_text_every_reader_accepts(
        object in objects(), seed in any::<u64>(), every in 1..20_u64,
        damaged in prop::collection::vec((any::<prop::sample::Index>(), spoilers()), 1..4)
    ) {
        let mut text = written(&object, seed, every);
        for (place, (length, by)) in damaged {
            let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            places.push(text.len());
            let at = place.index(places.len());
            let end = places.get(at + length).copied().unwrap_or(text.len());
            text.replace_range(places[at]..end, by);
        }
        let library = serde_json::from_str::<Value>(&text);
        let Ok(draft) = RawClaims::parse(text.as_bytes()) else {
            // What is right all through is not refused.
            if let Ok(Value::Object(read)) = &library {
                let is_twin = |(name, _): &(&str, Name)| {
                    read.keys().filter(|own| own.eq_ignore_ascii_case(name)).count() > 1
                };
                let right = deep_form(&text).is_ok() && !CASE_CHECKED_CLAIMS.iter().any(is_twin);
                prop_assert!(!right, "{}", text);
            }
            return Ok(());
        };
        // Numbers of any size are JSON; the library's values hold those of 64 bits.
        let forms: Result<std::collections::BTreeMap<String, &serde_json::value::RawValue>, _> =
            serde_json::from_str(&text);
        prop_assert!(forms.is_ok(), "{}", text);
        let Ok(Value::Object(read)) = library else { return Ok(()) };
        for (name, known) in [("iss", Name::Issuer), ("sub", Name::Subject), ("scp", Name::Scopes)] {
            prop_assert_eq!(draft.text(known), read.get(name).and_then(Value::as_str), "{}", text);
        }
        for (name, raw) in &forms.unwrap() {
            if let Some(own) = draft.other(name) {
                prop_assert_eq!(own.trim(), raw.get(), "{}", text);
            }
        }
    }
}

/// How many characters are replaced, and by what.
fn spoilers() -> impl Strategy<Value = (usize, &'static str)> {
    let by = prop::sample::select(vec![
        "",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "\\u0061",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"iss\":1,",
        "\"",
        "0",
        "00",
        "-",
        ".",
        "e9",
        "E+400",
        "null",
        "tru",
        "true",
        "\n",
        "\t",
        "\u{1}",
        "\u{7f}",
        "\u{feff}",
        "é",
        "/",
        "//",
        "'",
        "\"\":{}",
        " ",
    ]);
    (0..3_usize, by)
}
