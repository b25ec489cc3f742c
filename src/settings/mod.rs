//! Settings as Microsoft.Identity.Web reads them: an `appsettings.json`, and the environment above it.
//!
//! The sections `AzureAd` and `AzureAdB2C` are read, every other one is left alone. The file is JSON with
//! comments and trailing commas. A variable `AzureAd__Audiences__0` stands for element 0 of the list
//! `Audiences` in `AzureAd`; the environment wins over the file, key by key and element by element, and no
//! key has a letter case.
//!
//! Source: <https://learn.microsoft.com/dotnet/core/extensions/configuration-providers>

mod address;
mod authority;
mod credential;
mod directory;
mod error;
mod forms;
mod keys;
mod reader;
mod section;
#[cfg(test)]
mod tests;
mod together;
mod tree;
mod trusted;

use std::ffi::OsString;
use std::path::Path;

use self::reader::Reader;
use self::tree::Node;

pub(crate) use self::authority::TenantName;
pub use self::error::{SettingsError, Shown};
pub(crate) use self::section::Section;
#[cfg(test)]
use self::{
    credential::Credential,
    section::{AllowedTenants, KeySettings, TokenVersions},
};

/// What an `appsettings.json` and the environment say, checked value by value and as a whole.
///
/// Files that the settings name are not opened, and no address is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AzureAd`.
    pub(crate) entra: Option<Section>,
    /// `AzureAdB2C`.
    pub(crate) b2c: Option<Section>,
    warnings: Vec<String>,
}

impl Settings {
    /// Reads a file, if one is named, and the environment of this process.
    ///
    /// Each of the [`warnings`](Self::warnings) also becomes an event at `warn`.
    ///
    /// # Errors
    ///
    /// [`SettingsError`], for the first value that cannot be used, in one line.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let name = file
            .map(|file| file.display().to_string())
            .unwrap_or_default();
        let text = file.map(|file| read_text(file, &name)).transpose()?;
        let environment = text_of(std::env::vars_os())?;
        let settings = Self::from_parts(
            text.as_deref().map(|text| (name.as_str(), text)),
            environment,
        )?;
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
        let environment: Vec<(String, String)> = environment.into_iter().collect();
        let federated_token_file = environment
            .iter()
            .find(|(name, _)| name == FEDERATED_TOKEN_FILE)
            .map(|(_, path)| path.clone());

        let mut warnings = Vec::new();
        let (name, text) = file.unwrap_or((NO_FILE, "{}"));
        let [mut entra, mut b2c] = tree::from_file(name, text)?;
        let [over_entra, over_b2c] = tree::from_environment(environment, &mut warnings)?;
        entra.overlay(over_entra);
        b2c.overlay(over_b2c);

        let mut section = |node: &Node, is_b2c| {
            read_section(node, is_b2c, federated_token_file.as_deref(), &mut warnings)
        };
        Ok(Self {
            entra: section(&entra, false)?,
            b2c: section(&b2c, true)?,
            warnings,
        })
    }

    /// Neither section is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entra.is_none() && self.b2c.is_none()
    }

    /// What was ignored, one line each: keys that mean nothing here, and variables that lost to others.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn read_section(
    node: &Node,
    b2c: bool,
    federated_token_file: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<Section>, SettingsError> {
    if !node.is_given() {
        return Ok(None);
    }
    if node.scalar.is_some() || node.list {
        return Err(SettingsError::WrongValue {
            key: node.name.clone(),
            value: node.shown(),
            origin: error::one_line(&node.origin),
            expected: "an object with TenantId, ClientId and the like".to_owned(),
        });
    }
    Section::read(
        &Reader::new(node, node.name.clone()),
        b2c,
        federated_token_file,
        warnings,
    )
    .map(Some)
}

fn read_text(file: &Path, name: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(file).map_err(|error| SettingsError::Unreadable {
        file: error::one_line(name),
        reason: error::one_line(&error.to_string()),
    })
}

/// The variables that are text. One of ours that is not would silently be missing, so it is an error.
fn text_of(
    variables: impl Iterator<Item = (OsString, OsString)>,
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
                if key
                    .split(':')
                    .next()
                    .is_some_and(|first| tree::section_of(first).is_some())
                {
                    return Err(SettingsError::WrongValue {
                        key: error::one_line(&key),
                        value: Shown::word("(not shown)"),
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
