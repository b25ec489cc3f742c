//! The payload of a token, read once, into spans of its own text.
//!
//! Reading happens in two steps, because the form is checked before the claims:
//! [`RawClaims::parse`] checks only the *form* (one JSON object, strict), which must be known before
//! an authority can be chosen;
//! what the members *mean* is looked at by [`RawClaims::interpret`], after the signature is verified.

use std::borrow::Cow;

use super::claim_name::Values;
use super::groups::SpanRange;
use super::object_reader::Members;
use super::span::Span;

pub(crate) use super::claim_name::{Name, Value};

/// The text is not one well-formed JSON object, or a claim has a type it must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A payload whose form is valid and whose claims are not interpreted yet.
#[derive(Debug)]
pub(crate) struct RawClaims<'p> {
    /// The payload, and behind it the strings that had escapes in them.
    text: Cow<'p, str>,
    values: Values,
    others: Vec<(Span, Span)>,
}

impl<'p> RawClaims<'p> {
    /// Reads the form: one JSON object, no member twice, no odd nesting, no half characters.
    pub(crate) fn parse(payload: &'p [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(payload).map_err(|_| Malformed)?;
        let Members {
            decoded,
            values,
            others,
            ..
        } = Members::read(text)?;
        let text = match decoded.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(format!("{text}{decoded}")),
        };
        Ok(Self {
            text,
            values,
            others,
        })
    }

    /// What spans stand in.
    pub(super) fn raw(&self) -> &str {
        &self.text
    }

    pub(crate) fn value(&self, name: Name) -> Value {
        self.values.of(name)
    }

    /// The text of a claim; `None` where it is absent or of another type.
    pub(crate) fn text(&self, name: Name) -> Option<&str> {
        match self.value(name) {
            Value::Text(span) => Some(span.of(&self.text)),
            Value::Absent | Value::Json(_) => None,
        }
    }

    /// The text of a claim that must be a string where it is present.
    pub(crate) fn string(&self, name: Name) -> Result<Option<&str>, Malformed> {
        match self.value(name) {
            Value::Text(span) => Ok(Some(span.of(&self.text))),
            Value::Absent => Ok(None),
            Value::Json(_) => Err(Malformed),
        }
    }

    /// A member that has no name of its own here, as it is written.
    #[cfg(test)]
    pub(crate) fn other(&self, name: &str) -> Option<&str> {
        self.others
            .iter()
            .find(|(member, _)| member.of(&self.text) == name)
            .map(|(_, raw)| raw.of(&self.text))
    }

    /// The values and the other members that an accessor returns, in a text that holds nothing
    /// else. Times have been read by now.
    pub(super) fn compacted(self) -> Result<(String, Values, SpanRange), Malformed> {
        let Self {
            text: payload,
            mut values,
            others,
        } = self;
        for read in [
            Name::ExpiresAt,
            Name::NotBefore,
            Name::IssuedAt,
            Name::AuthTime,
        ] {
            values.remove(read);
        }
        let lengths = others.iter();
        // All of them are parts of one text, so nothing wraps.
        let lengths = lengths.map(|(name, raw)| name.length().wrapping_add(raw.length()));
        let mut text = String::with_capacity(values.length().wrapping_add(lengths.sum()));
        values.move_to(&payload, &mut text)?;
        let start = values.end();
        for mut span in others.into_iter().flat_map(|(name, raw)| [name, raw]) {
            span.move_to(&payload, &mut text)?;
            values.push(span);
        }
        let others = values.since(start)?;
        Ok((text, values, others))
    }
}

#[cfg(test)]
mod tests {
    use super::super::object_reader::CASE_CHECKED_CLAIMS;
    use super::*;

    fn parse(text: &str) -> Result<RawClaims<'_>, Malformed> {
        RawClaims::parse(text.as_bytes())
    }

    /// A payload whose deepest array stands on level `levels`; the payload itself is level 1.
    fn nested(levels: usize) -> String {
        let inner = levels - 1;
        format!("{{\"x\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
    }

    #[test]
    fn every_known_name_finds_its_own_place() {
        let opaque = [Name::ReuseData, Name::ReuseHash];
        for (name, text) in Name::ALL {
            let text = std::str::from_utf8(text).unwrap();
            let payload = format!("{{\"{text}\":\"v\"}}");
            let draft = parse(&payload).unwrap();
            let read = (!opaque.contains(&name)).then_some("v");
            assert_eq!(draft.text(name), read, "{text}");
        }
    }

    #[test]
    fn one_object_is_a_payload() {
        for good in [
            "{}",
            " {} ",
            "{\"a\":1,\"b\":[{}],\"c\":null}",
            "{\"\\u0061\":1}",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "[]",
            "1",
            "\"{}\"",
            "{}{}",
            "{} x",
            "{\"a\":1,}",
            "{'a':1}",
            "{\"a\"}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "\u{feff}{}",
            "{\"a\":\"\n\"}",
            "{/**/}",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(RawClaims::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_member_stands_once() {
        for bad in [
            r#"{"sub":"a","sub":"a"}"#,
            r#"{"sub":"a","s\u0075b":"b"}"#,
            r#"{"x":1,"x":1}"#,
            r#"{"x":1,"\u0078":1}"#,
            r#"{"o":{"x":1,"x":2}}"#,
            r#"{"l":[{"x":1,"x":2}]}"#,
            r#"{"sub":null,"sub":"a"}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(r#"{"x":1,"X":1,"sub":"a","SUB":"b"}"#).is_ok());
    }

    #[test]
    fn members_that_decide_have_no_twin_in_another_letter_case() {
        for (name, _) in CASE_CHECKED_CLAIMS {
            let upper = name.to_uppercase();
            assert!(
                parse(&format!("{{\"{name}\":\"a\",\"{upper}\":\"a\"}}")).is_err(),
                "{name}"
            );
            assert!(
                parse(&format!("{{\"{upper}\":\"a\",\"{name}\":\"a\"}}")).is_err(),
                "{name}"
            );
            assert!(parse(&format!("{{\"{upper}\":\"a\"}}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_twin_may_be_spelt_with_a_long_s() {
        assert!(parse("{\"iss\":\"a\",\"i\u{17f}s\":\"b\"}").is_err());
        assert!(parse("{\"i\u{17f}\u{17f}\":\"a\",\"I\u{17f}S\":\"b\"}").is_err());
        assert!(parse("{\"iss\":\"a\",\"is\u{df}\":\"b\"}").is_ok());
    }

    #[test]
    fn names_that_the_library_reads_as_no_member_are_none() {
        for name in ["RawValue", "Number"] {
            let member = format!(r#""$serde_json::private::{name}":"{{}}""#);
            assert!(parse(&format!("{{{member}}}")).is_err());
            assert!(parse(&format!("{{\"x\":{{{member}}}}}")).is_err());
            assert!(parse(&format!("{{\"x\":[1,[{{{member}}}]]}}")).is_err());
            let escaped = member.replacen("$", "\\u0024", 1);
            assert!(parse(&format!("{{\"x\":{{{escaped}}}}}")).is_err());
            assert!(parse(&format!("{{{escaped}}}")).is_err());
        }
        assert!(parse(r#"{"x":{"$serde_json":1}}"#).is_ok());
    }

    #[test]
    fn numbers_that_nothing_holds_are_refused_at_every_depth() {
        for number in ["1e999", "-1e999", "1.5E+400", &"9".repeat(400)] {
            for text in [
                "{\"x\":N}",
                "{\"x\":[N]}",
                "{\"x\":[[N]]}",
                "{\"x\":{\"y\":N}}",
            ] {
                assert!(
                    parse(&text.replace('N', number)).is_err(),
                    "{text} {number}"
                );
            }
        }
        for number in ["1e300", "1e-999", "0.1e1", &"9".repeat(300)] {
            assert!(parse(&format!("{{\"x\":[{number}]}}")).is_ok(), "{number}");
        }
    }

    #[test]
    fn many_members_are_told_apart_too() {
        let members: Vec<String> = (0..2_000).map(|n| format!("\"m{n}\":{n}")).collect();
        assert!(parse(&format!("{{{}}}", members.join(","))).is_ok());
        assert!(parse(&format!("{{{},\"m1999\":1}}", members.join(","))).is_err());
        assert!(parse(&format!("{{{},\"m0\":1}}", members.join(","))).is_err());
    }

    #[test]
    fn nesting_ends_at_128_levels() {
        assert!(parse(&nested(128)).is_ok());
        assert!(parse(&nested(129)).is_err());
        assert!(parse(&nested(20_000)).is_err());
    }

    #[test]
    fn half_a_surrogate_pair_is_malformed_wherever_it_stands() {
        assert!(parse(r#"{"x":"\ud83d\ude00"}"#).is_ok());
        for bad in [
            r#"{"x":"\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"x":["\udc00"]}"#,
            r#"{"x":{"y":"\ud800\u0041"}}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let draft = parse(r#"{"iss":"https:\/\/a","x\/y":"\n"}"#).unwrap();
        assert_eq!(draft.text(Name::Issuer), Some("https://a"));
    }
}
