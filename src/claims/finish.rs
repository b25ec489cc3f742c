//! From a payload of the right form to claims: what the members mean.

use std::sync::Arc;

use uuid::Uuid;

use super::form::has_member;
use super::groups::Listing;
use super::kept::Kept;
use super::scan::{Kind, Scanner};
use super::span::Span;
use super::values::{Name, Value, Values};
use super::wire::{Draft, Malformed};
use super::{Claims, Home, Inner, Principal, Time, Times};
use crate::token_version::TokenVersion;

/// The greatest whole number that every JSON reader takes for the same (RFC 8259 section 6).
const GREATEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Claims that are understood and not judged yet; the checks look at them.
pub(crate) struct Finished(Inner);

impl Draft<'_> {
    /// Reads what every member means.
    ///
    /// # Errors
    /// [`Malformed`] for a claim of a type it must not have, and for a missing `exp`.
    pub(crate) fn finish(self) -> Result<Finished, Malformed> {
        let expires_at = self.time(Name::ExpiresAt)?.ok_or(Malformed)?;
        let not_before = self.time(Name::NotBefore)?;
        let issued_at = self.time(Name::IssuedAt)?;
        let auth_time = self.time(Name::AuthTime).ok().flatten();
        if not_before.is_some_and(|not_before| not_before > expires_at) {
            return Err(Malformed);
        }
        let (text, values, others) = self.compacted()?;
        let mut reading = Reading { text, values };
        // RFC 7519 section 4.1.2; a subject that nobody can read would be nobody, or anybody.
        if let Value::Json(_) = reading.value(Name::Subject) {
            return Err(Malformed);
        }
        let audiences = reading.audiences()?;
        let scopes = reading.words(Name::Scopes)?;
        let roles = reading.list(Name::Roles)?;
        let (groups, groups_overage) = reading.groups()?;
        let directory_roles = reading.list(Name::DirectoryRoles)?;
        let methods = reading.list_or_one(Name::Methods)?;
        let auth_contexts = reading.list_or_one(Name::AuthContexts)?;
        let client_capabilities = reading.list_or_one(Name::ClientCapabilities)?;
        let principal = Principal::decide(
            reading.json(Name::IdentityType),
            scopes.is_some(),
            reading.plain(Name::Subject),
            reading.plain(Name::Object),
        );
        let version = reading.plain(Name::Version).and_then(TokenVersion::parse);
        Ok(Finished(Inner {
            version: version.unwrap_or(TokenVersion::V1),
            values: Kept::of(&reading.values, &reading.text),
            text: reading.text.into_boxed_str(),
            others,
            scopes,
            roles,
            groups,
            groups_overage,
            directory_roles,
            methods,
            auth_contexts,
            client_capabilities,
            audiences,
            principal,
            tenant: None,
            times: Times {
                expires_at,
                not_before: not_before.map(Time::at),
                issued_at: issued_at.map(Time::at),
            },
            auth_time: auth_time.map(Time::at),
            nonce: None,
            home: None,
        }))
    }

    /// A time in seconds: a number from 0 to 2^53, with a fraction or without.
    fn time(&self, name: Name) -> Result<Option<f64>, Malformed> {
        let Value::Json(span) = self.value(name) else {
            return match self.value(name) {
                Value::Absent => Ok(None),
                Value::Text(_) | Value::Json(_) => Err(Malformed),
            };
        };
        let raw = span.of(self.raw());
        if let Some(seconds) = whole_seconds(raw) {
            return Ok(Some(seconds));
        }
        // Rust also reads `inf`, `nan` and `infinity`; none of them is JSON, so none gets here.
        let seconds: f64 = raw.parse().map_err(|_| Malformed)?;
        let beyond = seconds >= GREATEST_EXACT && !is_greatest_exact(raw);
        if beyond || seconds.is_sign_negative() && seconds != 0.0 || !seconds.is_finite() {
            return Err(Malformed);
        }
        Ok(Some(seconds))
    }
}

impl Finished {
    pub(crate) fn text(&self, name: Name) -> Option<&str> {
        match self.0.values.value(name) {
            Value::Text(span) => Some(span.of(&self.0.text)),
            Value::Absent | Value::Json(_) => None,
        }
    }

    pub(crate) fn has(&self, name: Name) -> bool {
        self.0.values.value(name) != Value::Absent
    }

    /// The audiences; empty where there is no `aud`.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.0
            .values
            .list(self.0.audiences)
            .iter()
            .map(|span| span.of(&self.0.text))
    }

    pub(crate) fn times(&self) -> &Times {
        &self.0.times
    }

    /// The end of all checks.
    ///
    /// `nonce` is the header's, which is signed as the claims are.
    pub(crate) fn into_claims(
        mut self,
        tenant: Option<Uuid>,
        nonce: Option<Box<str>>,
        home: Option<Home>,
    ) -> Claims {
        self.0.tenant = tenant;
        self.0.nonce = nonce;
        self.0.home = home;
        Claims(Arc::new(self.0))
    }
}

struct Reading {
    text: String,
    values: Values,
}

impl Reading {
    fn value(&self, name: Name) -> Value {
        self.values.of(name)
    }

    fn plain(&self, name: Name) -> Option<&str> {
        match self.value(name) {
            Value::Text(span) => Some(span.of(&self.text)),
            Value::Absent | Value::Json(_) => None,
        }
    }

    fn json(&self, name: Name) -> Option<&str> {
        match self.value(name) {
            Value::Text(span) | Value::Json(span) => Some(span.of(&self.text)),
            Value::Absent => None,
        }
    }

    /// A string of words with runs of spaces between.
    fn words(&mut self, name: Name) -> Result<Option<Listing>, Malformed> {
        let span = match self.value(name) {
            Value::Absent => return Ok(None),
            Value::Json(_) => return Err(Malformed),
            Value::Text(span) => span,
        };
        let start = self.values.end();
        let text = span.of(&self.text);
        let mut from = 0_usize;
        for word in text.as_bytes().split(|byte| *byte == b' ') {
            if !word.is_empty() {
                self.values.push(span.part(Span::at(from, word.len())?)?);
            }
            from = from.saturating_add(word.len()).saturating_add(1);
        }
        self.values.since(start).map(Some)
    }

    /// An array of strings.
    fn list(&mut self, name: Name) -> Result<Option<Listing>, Malformed> {
        match self.value(name) {
            Value::Absent => Ok(None),
            Value::Text(_) => Err(Malformed),
            Value::Json(span) => self.elements(span).map(Some),
        }
    }

    /// An array of strings, or one string that counts as a list of one.
    fn list_or_one(&mut self, name: Name) -> Result<Option<Listing>, Malformed> {
        match self.value(name) {
            Value::Text(span) => self.one(span).map(Some),
            Value::Absent | Value::Json(_) => self.list(name),
        }
    }

    fn one(&mut self, span: Span) -> Result<Listing, Malformed> {
        let start = self.values.end();
        self.values.push(span);
        self.values.since(start)
    }

    /// `aud`: a string, or a list of strings that is not empty; absent is for the check to judge.
    fn audiences(&mut self) -> Result<Listing, Malformed> {
        match self.value(Name::Audience) {
            Value::Absent => self.values.since(self.values.end()),
            Value::Text(span) => self.one(span),
            Value::Json(span) => {
                let listing = self.elements(span)?;
                if listing.is_empty() {
                    Err(Malformed)
                } else {
                    Ok(listing)
                }
            }
        }
    }

    /// The groups that stand in the token, and whether there are more.
    fn groups(&mut self) -> Result<(Option<Listing>, bool), Malformed> {
        let more = matches!(self.json(Name::HasGroups), Some("true"))
            || match self.value(Name::DistributedClaims) {
                Value::Absent => false,
                Value::Json(span) => {
                    let raw = span.of(&self.text);
                    !raw.starts_with('{') || has_member(raw, "groups")
                }
                Value::Text(_) => true,
            };
        match self.value(Name::Groups) {
            // A source's name in place of the list (the inline shape of the overage claim).
            Value::Text(_) => Ok((None, true)),
            _ => Ok((self.list(Name::Groups)?, more)),
        }
    }

    fn elements(&mut self, array: Span) -> Result<Listing, Malformed> {
        let start = self.values.end();
        let mut escaped = Vec::new();
        let raw = array.of(&self.text);
        Scanner::array(raw, |element| {
            let span = match element.kind {
                Kind::Plain => array.part(element.span)?,
                _ => {
                    escaped.push((self.values.end(), element.string(raw)?.into_owned()));
                    array
                }
            };
            self.values.push(span);
            Ok(())
        })?;
        for (place, text) in escaped {
            self.values
                .put(place, Span::at(self.text.len(), text.len())?)?;
            self.text.push_str(&text);
        }
        self.values.since(start)
    }
}

/// A time as every token has it: ten digits, or a few less or more.
fn whole_seconds(raw: &str) -> Option<f64> {
    if raw.len() > 15 {
        return None;
    }
    let mut seconds = 0_u64;
    for byte in raw.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        seconds = seconds.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    #[expect(clippy::cast_precision_loss, reason = "15 digits are below 2^53")]
    let seconds = seconds as f64;
    Some(seconds)
}

/// Whether a text is 2^53 itself: another may round down to it and is beyond it all the same. As a
/// whole number, a fraction of zeros behind it or not, it is not.
fn is_greatest_exact(raw: &str) -> bool {
    let (whole, fraction) = raw.split_once('.').unwrap_or((raw, ""));
    whole == "9007199254740992" && fraction.bytes().all(|digit| digit == b'0')
}

#[cfg(test)]
mod tests {
    use super::super::Groups;
    use super::*;

    fn finish(text: &str) -> Result<Claims, Malformed> {
        let claims = Draft::parse(text.as_bytes())?.finish()?;
        Ok(claims.into_claims(None, None, None))
    }

    /// A payload with `exp` and the given members.
    fn with(members: &str) -> Result<Claims, Malformed> {
        finish(&format!("{{\"exp\":10,{members}}}"))
    }

    #[test]
    fn times_are_numbers_between_0_and_2_to_the_53() {
        for good in [
            "0",
            "-0",
            "1537234948",
            "1.5e9",
            "1537234948.75",
            "9007199254740992",
            "9007199254740992.0",
            "9007199254740992.000",
            "1e3",
        ] {
            assert!(finish(&format!("{{\"exp\":{good}}}")).is_ok(), "{good}");
        }
        for bad in [
            "-1",
            "-0.5",
            "9007199254740993",
            "9007199254740992.5",
            "9007199254740992.05",
            "9007199254740993.0",
            "1e16",
            "1e999",
            "\"10\"",
            "true",
            "[1]",
            "{}",
            "null",
        ] {
            assert!(finish(&format!("{{\"exp\":{bad}}}")).is_err(), "{bad}");
        }
        assert!(finish("{}").is_err());
        assert!(with("\"nbf\":null,\"iat\":null").is_ok());
        assert!(with("\"nbf\":\"1\"").is_err());
        assert!(with("\"nbf\":10").is_ok());
        assert!(with("\"nbf\":11").is_err());
    }

    #[test]
    fn lists_hold_strings_and_nothing_else() {
        for name in ["roles", "wids", "groups", "amr"] {
            assert!(with(&format!("\"{name}\":[\"a\",\"b\"]")).is_ok(), "{name}");
            assert!(with(&format!("\"{name}\":[]")).is_ok(), "{name}");
            assert!(with(&format!("\"{name}\":null")).is_ok(), "{name}");
            for bad in ["1", "{}", "true", "[1]", "[\"a\",null]", "[[\"a\"]]"] {
                assert!(with(&format!("\"{name}\":{bad}")).is_err(), "{name} {bad}");
            }
        }
        assert!(with("\"roles\":\"a\"").is_err() && with("\"wids\":\"a\"").is_err());
        assert!(with("\"scp\":[\"a\"]").is_err() && with("\"scp\":1").is_err());
        let claims = with("\"amr\":\"mfa\",\"acrs\":\"c1\",\"xms_cc\":\"CP1\"").unwrap();
        assert_eq!(claims.authentication_methods().count(), 1);
        assert!(claims.auth_contexts().eq(["c1"]));
        assert!(claims.handles_claims_challenge());
    }

    #[test]
    fn a_subject_is_a_string() {
        for bad in ["[]", "{}", "1", "true", "[\"s\"]"] {
            assert!(with(&format!("\"sub\":{bad}")).is_err(), "{bad}");
        }
        assert!(with("\"sub\":null").is_ok() && with("\"sub\":\"s\"").is_ok());
    }

    #[test]
    fn escapes_in_lists_are_resolved() {
        let claims = with(r#""roles":["a\u0062","c","\/"],"aud":["x\/y"]"#).unwrap();
        assert!(claims.roles().eq(["ab", "c", "/"]));
        assert!(claims.audiences().eq(["x/y"]));
    }

    #[test]
    fn scopes_are_separated_by_runs_of_spaces() {
        let claims = with("\"scp\":\"  read  write\\tx \"").unwrap();
        assert!(claims.scopes().eq(["read", "write\tx"]));
        assert!(with("\"scp\":\"\"").unwrap().has_permissions());
        assert!(!with("\"scp\":null").unwrap().has_permissions());
        assert!(with("\"roles\":[]").unwrap().has_permissions());
    }

    #[test]
    fn an_audience_is_a_string_or_strings() {
        assert!(with("\"aud\":\"a\"").unwrap().audiences().eq(["a"]));
        assert!(
            with("\"aud\":[\"a\",\"b\"]")
                .unwrap()
                .audiences()
                .eq(["a", "b"])
        );
        assert_eq!(with("\"x\":1").unwrap().audiences().count(), 0);
        for bad in ["[]", "1", "{}", "[1]", "[\"a\",1]", "true"] {
            assert!(with(&format!("\"aud\":{bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn tokens_that_differ_in_one_claim_are_two() {
        let one = || with(r#""nbf":1,"iat":2,"auth_time":3,"sub":"s","x":4"#).unwrap();
        assert!(one().is_same_token(&one()));
        for other in [
            r#""nbf":1,"iat":2,"auth_time":3,"sub":"s","x":5"#,
            r#""nbf":1,"iat":2,"auth_time":3,"sub":"t","x":4"#,
            r#""nbf":1,"iat":2,"auth_time":4,"sub":"s","x":4"#,
            r#""nbf":1,"iat":2.5,"auth_time":3,"sub":"s","x":4"#,
            r#""nbf":0,"iat":2,"auth_time":3,"sub":"s","x":4"#,
            r#""iat":2,"auth_time":3,"sub":"s","x":4"#,
        ] {
            assert!(!one().is_same_token(&with(other).unwrap()), "{other}");
        }
        let later = finish(r#"{"exp":11,"nbf":1,"iat":2,"auth_time":3,"sub":"s","x":4}"#);
        assert!(!one().is_same_token(&later.unwrap()));
    }

    #[test]
    fn every_sign_of_an_overage_is_one() {
        for overage in [
            r#""_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://evil.example/x"}}"#,
            r#""_claim_names":{"groups":"src2"},"_claim_sources":{"src1":{}}"#,
            r#""_claim_names":{"groups":5}"#,
            r#""_claim_names":{"groups":null}"#,
            r#""_claim_names":"src1""#,
            r#""hasgroups":true"#,
            r#""hasgroups":"true""#,
            r#""groups":"src1""#,
            r#""groups":"""#,
        ] {
            assert!(
                matches!(with(overage).unwrap().groups(), Groups::Overage(_)),
                "{overage}"
            );
        }
        for none in [
            r#""_claim_names":{"other":"src1"}"#,
            r#""hasgroups":false"#,
            r#""groups":null"#,
            r#""x":1"#,
        ] {
            assert!(
                matches!(with(none).unwrap().groups(), Groups::NotIssued),
                "{none}"
            );
        }
        let both = with(r#""groups":["g"],"hasgroups":true"#).unwrap();
        assert!(matches!(both.groups(), Groups::Overage(_)) && both.groups().lists("g"));
        assert!(matches!(
            with(r#""groups":[]"#).unwrap().groups(),
            Groups::Listed(_)
        ));
    }

    #[test]
    fn guests_are_told_by_acct_and_else_by_idp() {
        let guest = |members: &str| {
            with(&format!("\"iss\":\"i\",{members}"))
                .unwrap()
                .is_guest()
        };
        assert!(guest("\"acct\":1") && guest("\"acct\":\"1\"") && guest("\"idp\":\"j\""));
        assert!(!guest("\"acct\":0,\"idp\":\"j\"") && !guest("\"idp\":\"i\"") && !guest("\"x\":1"));
        assert!(guest("\"acct\":2"));
    }

    #[test]
    fn other_claims_are_read_by_name_and_opaque_ones_are_not() {
        let claims =
            with(r#""extension_Team":["a"],"aio":"secret","rh":"I","uti":"u","acct":1"#).unwrap();
        assert_eq!(
            claims.get::<Vec<String>>("extension_Team"),
            Some(vec!["a".to_owned()])
        );
        assert_eq!(claims.get::<String>("extension_Team"), None);
        for hidden in ["aio", "rh", "uti", "acct", "absent"] {
            assert_eq!(claims.get::<serde_json::Value>(hidden), None, "{hidden}");
        }
    }
}
