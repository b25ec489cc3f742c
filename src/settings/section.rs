//! One section, typed and checked: every value is allowed, and the values fit together.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use super::authority_url::TenantName;
use super::credential::{self, Credential, Secret};
use super::error::SettingsError;
use super::forms::Integer;
use super::lists::Lists;
use super::reader::Reader;
use super::schema::{self, Key};
use crate::revocation::StoreFailurePolicy;

/// The settings of one authority: of `AzureAd`, or of `AzureAdB2C`. `None` is "not given".
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) instance: Option<Url>,
    pub(crate) tenant: Option<TenantName>,
    /// A GUID in lower case, since audiences are compared as text and Entra writes them so.
    pub(crate) client_id: String,
    /// `Audience` and `Audiences`; empty if neither is given.
    pub(crate) audiences: Vec<String>,
    pub(crate) allowed_tenants: Option<AllowedTenants>,
    pub(crate) allow_personal_accounts: bool,
    pub(crate) token_versions: TokenVersions,
    /// The exact text.
    pub(crate) issuer: Option<String>,
    pub(crate) sts_instance: Option<Url>,
    /// `{policy}` is still in it.
    pub(crate) metadata_address: Option<String>,
    /// `{policy}` is still in it.
    pub(crate) metadata_address_v1: Option<String>,
    pub(crate) application_signing_keys: bool,
    pub(crate) domain: Option<String>,
    /// `SignUpSignInPolicyId`, then `Policies`, each once whatever its letter case.
    pub(crate) policies: Vec<String>,
    pub(crate) allow_acl: bool,
    pub(crate) clock_skew: Duration,
    /// 0 for B2C unless it is given.
    pub(crate) issued_at_backdate: Duration,
    /// `None` leaves it to the other section, and then to the default.
    pub(crate) max_token_bytes: Option<usize>,
    pub(crate) keys: KeySettings,
    /// 0 is off; `None` as above.
    pub(crate) token_cache_bytes: Option<usize>,
    pub(crate) ca_file: Option<PathBuf>,
    /// `ClientCredentials` (older: `ClientCertificates`) in their order, then `ClientSecret`; the
    /// first that works is used.
    pub(crate) credentials: Vec<Credential>,
    pub(crate) graph: GraphSettings,
    /// `Scopes` and `AppPermissions`.
    pub(crate) lists: Lists,
    /// The exact texts.
    pub(crate) app_id_uris: Vec<String>,
    /// The exact texts.
    pub(crate) resources: Vec<String>,
    /// `None` without `Redis:Url`.
    pub(crate) redis: Option<RedisSettings>,
}

/// Whose tokens are accepted where the authority is many tenants' authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AllowedTenants {
    Any,
    Only(Vec<Uuid>),
}

/// A version of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenVersion {
    V1,
    V2,
}

/// The versions of access tokens that are accepted, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenVersions {
    pub(crate) v1: bool,
    pub(crate) v2: bool,
}

/// How the signing keys are kept fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySettings {
    pub(crate) refresh: Duration,
    pub(crate) cooldown: Duration,
    /// At least twice `refresh`.
    pub(crate) max_stale: Duration,
    pub(crate) withdrawal_grace: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
}

/// How Microsoft Graph is asked.
#[derive(Debug, Clone)]
pub(crate) struct GraphSettings {
    pub(crate) base_url: Option<Url>,
    /// Not given: true where there are credentials.
    pub(crate) resolve_groups: bool,
    pub(crate) cache: Duration,
    pub(crate) check_sessions: bool,
}

/// The store that replicas share.
#[derive(Debug, Clone)]
pub(crate) struct RedisSettings {
    /// It may hold a password.
    pub(crate) url: Secret,
    pub(crate) on_loss: StoreFailurePolicy,
}

impl Section {
    /// Reads a section and checks that its keys fit together.
    pub(super) fn read(
        from: &Reader<'_>,
        b2c: bool,
        federated_token_file: Option<&str>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, SettingsError> {
        from.check_names(warnings)?;

        let mut credentials = Vec::new();
        if let Some(list) = credentials_key(from, warnings) {
            for element in from.objects(list, "a list, not empty, as in Microsoft.Identity.Web")? {
                credentials.extend(credential::read(&element, federated_token_file, warnings)?);
            }
        }
        credentials.extend(
            from.one_or_empty(&schema::CLIENT_SECRET)?
                .map(Credential::Secret),
        );

        let mut section = Self {
            instance: from.one(&schema::INSTANCE)?,
            tenant: from.one(&schema::TENANT_ID)?,
            client_id: from.one(&schema::CLIENT_ID)?.unwrap_or_default(),
            audiences: distinct(
                from.one(&schema::AUDIENCE)?,
                from.list(&schema::AUDIENCES)?,
                |a, b| a == b,
            ),
            allowed_tenants: allowed_tenants(from)?,
            allow_personal_accounts: from.one(&schema::ALLOW_PERSONAL_ACCOUNTS)?.unwrap_or(false),
            token_versions: token_versions(&from.list(&schema::TOKEN_VERSIONS)?),
            issuer: from.one(&schema::ISSUER)?,
            sts_instance: from.one(&schema::STS_INSTANCE)?,
            metadata_address: from.one(&schema::METADATA_ADDRESS)?,
            metadata_address_v1: from.one(&schema::METADATA_ADDRESS_V1)?,
            application_signing_keys: from.one(&schema::CUSTOM_SIGNING_KEYS)?.unwrap_or(false),
            domain: match b2c {
                true => from.one_or_empty(&schema::DOMAIN)?,
                // It decides nothing here, so a placeholder that was left is no mistake.
                false => from.one_or_empty(&schema::DOMAIN).unwrap_or_default(),
            },
            policies: distinct(
                from.one_or_empty(&schema::SIGN_UP_SIGN_IN_POLICY_ID)?,
                from.list(&schema::POLICIES)?,
                |a, b| a.eq_ignore_ascii_case(b),
            ),
            allow_acl: from.one(&schema::ALLOW_ACL)?.unwrap_or(false),
            clock_skew: seconds(from, &schema::CLOCK_SKEW_SECONDS)?,
            issued_at_backdate: match from.one(&schema::ISSUED_AT_BACKDATE_SECONDS)? {
                Some(given) => Duration::from_secs(given),
                None if b2c => Duration::ZERO,
                None => Duration::from_secs(schema::ISSUED_AT_BACKDATE_SECONDS.form.default),
            },
            max_token_bytes: given_size(from, &schema::MAX_TOKEN_BYTES)?,
            keys: key_settings(from)?,
            token_cache_bytes: given_size(from, &schema::TOKEN_CACHE_MAX_BYTES)?,
            ca_file: from.one(&schema::CA_FILE)?,
            graph: GraphSettings {
                base_url: from.one(&schema::GRAPH_BASE_URL)?,
                resolve_groups: from
                    .one(&schema::GRAPH_RESOLVE_GROUPS)?
                    .unwrap_or(!credentials.is_empty()),
                cache: seconds(from, &schema::GRAPH_CACHE_SECONDS)?,
                check_sessions: from.one(&schema::GRAPH_CHECK_SESSIONS)?.unwrap_or(false),
            },
            credentials,
            lists: Lists::read(from, warnings)?,
            app_id_uris: from.one_or_list(&schema::APP_ID_URI)?,
            resources: from.one_or_list(&schema::RESOURCE)?,
            redis: redis(from)?,
        };
        from.one(&schema::POP_TOKENS)?;
        section.follow_authority(from, b2c)?;
        section.check(from, b2c)?;
        if !b2c && !section.policies.is_empty() {
            warnings.push(format!(
                "{} has B2C policies, which belong in the section AzureAdB2C",
                from.path()
            ));
        }
        Ok(section)
    }
}

/// The key under which the credentials are: the newer name if both are given, as in
/// Microsoft.Identity.Web. Its templates leave the older as an empty list, which is none.
fn credentials_key(from: &Reader<'_>, warnings: &mut Vec<String>) -> Option<&'static str> {
    let given = |key| from.node(key).is_some();
    let is_empty = |key| {
        from.node(key)
            .is_some_and(|node| node.scalar.is_none() && node.children().next().is_none())
    };
    match (
        given(schema::CLIENT_CREDENTIALS),
        given(schema::CLIENT_CERTIFICATES) && !is_empty(schema::CLIENT_CERTIFICATES),
    ) {
        (true, true) => {
            warnings.push(format!(
                "{path}:{older} is ignored: it is the older name of {newer}, which is given too",
                path = from.path(),
                older = schema::CLIENT_CERTIFICATES,
                newer = schema::CLIENT_CREDENTIALS,
            ));
            Some(schema::CLIENT_CREDENTIALS)
        }
        (true, false) => Some(schema::CLIENT_CREDENTIALS),
        (false, true) => Some(schema::CLIENT_CERTIFICATES),
        (false, false) => None,
    }
}

fn key_settings(from: &Reader<'_>) -> Result<KeySettings, SettingsError> {
    let refresh = whole(from, &schema::REFRESH_SECONDS)?;
    let at_least = refresh.saturating_mul(2);
    let max_stale = schema::MAX_STALE_SECONDS;
    Ok(KeySettings {
        refresh: Duration::from_secs(refresh),
        cooldown: seconds(from, &schema::COOLDOWN_SECONDS)?,
        max_stale: Duration::from_secs(
            from.one(&max_stale)?
                .unwrap_or_else(|| max_stale.form.default.max(at_least)),
        ),
        withdrawal_grace: seconds(from, &schema::WITHDRAWAL_GRACE_SECONDS)?,
        timeout: Duration::from_millis(whole(from, &schema::TIMEOUT_MILLIS)?),
        max_bytes: size(from, &schema::MAX_BYTES)?,
    })
}

fn allowed_tenants(from: &Reader<'_>) -> Result<Option<AllowedTenants>, SettingsError> {
    let key = schema::ALLOWED_TENANTS;
    let any = |text: &str| text.eq_ignore_ascii_case("any");
    match from.node(key.path).map(|node| &node.scalar) {
        None => Ok(None),
        Some(Some(word)) if any(&word.text) => Ok(Some(AllowedTenants::Any)),
        Some(_) => Ok(Some(AllowedTenants::Only(from.list(&key)?))),
    }
}

fn token_versions(given: &[TokenVersion]) -> TokenVersions {
    let accepted = |version| given.is_empty() || given.contains(&version);
    TokenVersions {
        v1: accepted(TokenVersion::V1),
        v2: accepted(TokenVersion::V2),
    }
}

fn redis(from: &Reader<'_>) -> Result<Option<RedisSettings>, SettingsError> {
    let on_loss = from.one(&schema::REDIS_ON_LOSS)?.unwrap_or_default();
    Ok(from
        .one(&schema::REDIS_URL)?
        .map(|url| RedisSettings { url, on_loss }))
}

/// One value and a list of more, each once.
fn distinct(
    first: Option<String>,
    rest: Vec<String>,
    same: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for value in first.into_iter().chain(rest) {
        if !all.iter().any(|known| same(known, &value)) {
            all.push(value);
        }
    }
    all
}

fn whole(from: &Reader<'_>, key: &Key<Integer>) -> Result<u64, SettingsError> {
    Ok(from.one(key)?.unwrap_or(key.form.default))
}

fn seconds(from: &Reader<'_>, key: &Key<Integer>) -> Result<Duration, SettingsError> {
    whole(from, key).map(Duration::from_secs)
}

fn size(from: &Reader<'_>, key: &Key<Integer>) -> Result<usize, SettingsError> {
    whole(from, key).map(in_memory)
}

fn given_size(from: &Reader<'_>, key: &Key<Integer>) -> Result<Option<usize>, SettingsError> {
    Ok(from.one(key)?.map(in_memory))
}

fn in_memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
