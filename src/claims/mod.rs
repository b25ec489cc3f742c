//! What a valid token says about its bearer.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod account_id;
mod agent;
mod amr;
mod claim_name;
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
use groups::SpanRange;
use inner::Inner;
pub(crate) use inner::{Attached, ContextHandle, ToClaims};
pub(crate) use interpret::ParsedClaims;
pub(crate) use issuer_kind::IssuerKind;
pub(crate) use strict_json::{MemberName, NUMBER, is_of_the_library};
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
            .map_or(&[][..], |listing| inner.values.list(listing))
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let tenant = "22222222-2222-4222-8222-222222222222";
    /// assert_eq!(claims().tenant(tenant).build().tenant_id(), tenant.parse().ok());
    /// assert_eq!(claims().without("tid").build().tenant_id(), None);
    /// # }
    /// ```
    #[must_use]
    pub fn tenant_id(&self) -> Option<Uuid> {
        self.inner().tenant
    }

    /// `oid`: the id of the user or service principal in its tenant, the same for every application.
    ///
    /// `None` also where `oid` is no GUID, which Entra never issues.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let capitals = claims().object_id("A11CE000-0000-4000-8000-000000000001").build();
    /// assert_eq!(capitals.object_id().unwrap().to_string(), "a11ce000-0000-4000-8000-000000000001");
    /// assert_eq!(claims().object_id("alice").build().object_id(), None);
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{AccountId, testing::claims};
    ///
    /// let alice = claims().build().account_id().unwrap();
    /// assert!(matches!(alice, AccountId::Entra { .. }));
    /// // The same person as a guest of another tenant is another account.
    /// let guest = claims().tenant("22222222-2222-4222-8222-222222222222").build();
    /// assert_ne!(guest.account_id(), Some(alice));
    /// // Every user of an older B2C policy has this `sub`.
    /// let b2c = claims().without("oid").claim("sub", "Not supported currently. Use oid claim.");
    /// assert_eq!(b2c.build().account_id(), None);
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{Principal, testing::claims};
    ///
    /// // Without `idtyp` a scope makes it a user's token, and a role makes it neither.
    /// let user = claims().without("idtyp").scope("Todo.Read").build();
    /// assert_eq!(user.principal(), Principal::User);
    /// let unknown = claims().without("idtyp").roles(["Todo.Read.All"]).build();
    /// assert_eq!(unknown.principal(), Principal::Unknown);
    /// # }
    /// ```
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.inner().principal
    }

    /// `azp` (v2.0) or `appid` (v1.0): the application that got the token.
    ///
    /// `None` also where the claim is no GUID, which Entra never issues.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let id = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
    /// let v1 = claims().without("azp").claim("appid", id).build();
    /// assert_eq!(v1.client_id(), id.parse().ok());
    /// assert_eq!(claims().claim("azp", "the web client").build().client_id(), None);
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{ClientAuthMethod, testing::claims};
    ///
    /// let method = |value: &str| claims().claim("azpacr", value).build().client_auth_method();
    /// assert_eq!(method("2"), Some(ClientAuthMethod::Certificate));
    /// assert_eq!(method("0"), Some(ClientAuthMethod::Public));
    /// assert_eq!(method("3"), None);
    /// # }
    /// ```
    #[must_use]
    pub fn client_auth_method(&self) -> Option<ClientAuthMethod> {
        self.json(Name::AuthorizedPartyStrength)
            .or_else(|| self.json(Name::AppIdStrength))
            .and_then(ClientAuthMethod::parse)
    }

    /// `scp`: the delegated permissions of a user's token; in B2C also those of an application's.
    ///
    /// Guards on scopes never count those of an application.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let user = claims().scope("Todo.Read Todo.ReadWrite").build();
    /// assert!(user.scopes().eq(["Todo.Read", "Todo.ReadWrite"]));
    /// // Here the scope is listed and does not count: an application acts for itself.
    /// let app = claims().app().claim("scp", "Todo.Read").build();
    /// assert!(app.scopes().eq(["Todo.Read"]) && !app.has_scope("Todo.Read"));
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{Groups, testing::claims};
    ///
    /// // For a decision a guard is better: `guard::RequireGroup` asks Graph where the token is silent.
    /// let said = |claims: axum_entra::testing::ClaimsBuilder| claims.build().groups().as_str();
    /// assert_eq!(said(claims().groups(["aaaaaaaa-0000-4000-8000-000000000001"])), "listed");
    /// assert_eq!(said(claims().claim("hasgroups", true)), "overage");
    /// assert!(matches!(claims().build().groups(), Groups::Absent));
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// // Of the whole tenant, by template id: this one is the Global Administrator's.
    /// let admin = "62e90394-69f5-4237-9190-012177145e10";
    /// let claims = claims().claim("wids", [admin]).build();
    /// assert!(claims.directory_roles().eq([admin]));
    /// // They are no app roles.
    /// assert!(!claims.has_role(admin));
    /// # }
    /// ```
    pub fn directory_roles(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().directory_roles)
    }

    /// `amr`: how the subject authenticated (v1.0 tokens).
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{AuthenticationMethod, testing::claims};
    ///
    /// let proves_two = |methods: [&str; 2]| {
    ///     let claims = claims().claim("amr", methods).build();
    ///     claims.authentication_methods().any(AuthenticationMethod::is_multi_factor)
    /// };
    /// assert!(proves_two(["pwd", "mfa"]));
    /// assert!(!proves_two(["pwd", "otp"]));
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// assert!(claims().claim("acrs", ["c1", "c3"]).build().acrs().eq(["c1", "c3"]));
    /// // A string counts as a list of one.
    /// assert!(claims().claim("acrs", "c1").build().acrs().eq(["c1"]));
    /// assert_eq!(claims().build().acrs().count(), 0);
    /// # }
    /// ```
    pub fn acrs(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().acrs)
    }

    /// `xms_cc`: what the client can handle; `cp1` means claims challenges.
    pub fn client_capabilities(&self) -> impl Iterator<Item = &str> + Clone {
        self.list(self.inner().client_capabilities)
    }

    /// Whether the client said that it can handle a claims challenge (`cp1`, in any letter case).
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// assert!(claims().claim("xms_cc", ["CP1"]).build().supports_claims_challenge());
    /// // Without it a missing authentication context is 403: the client could do nothing with a challenge.
    /// assert!(!claims().build().supports_claims_challenge());
    /// # }
    /// ```
    #[must_use]
    pub fn supports_claims_challenge(&self) -> bool {
        self.client_capabilities()
            .any(|capability| capability.eq_ignore_ascii_case("cp1"))
    }

    /// `tfp`, or `acr` where there is no `tfp`: the B2C policy the user went through.
    ///
    /// `None` for every token that B2C did not issue, whatever its `tfp` or `acr` says.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// assert_eq!(claims().policy("B2C_1_susi").build().b2c_policy(), Some("B2C_1_susi"));
    /// // The claim in a token that B2C did not issue.
    /// assert_eq!(claims().claim("tfp", "B2C_1_susi").build().b2c_policy(), None);
    /// # }
    /// ```
    #[must_use]
    pub fn b2c_policy(&self) -> Option<&str> {
        match self.inner().kind {
            IssuerKind::B2c => self.text(Name::Policy).or_else(|| self.acr()),
            IssuerKind::EntraId | IssuerKind::ExternalId => None,
        }
    }

    /// `idp`, or `iss` where there is no `idp`: who authenticated the subject.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let guest = claims().claim("idp", "live.com").build();
    /// assert_eq!(guest.identity_provider(), "live.com");
    /// let own = claims().build();
    /// assert_eq!(own.identity_provider(), own.issuer());
    /// # }
    /// ```
    #[must_use]
    pub fn identity_provider(&self) -> &str {
        self.text(Name::IdentityProvider)
            .unwrap_or_else(|| self.issuer())
    }

    /// Whether the account is a guest in this tenant.
    ///
    /// Entra ID: `acct` is there and not 0; without `acct`, an `idp` that is no issuer of this
    /// tenant, or no string. External ID: only `acct`. B2C: never.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// assert!(claims().claim("acct", 1).build().is_guest());
    /// // `acct` decides where it is present.
    /// assert!(!claims().claim("acct", 0).claim("idp", "live.com").build().is_guest());
    /// assert!(claims().claim("idp", "live.com").build().is_guest());
    /// assert!(!claims().build().is_guest());
    /// # }
    /// ```
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.inner().is_guest
    }

    /// Whether this is a personal Microsoft account, in its own tenant or as a guest.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{CONSUMERS_TENANT_ID, testing::claims};
    ///
    /// let own = claims().tenant(&CONSUMERS_TENANT_ID.to_string()).build();
    /// assert!(own.is_personal_account());
    /// assert!(claims().claim("idp", "live.com").build().is_personal_account());
    /// assert!(!claims().build().is_personal_account());
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let old = claims().without("iat").without("nbf");
    /// let claims = old.claim("exp", 1_537_234_948.75).build();
    /// assert_eq!(claims.expires_at(), UnixTime::from_secs(1_537_234_948));
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let now = UnixTime::from_secs(1_537_234_948);
    /// let signed_in = claims().claim("auth_time", 1_537_231_048).build().auth_time().unwrap();
    /// assert_eq!(now.duration_since(signed_in), Some(Duration::from_secs(3_900)));
    /// // An optional claim: `guard::RequireMaxAge` refuses a token without it.
    /// assert_eq!(claims().build().auth_time(), None);
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// assert!(claims().claim("in_corp", "true").build().in_corporate_network());
    /// assert!(!claims().claim("in_corp", "false").build().in_corporate_network());
    /// assert!(!claims().build().in_corporate_network());
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().claim("name", "Alice").claim("email", "alice@contoso.example").build();
    /// assert_eq!(claims.profile().display_name(), Some("Alice"));
    /// assert_eq!(claims.profile().email(), Some("alice@contoso.example"));
    /// // Logs show none of it.
    /// assert!(!format!("{:?} {claims:?}", claims.profile()).contains("alice@"));
    /// # }
    /// ```
    #[must_use]
    pub fn profile(&self) -> ProfileClaims<'_> {
        ProfileClaims::of(self)
    }

    /// Reads a claim that has no accessor, such as `extension_Department`.
    ///
    /// `None` where it is absent, `null` or not a `T`, and for every claim that has an accessor
    /// or is opaque. What it holds is as trustworthy as the token; whether a user may edit it in
    /// their profile is not known here.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().claim("extension_Department", "Sales").claim("level", 3).build();
    /// assert_eq!(claims.extra::<String>("extension_Department").as_deref(), Some("Sales"));
    /// assert_eq!(claims.extra::<u8>("level"), Some(3));
    /// // Not a text; a claim with an accessor; a claim in another letter case.
    /// assert_eq!(claims.extra::<String>("level"), None);
    /// assert_eq!(claims.extra::<String>("tid"), None);
    /// assert_eq!(claims.extra::<u8>("Level"), None);
    /// # }
    /// ```
    #[must_use]
    pub fn extra<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let inner = self.inner();
        inner
            .others()
            .find(|[member, _]| member.of(&inner.text) == name)
            .and_then(|[_, raw]| serde_json::from_str(raw.of(&inner.text)).ok())
    }

    /// The names of the claims that [`extra`](Self::extra) can read.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().claim("extension_Department", "Sales").claim("uti", "k3Zx").build();
    /// // Neither claims with an accessor nor opaque ones.
    /// assert!(claims.extra_claim_names().eq(["extension_Department"]));
    /// # }
    /// ```
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
        let first = permissions.and_then(|listing| inner.values.list(listing).first());
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
