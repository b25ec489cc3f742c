//! The payload of a token, read once, into spans of its own text.
//!
//! Reading happens in two steps, because the contract wants it so: [`Draft::parse`] looks at the
//! *form* alone (one JSON object, strict), which must be known before an authority can be chosen;
//! what the members *mean* is looked at by [`Draft::finish`], after the signature is verified.

use std::borrow::Cow;
use std::collections::HashSet;

use super::form::deep_form;
use super::scan::{Scanned, Scanner};

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

    const fn length(self) -> usize {
        (self.end as usize).saturating_sub(self.start as usize)
    }

    /// The string that a span's text stands in, its quotes included.
    const fn with_quotes(self) -> Self {
        Self {
            start: self.start.saturating_sub(1),
            end: self.end.saturating_add(1),
        }
    }

    /// Copies what it spans to the end of another text, and is the span of the copy.
    fn move_to(&mut self, from: &str, to: &mut String) -> Result<(), Malformed> {
        let piece = self.of(from);
        let span = Self::at(to.len(), piece.len())?;
        to.push_str(piece);
        *self = span;
        Ok(())
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

const FOLDED_LENGTH: usize = 3;

/// Other members that are looked through one by one before a set is built for them.
const FEW: usize = 16;

/// A payload whose form is right and whose meaning nobody has looked at.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The payload, and behind it the strings that had escapes in them.
    pub(super) text: String,
    pub(super) values: Values,
    pub(super) others: Vec<(Span, Span)>,
}

impl Draft {
    /// Reads the form: one JSON object, no member twice, no odd nesting, no half characters.
    pub(crate) fn parse(payload: Vec<u8>) -> Result<Self, Malformed> {
        let text = String::from_utf8(payload).map_err(|_| Malformed)?;
        // Offsets are kept in 31 bits, with room for the decoded copies of escaped strings.
        if text.len() > (u32::MAX / 4) as usize {
            return Err(Malformed);
        }
        let mut members = Members {
            payload: &text,
            decoded: String::new(),
            values: Values::default(),
            seen: [false; Name::COUNT],
            folded: [false; FOLDED.len()],
            others: Vec::new(),
            many: HashSet::new(),
        };
        Scanner::object(&text, |name, value| members.member(name, value))?;
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

    /// The values and the names that somebody can ask for, in a text that holds nothing else.
    pub(super) fn compacted(mut self) -> Result<Self, Malformed> {
        for opaque in [Name::ReuseData, Name::ReuseHash] {
            self.values.remove(opaque);
        }
        let others = self.others.iter_mut().flat_map(|(name, raw)| [name, raw]);
        let spans = self.values.found.iter().map(|found| found.span().length());
        let length: usize = spans.sum::<usize>() + others.map(|span| span.length()).sum::<usize>();
        let mut text = String::with_capacity(length);
        for found in &mut self.values.found {
            found.move_to(&self.text, &mut text)?;
        }
        for (name, raw) in &mut self.others {
            name.move_to(&self.text, &mut text)?;
            raw.move_to(&self.text, &mut text)?;
        }
        Ok(Self { text, ..self })
    }
}

/// The values of the claims that have a name here; few of them are in one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values {
    /// For each name the place of its value, counted from 1; 0 where it is absent.
    places: [u8; Name::COUNT],
    found: Vec<Found>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            places: [0; Name::COUNT],
            found: Vec::with_capacity(Name::COUNT / 2),
        }
    }
}

impl Values {
    pub(crate) fn of(&self, name: Name) -> Value {
        let place = self.places.get(name as usize).copied().unwrap_or_default();
        match usize::from(place).checked_sub(1) {
            Some(place) => self
                .found
                .get(place)
                .map_or(Value::Absent, |found| found.value()),
            None => Value::Absent,
        }
    }

    fn set(&mut self, name: Name, value: Value) -> Result<(), Malformed> {
        let found = match value {
            Value::Absent => return Ok(()),
            Value::Text(span) => Found(span),
            Value::Json(span) => Found(Span {
                start: span.start | Found::JSON,
                ..span
            }),
        };
        self.found.push(found);
        let place = u8::try_from(self.found.len()).map_err(|_| Malformed)?;
        *self.places.get_mut(name as usize).ok_or(Malformed)? = place;
        Ok(())
    }

    /// Makes a value absent; its text is not copied any more.
    fn remove(&mut self, name: Name) {
        let Some(place) = self.places.get_mut(name as usize) else {
            return;
        };
        let found = usize::from(std::mem::take(place)).checked_sub(1);
        if let Some(found) = found.and_then(|found| self.found.get_mut(found)) {
            *found = Found(Span { start: 0, end: 0 });
        }
    }

    pub(super) fn shrink(&mut self) {
        self.found.shrink_to_fit();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.found.capacity().saturating_mul(size_of::<Found>())
    }
}

/// The span of a value that is there; the highest bit tells text from other JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found(Span);

impl Found {
    const JSON: u32 = 1 << 31;

    const fn span(self) -> Span {
        Span {
            start: self.0.start & !Self::JSON,
            ..self.0
        }
    }

    const fn value(self) -> Value {
        if self.0.start & Self::JSON == 0 {
            Value::Text(self.0)
        } else {
            Value::Json(self.span())
        }
    }

    fn move_to(&mut self, from: &str, to: &mut String) -> Result<(), Malformed> {
        let json = self.0.start & Self::JSON;
        let mut span = self.span();
        span.move_to(from, to)?;
        span.start |= json;
        self.0 = span;
        Ok(())
    }
}

/// Collects the members of the payload object.
struct Members<'t> {
    payload: &'t str,
    decoded: String,
    values: Values,
    seen: [bool; Name::COUNT],
    folded: [bool; FOLDED.len()],
    others: Vec<(Span, Span)>,
    many: HashSet<String>,
}

impl<'t> Members<'t> {
    fn member(&mut self, name: Scanned<'t>, value: Scanned<'t>) -> Result<(), Malformed> {
        let name = text_of(name)?;
        // They have three letters each.
        if name.len() == FOLDED_LENGTH {
            for (folded, seen) in FOLDED.iter().zip(&mut self.folded) {
                if name.eq_ignore_ascii_case(folded) && std::mem::replace(seen, true) {
                    return Err(Malformed);
                }
            }
        }
        match Name::known(&name) {
            Some(known) => {
                let seen = self.seen.get_mut(known as usize).ok_or(Malformed)?;
                if std::mem::replace(seen, true) {
                    return Err(Malformed);
                }
                let value = self.value(value)?;
                self.values.set(known, value)
            }
            None => self.other(name, value),
        }
    }

    fn other(&mut self, name: Cow<'t, str>, value: Scanned<'t>) -> Result<(), Malformed> {
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
        let raw = match value {
            Scanned::Null => self.keep("null")?,
            // With its quotes, for it is read as JSON.
            Scanned::Plain(text) => self.within(text)?.with_quotes(),
            Scanned::Escaped(raw) => {
                text_of(value)?;
                self.within(raw)?
            }
            Scanned::Simple(raw) => self.within(raw)?,
            Scanned::Nested(raw) => {
                deep_form(raw)?;
                self.within(raw)?
            }
        };
        self.others.push((name, raw));
        Ok(())
    }

    /// Looks at a value's form and says what it is.
    fn value(&mut self, value: Scanned<'t>) -> Result<Value, Malformed> {
        match value {
            Scanned::Null => Ok(Value::Absent),
            Scanned::Plain(text) => self.within(text).map(Value::Text),
            // Half of a surrogate pair fails here, as it should.
            Scanned::Escaped(_) => self.keep(&text_of(value)?).map(Value::Text),
            Scanned::Simple(raw) => self.within(raw).map(Value::Json),
            Scanned::Nested(raw) => {
                deep_form(raw)?;
                self.within(raw).map(Value::Json)
            }
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

/// A string with its escapes resolved; anything else is no string.
pub(crate) fn text_of(scanned: Scanned<'_>) -> Result<Cow<'_, str>, Malformed> {
    match scanned {
        Scanned::Plain(text) => Ok(Cow::Borrowed(text)),
        Scanned::Escaped(raw) => serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|_| Malformed),
        Scanned::Null | Scanned::Simple(_) | Scanned::Nested(_) => Err(Malformed),
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
