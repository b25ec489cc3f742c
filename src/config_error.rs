//! What a developer got wrong in the set-up.

/// A setting that cannot be used; found before the first request.
///
/// For developers: `Display` is one line that names the setting, what was found and what is
/// expected. Secrets are never in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value that is not one of those allowed.
    #[error("{setting}: found {found}, expected {expected}")]
    Value {
        /// The setting's name, as in the settings file where it has one.
        setting: String,
        /// What was found there.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// A setting that has no safe default and was not given.
    #[error("{setting}: missing, expected {expected}")]
    Missing {
        /// The setting's name.
        setting: String,
        /// What may stand there.
        expected: String,
    },
    /// Two authorities would claim the same tokens.
    #[error("two authorities accept the issuer {issuer}; one issuer belongs to one authority")]
    SameIssuer {
        /// The issuer both accept.
        issuer: String,
    },
    /// The settings file or the environment holds something that cannot be used.
    #[cfg(feature = "settings")]
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    /// There is no tokio runtime in which the keys could be kept fresh.
    #[error("no tokio runtime: call build() within one, it starts the task that keeps keys fresh")]
    NoRuntime,
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    HttpClient(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ConfigError {
    pub(crate) fn value(setting: &str, found: impl std::fmt::Display, expected: &str) -> Self {
        Self::Value {
            setting: setting.to_owned(),
            found: format!("`{found}`"),
            expected: expected.to_owned(),
        }
    }

    pub(crate) fn missing(setting: &str, expected: &str) -> Self {
        Self::Missing {
            setting: setting.to_owned(),
            expected: expected.to_owned(),
        }
    }
}
