//! A private key that tokens are encrypted to: where it comes from, and what it is called.

use std::fmt;
use std::path::{Path, PathBuf};

use base64_simd::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::header::KeyNames;
use crate::config_error::ConfigError;
use crate::jwks::{DecryptingKey, sha1_thumbprint, sha256};
use crate::key_file::KeyFile;

/// A private RSA key that access tokens are encrypted to, which the registration's
/// `tokenEncryptionKeyId` names.
///
/// For [`EntraBuilder::token_decryption_key`](crate::EntraBuilder::token_decryption_key). It comes
/// from PEM (RFC 7468: the key, and best its certificate) or, with the feature `pkcs12`, from
/// PKCS#12 (RFC 7292). The certificate gives the names by which tokens name the key
/// (`x5t`, `x5t#S256`, and as `kid` the SHA-1 thumbprint in hexadecimal digits). Whether it is
/// still valid is not checked. Nothing of the key is shown in `Debug`, in logs or in errors.
///
/// ```no_run
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant, TokenDecryptionKey};
///
/// let entra = Entra::builder(
///     Tenant::new("11111111-1111-4111-8111-111111111111"),
///     "6e74172b-be56-4843-9ff4-e66a39bb12e3",
/// )
/// .token_decryption_key(TokenDecryptionKey::file("/run/secrets/token-encryption.pem"))
/// .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenDecryptionKey {
    source: Source,
    password: Option<SecretString>,
    key_id: Option<String>,
    /// The setting that names it, for errors.
    setting: String,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Bytes(SecretSlice<u8>),
}

impl TokenDecryptionKey {
    /// A file in PEM or PKCS#12 form. It is read when the `Entra` is built, and again whenever it
    /// has changed, within some seconds; a broken new file leaves the old key in use.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant, TokenDecryptionKey};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let key = TokenDecryptionKey::file("/run/secrets/no such file.pem");
    /// let refused = Entra::builder(tenant, client_id).token_decryption_key(key).build();
    /// assert!(refused.unwrap_err().to_string().contains("no such file.pem"));
    /// # Ok(()) }
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::from(Source::File(path.into()))
    }

    /// The content of such a file.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, TokenDecryptionKey};
    /// use entra_emulator::{Emulator, TokenEncryption};
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// # use base64::{Engine, prelude::BASE64_STANDARD};
    /// # let pem = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der));
    /// # let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    /// # let public_key = pem("PUBLIC KEY", &rcgen::PublicKeyData::subject_public_key_info(&key));
    /// # let private_key = pem("PRIVATE KEY", &key.serialize_der());
    /// let key = TokenDecryptionKey::bytes(private_key);
    /// let entra = Entra::builder_for(authority.clone()).token_decryption_key(key).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let token = token.encrypted(TokenEncryption::to(public_key)?).mint();
    /// assert!(entra.validate(&token).await.is_ok());
    /// // An `Entra` without the key.
    /// let entra = Entra::builder_for(authority).build()?;
    /// assert!(entra.validate(&token).await.is_err());
    /// # Ok(()) }
    /// ```
    pub fn bytes(content: impl Into<Vec<u8>>) -> Self {
        Self::from(Source::Bytes(content.into().into()))
    }

    /// The password of a PKCS#12 file. PEM has none: its key must not be encrypted.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant, TokenDecryptionKey};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let pem = "-----BEGIN PRIVATE KEY-----\nbWlsaw==\n-----END PRIVATE KEY-----\n";
    /// let key = TokenDecryptionKey::bytes(pem).password("for a PKCS#12 file");
    /// let refused = Entra::builder(tenant, client_id).token_decryption_key(key).build();
    /// assert!(refused.unwrap_err().to_string().contains("password for PEM"));
    /// # Ok(()) }
    /// ```
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into().into());
        self
    }

    /// The `kid` by which tokens name the key, besides the names that its certificate gives.
    ///
    /// It only makes this key the first to be tried: a token that names no key is decrypted too.
    pub fn key_id(mut self, kid: impl Into<String>) -> Self {
        self.key_id = Some(kid.into());
        self
    }

    fn from(source: Source) -> Self {
        Self {
            source,
            password: None,
            key_id: None,
            setting: "TokenDecryptionCredentials".to_owned(),
        }
    }

    /// Names the setting in errors.
    #[cfg(feature = "settings")]
    pub(crate) fn named_by(mut self, setting: String) -> Self {
        self.setting = setting;
        self
    }

    pub(super) fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Bytes(_) => None,
        }
    }

    /// The bytes of the source, as they are at this moment.
    pub(super) fn content(&self) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        match &self.source {
            Source::File(path) => std::fs::read(path).map(Zeroizing::new).map_err(|error| {
                let kind = error.kind();
                self.wrong(format!("`{}` ({kind})", path.display()), "a readable file")
            }),
            Source::Bytes(content) => Ok(Zeroizing::new(content.expose_secret().to_vec())),
        }
    }

    /// The keys in the content of the source, at least one.
    pub(super) fn load(&self, content: &[u8]) -> Result<Vec<LoadedKey>, ConfigError> {
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        let password = password.filter(|password| !password.is_empty());
        let named = |found: &str| match self.path() {
            Some(path) => format!("`{}`, {found}", path.display()),
            None => found.to_owned(),
        };
        let file = KeyFile::read(content, password)
            .map_err(|error| self.wrong(named(error.found()), error.expected()))?;
        let expected = "a private RSA key of 2048 to 8192 bits, and best its certificate";
        let keys = file.private_keys.iter().map(|der| {
            DecryptingKey::from_der(der)
                .map(|key| LoadedKey::new(key, &file.certificates, self.key_id.clone()))
                .map_err(|_| self.wrong(named("a key that cannot be used"), expected))
        });
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(self.wrong(named("no private key"), expected));
        }
        Ok(keys)
    }

    fn wrong(&self, found: String, expected: &str) -> ConfigError {
        ConfigError::InvalidValue {
            setting: self.setting.clone(),
            found,
            expected: expected.to_owned(),
        }
    }
}

impl fmt::Debug for TokenDecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenDecryptionKey")
            .field("file", &self.path())
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A key that is ready, with its names.
#[derive(Debug)]
pub(super) struct LoadedKey {
    key: DecryptingKey,
    key_id: Option<String>,
    certificate: Option<CertificateNames>,
}

/// How tokens name a key by its certificate.
#[derive(Debug)]
struct CertificateNames {
    /// The SHA-1 in hexadecimal digits, as Microsoft writes thumbprints.
    thumbprint: String,
    x5t: String,
    x5t_s256: String,
}

impl LoadedKey {
    fn new(key: DecryptingKey, certificates: &[Vec<u8>], key_id: Option<String>) -> Self {
        let own = certificates.iter().find(|der| key.belongs_to(der));
        let certificate = own.map(|der| {
            let sha1 = sha1_thumbprint(der);
            CertificateNames {
                thumbprint: sha1.iter().map(|byte| format!("{byte:02x}")).collect(),
                x5t: URL_SAFE_NO_PAD.encode_to_string(sha1),
                x5t_s256: URL_SAFE_NO_PAD.encode_to_string(sha256(der)),
            }
        });
        Self {
            key,
            key_id,
            certificate,
        }
    }

    pub(super) const fn decrypting(&self) -> &DecryptingKey {
        &self.key
    }

    /// Whether a header means this key. Microsoft's libraries write the thumbprint as `kid`, in
    /// either letter case, or the same as `x5t`.
    pub(super) fn is_named(&self, names: &KeyNames<'_>) -> bool {
        let kid = names.kid.as_deref();
        if kid.is_some() && kid == self.key_id.as_deref() {
            return true;
        }
        self.certificate.as_ref().is_some_and(|own| {
            kid.is_some_and(|kid| kid.eq_ignore_ascii_case(&own.thumbprint) || kid == own.x5t)
                || names.x5t.as_deref() == Some(&own.x5t)
                || names.x5t_s256.as_deref() == Some(&own.x5t_s256)
        })
    }

    /// Whether both are one key, whatever their names.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key.is_same(&other.key)
    }
}
