//! From a payload of the right form to claims: what the members mean.

use std::sync::Arc;

use uuid::Uuid;

use super::claim_name::{Name, Value, Values};
use super::groups::SpanRange;
use super::issuer_kind::{GuestSigns, IdentityProvider, IssuerKind};
use super::principal::Signs;
use super::raw::{Malformed, RawClaims};
use super::scan::{Kind, Scanner};
use super::span::Span;
use super::strict_json::has_member;
use super::{Claims, ContextHandle, Inner, Principal, Time, Times};
use crate::scope_hierarchy::ScopeHierarchy;
use crate::token_version::TokenVersion;

/// The greatest whole number that every JSON reader takes for the same (RFC 8259 section 6).
const GREATEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Claims that are parsed and not checked yet.
pub(crate) struct ParsedClaims(Inner);

impl RawClaims<'_> {
    /// Reads what every member means.
    ///
    /// # Errors
    /// [`Malformed`] for a claim of a type it must not have, and for a missing `exp`.
    pub(crate) fn interpret(self) -> Result<ParsedClaims, Malformed> {
        let expires_at = self.time(Name::ExpiresAt)?.ok_or(Malformed)?;
        let not_before = self.time(Name::NotBefore)?;
        let issued_at = self.time(Name::IssuedAt)?;
        let auth_time = self.time(Name::AuthTime).ok().flatten();
        if not_before.is_some_and(|not_before| not_before > expires_at) {
            return Err(Malformed);
        }
        let (text, values, others) = self.compacted()?;
        let mut reading = Reading { text, values };
        // RFC 7519 section 4.1.2: a subject that cannot be read identifies no account, or any.
        // Unreadable facets would make an API take an agent for a person.
        for name in [Name::Subject, Name::ActorFacets, Name::SubjectFacets] {
            if let Value::Json(_) = reading.value(name) {
                return Err(Malformed);
            }
        }
        let audiences = reading.audiences()?;
        let scopes = reading.words(Name::Scopes)?;
        let roles = reading.list(Name::Roles)?;
        let (groups, groups_overage) = reading.groups()?;
        let directory_roles = reading.list(Name::DirectoryRoles)?;
        let methods = reading.list_or_one(Name::Methods)?;
        let acrs = reading.list_or_one(Name::AuthContexts)?;
        let client_capabilities = reading.list_or_one(Name::ClientCapabilities)?;
        let principal = Principal::decide(&Signs {
            identity_type: reading.json(Name::IdentityType),
            has_scopes: scopes.is_some_and(|scopes| !scopes.is_empty()),
            subject_facets: reading.plain(Name::SubjectFacets),
            relations: reading.plain(Name::Relations),
            subject: reading.plain(Name::Subject),
            object: reading.plain(Name::Object),
        });
        let version = reading.plain(Name::Version).and_then(TokenVersion::parse);
        Ok(ParsedClaims(Inner {
            version: version.unwrap_or(TokenVersion::V1),
            values: reading.values.shrunk(),
            text: reading.text.into_boxed_str(),
            others,
            scopes,
            roles,
            groups,
            groups_overage,
            directory_roles,
            methods,
            acrs,
            client_capabilities,
            audiences,
            principal,
            kind: IssuerKind::EntraId,
            is_guest: false,
            tenant: None,
            times: Times {
                expires_at,
                not_before: not_before.map(Time::at),
                issued_at: issued_at.map(Time::at),
            },
            auth_time: auth_time.map(Time::at),
            nonce: None,
            context: None,
            scope_hierarchy: None,
        })
        // As the issuer is unknown, every other provider counts as external.
        .issued_by(IssuerKind::EntraId, |_| false))
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

impl ParsedClaims {
    pub(crate) fn text(&self, name: Name) -> Option<&str> {
        match self.0.values.of(name) {
            Value::Text(span) => Some(span.of(&self.0.text)),
            Value::Absent | Value::Json(_) => None,
        }
    }

    /// `cnf` as it is written; a string without its quotes.
    pub(crate) fn confirmation_json(&self) -> Option<&str> {
        self.0.json(Name::Confirmation)
    }

    pub(crate) fn has(&self, name: Name) -> bool {
        self.0.values.of(name) != Value::Absent
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

    /// The meaning that depends on who issued the token.
    ///
    /// `is_own_tenants` recognizes the other issuers of the token's own tenant.
    pub(crate) fn issued_by(
        mut self,
        kind: IssuerKind,
        is_own_tenants: impl Fn(&str) -> bool,
    ) -> Self {
        let inner = &self.0;
        let is_guest = kind.is_guest(
            &GuestSigns {
                account_status: inner.json(Name::AccountStatus),
                identity_provider: match inner.values.of(Name::IdentityProvider) {
                    Value::Absent => IdentityProvider::Absent,
                    Value::Text(span) => IdentityProvider::Named(span.of(&inner.text)),
                    Value::Json(_) => IdentityProvider::NoText,
                },
                issuer: inner.plain(Name::Issuer).unwrap_or_default(),
            },
            is_own_tenants,
        );
        if kind == IssuerKind::B2c {
            let version = inner.plain(Name::Version).and_then(TokenVersion::parse);
            let has_client_auth = inner.values.of(Name::AuthorizedPartyStrength) != Value::Absent;
            self.0.principal =
                Principal::decide_b2c(inner.json(Name::IdentityType), has_client_auth, version);
        }
        self.0.kind = kind;
        self.0.is_guest = is_guest;
        self
    }

    /// Which scopes imply others at this API.
    pub(crate) fn with_scope_hierarchy(mut self, hierarchy: Option<Arc<ScopeHierarchy>>) -> Self {
        self.0.scope_hierarchy = hierarchy;
        self
    }

    /// The end of all checks, behind [`issued_by`](Self::issued_by).
    ///
    /// `nonce` is the header's, which is signed as the claims are.
    pub(crate) fn into_claims(
        mut self,
        tenant: Option<Uuid>,
        nonce: Option<Box<str>>,
        context: Option<ContextHandle>,
    ) -> Claims {
        self.0.tenant = tenant;
        self.0.nonce = nonce;
        self.0.context = context;
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
    fn words(&mut self, name: Name) -> Result<Option<SpanRange>, Malformed> {
        let span = match self.value(name) {
            Value::Absent => return Ok(None),
            Value::Json(_) => return Err(Malformed),
            Value::Text(span) => span,
        };
        let start = self.values.end();
        let text = span.of(&self.text);
        let mut from = 0_usize;
        for word in text.as_bytes().split(|byte| *byte == b' ') {
            // Entra writes `/` where there is no scope (Microsoft, "Agent token claims", `scp`).
            if !matches!(word, b"" | b"/") {
                self.values.push(span.part(Span::at(from, word.len())?)?);
            }
            from = from.saturating_add(word.len()).saturating_add(1);
        }
        self.values.since(start).map(Some)
    }

    /// An array of strings.
    fn list(&mut self, name: Name) -> Result<Option<SpanRange>, Malformed> {
        match self.value(name) {
            Value::Absent => Ok(None),
            Value::Text(_) => Err(Malformed),
            Value::Json(span) => self.elements(span).map(Some),
        }
    }

    /// An array of strings, or one string that counts as a list of one.
    fn list_or_one(&mut self, name: Name) -> Result<Option<SpanRange>, Malformed> {
        match self.value(name) {
            Value::Text(span) => self.one(span).map(Some),
            Value::Absent | Value::Json(_) => self.list(name),
        }
    }

    fn one(&mut self, span: Span) -> Result<SpanRange, Malformed> {
        let start = self.values.end();
        self.values.push(span);
        self.values.since(start)
    }

    /// `aud`: a string, or a list of strings that is not empty; absent is for the check to judge.
    fn audiences(&mut self) -> Result<SpanRange, Malformed> {
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
    fn groups(&mut self) -> Result<(Option<SpanRange>, bool), Malformed> {
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

    fn elements(&mut self, array: Span) -> Result<SpanRange, Malformed> {
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
mod tests;
