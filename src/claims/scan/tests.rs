//! The walk over JSON, compared with the library.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn accepts(text: &str) -> bool {
    Scanner::object(text, |_, _| Ok(())).is_ok()
}

#[test]
fn a_quote_a_backslash_and_control_characters_are_special_and_no_other_byte() {
    for byte in 0..=u8::MAX {
        for place in 0..8 {
            let mut word = [b'a'; 8];
            word[place] = byte;
            let found = specials(u64::from_le_bytes(word)).trailing_zeros() as usize / 8;
            let special = matches!(byte, b'"' | b'\\' | 0..b' ');
            assert_eq!(found, if special { place } else { 8 }, "{byte}");
        }
    }
}

#[test]
fn the_first_byte_that_ends_a_plain_run_is_found() {
    for special in ["\"", "\\", "\0", "\u{1f}"] {
        for before in 0..80 {
            let text = format!("{}{special}\"\\{}", "é".repeat(before), "b".repeat(80));
            let mut walk = Scanner::at_start_of(&text).unwrap();
            walk.skip_plain();
            if special >= " " || !walk.rest.is_empty() {
                assert_eq!(walk.at(), 2 * before, "{special:?}");
            }
        }
    }
    let mut walk = Scanner::at_start_of("ä\u{7f}\u{80}€ !#[]\"").unwrap();
    walk.skip_plain();
    assert_eq!(walk.at(), 13);
    // Nothing ends it.
    for length in 0..80 {
        let text = "a".repeat(length);
        let mut walk = Scanner::at_start_of(&text).unwrap();
        assert!(walk.string().is_err());
    }
}

#[test]
fn a_control_character_stands_outside_strings_alone() {
    for control in ["\n", "\t", "\r"] {
        assert!(accepts(&format!(
            "{{{control}\"a\"{control}:{control}1{control}}}"
        )));
    }
    for control in ["\n", "\t", "\r", "\0", "\u{1f}"] {
        assert!(!accepts(&format!("{{\"a{control}\":1}}")));
        assert!(!accepts(&format!("{{\"a\":\"b{control}\"}}")));
        assert!(!accepts(&format!("{{\"a\":[\"{control}b\"]}}")));
        for before in 0..80 {
            let long = format!("{}{control}{}", "a".repeat(before), "b".repeat(80));
            assert!(!accepts(&format!("{{\"a\":\"{long}\"}}")));
        }
    }
}

#[test]
fn values_are_told_apart() {
    let text = r#"{"a":"x","b":"\n","c":[1,"y",null],"d":["\n"],"e":{},"f":null,"g":-1.5e+3}"#;
    let mut found = Vec::new();
    Scanner::object(text, |name, value| {
        found.push((name, value));
        Ok(())
    })
    .unwrap();
    let expected = [
        (Kind::Plain, "x"),
        (Kind::Escaped, r#""\n""#),
        (Kind::Simple, r#"[1,"y",null]"#),
        (Kind::Nested, r#"["\n"]"#),
        (Kind::Nested, "{}"),
        (Kind::Null, "null"),
        (Kind::Simple, "-1.5e+3"),
    ];
    let values = found
        .iter()
        .map(|(_, value)| (value.kind, value.span.of(text)));
    assert!(values.eq(expected));
}

/// JSON, and corrupted JSON.
fn json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\n\"", "\"\\x\"", "\"ä", "\"", " ",
        "\n", "0", "-", "12", ".5", "e3", "E+1", "true", "null", "fals", "{\"a\":", "[1,", "]}",
        "\u{1}", "é",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("{{\"k\":{}}}", pieces.concat()))
}

proptest! {
    #[test]
    fn it_accepts_what_the_library_accepts(text in json()) {
        let library = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(&text);
        // Escapes in strings and what nested values mean are looked at by others.
        let spelt = serde_json::from_str::<Value>(&text);
        if spelt.is_ok() {
            prop_assert!(accepts(&text), "{}", text);
        }
        if library.is_err() && !text.contains('\\') {
            prop_assert!(!accepts(&text), "{}", text);
        }
    }
}
