//! Every key of a section: its form, its meaning, and where its value goes. The single source.
//!
//! Bounds and defaults are those of the types that the values go to.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::error::SettingsError;
use super::forms::{
    self, Bool, FILE_PATH, Form, List, Number, OneOrList, SecretText, TEXT, ValueType, Version,
};
use super::reader::{Readable as _, Reader};
use super::section::{Section, add_new};
use super::value_types::{self, Base64Key, RedisAddress, WEB_ADDRESS, WEB_PATTERN, WEB_TEXT};
use crate::authority::{CLOCK_SKEW, ISSUED_AT_BACKDATE, JwksRefresh, Tenant};
use crate::graph::GraphOptions;
use crate::revocation::StoreFailurePolicy;
use crate::token::{self, PopTokens};

/// One key: where it is, what its value looks like, what it means.
pub(super) struct Key<F> {
    pub(super) path: &'static str,
    pub(super) form: F,
    pub(super) meaning: &'static str,
}

impl<F> Key<F> {
    pub(super) const fn new(path: &'static str, form: F, meaning: &'static str) -> Self {
        Self {
            path,
            form,
            meaning,
        }
    }
}

impl<F: ValueType> Key<F> {
    /// What an error says was expected.
    pub(super) fn expected(&self) -> String {
        format!("{} ({})", self.form.expected(), self.meaning)
    }
}

impl<F: ValueType> Key<List<F>> {
    /// What an error says was expected in place of the list.
    pub(super) fn expected_list(&self) -> String {
        let element = self.form.0.expected();
        let list = if element.starts_with("a list") {
            element
        } else {
            format!("a list, not empty, each element {element}")
        };
        format!("{list} ({})", self.meaning)
    }
}

impl<F: ValueType> Key<OneOrList<F>> {
    /// What an error says was expected.
    pub(super) fn expected_either(&self) -> String {
        format!("{} ({})", self.either(), self.meaning)
    }

    fn either(&self) -> String {
        format!("{}, or a list of such", self.form.0.expected())
    }
}

/// What a document says about a key's form.
#[cfg(test)]
trait Named {
    fn form(&self) -> String;
}

#[cfg(test)]
impl<F: ValueType> Named for Key<F> {
    fn form(&self) -> String {
        self.form.expected()
    }
}

#[cfg(test)]
impl<F: ValueType> Named for Key<List<F>> {
    fn form(&self) -> String {
        format!("list of {}", self.form.0.expected())
    }
}

#[cfg(test)]
impl<F: ValueType> Named for Key<OneOrList<F>> {
    fn form(&self) -> String {
        self.either()
    }
}

/// Makes the table of keys. What stands behind a row's meaning puts a given value into the section;
/// rows without it are read together with others, in `section.rs`.
macro_rules! keys {
    ($all:ident; $($name:ident: $form:ty = $value:expr, $path:literal, $meaning:literal $(, |$section:ident, $given:pat_param| $put:expr)?;)*) => {
        $(pub(super) const $name: Key<$form> = Key::new($path, $value, $meaning);)*
        /// The path of every key of the table.
        pub(super) const $all: &[&str] = &[$($path),*];

        /// Reads every key that has a place in the section, and puts the given values there.
        pub(super) fn put_into(section: &mut Section, from: &Reader<'_>) -> Result<(), SettingsError> {
            $($(
                if let Some($given) = $name.read(from)? {
                    let $section = &mut *section;
                    $put;
                }
            )?)*
            Ok(())
        }

        /// Path, meaning and form of every key, for the documents that are compared with the table.
        #[cfg(test)]
        pub(super) fn table() -> Vec<(&'static str, &'static str, String)> {
            vec![$(($path, $meaning, Named::form(&$name))),*]
        }
    };
}

keys! { SECTION_KEYS;
    INSTANCE: Form<Url> = WEB_ADDRESS, "Instance", "the cloud, or the host of B2C or External ID";
    TENANT_ID: Form<Tenant> = forms::TENANT, "TenantId", "the tenant whose tokens are accepted";
    CLIENT_ID: Form<String> = forms::GUID_TEXT, "ClientId", "this API's application id";
    AUTHORITY: Form<Url> = WEB_ADDRESS, "Authority", "Instance and TenantId in one";
    AUDIENCE: Form<String> = TEXT, "Audience", "an accepted audience",
        |section, audience| section.authority.audiences.push(audience);
    AUDIENCES: List<Form<String>> = List(TEXT), "Audiences", "the accepted audiences",
        |section, audiences| add_new(&mut section.authority.audiences, audiences, |a, b| a == b);
    ALLOWED_TENANTS: List<Form<Uuid>> = List(forms::ALLOWED_TENANT), "AllowedTenants", "the tenants whose tokens are accepted";
    ALLOW_PERSONAL_ACCOUNTS: Bool = Bool, "AllowPersonalAccounts", "accept the tenant of personal accounts",
        |section, allow| section.authority.personal_accounts = allow;
    TOKEN_VERSIONS: List<Version> = List(Version), "TokenVersions", "the accepted versions of tokens",
        |section, versions| section.authority.versions = versions;
    ISSUER: Form<String> = value_types::ISSUER, "Issuer", "the exact issuer of v2.0 tokens",
        |section, issuer| section.authority.issuer = Some(issuer);
    STS_INSTANCE: Form<Url> = WEB_ADDRESS, "StsInstance", "the host of v1.0 issuers",
        |section, address| section.authority.sts_instance = Some(address.into());
    METADATA_ADDRESS: Form<String> = WEB_PATTERN, "MetadataAddress", "where the discovery document is",
        |section, address| section.authority.metadata = Some(address);
    METADATA_ADDRESS_V1: Form<String> = WEB_PATTERN, "MetadataAddressV1", "where the v1.0 discovery document is",
        |section, address| section.authority.metadata_v1 = Some(address);
    CUSTOM_SIGNING_KEYS: Bool = Bool, "CustomSigningKeys", "the application has signing keys of its own",
        |section, own| section.authority.application_signing_keys = own;
    DOMAIN: Form<String> = forms::DOMAIN, "Domain", "the tenant's domain";
    SIGN_UP_SIGN_IN_POLICY_ID: Form<String> = forms::POLICY, "SignUpSignInPolicyId", "the policy whose tokens are accepted";
    POLICIES: List<Form<String>> = List(forms::POLICY), "Policies", "the policies whose tokens are accepted";
    ALLOW_ACL: Bool = Bool, "AllowWebApiToBeAuthorizedByACL", "accept tokens with neither scopes nor roles",
        |section, allow| section.authority.without_permissions = allow;
    CLOCK_SKEW_SECONDS: Number<Duration> = Number::seconds(CLOCK_SKEW), "ClockSkewSeconds", "leeway on a token's lifetime",
        |section, skew| section.authority.clock_skew = skew;
    ISSUED_AT_BACKDATE_SECONDS: Number<Duration> = Number::seconds(ISSUED_AT_BACKDATE), "IssuedAtBackdateSeconds", "how much earlier than its issue time a token's iat is",
        |section, backdate| section.authority.issued_at_backdate = Some(backdate);
    MAX_TOKEN_BYTES: Number<usize> = Number::bytes(token::MAX_TOKEN_BYTES), "MaxTokenBytes", "the longest accepted token",
        |section, most| section.max_token_bytes = Some(most);
    REFRESH_SECONDS: Number<Duration> = Number::seconds(JwksRefresh::REFRESH), "Keys:RefreshSeconds", "time between refreshes of the keys",
        |section, every| section.authority.freshness.interval = every;
    COOLDOWN_SECONDS: Number<Duration> = Number::seconds(JwksRefresh::COOLDOWN), "Keys:CooldownSeconds", "least time between fetches for unknown keys",
        |section, least| section.authority.freshness.unknown_kid_cooldown = least;
    MAX_STALE_SECONDS: Number<Duration> = Number::seconds(JwksRefresh::MAX_STALE), "Keys:MaxStaleSeconds", "the oldest keys in use, at least twice RefreshSeconds",
        |section, most| section.authority.freshness.max_stale = Some(most);
    WITHDRAWAL_GRACE_SECONDS: Number<Duration> = Number::seconds(JwksRefresh::WITHDRAWAL_GRACE), "Keys:WithdrawalGraceSeconds", "how long a key that has vanished still verifies",
        |section, grace| section.authority.freshness.withdrawal_grace = grace;
    TIMEOUT_MILLIS: Number<Duration> = Number::millis(JwksRefresh::TIMEOUT_MILLIS), "Keys:TimeoutMillis", "the longest fetch",
        |section, most| section.authority.freshness.timeout = most;
    MAX_BYTES: Number<usize> = Number::bytes(JwksRefresh::MAX_BYTES), "Keys:MaxBytes", "the largest document",
        |section, most| section.authority.freshness.max_document_size = most;
    TOKEN_CACHE_MAX_BYTES: Number<usize> = Number::bytes(token::TOKEN_CACHE_BYTES), "TokenCache:MaxBytes", "memory for verified tokens, 0 for none",
        |section, most| section.token_cache_bytes = Some(most);
    CA_FILE: Form<PathBuf> = FILE_PATH, "CaFile", "further root certificates, PEM",
        |section, file| section.ca_file = Some(file);
    CLIENT_SECRET: SecretText = SecretText, "ClientSecret", "what this API signs in with";
    GRAPH_BASE_URL: Form<Url> = WEB_ADDRESS, "Graph:BaseUrl", "Microsoft Graph with its version; needed with credentials where `Instance` is of no known cloud",
        |section, address| section.graph.graph = Some(address.into());
    GRAPH_RESOLVE_GROUPS: Bool = Bool, "Graph:ResolveGroups", "ask Graph about groups a token cannot list",
        |section, resolve| section.graph.resolve_groups = resolve;
    GRAPH_CACHE_SECONDS: Number<Duration> = Number::seconds(GraphOptions::CACHE), "Graph:CacheSeconds", "how long Graph's answers are kept",
        |section, keep| section.graph.cache = keep;
    GRAPH_CHECK_SESSIONS: Bool = Bool, "Graph:CheckSessions", "refuse tokens from before the user's sessions were revoked",
        |section, check| section.graph.check_sessions = check;
    GRAPH_SHARED_ANSWERS_KEY: OneOrList<Base64Key> = OneOrList(Base64Key), "Graph:SharedAnswersKey", "replicas with this key share Graph's answers about memberships over Redis; of two the first writes",
        |section, keys| section.graph.shared_answers_keys = keys;
    SCOPES: Form<Vec<String>> = forms::SCOPES, "Scopes", "the scopes of which every route needs one; an object of lists demands nothing and is for look-up";
    APP_PERMISSIONS: Form<Vec<String>> = forms::SCOPES, "AppPermissions", "an object of lists for look-up";
    POP_TOKENS: Form<PopTokens> = forms::POP_TOKENS, "PopTokens", "whether signed HTTP requests are accepted, or nothing else",
        |section, pop| section.pop_tokens = Some(pop);
    APP_ID_URI: OneOrList<Form<String>> = OneOrList(value_types::APP_ID_URI), "AppIdUri", "what full scope names begin with",
        |section, uris| section.authority.app_id_uris = uris;
    RESOURCE: OneOrList<Form<String>> = OneOrList(WEB_TEXT), "Resource", "this API's own address",
        |section, addresses| section.resources = addresses;
    REDIS_URL: RedisAddress = RedisAddress, "Redis:Url", "the store that replicas share",
        |section, url| section.redis_url = Some(url);
    REDIS_ON_LOSS: Form<StoreFailurePolicy> = forms::ON_LOSS, "Redis:OnLoss", "which tokens pass while the store is out of reach",
        |section, policy| section.on_loss = policy;
}

/// The list whose elements have keys of their own.
pub(super) const CLIENT_CREDENTIALS: &str = "ClientCredentials";
/// Its older name in Microsoft.Identity.Web, whose templates leave it as an empty list.
pub(super) const CLIENT_CERTIFICATES: &str = "ClientCertificates";
/// The list of private keys for encrypted tokens, whose elements have the same keys.
pub(super) const TOKEN_DECRYPTION_CREDENTIALS: &str = "TokenDecryptionCredentials";
/// Its older name in Microsoft.Identity.Web.
pub(super) const TOKEN_DECRYPTION_CERTIFICATES: &str = "TokenDecryptionCertificates";
/// All of these lists.
pub(super) const CREDENTIAL_LISTS: [&str; 4] = [
    CLIENT_CREDENTIALS,
    CLIENT_CERTIFICATES,
    TOKEN_DECRYPTION_CREDENTIALS,
    TOKEN_DECRYPTION_CERTIFICATES,
];

/// Lists of which a file and the environment often give one part each without meaning to.
pub(super) const OFTEN_MERGED: [&str; 3] = [ALLOWED_TENANTS.path, AUDIENCES.path, POLICIES.path];

/// Keys that restrict which callers are accepted, or change whose tokens are accepted, and have no
/// counterpart here: each with what to write in its place. To ignore one would accept more than its
/// file says.
pub(super) const RESTRICTING: &[(&str, &str)] = &[
    // Microsoft.Identity.Web and App Service.
    (
        "AllowedClientApplications",
        "no such key: write the guard RequireClientId::any([…]) on the routes",
    ),
    // MSAL.NET: ApplicationOptions.
    (
        "AadAuthorityAudience",
        "no such key: TenantId and AllowedTenants say whose tokens are accepted, the guard RequireTenant on a route",
    ),
    (
        "AzureCloudInstance",
        "no such key: Instance names the cloud",
    ),
    // ASP.NET Core: JwtBearerOptions, OpenIdConnectOptions.
    (
        "TokenValidationParameters",
        "no such key: write Audiences, AllowedTenants, Issuer, TokenVersions or ClockSkewSeconds, and guards like RequireRole or RequireTenant on the routes",
    ),
    (
        "MaxAge",
        "no such key: write the guard RequireMaxAge on the routes",
    ),
    (
        "ProtocolValidator",
        "no such key: write guards like RequireMfa, RequireAcr or RequireMaxAge on the routes",
    ),
    // Of hand-written code and of samples: the application read them itself.
    (
        "Groups",
        "no such key: write the guard RequireGroup::any([…]) on the routes",
    ),
    (
        "ValidateIssuer",
        "no such key: issuers are always checked, AllowedTenants says whose are accepted",
    ),
    (
        "ValidIssuer",
        "no such key: write Issuer, or AllowedTenants",
    ),
    ("ValidIssuers", "no such key: write AllowedTenants"),
    ("ValidAudience", "no such key: write Audience"),
    ("ValidAudiences", "no such key: write Audiences"),
];

/// Keys that Microsoft.Identity.Web, ASP.NET Core or MSAL.NET binds in this section and that mean
/// nothing to an API in Rust. Whatever is under them is ignored. None of them restricts which
/// callers are accepted: those keys are in [`RESTRICTING`].
pub(super) const IGNORED: &[&str] = &[
    // Microsoft.Identity.Web: MicrosoftIdentityOptions, MicrosoftIdentityApplicationOptions, the JSON schema.
    "AppHomeTenantId",
    "AzureRegion",
    "ClientAssertion",
    "ClientCapabilities",
    "ClientCredentialsUsingManagedIdentity",
    "DefaultUserFlow",
    "EditProfilePolicyId",
    "EnablePiiLogging",
    "ErrorPath",
    "ExtraQueryParameters",
    "IsDefaultPlatformLoggingEnabled",
    "LegacyCacheCompatibilityEnabled",
    "PreserveAuthority",
    "RequestAppToken",
    "ResetPasswordPath",
    "ResetPasswordPolicyId",
    "SendX5C",
    "ShowPII",
    "UserAssignedManagedIdentityClientId",
    "WithSpaAuthCode",
    // MSAL.NET: ApplicationOptions, ConfidentialClientApplicationOptions.
    "CacheSynchronizationEnabled",
    "ClientName",
    "ClientVersion",
    "EnableCacheSynchronization",
    "KerberosServicePrincipalName",
    "LogLevel",
    "RedirectUri",
    "TicketContainer",
    // ASP.NET Core: OpenIdConnectOptions, JwtBearerOptions and what they inherit.
    "AccessDeniedPath",
    "AdditionalAuthorizationParameters",
    "AuthenticationMethod",
    "AutomaticRefreshInterval",
    "BackchannelTimeout",
    "CallbackPath",
    "Challenge",
    "ClaimsIssuer",
    "CorrelationCookie",
    "DisableTelemetry",
    "ForwardAuthenticate",
    "ForwardChallenge",
    "ForwardDefault",
    "ForwardForbid",
    "ForwardSignIn",
    "ForwardSignOut",
    "GetClaimsFromUserInfoEndpoint",
    "IncludeErrorDetails",
    "MapInboundClaims",
    "NonceCookie",
    "PostLogoutRedirectUri",
    "Prompt",
    "PushedAuthorizationBehavior",
    "RefreshInterval",
    "RefreshOnIssuerKeyNotFound",
    "RemoteAuthenticationTimeout",
    "RemoteSignOutPath",
    "RequireHttpsMetadata",
    "ResponseMode",
    "ResponseType",
    "ReturnUrlParameter",
    "SaveToken",
    "SaveTokens",
    "Scope",
    "SignInScheme",
    "SignOutScheme",
    "SignedOutCallbackPath",
    "SignedOutRedirectUri",
    "SkipUnrecognizedRequests",
    "UsePkce",
    "UseSecurityTokenValidator",
    "UseTokenLifetime",
];

/// Ignored keys with which an API meant to sign in, and what to write in their place.
pub(super) const INSTEAD: &[(&str, &str)] = &[
    (
        "ClientAssertion",
        "write ClientCredentials, or ClientCredential::assertion_provider in code",
    ),
    (
        "ClientCredentialsUsingManagedIdentity",
        "write ClientCredentials with SourceType SignedAssertionFromManagedIdentity",
    ),
];
