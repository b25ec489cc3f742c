//! The way of a token through all stages.

use std::sync::Arc;

use crate::account::{Accounts, Standing};
use crate::authority::Trust;
use crate::claims::{Claims, Home};
use crate::config_error::ConfigError;
use crate::guard::Reason;
use crate::keys::discovery::LearntTenant;
use crate::keys::store::{Arrival, Awaited, KeyReader};
use crate::token_version::TokenVersion;

use super::checks::{self, Presented};
use super::index::{Found, Index, Place};
use super::invalid::InvalidToken;
use super::refusal::{Refusal, RefusedByRule, Verdict};
use super::status::AuthorityStatus;
use super::unverified::UnverifiedToken;
use super::verified::VerifiedToken;

/// An authority with its keys.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) trust: Trust,
    /// In the order of the trust's documents.
    pub(crate) readers: Vec<KeyReader>,
    pub(crate) learns: bool,
    pub(crate) learnt: Arc<LearntTenant>,
    /// What guards want to find again in claims that this authority's tokens become.
    pub(crate) home: Option<Home>,
}

/// Judges tokens; knows nothing of HTTP and reads no clock.
#[derive(Debug)]
pub(crate) struct Validator {
    authorities: Vec<Installed>,
    index: Index,
    most_bytes: usize,
    accounts: Arc<Accounts>,
}

/// What a token of unknown key may lead to.
enum Keys<'v> {
    Known(&'v KeyReader),
    /// Nobody knows yet whose tenant it is, but somebody is finding out.
    Learning(&'v KeyReader),
}

impl Validator {
    pub(crate) fn new(
        authorities: Vec<Installed>,
        most_bytes: usize,
        accounts: Arc<Accounts>,
    ) -> Result<Self, ConfigError> {
        let index = Index::new(&authorities)?;
        Ok(Self {
            authorities,
            index,
            most_bytes,
            accounts,
        })
    }

    /// Judges a token at a time, waiting for nothing.
    ///
    /// The order is the contract's: form, authority, key, signature, then every claim.
    pub(crate) fn judge(&self, token: &str, now: u64) -> Verdict {
        let token = match UnverifiedToken::read(token, self.most_bytes) {
            Ok(token) => token,
            Err(invalid) => return Verdict::Refused(invalid.into()),
        };
        let (installed, place, keys) = match self.authority_of(&token) {
            Ok(found) => found,
            Err(invalid) => return Verdict::Refused(invalid.into()),
        };
        let reader = match keys {
            Keys::Known(reader) => reader,
            Keys::Learning(reader) => return without_keys(reader),
        };
        let snapshot = reader.load();
        let Some(keys) = snapshot.keys.as_deref() else {
            return without_keys(reader);
        };
        let Some(kid) = token.kid() else {
            return Verdict::Refused(InvalidToken::UnknownKey.into());
        };
        let candidates = keys.with_id(kid);
        if candidates.is_empty() {
            // An id that is there for another use is not worth a fetch.
            return match if keys.skips(kid) { None } else { reader.ask() } {
                Some(awaited) => Verdict::Wait(awaited),
                None => Verdict::Refused(InvalidToken::UnknownKey.into()),
            };
        }
        match token
            .verify(candidates, keys)
            .and_then(|token| check(token, installed, place, now))
        {
            Ok(claims) => {
                if let Err(refusal) = self.still_good(&claims, now) {
                    return Verdict::Refused(refusal);
                }
                match refused_by_rule(&claims, &installed.trust) {
                    None => Verdict::Valid(claims),
                    Some(refused) => Verdict::Refused(Refusal::Denied(refused)),
                }
            }
            Err(invalid) => Verdict::Refused(invalid.into()),
        }
    }

    /// What can change while a token lives: whether it is revoked.
    fn still_good(&self, claims: &Claims, now: u64) -> Result<(), Refusal> {
        match self.accounts.standing(claims, now) {
            Standing::Good => Ok(()),
            Standing::Revoked { cut_off } => Err(Refusal::Revoked {
                claims: claims.clone(),
                cut_off,
            }),
            Standing::Unknown => Err(Refusal::StoreUnavailable),
        }
    }

    /// Judges a token again after what it waited for.
    pub(crate) async fn judge_after(
        &self,
        awaited: Awaited,
        token: &str,
        now: impl Fn() -> u64,
    ) -> Result<Claims, Refusal> {
        if awaited.arrival().await == Arrival::Nothing {
            return Err(Refusal::KeysUnavailable);
        }
        match self.judge(token, now()) {
            Verdict::Valid(claims) => Ok(claims),
            Verdict::Refused(refusal) => Err(refusal),
            // Waiting once is enough; a rollover just now is the next request's affair.
            Verdict::Wait(_) => Err(InvalidToken::UnknownKey.into()),
        }
    }

    /// The unverified issuer, version and policy choose an authority's document, nothing more.
    fn authority_of(
        &self,
        token: &UnverifiedToken<'_>,
    ) -> Result<(&Installed, Place, Keys<'_>), InvalidToken> {
        let issuer = token.issuer()?;
        let version = token.version()?;
        let policy = token.policy()?;
        let (place, learning) = match self.index.find(issuer, &self.authorities) {
            Found::At(place) => (place, false),
            Found::Perhaps(place) => (place, true),
            Found::Nowhere => return Err(InvalidToken::Issuer),
        };
        let installed = self
            .authorities
            .get(place.authority)
            .ok_or(InvalidToken::Issuer)?;
        let document = match place.form {
            // v1.0 tokens are held against the v1.0 document, v2.0 tokens against the v2.0 one.
            Some(form) => installed
                .trust
                .version(version.and_then(TokenVersion::parse).unwrap_or(form))
                .ok_or(InvalidToken::Version)?,
            None => policy
                .and_then(|policy| installed.trust.policy(policy))
                .ok_or(InvalidToken::Policy)?,
        };
        let reader = installed
            .readers
            .get(document)
            .ok_or(InvalidToken::Issuer)?;
        let keys = if learning {
            Keys::Learning(reader)
        } else {
            Keys::Known(reader)
        };
        Ok((installed, place, keys))
    }

    pub(crate) fn status(&self) -> Vec<AuthorityStatus> {
        self.authorities
            .iter()
            .map(|installed| AuthorityStatus::of(&installed.trust, &installed.readers))
            .collect()
    }
}

/// The last stage: what the members mean, and every claim check.
fn check(
    token: VerifiedToken,
    installed: &Installed,
    place: Place,
    now: u64,
) -> Result<Claims, InvalidToken> {
    let (draft, key, stated, nonce) = token.into_parts();
    let finished = draft.finish().map_err(|_| InvalidToken::Malformed)?;
    let tenant = checks::check(&Presented {
        claims: &finished,
        trust: &installed.trust,
        stated: &stated,
        key: &key,
        form: place.form,
        now,
    })?;
    Ok(finished.into_claims(tenant, nonce, installed.home.clone()))
}

/// No keys: worth a moment while the first fetch of all is under way, else 503.
fn without_keys(reader: &KeyReader) -> Verdict {
    match reader.first_attempt() {
        Some(awaited) => Verdict::Wait(awaited),
        None => Verdict::Refused(Refusal::KeysUnavailable),
    }
}

/// The rules for all routes of an authority: some permission, and the scopes every route needs.
fn refused_by_rule(claims: &Claims, trust: &Trust) -> Option<RefusedByRule> {
    if !claims.has_permissions() && !trust.without_permissions {
        return Some(RefusedByRule {
            reason: Reason::NoPermissions,
            scopes: String::new(),
            auth_context: None,
        });
    }
    let user = claims.principal() != crate::claims::Principal::App;
    let has = |needed: &String| user && claims.scopes().any(|own| own == needed);
    (!trust.required_scopes.iter().all(has)).then(|| RefusedByRule {
        reason: Reason::Scope,
        scopes: trust.required_scopes.join(" "),
        auth_context: None,
    })
}
