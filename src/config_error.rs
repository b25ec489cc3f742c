//! What a developer got wrong in the set-up.

use std::fmt;

use crate::causes::WithCauses;

/// A setting that cannot be used; found before the first request.
///
/// For developers: `Display` is one line that names the setting, what was found and what is
/// expected. Secrets are never in it. `Debug` is the same line, since that is what a `main` shows
/// that returns the error.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use axum_entra::{Entra, Tenant};
///
/// let error = Entra::builder(Tenant::new("not a tenant"), "6e74172b-be56-4843-9ff4-e66a39bb12e3")
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("not a tenant"), "{error}");
/// # }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value that is not one of those allowed.
    #[error("{setting}: found {found}, expected {expected}")]
    InvalidValue {
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
    DuplicateIssuer {
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
    #[error("the HTTP client could not be made: {}", WithCauses(&**.0))]
    HttpClient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The machine has no root certificates, and an `https` address has to be believed.
    #[error(
        "no root certificates on this machine, so no https address can be believed: install the \
         package ca-certificates, or name a file of PEM certificates in CaFile or SSL_CERT_FILE"
    )]
    NoRootCertificates,
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ConfigError {
    pub(crate) fn value(setting: &str, found: impl fmt::Display, expected: &str) -> Self {
        Self::InvalidValue {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_that_returns_the_error_shows_the_line() {
        let error = ConfigError::value("ClockSkewSeconds", 900, "0 to 600");
        assert_eq!(
            format!("{error:?}"),
            "ClockSkewSeconds: found `900`, expected 0 to 600"
        );
        let boxed: Box<dyn std::error::Error> = ConfigError::NoRuntime.into();
        assert_eq!(format!("{boxed:?}"), ConfigError::NoRuntime.to_string());
        #[cfg(feature = "settings")]
        {
            let file = r#"{ "AzureAd": { "TennantId": "x" } }"#;
            let wrong = crate::settings::Settings::from_parts(Some(("f.json", file)), []);
            let wrong = wrong.unwrap_err();
            assert_eq!(format!("{wrong:?}"), wrong.to_string());
            assert_eq!(
                format!("{:?}", ConfigError::from(wrong)),
                "AzureAd:TennantId (f.json) is not a known key: expected one like AzureAd:TenantId"
            );
        }
    }
}
