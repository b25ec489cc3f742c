//! One section: what its keys say, in the types of the library, and whether they fit together.

use std::path::PathBuf;

use super::credential::{self, Credential, Secret};
use super::decryption;
use super::error::{RedactedValue, SettingsError};
use super::issuing::Issuing;
use super::lists::Lists;
use super::no_effect;
use super::reader::Reader;
use super::schema;
use crate::authority::{AllowedTenants, Authority};
use crate::config_error::ConfigError;
use crate::graph::GraphOptions;
use crate::revocation::StoreFailurePolicy;
use crate::token::{PopTokens, TokenDecryptionKey};

/// The settings of one authority: of `AzureAd`, or of `AzureAdB2C`. `None` is "not given".
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) authority: Authority,
    /// `ClientCredentials` (older: `ClientCertificates`) in their order, then `ClientSecret`; the
    /// first that works is used.
    pub(crate) credentials: Vec<Credential>,
    /// `TokenDecryptionCredentials` (older: `TokenDecryptionCertificates`), every one of them.
    pub(crate) decryption_keys: Vec<TokenDecryptionKey>,
    pub(crate) graph: GraphOptions,
    /// `Scopes` and `AppPermissions`.
    pub(crate) lists: Lists,
    /// `None` leaves it to the other section, and then to the default.
    pub(crate) max_token_bytes: Option<usize>,
    /// 0 is off; `None` as above.
    pub(crate) token_cache_bytes: Option<usize>,
    pub(crate) ca_file: Option<PathBuf>,
    /// The exact texts.
    pub(crate) resources: Vec<String>,
    /// `None` leaves it to the other section, and then to the default.
    pub(crate) pop_tokens: Option<PopTokens>,
    /// It may hold a password.
    pub(crate) redis_url: Option<Secret>,
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
        if let Some(list) = from.newer_list(
            schema::CLIENT_CREDENTIALS,
            schema::CLIENT_CERTIFICATES,
            warnings,
        ) {
            for element in from.objects(list, "a list, not empty, as in Microsoft.Identity.Web")? {
                credentials.extend(credential::read(&element, federated_token_file, warnings)?);
            }
        }
        credentials.extend(
            from.one_or_empty(&schema::CLIENT_SECRET)?
                .map(Credential::Secret),
        );

        let issuing = Issuing::read(from, b2c)?;
        let mut section = Self {
            authority: issuing.authority(from, b2c)?,
            credentials,
            graph: GraphOptions::default(),
            decryption_keys: decryption::read(from, warnings)?,
            lists: Lists::read(from, warnings)?,
            max_token_bytes: None,
            token_cache_bytes: None,
            ca_file: None,
            pop_tokens: None,
            resources: Vec::new(),
            redis_url: None,
            on_loss: StoreFailurePolicy::default(),
        };
        schema::put_into(&mut section, from)?;
        section.authority.allowed_tenants = allowed_tenants(from)?;
        section.authority.required_scopes = section.lists.needed.clone();
        if let Err(error) = section.authority.clone().resolve() {
            return Err(with_key(from, error));
        }
        if !b2c && !issuing.policies.is_empty() {
            warnings.push(format!(
                "{} has B2C policies, which belong in the section AzureAdB2C",
                from.path()
            ));
        }
        warnings.extend(no_effect::warnings(from, &section));
        Ok(section)
    }
}

/// What the authority finds wrong, under the key of the section and with the value as it was written.
fn with_key(from: &Reader<'_>, error: ConfigError) -> SettingsError {
    let at = |setting: String| format!("{}:{setting}", from.path());
    match error {
        ConfigError::InvalidValue {
            setting, expected, ..
        } => match from.node(&setting) {
            Some(node) => from.wrong(&setting, node, false, expected),
            None => SettingsError::Missing {
                key: at(setting),
                expected,
            },
        },
        ConfigError::Missing { setting, expected } => SettingsError::Missing {
            key: at(setting),
            expected,
        },
        other => SettingsError::InvalidValue {
            key: from.path().to_owned(),
            value: RedactedValue::word("a section"),
            origin: "file and environment".to_owned(),
            expected: other.to_string(),
        },
    }
}

fn allowed_tenants(from: &Reader<'_>) -> Result<Option<AllowedTenants>, SettingsError> {
    let key = schema::ALLOWED_TENANTS;
    let any = |text: &str| text.eq_ignore_ascii_case("any");
    match from.node(key.path).map(|node| &node.scalar) {
        None => Ok(None),
        Some(Some(word)) if any(&word.text) => Ok(Some(AllowedTenants::Any)),
        Some(_) => Ok(Some(AllowedTenants::only(from.list(&key)?))),
    }
}

/// Adds the values that a list does not have yet.
pub(super) fn add_new(
    list: &mut Vec<String>,
    more: Vec<String>,
    same: impl Fn(&str, &str) -> bool,
) {
    for value in more {
        if !list.iter().any(|known| same(known, &value)) {
            list.push(value);
        }
    }
}
