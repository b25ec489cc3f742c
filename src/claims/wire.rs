//! The payload of a token, read once, into spans of its own text.
//!
//! Reading happens in two steps, because the contract wants it so: [`Draft::parse`] looks at the
//! *form* alone (one JSON object, strict), which must be known before an authority can be chosen;
//! what the members *mean* is looked at by [`Draft::finish`], after the signature is verified.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::form::{MemberName, deep_form};

/// The text is not one well-formed JSON object, or a claim has a type it must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A piece of the text that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn at(start: usize, length: usize) -> Result<Self, Malformed> {
        Ok(Self {
            start: u32::try_from(start).map_err(|_| Malformed)?,
            end: u32::try_from(start.saturating_add(length)).map_err(|_| Malformed)?,
        })
    }

    /// The span of `piece`, which was borrowed from `whole`, the text of this span.
    pub(crate) fn part(self, whole: &str, piece: &str) -> Result<Self, Malformed> {
        let offset = (piece.as_ptr() as usize)
            .checked_sub(whole.as_ptr() as usize)
            .ok_or(Malformed)?;
        Self::at((self.start as usize).saturating_add(offset), piece.len())
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// What stands behind a member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// There is no such member, or it is `null`, which the contract counts as absence.
    Absent,
    /// A string, without its quotes and with its escapes resolved.
    Text(Span),
    /// Any other JSON value, as it is written.
    Json(Span),
}

macro_rules! names {
    ($($variant:ident = $name:literal,)+) => {
        /// The claims this crate knows by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "some claims are names")]
        pub(crate) enum Name { $($variant),+ }

        impl Name {
            pub(crate) const COUNT: usize = [$(Name::$variant),+].len();

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            #[cfg(test)]
            const ALL: [(Name, &'static str); Self::COUNT] = [$((Name::$variant, $name)),+];
        }
    };
}

names! {
    Audience = "aud",
    Issuer = "iss",
    Tenant = "tid",
    ExpiresAt = "exp",
    NotBefore = "nbf",
    IssuedAt = "iat",
    Version = "ver",
    Subject = "sub",
    Object = "oid",
    IdentityProvider = "idp",
    AuthorizedParty = "azp",
    AuthorizedPartyStrength = "azpacr",
    AppId = "appid",
    AppIdStrength = "appidacr",
    Scopes = "scp",
    Roles = "roles",
    Groups = "groups",
    HasGroups = "hasgroups",
    DistributedClaims = "_claim_names",
    DirectoryRoles = "wids",
    Methods = "amr",
    ContextClass = "acr",
    AuthContexts = "acrs",
    ClientCapabilities = "xms_cc",
    IdentityType = "idtyp",
    AccountStatus = "acct",
    AuthTime = "auth_time",
    Policy = "tfp",
    Confirmation = "cnf",
    SessionId = "sid",
    TokenId = "uti",
    JwtId = "jti",
    ReuseData = "aio",
    ReuseHash = "rh",
    DisplayName = "name",
    PreferredUsername = "preferred_username",
    UniqueName = "unique_name",
    Upn = "upn",
    Email = "email",
    FamilyName = "family_name",
    GivenName = "given_name",
    Nickname = "nickname",
    IpAddress = "ipaddr",
    OnPremisesSid = "onprem_sid",
    PasswordExpiry = "pwd_exp",
    PasswordUrl = "pwd_url",
    InCorporateNetwork = "in_corp",
    LoginHint = "login_hint",
}

/// Members whose twins in another letter case would let two readers see two tokens.
const FOLDED: [&str; 6] = ["iss", "aud", "tid", "exp", "nbf", "ver"];

/// Other members that are looked through one by one before a set is built for them.
const FEW: usize = 16;

/// A payload whose form is right and whose meaning nobody has looked at.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The payload, and behind it the strings that had escapes in them.
    text: String,
    values: [Value; Name::COUNT],
    others: Vec<(Span, Span)>,
}

impl Draft {
    /// Reads the form: one JSON object, no member twice, no odd nesting, no half characters.
    pub(crate) fn parse(payload: Vec<u8>) -> Result<Self, Malformed> {
        let text = String::from_utf8(payload).map_err(|_| Malformed)?;
        // Offsets are kept in 32 bits, with room for the decoded copies of escaped strings.
        if text.len() > (u32::MAX / 4) as usize {
            return Err(Malformed);
        }
        let mut members = Members {
            payload: &text,
            decoded: String::new(),
            values: [Value::Absent; Name::COUNT],
            seen: [false; Name::COUNT],
            folded: [false; FOLDED.len()],
            others: Vec::new(),
            many: HashSet::new(),
            escapes: text.contains('\\'),
        };
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_map(&mut members).map_err(|_| Malformed)?;
        json.end().map_err(|_| Malformed)?;
        let Members {
            decoded,
            values,
            others,
            ..
        } = members;
        let mut text = text;
        text.push_str(&decoded);
        Ok(Self {
            text,
            values,
            others,
        })
    }

    pub(crate) fn value(&self, name: Name) -> Value {
        value_of(&self.values, name)
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
    pub(crate) fn other(&self, name: &str) -> Option<&str> {
        self.others
            .iter()
            .find(|(member, _)| member.of(&self.text) == name)
            .map(|(_, raw)| raw.of(&self.text))
    }

    pub(crate) fn into_parts(self) -> (String, [Value; Name::COUNT], Vec<(Span, Span)>) {
        (self.text, self.values, self.others)
    }
}

pub(crate) fn value_of(values: &[Value; Name::COUNT], name: Name) -> Value {
    values.get(name as usize).copied().unwrap_or(Value::Absent)
}

/// Collects the members of the payload object.
struct Members<'t> {
    payload: &'t str,
    decoded: String,
    values: [Value; Name::COUNT],
    seen: [bool; Name::COUNT],
    folded: [bool; FOLDED.len()],
    others: Vec<(Span, Span)>,
    many: HashSet<String>,
    escapes: bool,
}

impl<'t> Members<'t> {
    fn member(&mut self, name: Cow<'t, str>, raw: &'t RawValue) -> Result<(), Malformed> {
        for (folded, seen) in FOLDED.iter().zip(&mut self.folded) {
            if name.eq_ignore_ascii_case(folded) && std::mem::replace(seen, true) {
                return Err(Malformed);
            }
        }
        let value = self.value(raw.get())?;
        match Name::known(&name) {
            Some(known) => {
                let seen = self.seen.get_mut(known as usize).ok_or(Malformed)?;
                if std::mem::replace(seen, true) {
                    return Err(Malformed);
                }
                *self.values.get_mut(known as usize).ok_or(Malformed)? = value;
            }
            None => self.other(name, raw.get())?,
        }
        Ok(())
    }

    fn other(&mut self, name: Cow<'t, str>, raw: &'t str) -> Result<(), Malformed> {
        let twice = if self.others.len() < FEW {
            self.others.iter().any(|(span, _)| self.read(*span) == name)
        } else {
            // Ten thousand members must not cost ten thousand times ten thousand looks.
            if self.many.is_empty() {
                self.many = self
                    .others
                    .iter()
                    .map(|(span, _)| self.read(*span).to_owned())
                    .collect();
            }
            !self.many.insert(name.to_string())
        };
        if twice {
            return Err(Malformed);
        }
        let name = match name {
            Cow::Borrowed(text) => self.within(text)?,
            Cow::Owned(text) => self.keep(&text)?,
        };
        let raw = self.within(raw)?;
        self.others.push((name, raw));
        Ok(())
    }

    /// Looks at a value's form and says what it is.
    fn value(&mut self, raw: &'t str) -> Result<Value, Malformed> {
        match raw.as_bytes() {
            b"null" => Ok(Value::Absent),
            [b'"', inner @ .., b'"'] => {
                if self.escapes && inner.contains(&b'\\') {
                    // Half of a surrogate pair fails here, as it should.
                    let text: String = serde_json::from_str(raw).map_err(|_| Malformed)?;
                    return self.keep(&text).map(Value::Text);
                }
                let inner = raw.get(1..raw.len().saturating_sub(1)).ok_or(Malformed)?;
                self.within(inner).map(Value::Text)
            }
            [b'{', ..] => {
                deep_form(raw)?;
                self.within(raw).map(Value::Json)
            }
            [b'[', rest @ ..] => {
                if self.escapes || rest.iter().any(|byte| matches!(byte, b'[' | b'{')) {
                    deep_form(raw)?;
                }
                self.within(raw).map(Value::Json)
            }
            _ => self.within(raw).map(Value::Json),
        }
    }

    /// The span of a piece that was borrowed from the payload.
    fn within(&self, piece: &'t str) -> Result<Span, Malformed> {
        Span { start: 0, end: 0 }.part(self.payload, piece)
    }

    /// Keeps a decoded string behind the payload.
    fn keep(&mut self, text: &str) -> Result<Span, Malformed> {
        let span = Span::at(self.payload.len() + self.decoded.len(), text.len())?;
        self.decoded.push_str(text);
        Ok(span)
    }

    fn read(&self, span: Span) -> &str {
        let behind = self.payload.len();
        match (span.start as usize).checked_sub(behind) {
            None => span.of(self.payload),
            Some(start) => self
                .decoded
                .get(start..(span.end as usize).saturating_sub(behind))
                .unwrap_or_default(),
        }
    }
}

impl<'t> Visitor<'t> for &mut Members<'t> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(MemberName)? {
            let raw: &'t RawValue = map.next_value()?;
            self.member(name, raw)
                .map_err(|Malformed| serde::de::Error::custom("malformed"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Draft, Malformed> {
        Draft::parse(text.as_bytes().to_vec())
    }

    /// A payload whose deepest array stands on level `levels`; the payload itself is level 1.
    fn nested(levels: usize) -> String {
        let inner = levels - 1;
        format!("{{\"x\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
    }

    #[test]
    fn every_known_name_finds_its_own_place() {
        for (name, text) in Name::ALL {
            let draft = parse(&format!("{{\"{text}\":\"v\"}}")).unwrap();
            assert_eq!(draft.text(name), Some("v"), "{text}");
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
        assert!(Draft::parse(b"{\"a\":\"\xff\"}".to_vec()).is_err());
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
        for name in FOLDED {
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
