//! What a valid token says about its bearer.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod account_id;
mod agent;
mod amr;
mod claim_name;
mod compact_spans;
mod confirmation;
#[cfg(test)]
mod every_world;
mod groups;
mod inner;
mod interpret;
mod issuer_kind;
mod object_reader;
mod permissions;
mod principal;
mod profile;
pub(crate) mod raw;
#[cfg(test)]
mod raw_properties;
pub(crate) mod scan;
mod span;
mod strict_json;
mod times;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use account_id::{AccountId, ParseAccountIdError};
pub use agent::{Agent, AgentKind};
pub use amr::AuthenticationMethod;
pub use confirmation::Confirmation;
pub use groups::{GroupIds, Groups};
pub use principal::{ClientAuthMethod, Principal};
pub use profile::ProfileClaims;

use claim_name::Name;
use compact_spans::List;
use groups::SpanRange;
use inner::Inner;
pub(crate) use inner::{Attached, ContextHandle, ToClaims};
pub(crate) use interpret::ParsedClaims;
pub(crate) use issuer_kind::IssuerKind;
pub(crate) use strict_json::{MemberName, is_of_the_library};
pub(crate) use times::{Time, Times};

use crate::clock::UnixTime;
use crate::guid::{CONSUMERS_TENANT_ID, parse_guid};
use crate::token_version::TokenVersion;

/// The text that older B2C policies send as `sub`, the same for every user.
const PLACEHOLDER_SUBJECT: &str = "Not supported currently. Use oid claim.";

/// Entra's have 22 to 60 bytes, and only Entra can choose one; records of used tokens are bounded
/// in number, so in size too.
const LONGEST_TOKEN_ID: usize = 4_096;

/// The claims of a token that passed every check; cheap to clone (one `Arc`).
///
/// One model for v1.0, v2.0 and B2C tokens: where the versions name a thing differently
/// (`appid` and `azp`), there is one accessor. A claim that is absent or `null` is `None`.
///
/// Names and addresses are apart, in [`profile`](Self::profile), because they are changeable and
/// reusable: no guard takes them. The opaque claims `aio`, `rh` and `uti` have no accessor at all,
/// as Microsoft asks of resources.
///
/// As a request extension and as an extractor it comes from [`EntraLayer`](crate::EntraLayer).
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::testing;
///
/// let claims = testing::claims().scope("Todo.Read").claim("extension_Team", "blue").build();
/// assert!(claims.has_scope("Todo.Read") && !claims.has_scope("Todo"));
/// assert_eq!(claims.extra::<String>("extension_Team").as_deref(), Some("blue"));
/// // Names have an accessor, which no guard takes.
/// assert_eq!(claims.extra::<String>("name"), None);
/// # }
/// ```
#[derive(Clone)]
pub struct Claims(Arc<Inner>);

impl Claims {
    fn inner(&self) -> &Inner {
        &self.0
    }

    fn text(&self, name: Name) -> Option<&str> {
        self.inner().plain(name)
    }

    fn json(&self, name: Name) -> Option<&str> {
        self.inner().json(name)
    }

    fn list(&self, listing: Option<SpanRange>) -> impl Iterator<Item = &str> + Clone {
        let inner = self.inner();
        listing
            .map_or_else(List::default, |listing| inner.values.list(listing))
            .iter()
            .map(|span| span.of(&inner.text))
    }

    /// `ver`: which rules the token was made by.
    #[must_use]
    pub fn version(&self) -> TokenVersion {
        self.inner().version
    }

    /// `iss`: who issued the token, exactly as the token states it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text(Name::Issuer).unwrap_or_default()
    }

    /// `aud`: the audiences of the token; one value, seldom more.
    pub fn audiences(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(Some(self.inner().audiences))
    }

    /// `tid`; for B2C tokens the tenant in the issuer, whatever `tid` says.
    #[must_use]
    pub fn tenant_id(&self) -> Option<Uuid> {
        self.inner().tenant
    }

    /// `oid`: the id of the user or service principal in its tenant, the same for every application.
    ///
    /// `None` also where `oid` is no GUID, which Entra never issues.
    #[must_use]
    pub fn object_id(&self) -> Option<Uuid> {
        parse_guid(self.object_id_text()?)
    }

    /// `oid` as the token states it, to be handed on; [`object_id`](Self::object_id) compares.
    #[must_use]
    pub fn object_id_text(&self) -> Option<&str> {
        self.text(Name::Object)
    }

    /// `sub`: the subject, which differs from application to application.
    ///
    /// Older B2C policies send a placeholder here that is the same for everybody;
    /// [`account_id`](Self::account_id) knows it, this accessor gives it as it is.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text(Name::Subject)
    }

    /// The key under which to keep data of this user or application.
    ///
    /// (`tid`,`oid`), else (`iss`,`sub`); `None` where the token has neither, or only the B2C
    /// placeholder. Source: Microsoft, "Secure applications and APIs by validating claims".
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::of(
            self.tenant_id(),
            self.object_id_text(),
            self.issuer(),
            self.subject(),
        )
    }

    /// (`iss`,`sub`), also where the account has a better key: some events name it by these.
    pub(crate) fn subject_key(&self) -> Option<AccountId> {
        AccountId::of(None, None, self.issuer(), self.subject())
    }

    /// What distinguishes this token from every other of its issuer: the header's `nonce`, else `uti`,
    /// else `jti`. One that is empty or very long is none.
    pub(crate) fn token_id(&self) -> Option<String> {
        let good = |id: &&str| (1..=LONGEST_TOKEN_ID).contains(&id.len());
        let (kind, id) = None
            .or_else(|| Some(("nonce", self.inner().nonce.as_deref().filter(good)?)))
            .or_else(|| Some(("uti", self.text(Name::TokenId).filter(good)?)))
            .or_else(|| Some(("jti", self.text(Name::JwtId).filter(good)?)))?;
        Some(format!("{kind}\n{}\n{id}", self.issuer()))
    }

    /// User, application, or neither for certain.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.inner().principal
    }

    /// `azp` (v2.0) or `appid` (v1.0): the application that got the token.
    ///
    /// `None` also where the claim is no GUID, which Entra never issues.
    #[must_use]
    pub fn client_id(&self) -> Option<Uuid> {
        parse_guid(self.client_id_text()?)
    }

    /// `azp` or `appid` as the token states it, to be handed on; [`client_id`](Self::client_id)
    /// compares.
    #[must_use]
    pub fn client_id_text(&self) -> Option<&str> {
        self.text(Name::AuthorizedParty)
            .or_else(|| self.text(Name::AppId))
    }

    /// `azpacr` (v2.0) or `appidacr` (v1.0): how that application proved who it is.
    ///
    /// `None` where the claim is missing or unknown.
    #[must_use]
    pub fn client_auth_method(&self) -> Option<ClientAuthMethod> {
        self.json(Name::AuthorizedPartyStrength)
            .or_else(|| self.json(Name::AppIdStrength))
            .and_then(ClientAuthMethod::parse)
    }

    /// `scp`: the delegated permissions of a user's token; in B2C also those of an application's.
    ///
    /// Guards on scopes never count those of an application.
    pub fn scopes(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().scopes)
    }

    /// `roles`: app roles of the user, or application permissions of an app-only token.
    pub fn roles(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().roles)
    }

    /// Whether the token has any scope or any role.
    pub(crate) fn has_permissions(&self) -> bool {
        let any = |listing: Option<SpanRange>| listing.is_some_and(|listing| !listing.is_empty());
        any(self.inner().scopes) || any(self.inner().roles)
    }

    /// What the token says about group memberships, which is not always all of them.
    #[must_use]
    pub fn groups(&self) -> Groups<'_> {
        Groups::new(
            &self.inner().text,
            &self.inner().values,
            self.inner().groups,
            self.inner().groups_overage,
        )
    }

    /// `wids`: template ids of the tenant-wide directory roles of the user.
    pub fn directory_roles(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().directory_roles)
    }

    /// `amr`: how the subject authenticated (v1.0 tokens).
    pub fn authentication_methods(&self) -> impl Iterator<Item = AuthenticationMethod<'_>> + Clone {
        self.list(self.inner().methods)
            .map(AuthenticationMethod::parse)
    }

    /// `acr`: `0` or `1` in v1.0 tokens, the policy's name in older B2C tokens.
    ///
    /// Not a proof of multi-factor authentication, whatever its value.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.text(Name::ContextClass)
    }

    /// `acrs`: the authentication contexts that the token satisfies (`c1` …).
    pub fn acrs(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().acrs)
    }

    /// `xms_cc`: what the client can handle; `cp1` means claims challenges.
    pub fn client_capabilities(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().client_capabilities)
    }

    /// Whether the client said that it can handle a claims challenge (`cp1`, in any letter case).
    #[must_use]
    pub fn supports_claims_challenge(&self) -> bool {
        self.client_capabilities()
            .any(|capability| capability.eq_ignore_ascii_case("cp1"))
    }

    /// `tfp`, or `acr` where there is no `tfp`: the B2C policy the user went through.
    ///
    /// `None` for every token that B2C did not issue, whatever its `tfp` or `acr` says.
    #[must_use]
    pub fn b2c_policy(&self) -> Option<&str> {
        match self.inner().kind {
            IssuerKind::B2c => self.text(Name::Policy).or_else(|| self.acr()),
            IssuerKind::EntraId | IssuerKind::ExternalId => None,
        }
    }

    /// `idp`, or `iss` where there is no `idp`: who authenticated the subject.
    #[must_use]
    pub fn identity_provider(&self) -> &str {
        self.text(Name::IdentityProvider)
            .unwrap_or_else(|| self.issuer())
    }

    /// Whether the account is a guest in this tenant.
    ///
    /// Entra ID: `acct` is there and not 0; without `acct`, an `idp` that is no issuer of this
    /// tenant, or no string. External ID: only `acct`. B2C: never.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.inner().is_guest
    }

    /// Whether this is a personal Microsoft account, in its own tenant or as a guest.
    #[must_use]
    pub fn is_personal_account(&self) -> bool {
        let tenant = CONSUMERS_TENANT_ID.hyphenated().to_string();
        self.tenant_id() == Some(CONSUMERS_TENANT_ID)
            || self.identity_provider() == "live.com"
            || self
                .identity_provider()
                .to_ascii_lowercase()
                .contains(&tenant)
    }

    /// `exp`: when the token ends; a fraction of a second is dropped.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        UnixTime::from_secs(self.inner().times.whole_expiry())
    }

    /// `nbf`: before when the token is not good; a fraction of a second is dropped.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.inner()
            .times
            .not_before
            .map(Time::seconds)
            .map(whole)
            .map(UnixTime::from_secs)
    }

    /// `iat`: when the token was issued; a fraction of a second is dropped.
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.inner()
            .times
            .issued_at
            .map(Time::seconds)
            .map(whole)
            .map(UnixTime::from_secs)
    }

    /// `auth_time`: when the user last signed in; a fraction of a second is dropped.
    #[must_use]
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.inner()
            .auth_time
            .map(Time::seconds)
            .map(whole)
            .map(UnixTime::from_secs)
    }

    /// `sid`: the session the token belongs to.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.text(Name::SessionId)
    }

    /// `ipaddr`: the address the user signed in from (v1.0); informative.
    #[must_use]
    pub fn ip_address(&self) -> Option<&str> {
        self.text(Name::IpAddress)
    }

    /// `onprem_sid`: the SID of an account that is synchronised from on-premises.
    #[must_use]
    pub fn on_premises_sid(&self) -> Option<&str> {
        self.text(Name::OnPremisesSid)
    }

    /// `in_corp`: whether the client was in the corporate network; absent means no.
    #[must_use]
    pub fn in_corporate_network(&self) -> bool {
        matches!(self.json(Name::InCorporateNetwork), Some("true"))
    }

    /// `pwd_exp`, as the token states it: Microsoft's pages disagree on whether it is a time or a
    /// span.
    #[must_use]
    pub fn password_expiry(&self) -> Option<u64> {
        self.json(Name::PasswordExpiry)?.parse().ok()
    }

    /// `pwd_url`: where the user can change the password.
    #[must_use]
    pub fn password_url(&self) -> Option<&str> {
        self.text(Name::PasswordUrl)
    }

    /// Names and addresses, only for display.
    #[must_use]
    pub fn profile(&self) -> ProfileClaims<'_> {
        ProfileClaims::of(self)
    }

    /// Reads a claim that has no accessor, such as `extension_Department`.
    ///
    /// `None` where it is absent, `null` or not a `T`, and for every claim that has an accessor
    /// or is opaque. What it holds is as trustworthy as the token; whether a user may edit it in
    /// their profile is not known here.
    #[must_use]
    pub fn extra<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let inner = self.inner();
        inner
            .others()
            .find(|[member, _]| member.of(&inner.text) == name)
            .and_then(|[_, raw]| serde_json::from_str(raw.of(&inner.text)).ok())
    }

    /// The names of the claims that [`extra`](Self::extra) can read.
    pub fn extra_claim_names(&self) -> impl Iterator<Item = &str> {
        let inner = self.inner();
        inner.others().map(|[name, _]| name.of(&inner.text))
    }

    /// Whether both have the same value for every claim that an accessor returns.
    pub(crate) fn is_same_token(&self, other: &Self) -> bool {
        let (own, others) = (self.inner(), other.inner());
        let told = |inner: &Inner| (inner.times, inner.auth_time);
        Arc::ptr_eq(&self.0, &other.0)
            || own.text == others.text && own.values == others.values && told(own) == told(others)
    }

    pub(crate) fn context(&self) -> Option<&ContextHandle> {
        self.inner().context.as_ref()
    }

    /// `exp`, `nbf` and `iat` with their fractions, for the lifetime check.
    pub(crate) fn times(&self) -> &Times {
        &self.inner().times
    }

    /// The same claims in memory of their own, with a reference count of their own.
    pub(crate) fn duplicate(&self) -> Self {
        Self(Arc::new(self.inner().clone()))
    }

    /// Whether both are the same memory.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Reads a little of each place that a guard will read; what is read means nothing.
    #[inline]
    pub(crate) fn touch(&self) -> u8 {
        let inner = self.inner();
        let exp = inner.times.expires_at.to_bits().to_le_bytes()[7];
        let permissions = inner.scopes.or(inner.roles);
        let first = permissions.and_then(|listing| inner.values.list(listing).get(0));
        let text = first.and_then(|span| span.bytes_of(&inner.text).first());
        exp ^ text.copied().unwrap_or_default()
    }

    /// How many bytes of memory the claims take, allocations and all.
    pub(crate) fn bytes(&self) -> usize {
        let inner = self.inner();
        let heap = [
            size_of::<Inner>().saturating_add(size_of::<[usize; 2]>()),
            inner.text.len(),
            inner.values.heap_bytes(),
            inner.nonce.as_deref().map_or(0, str::len),
        ];
        heap.into_iter().map(allocated).sum()
    }
}

/// What an allocation takes: allocators keep a word beside it and round up to sixteen bytes.
pub(crate) const fn allocated(bytes: usize) -> usize {
    if bytes == 0 {
        return 0;
    }
    bytes.saturating_add(size_of::<usize>()).saturating_add(15) & !15
}

/// The whole seconds of a time that was read between 0 and 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are between 0 and 2^53, checked when the token was read"
)]
fn whole(seconds: f64) -> u64 {
    seconds as u64
}

impl fmt::Debug for Claims {
    /// Nothing that names a person: no ids, names or addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("version", &self.version())
            .field("principal", &self.principal())
            .field("scopes", &self.scopes().count())
            .field("roles", &self.roles().count())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
