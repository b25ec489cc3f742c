//! What this API signs in with.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::certificate::{Certificate, CertificateError};
use super::request_error::GraphRequestError;
use crate::config_error::ConfigError;
use crate::jwks::Padding;

/// What this API proves with who it is, at the token endpoint; cheap to clone.
///
/// Not shown in `Debug`, in logs or in errors.
///
/// ```
/// use axum_entra::graph::ClientCredential;
///
/// let credential = ClientCredential::secret("from the vault");
/// assert!(!format!("{credential:?}").contains("vault"));
/// // A certificate needs its private key.
/// assert!(ClientCredential::certificate("not PEM").is_err());
/// ```
#[derive(Clone)]
pub struct ClientCredential(Kind);

#[derive(Clone)]
enum Kind {
    Secret(SecretString),
    Certificate(Arc<Certificate>, Padding),
    AssertionFile(PathBuf),
    Source(Arc<dyn ClientAssertionProvider>),
}

/// Gives the assertions that a federated identity credential takes: a managed identity, another
/// platform's workload identity, a signing service.
///
/// Source: Microsoft, "Workload identity federation".
///
/// ```
/// use axum_entra::graph::{AssertionFuture, ClientAssertionProvider, ClientCredential};
///
/// struct Platform;
///
/// impl ClientAssertionProvider for Platform {
///     fn assertion(&self) -> AssertionFuture<'_> {
///         Box::pin(async { Ok(std::fs::read_to_string("/var/run/secrets/assertion")?) })
///     }
/// }
///
/// let credential = ClientCredential::assertion_provider(Platform);
/// ```
pub trait ClientAssertionProvider: Send + Sync {
    /// An assertion (a JWT) for the audience `api://AzureADTokenExchange`, good for a while yet.
    ///
    /// Asked before each call to the token endpoint, so it should keep what it gave.
    fn assertion(&self) -> AssertionFuture<'_>;
}

/// An assertion to come.
pub type AssertionFuture<'s> =
    Pin<Box<dyn Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + Send + 's>>;

impl ClientCredential {
    /// A client secret, from the registration's page "Certificates & secrets".
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::Entra;
    /// use entra_emulator::{API_SECRET, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let with = |secret: &str| {
    ///     let access = GraphConfig::new(ClientCredential::secret(secret));
    ///     let access = access.graph_url(emulator.graph_url());
    ///     Entra::builder_for(authority.clone().graph(access)).build()
    /// };
    /// let scopes = ["https://graph.microsoft.com/.default"];
    /// let token = with(API_SECRET)?.graph().client_credentials_token(None, &scopes).await?;
    /// assert!(token.expires_in().as_secs() > 0);
    /// // The authority decides; nothing of the secret is in the error.
    /// let refused = with("mistyped")?.graph().client_credentials_token(None, &scopes).await;
    /// assert!(!refused.unwrap_err().to_string().contains("mistyped"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn secret(text: impl Into<String>) -> Self {
        Self(Kind::Secret(text.into().into()))
    }

    /// A certificate and its private key, both in PEM form in one text.
    ///
    /// Assertions are signed with PS256 and name the certificate by `x5t#S256`. For a PKCS#12 file
    /// (`.pfx`) there is `pkcs12`, with the feature of that name.
    /// Whether the certificate is still valid is not checked, the authority does.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::ClientCredential;
    ///
    /// # use base64::{Engine, prelude::BASE64_STANDARD};
    /// # let pem = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der));
    /// # let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    /// # let certificate = rcgen::CertificateParams::new(["api".to_owned()])?.self_signed(&key)?;
    /// # let certificate = pem("CERTIFICATE", certificate.der());
    /// # let private_key = pem("PRIVATE KEY", &key.serialize_der());
    /// assert!(ClientCredential::certificate(format!("{certificate}{private_key}")).is_ok());
    /// // The certificate without its private key; neither of them.
    /// assert!(ClientCredential::certificate(certificate).is_err());
    /// assert!(ClientCredential::certificate("").is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] without a certificate, without an RSA key of 2,048 bits or more, or if
    /// both do not belong together.
    pub fn certificate(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::certificate_file(pem.as_ref().as_bytes(), None)
    }

    /// A certificate and its private key in a PKCS#12 file (`.pfx`, `.p12`), with its password.
    ///
    /// ```
    /// use axum_entra::graph::ClientCredential;
    ///
    /// fn from_a_vault(pfx: &[u8], password: &str) -> Result<ClientCredential, axum_entra::ConfigError> {
    ///     ClientCredential::pkcs12(pfx, password)
    /// }
    /// // Not a PKCS#12 file.
    /// assert!(from_a_vault(b"-----BEGIN CERTIFICATE-----", "password").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] if the password does not open the file, and as
    /// [`certificate`](Self::certificate).
    #[cfg(feature = "pkcs12")]
    pub fn pkcs12(file: impl AsRef<[u8]>, password: impl AsRef<str>) -> Result<Self, ConfigError> {
        Self::certificate_file(file.as_ref(), Some(password.as_ref()))
    }

    /// A certificate and its private key in PEM or PKCS#12 form.
    pub(crate) fn certificate_file(
        file: &[u8],
        password: Option<&str>,
    ) -> Result<Self, ConfigError> {
        let problem = |problem| {
            let (found, expected) = match problem {
                CertificateError::File(error) => (error.found(), error.expected()),
                CertificateError::Certificate => ("no certificate", "a certificate"),
                CertificateError::Key => (
                    "no private key",
                    "an RSA key of 2048 bits or more, in PEM form without a password",
                ),
                CertificateError::Pair => (
                    "the key of another certificate",
                    "the first certificate's own private key",
                ),
            };
            ConfigError::InvalidValue {
                setting: "ClientCredentials".to_owned(),
                found: found.to_owned(),
                expected: expected.to_owned(),
            }
        };
        let certificate = Certificate::read(file, password).map_err(problem)?;
        Ok(Self(Kind::Certificate(Arc::new(certificate), Padding::Pss)))
    }

    /// Signs a certificate's assertions with RS256, for authorities that do not take PS256.
    ///
    /// ```
    /// use axum_entra::graph::ClientCredential;
    ///
    /// # fn read(pem: &str) -> Result<ClientCredential, axum_entra::ConfigError> {
    /// // For an AD FS or another authority that refuses assertions signed with PS256.
    /// let credential = ClientCredential::certificate(pem)?.with_rs256();
    /// # Ok(credential) }
    /// # assert!(read("").is_err());
    /// ```
    #[must_use]
    pub fn with_rs256(mut self) -> Self {
        if let Kind::Certificate(_, padding) = &mut self.0 {
            *padding = Padding::Pkcs1;
        }
        self
    }

    /// A file into which the platform writes a signed assertion, as workload identity in
    /// Kubernetes does. It is read whenever a token is asked for, so a new one is found.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{ClientCredential, GraphConfig};
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// # let path = std::env::temp_dir().join(format!("federated-{}", std::process::id()));
    /// let credential = ClientCredential::federated_token_file(&path);
    /// let access = GraphConfig::new(credential).graph_url(emulator.graph_url());
    /// let entra = Entra::builder_for(authority.graph(access)).build()?;
    /// let scopes = ["https://graph.microsoft.com/.default"];
    /// // The file is read for each token, so it may come later.
    /// assert!(entra.graph().client_credentials_token(None, &scopes).await.is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn federated_token_file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::AssertionFile(path.into()))
    }

    /// A source of assertions of the application's own.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::graph::{AssertionFuture, ClientAssertionProvider, ClientCredential, GraphConfig};
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// struct SigningService;
    ///
    /// impl ClientAssertionProvider for SigningService {
    ///     fn assertion(&self) -> AssertionFuture<'_> {
    ///         Box::pin(async { Err("the signing service does not answer".into()) })
    ///     }
    /// }
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let access = GraphConfig::new(ClientCredential::assertion_provider(SigningService));
    /// let entra = Entra::builder_for(authority.graph(access.graph_url(emulator.graph_url()))).build()?;
    /// let scopes = ["https://graph.microsoft.com/.default"];
    /// assert!(entra.graph().client_credentials_token(None, &scopes).await.is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn assertion_provider(source: impl ClientAssertionProvider + 'static) -> Self {
        Self(Kind::Source(Arc::new(source)))
    }

    /// The form fields that prove who is asking.
    pub(super) async fn proof(
        &self,
        client_id: &str,
        endpoint: &str,
        now: u64,
    ) -> Result<Vec<(&'static str, SecretString)>, GraphRequestError> {
        let assertion = match &self.0 {
            Kind::Secret(secret) => return Ok(vec![("client_secret", secret.clone())]),
            Kind::Certificate(certificate, padding) => certificate
                .assertion(*padding, client_id, endpoint, now)
                .ok_or_else(|| unusable("the certificate's key does not sign", None))?
                .into(),
            Kind::AssertionFile(path) => assertion_in(path.clone()).await?,
            Kind::Source(source) => source
                .assertion()
                .await
                .map_err(|error| unusable("its source gives no assertion", Some(error)))?
                .into(),
        };
        let assertion: SecretString = assertion;
        if assertion.expose_secret().is_empty() {
            return Err(unusable("the assertion is empty", None));
        }
        Ok(vec![
            ("client_assertion_type", ASSERTION_TYPE.into()),
            ("client_assertion", assertion),
        ])
    }
}

async fn assertion_in(path: PathBuf) -> Result<SecretString, GraphRequestError> {
    let read = move || std::fs::read_to_string(path);
    let text = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| GraphRequestError::Cancelled)?
        .map_err(|error| unusable("its file cannot be read", Some(error.into())))?;
    let text: SecretString = text.into();
    Ok(text.expose_secret().trim().into())
}

fn unusable(what: &'static str, source: Option<Box<dyn Error + Send + Sync>>) -> GraphRequestError {
    GraphRequestError::Credential { what, source }
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Secret(_) => "Credential::Secret(not shown)",
            Kind::Certificate(..) => "Credential::Certificate(not shown)",
            Kind::AssertionFile(_) => "Credential::AssertionFile(not shown)",
            Kind::Source(_) => "Credential::Federated(not shown)",
        })
    }
}

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
