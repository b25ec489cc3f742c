//! Settings as Microsoft.Identity.Web reads them: an `appsettings.json`, and the environment above it.
//!
//! The sections `AzureAd` and `AzureAdB2C` are read, or one that the program names; every other one is
//! ignored. The file is JSON with comments and trailing commas. A variable `AzureAd__Audiences__0` is element 0
//! of the list `Audiences` in `AzureAd`; the environment wins over the file, key by key and element by element,
//! and key names ignore letter case.
//!
//! Source: <https://learn.microsoft.com/dotnet/core/extensions/configuration-providers>

mod authority_url;
mod credential;
mod decryption;
mod error;
mod forms;
mod into_graph_config;
mod issuing;
mod layers;
mod lists;
mod no_effect;
mod reader;
mod schema;
mod section;
#[cfg(test)]
mod tests;
mod value_types;

use std::ffi::OsString;
use std::path::Path;

use self::layers::Node;
use self::reader::Reader;

pub use self::error::{RedactedValue, SettingsError};
pub(crate) use self::section::Section;

/// What an `appsettings.json` and the environment say, checked value by value and as a whole.
///
/// Files that the settings name are not opened, and no address is asked.
///
/// ```
/// use axum_entra::settings::Settings;
///
/// let file = r#"{ "AzureAd": { "TenantId": "11111111-1111-4111-8111-111111111111",
///     "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "CallbackPath": "/signin-oidc" } }"#;
/// let settings = Settings::from_parts(Some(("appsettings.json", file)), []).unwrap();
/// // What means nothing to an API is named.
/// assert!(settings.warnings()[0].contains("CallbackPath"));
///
/// let broken = Settings::from_parts(Some(("appsettings.json", "{")), []);
/// assert!(broken.is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AzureAd`.
    pub(crate) entra: Option<Section>,
    /// `AzureAdB2C`.
    pub(crate) b2c: Option<Section>,
    warnings: Vec<String>,
}

/// The sections to read: their names, or the one name that a program gives.
#[derive(Clone, Copy)]
enum Wanted<'n> {
    Both,
    One(&'n str),
}

impl Settings {
    /// Reads the sections `AzureAd` and `AzureAdB2C` of a file, if one is named, and of the
    /// environment of this process.
    ///
    /// Each of the [`warnings`](Self::warnings) also becomes an event at `warn`, which is lost
    /// unless a `tracing` subscriber is installed before.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::settings::Settings;
    /// # let file = std::env::temp_dir().join(format!("load-{}.json", std::process::id()));
    /// # std::fs::write(&file, r#"{ "AzureAd": { "TenantId": "common", "ClientId":
    /// #     "6e74172b-be56-4843-9ff4-e66a39bb12e3", "AllowedTenants": "any" } }"#)?;
    ///
    /// // {"AzureAd": {"TenantId": "common", "ClientId": "…", "AllowedTenants": "any"}}
    /// assert!(!Settings::load(Some(&file))?.is_empty());
    /// # std::fs::remove_file(&file)?;
    /// let missing = Settings::load(Some("no such file.json".as_ref())).unwrap_err();
    /// assert!(missing.to_string().contains("no such file.json"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SettingsError`], for the first value that cannot be used, in one line.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        Self::load_wanted(Wanted::Both, file)
    }

    /// Reads one section of another name, as `GetSection("EntraId")` does in .NET, and no other.
    ///
    /// `:` stands between levels (`Authentication:EntraId`). The environment has the same name:
    /// `EntraId__TenantId`. As in Microsoft.Identity.Web a section that names a policy
    /// (`SignUpSignInPolicyId`, `Policies`) is read as B2C, every other as Entra ID.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::settings::Settings;
    /// # let file = std::env::temp_dir().join(format!("load_section-{}.json", std::process::id()));
    /// # std::fs::write(&file, r#"{ "Authentication": { "EntraId": { "TenantId": "contoso.example",
    /// #     "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3" } } }"#)?;
    ///
    /// // {"Authentication": {"EntraId": {"TenantId": "contoso.example", "ClientId": "…"}}}
    /// assert!(Settings::load_section("Authentication:EntraId", Some(&file)).is_ok());
    /// assert!(Settings::load_section("Authentication:Okta", Some(&file)).is_err());
    /// # std::fs::remove_file(&file)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SettingsError`], for the first value that cannot be used, in one line; also if neither
    /// the file nor the environment has the section.
    pub fn load_section(section: &str, file: Option<&Path>) -> Result<Self, SettingsError> {
        Self::load_wanted(Wanted::One(section), file)
    }

    fn load_wanted(wanted: Wanted<'_>, file: Option<&Path>) -> Result<Self, SettingsError> {
        let name = file
            .map(|file| file.display().to_string())
            .unwrap_or_default();
        let text = file.map(|file| read_text(file, &name)).transpose()?;
        let environment = text_of(std::env::vars_os(), wanted)?;
        let file = text.as_deref().map(|text| (name.as_str(), text));
        let settings = Self::read(wanted, file, environment)?;
        for warning in &settings.warnings {
            tracing::warn!(warning, "settings");
        }
        Ok(settings)
    }

    /// Reads the text of a file, under the name that errors give it, and an environment.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], for the first value that cannot be used, in one line.
    ///
    /// # Example
    ///
    /// ```
    /// use axum_entra::settings::Settings;
    ///
    /// let file = r#"{ "AzureAd": { "TenantId": "contoso.onmicrosoft.com", } } // no ClientId"#;
    /// let id = ("AzureAd__ClientId".to_owned(), "22222222-2222-4222-8222-222222222222".to_owned());
    ///
    /// assert!(Settings::from_parts(Some(("appsettings.json", file)), [id]).is_ok());
    /// let refused = Settings::from_parts(Some(("appsettings.json", file)), []).unwrap_err();
    /// assert!(refused.to_string().starts_with("AzureAd:ClientId is not given"));
    /// ```
    pub fn from_parts(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        Self::read(Wanted::Both, file, environment.into_iter().collect())
    }

    /// [`load_section`](Self::load_section) with the text of a file and an environment.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], as there.
    ///
    /// # Example
    ///
    /// ```
    /// use axum_entra::settings::Settings;
    ///
    /// let file = r#"{ "EntraId": { "TenantId": "contoso.onmicrosoft.com",
    ///     "ClientId": "22222222-2222-4222-8222-222222222222",
    ///     "Scopes": { "Read": ["Todo.Read", "Todo.ReadWrite"] } } }"#;
    /// let file = Some(("appsettings.json", file));
    ///
    /// let settings = Settings::section_from_parts("EntraId", file, []).unwrap();
    /// let names = settings.list("EntraId:Scopes:Read").unwrap();
    /// assert_eq!(names, ["Todo.Read", "Todo.ReadWrite"]);
    ///
    /// let refused = Settings::section_from_parts("Entra", file, []).unwrap_err();
    /// assert!(refused.to_string().starts_with("Entra is not given"));
    /// ```
    pub fn section_from_parts(
        section: &str,
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let environment = environment.into_iter().collect();
        Self::read(Wanted::One(section), file, environment)
    }

    fn read(
        wanted: Wanted<'_>,
        file: Option<(&str, &str)>,
        environment: Vec<(String, String)>,
    ) -> Result<Self, SettingsError> {
        match wanted {
            Wanted::Both => {
                let mut warnings = Vec::new();
                let [entra, b2c] = layered(layers::SECTIONS, file, environment, &mut warnings)?;
                let entra = entra.read(false, &mut warnings)?;
                let b2c = b2c.read(true, &mut warnings)?;
                if let (Some(entra), Some(b2c)) = (&entra, &b2c) {
                    warnings.extend(no_effect::shared(entra, b2c));
                }
                Ok(Self {
                    entra,
                    b2c,
                    warnings,
                })
            }
            Wanted::One(name) => {
                let mut warnings = Vec::new();
                let [section] = layered([name], file, environment, &mut warnings)?;
                let is_b2c = section.names_a_policy();
                let read = section.read(is_b2c, &mut warnings)?;
                let read = read.ok_or_else(|| SettingsError::Missing {
                    key: error::one_line(name),
                    expected: "a section with TenantId, ClientId and the like".to_owned(),
                })?;
                let (entra, b2c) = match is_b2c {
                    true => (None, Some(read)),
                    false => (Some(read), None),
                };
                Ok(Self {
                    entra,
                    b2c,
                    warnings,
                })
            }
        }
    }

    /// Both sections, `AzureAd` first: where a setting is one for the whole process, it counts.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.entra.iter().chain(&self.b2c)
    }

    /// Neither section is given.
    ///
    /// ```
    /// use axum_entra::settings::Settings;
    ///
    /// let file = Some(("appsettings.json", r#"{ "Logging": { "LogLevel": {} } }"#));
    /// // Another section than the two; `EntraBuilder::from_settings` would refuse it.
    /// assert!(Settings::from_parts(file, [])?.is_empty());
    /// # Ok::<(), axum_entra::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entra.is_none() && self.b2c.is_none()
    }

    /// What a person should look at, one line each: keys that mean nothing here, variables that
    /// lost to others, credentials that are left out, lists put together from file and environment,
    /// values that an empty variable replaces, keys that have no effect beside the others.
    ///
    /// ```
    /// use axum_entra::settings::Settings;
    ///
    /// let read = |more: &str| {
    ///     let text = format!(r#"{{ "AzureAd": {{ "TenantId": "contoso.example", {more}
    ///         "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3" }} }}"#);
    ///     Settings::from_parts(Some(("appsettings.json", &text)), [])
    /// };
    /// assert!(read("")?.warnings().is_empty());
    /// // It means something to a web application, and nothing to an API.
    /// assert!(read(r#""CallbackPath": "/signin-oidc","#)?.warnings()[0].contains("CallbackPath"));
    /// // A misspelt key is no warning.
    /// assert!(read(r#""Audiense": "api://todo","#).is_err());
    /// # Ok::<(), axum_entra::settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The names of permissions at a path like `AzureAd:Scopes:Read` or `AzureAd:AppPermissions:Write`,
    /// in any letter case; also those of `AzureAd:Scopes` itself, where it is no object.
    ///
    /// What .NET code names as `RequiredScopesConfigurationKey`. Nothing is demanded by a list that
    /// is only looked up: the guards demand.
    ///
    /// ```
    /// use axum_entra::{guard::RequireScope, settings::Settings};
    ///
    /// let file = r#"{ "AzureAd": { "TenantId": "contoso.example",
    ///     "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
    ///     "Scopes": { "Read": ["Todo.Read", "Todo.ReadWrite"] } } }"#;
    /// let settings = Settings::from_parts(Some(("appsettings.json", file)), [])?;
    /// let names = settings.list("AzureAd:Scopes:read").unwrap();
    /// let guard = RequireScope::any_of(names)?;
    /// assert_eq!(settings.list("AzureAd:Scopes:Write"), None);
    /// # Ok::<(), axum_entra::ConfigError>(())
    /// ```
    #[must_use]
    pub fn list(&self, path: &str) -> Option<&[String]> {
        self.sections().find_map(|section| section.lists.at(path))
    }
}

/// A section with the environment on top of the file.
struct Layered {
    node: Node,
    federated_token_file: Option<String>,
    /// Lists of which both layers give elements.
    merged: Vec<&'static str>,
}

/// Puts the layers of sections together.
fn layered<const N: usize>(
    names: [&str; N],
    file: Option<(&str, &str)>,
    environment: Vec<(String, String)>,
    warnings: &mut Vec<String>,
) -> Result<[Layered; N], SettingsError> {
    let federated_token_file = environment
        .iter()
        .find(|(name, _)| name == FEDERATED_TOKEN_FILE)
        .map(|(_, path)| path.clone());
    let (name, text) = file.unwrap_or((NO_FILE, "{}"));
    let sections = layers::from_file(name, text, names)?;
    let mut over = layers::from_environment(environment, names, warnings)?.into_iter();
    Ok(sections.map(|mut node| {
        let mut merged = Vec::new();
        if let Some(over) = over.next() {
            let both = |path: &&str| node.merges(&over, path);
            merged.extend(schema::OFTEN_MERGED.into_iter().filter(both));
            let path = error::one_line(&node.name);
            node.overlay(over, &path, warnings);
        }
        Layered {
            node,
            federated_token_file: federated_token_file.clone(),
            merged,
        }
    }))
}

impl Layered {
    /// Microsoft.Identity.Web recognizes B2C by the policy.
    fn names_a_policy(&self) -> bool {
        let policy = self.node.find(schema::SIGN_UP_SIGN_IN_POLICY_ID.path);
        let is_empty = |scalar: &layers::Scalar| scalar.text.is_empty();
        policy.is_some_and(|node| !node.scalar.as_ref().is_some_and(is_empty))
            || self.node.find(schema::POLICIES.path).is_some()
    }

    fn read(
        &self,
        b2c: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Section>, SettingsError> {
        let node = &self.node;
        if !node.is_given() {
            return Ok(None);
        }
        if node.scalar.is_some() || node.list {
            return Err(SettingsError::InvalidValue {
                key: error::one_line(&node.name),
                value: node.shown(),
                origin: error::one_line(&node.origin),
                expected: "an object with TenantId, ClientId and the like".to_owned(),
            });
        }
        let reader = Reader::new(node, error::one_line(&node.name));
        let section = Section::read(&reader, b2c, self.federated_token_file.as_deref(), warnings)?;
        for path in &self.merged {
            warnings.push(merged_list(&reader, path));
        }
        Ok(Some(section))
    }
}

/// What a list is that the file and the environment give one part each of.
fn merged_list(section: &Reader<'_>, path: &str) -> String {
    let elements = section.node(path).map(Node::elements);
    let texts = elements.into_iter().flatten().flatten();
    let shown: Vec<String> = texts.map(|element| element.shown().to_string()).collect();
    format!(
        "{}:{path} is put together from the file and the environment, element by element as in .NET: {}",
        section.path(),
        shown.join(", ")
    )
}

fn read_text(file: &Path, name: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(file).map_err(|error| SettingsError::Io {
        file: error::one_line(name),
        reason: error::one_line(&error.to_string()),
    })
}

/// The variables that are text. One of ours that is not would silently be missing, so it is an error.
fn text_of(
    variables: impl Iterator<Item = (OsString, OsString)>,
    wanted: Wanted<'_>,
) -> Result<Vec<(String, String)>, SettingsError> {
    let mut texts = Vec::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => texts.push((name, value)),
            Err(_) => {
                let key = name.replace("__", ":");
                let is_of = |section: &str| layers::behind(&key, section).is_some();
                let is_ours = match wanted {
                    Wanted::Both => layers::SECTIONS.into_iter().any(is_of),
                    Wanted::One(section) => is_of(section),
                };
                if is_ours {
                    return Err(SettingsError::InvalidValue {
                        key: error::one_line(&key),
                        value: RedactedValue::word("(not shown)"),
                        origin: format!("environment variable {}", error::one_line(&name)),
                        expected: "text in UTF-8".to_owned(),
                    });
                }
            }
        }
    }
    Ok(texts)
}

/// Set by the workload identity webhook of Kubernetes on Azure; Microsoft.Identity.Web reads it too.
const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Stands for the file when there is none.
const NO_FILE: &str = "no file";
