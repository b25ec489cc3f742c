//! The way of a token through all stages.

mod encrypted;

use std::borrow::Cow;
use std::sync::Arc;

use crate::authority::ResolvedAuthority;
use crate::claims::{AccountId, Claims, ContextHandle};
use crate::config_error::ConfigError;
use crate::jwks::PublishedKey;
use crate::jwks::snapshot::{Asked, KeyReader};
use crate::revocation::{RevocationState, TokenStatus};

use super::authority_lookup::KeySource;
use super::authority_state::AuthorityState;
use super::cache::{Entry, KeyState, SigningKeyRef, TokenCache};
use super::checks::{self, CheckContext, lifetime};
use super::decode_buffer::DecodeBuffer;
use super::header::TokenKind;
use super::invalid_token::InvalidToken;
use super::issuer_index::{AuthorityRef, Index};
use super::jwe::DecryptionKeys;
use super::logout::SessionTermination;
use super::possession::{NOTHING, Possession, cache_key};
use super::signed_message::SignedMessage;
use super::unverified::UnverifiedToken;
use super::verdict::{ValidationFailure, Verdict, refused_by_rule};
use super::verified::VerifiedToken;
use encrypted::Presented;

/// Validates tokens; knows nothing of HTTP and reads no clock.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(super) authorities: Vec<AuthorityState>,
    pub(super) index: Index,
    pub(super) most_bytes: usize,
    accounts: Arc<RevocationState>,
    pub(super) cache: Option<TokenCache>,
    /// `None`: encrypted tokens are malformed.
    pub(super) decryption: Option<Arc<DecryptionKeys>>,
}

impl Validator {
    pub(crate) fn new(
        authorities: Vec<AuthorityState>,
        most_bytes: usize,
        accounts: Arc<RevocationState>,
        cache_bytes: usize,
    ) -> Result<Self, ConfigError> {
        let index = Index::new(&authorities)?;
        Ok(Self {
            authorities,
            index,
            most_bytes,
            accounts,
            cache: TokenCache::new(cache_bytes),
            decryption: None,
        })
    }

    /// Validates a token at a time, waiting for nothing.
    ///
    /// The order is the contract's: form, authority, key, signature, then every claim.
    pub(crate) fn validate(&self, token: &str, now: u64) -> Verdict {
        self.validate_with(token, now, &NOTHING)
    }

    /// The same at a time that need not be the present, so the cache is not changed.
    pub(crate) fn validate_at(&self, token: &str, now: u64) -> Verdict {
        let known = self.lookup_cached(token.as_bytes(), now);
        known.unwrap_or_else(|| self.validate_bytes(token.as_bytes(), now, false, &NOTHING))
    }

    /// Validates a token that was accepted before, by what may have changed since.
    ///
    /// `None` for every other token, and where its key is not there any more: then the whole
    /// judgement finds the answer.
    #[inline]
    pub(crate) fn lookup_cached(&self, token: &[u8], now: u64) -> Option<Verdict> {
        self.lookup(token, now, |judged, _| judged)
    }

    /// The same under a key of the cache, where `judge` has the last word on what was found.
    #[inline]
    pub(super) fn lookup(
        &self,
        key: &[u8],
        now: u64,
        judge: impl Fn(Result<(), ValidationFailure>, &Claims) -> Result<(), ValidationFailure>,
    ) -> Option<Verdict> {
        let cache = self.cache.as_ref()?;
        let known = cache.get_with(key, |entry| {
            let judged = self.revalidate(entry.claims(), entry.signing_key(), now);
            match judge(judged, entry.claims()) {
                Ok(()) => Some(Verdict::Valid(entry.clone_claims(cache.room(), now))),
                Err(
                    ValidationFailure::KeysUnavailable
                    | ValidationFailure::Invalid(InvalidToken::UnknownKey),
                ) => None,
                Err(refusal) => Some(Verdict::Refused(refusal)),
            }
        });
        let known = known.flatten();
        crate::metrics::token_looked_up(known.is_some());
        known
    }

    /// What has to be looked at for every token, each time it comes, however well it is known.
    pub(super) fn revalidate(
        &self,
        claims: &Claims,
        signing_key: &SigningKeyRef,
        now: u64,
    ) -> Result<(), ValidationFailure> {
        let (installed, reader) = self
            .signer_of(signing_key)
            .ok_or(ValidationFailure::Invalid(InvalidToken::UnknownKey))?;
        match signing_key.key_is(reader) {
            KeyState::Published => {}
            KeyState::Withdrawn => return Err(InvalidToken::UnknownKey.into()),
            KeyState::Unavailable => return Err(ValidationFailure::KeysUnavailable),
        }
        lifetime::check_times(claims.times(), installed.trust.clock_skew, now)?;
        if !installed.trust.still_allows_tenant(claims.tenant_id()) {
            return Err(InvalidToken::TenantNotAllowed.into());
        }
        match self
            .accounts
            .standing(claims, &installed.trust.backdate, now)
        {
            TokenStatus::Good => Ok(()),
            TokenStatus::Revoked { cut_off } => Err(ValidationFailure::Revoked {
                claims: claims.clone(),
                cut_off,
            }),
            TokenStatus::Unknown => Err(ValidationFailure::StoreUnavailable),
        }
    }

    fn signer_of(&self, signing_key: &SigningKeyRef) -> Option<(&AuthorityState, &KeyReader)> {
        let installed = self.authorities.get(signing_key.authority())?;
        let reader = installed.readers.get(signing_key.document())?;
        Some((installed, reader))
    }

    /// How long a token may be.
    pub(crate) const fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// What guards will find again in claims, for each authority.
    pub(crate) fn contexts(&self) -> impl Iterator<Item = &ContextHandle> {
        self.authorities
            .iter()
            .filter_map(|installed| installed.context.as_ref())
    }

    /// The authorities whose tokens are accepted.
    pub(crate) fn trusts(&self) -> impl Iterator<Item = &ResolvedAuthority> {
        self.authorities.iter().map(|installed| &installed.trust)
    }

    #[cfg(test)]
    pub(super) fn with_cache(mut self, cache: Option<TokenCache>) -> Self {
        self.cache = cache;
        self
    }

    #[cfg(test)]
    pub(super) fn is_kept(&self, token: &str) -> bool {
        self.cache
            .as_ref()
            .is_some_and(|cache| cache.get_with(token.as_bytes(), |_| ()).is_some())
    }

    /// Forgets the verified tokens of accounts; they are validated again when they come.
    pub(crate) fn forget(&self, accounts: &[AccountId]) {
        if let Some(cache) = &self.cache {
            cache.forget(accounts);
        }
    }

    /// Forgets all verified tokens, which are verified again when they come.
    pub(crate) fn forget_all(&self) {
        if let Some(cache) = &self.cache {
            cache.forget_all();
        }
    }

    /// Validates a token without the cache, and caches it if it is valid.
    pub(crate) fn validate_uncached(
        &self,
        text: &[u8],
        now: u64,
        possession: &Possession,
    ) -> Verdict {
        self.validate_bytes(text, now, true, possession)
    }

    /// `signed` is the signed token in what came, under which it is kept.
    fn validate_signed(&self, signed: &[u8], came: &Presented<'_>, now: u64) -> Verdict {
        let mut buffer = DecodeBuffer::new();
        let token = match UnverifiedToken::read(signed, self.most_bytes, &mut buffer) {
            Ok(token) => token,
            Err(invalid) => return Verdict::Refused(invalid.into()),
        };
        let (installed, place, document, keys) = match self.authority_of(&token) {
            Ok(found) => found,
            Err(invalid) => return Verdict::Refused(invalid.into()),
        };
        let reader = match keys {
            KeySource::Ready(reader) => reader,
            KeySource::TenantPending(reader) => return without_keys(reader),
        };
        // There may be keys that are too old to say anything by.
        let Some(keys) = reader.keys() else {
            return without_keys(reader);
        };
        let Some(kid) = token.kid() else {
            return Verdict::Refused(InvalidToken::UnknownKey.into());
        };
        let candidates = keys.with_id(kid);
        if candidates.is_empty() {
            // An id that is there for another use is not worth a fetch.
            if keys.has_unusable_kid(kid) {
                return Verdict::Refused(InvalidToken::UnknownKey.into());
            }
            return match reader.ask() {
                Asked::Wait(awaited) => Verdict::Wait(awaited),
                Asked::Unknown => Verdict::Refused(InvalidToken::UnknownKey.into()),
                Asked::Undecided => Verdict::Refused(ValidationFailure::KeysUnavailable),
            };
        }
        let (claims, key) = match token
            .verify(candidates)
            .and_then(|token| check(token, installed, place, now, came.possession))
        {
            Ok(checked) => checked,
            Err(invalid) => return Verdict::Refused(invalid.into()),
        };
        if came.present {
            installed.learn_backdate(&claims, now);
            self.accounts.see(&claims);
        }
        let signing_key = SigningKeyRef::new(place.authority, document, key, keys.generation());
        if let Err(refusal) = self.revalidate(&claims, &signing_key, now) {
            return Verdict::Refused(refusal);
        }
        if let Some(refused) = refused_by_rule(&claims, &installed.trust) {
            return Verdict::Refused(ValidationFailure::Denied { claims, refused });
        }
        if let (Some(cache), Some(before)) = (&self.cache, came.before) {
            let skew = installed.trust.clock_skew;
            let key = match claims.confirmation_json() {
                None => Cow::Borrowed(came.text),
                Some(_) => Cow::Owned(cache_key(came.text)),
            };
            let entry = Entry::new(&key, claims.clone(), signing_key, skew);
            cache.insert(before, entry, now);
        }
        Verdict::Valid(claims)
    }

    /// Evicts all verified tokens once an authority's tenant is resolved: which authority validates a
    /// token may be another one from then on.
    pub(crate) fn forget_when_tenants_are_resolved(self: &Arc<Self>) {
        for installed in self
            .authorities
            .iter()
            .filter(|own| own.tenant_from_discovery)
        {
            let forgetful = Arc::downgrade(self);
            installed.discovered_tenant.when_resolved(move || {
                if let Some(own) = forgetful.upgrade() {
                    own.forget_all();
                }
            });
        }
    }

    /// Ends the grace of keys that have vanished from their documents, and has these read again.
    pub(crate) fn forget_withdrawn_keys(&self) {
        for reader in self
            .authorities
            .iter()
            .flat_map(AuthorityState::all_readers)
        {
            reader.forget_withdrawn();
        }
    }

    /// Verifies a logout token of one of the authorities and says what ended.
    pub(crate) async fn logout(
        &self,
        text: &str,
        now: u64,
    ) -> Result<SessionTermination, ValidationFailure> {
        let message = SignedMessage::verified(TokenKind::Logout, text, |token| {
            let (.., keys) = self.authority_of(token)?;
            let (KeySource::Ready(reader) | KeySource::TenantPending(reader)) = keys;
            Ok(reader)
        })
        .await?;
        // Looked up again after signature verification and after a tenant was resolved.
        let trust = self
            .trust_of(&message.issuer)
            .ok_or(InvalidToken::InvalidIssuer)?;
        Ok(message.logout(trust, now)?)
    }
}

/// The last stage: what the members mean, and every claim check.
fn check(
    token: VerifiedToken<'_>,
    installed: &AuthorityState,
    place: AuthorityRef,
    now: u64,
    possession: &Possession,
) -> Result<(Claims, Arc<PublishedKey>), InvalidToken> {
    let (draft, key, nonce) = token.into_parts();
    let finished = draft.interpret().map_err(|_| InvalidToken::Malformed)?;
    let checked = checks::check(&CheckContext {
        claims: &finished,
        trust: &installed.trust,
        key: &key,
        form: place.form,
        possession,
        now,
    })?;
    let context = installed.context.clone();
    let claims = checked.claims(finished, &installed.trust, nonce, context);
    Ok((claims, key))
}

/// No keys: worth a moment while the first fetch of all is under way, else 503.
fn without_keys(reader: &KeyReader) -> Verdict {
    match reader.first_attempt() {
        Some(awaited) => Verdict::Wait(awaited),
        None => Verdict::Refused(ValidationFailure::KeysUnavailable),
    }
}
