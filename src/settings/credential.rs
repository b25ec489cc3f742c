//! What the API itself signs in with: `ClientCredentials` as Microsoft.Identity.Web writes it.
//!
//! Source: <https://github.com/AzureAD/microsoft-identity-web/wiki/Client-Credentials>

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::error::SettingsError;
use super::forms::{Bool, FILE_PATH, Form, GUID, SecretText, TEXT, ValueType};
use super::layers::Scalar;
use super::reader::Reader;
use super::schema::Key;

/// One element of `ClientCredentials`; the first that works is used.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// `ClientSecret`.
    Secret(Secret),
    /// `Path`: a certificate with its private key in a file.
    CertificateFile {
        path: PathBuf,
        password: Option<Secret>,
    },
    /// `Base64Encoded`: a certificate with its private key in the settings.
    CertificateText {
        base64: Secret,
        password: Option<Secret>,
    },
    /// `SignedAssertionFilePath`: a token that the platform writes to a file (workload identity).
    AssertionFile { path: PathBuf },
    /// `SignedAssertionFromManagedIdentity`.
    ManagedIdentity {
        identity: ManagedIdentityName,
        token_exchange_url: Option<String>,
    },
}

/// Which of a machine's managed identities is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ManagedIdentityName {
    /// The machine's own.
    System,
    /// A user-assigned one, by its client id.
    ClientId(Uuid),
    /// A user-assigned one, by its object id.
    ObjectId(Uuid),
    /// A user-assigned one, by its Azure resource id.
    ResourceId(String),
}

/// Text that no error, log or `Debug` shows, overwritten when it is dropped.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// Keeps the text.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned().into())
    }

    /// The text itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Two settings that name the same thing; never an attempt of a client against a secret.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// The `SourceType`s of Microsoft.Identity.Web, and how far this crate goes with each.
pub(super) enum Source {
    Secret,
    Path,
    Base64,
    AssertionFile,
    ManagedIdentity,
    /// Needs Windows, a key vault or code of the user's own.
    Elsewhere(&'static str),
}

pub(super) struct SourceType;

impl ValueType for SourceType {
    type Value = Source;
    fn expected(&self) -> String {
        "ClientSecret, Path, Base64Encoded, SignedAssertionFilePath or SignedAssertionFromManagedIdentity".to_owned()
    }
    fn read(&self, given: &Scalar) -> Option<Source> {
        const ELSEWHERE: [&str; 6] = [
            "KeyVault",
            "StoreWithThumbprint",
            "StoreWithDistinguishedName",
            "SignedAssertionFromVault",
            "CustomSignedAssertion",
            "Certificate",
        ];
        let named = |name: &str| given.text.eq_ignore_ascii_case(name);
        match () {
            () if named("ClientSecret") => Some(Source::Secret),
            () if named("Path") => Some(Source::Path),
            () if named("Base64Encoded") => Some(Source::Base64),
            () if named("SignedAssertionFilePath") => Some(Source::AssertionFile),
            () if named("SignedAssertionFromManagedIdentity") => Some(Source::ManagedIdentity),
            () => ELSEWHERE
                .into_iter()
                .find(|name| named(name))
                .map(Source::Elsewhere),
        }
    }
}

pub(super) const SOURCE_TYPE: Key<SourceType> =
    Key::new("SourceType", SourceType, "where the credential comes from");
pub(super) const SKIP: Key<Bool> = Key::new("Skip", Bool, "leave this credential out");
const CLIENT_SECRET: Key<SecretText> = Key::new("ClientSecret", SecretText, "the secret");
pub(super) const DISK_PATH: Key<Form<PathBuf>> = Key::new(
    "CertificateDiskPath",
    FILE_PATH,
    "the certificate with its private key",
);
pub(super) const PASSWORD: Key<SecretText> = Key::new(
    "CertificatePassword",
    SecretText,
    "the certificate's password",
);
pub(super) const BASE64: Key<SecretText> = Key::new(
    "Base64EncodedValue",
    SecretText,
    "the certificate with its private key",
);
const ASSERTION_PATH: Key<Form<PathBuf>> = Key::new(
    "SignedAssertionFileDiskPath",
    FILE_PATH,
    "the file of the assertion; without it AZURE_FEDERATED_TOKEN_FILE names it",
);
const IDENTITY: Key<Form<Uuid>> = Key::new(
    "ManagedIdentityClientId",
    GUID,
    "the user-assigned managed identity",
);
const IDENTITY_OBJECT: Key<Form<Uuid>> =
    Key::new("ManagedIdentityObjectId", GUID, "the same by its object id");
const IDENTITY_RESOURCE: Key<Form<String>> = Key::new(
    "ManagedIdentityResourceId",
    TEXT,
    "the same by its Azure resource id",
);
const EXCHANGE_URL: Key<Form<String>> = Key::new(
    "TokenExchangeUrl",
    TEXT,
    "the audience of the exchanged token",
);
/// Another authority for the exchange of tokens, which does not exist here.
const EXCHANGE_AUTHORITY: &str = "TokenExchangeAuthority";

/// The keys that an element may have. Those from `KeyVaultUrl` on belong to sources out of reach.
pub(super) const CREDENTIAL_KEYS: &[&str] = &[
    SOURCE_TYPE.path,
    SKIP.path,
    CLIENT_SECRET.path,
    DISK_PATH.path,
    PASSWORD.path,
    BASE64.path,
    ASSERTION_PATH.path,
    IDENTITY.path,
    IDENTITY_OBJECT.path,
    IDENTITY_RESOURCE.path,
    EXCHANGE_URL.path,
    EXCHANGE_AUTHORITY,
    "KeyVaultUrl",
    "KeyVaultCertificateName",
    "CertificateStorePath",
    "CertificateThumbprint",
    "CertificateDistinguishedName",
    "Algorithm",
    "Container",
    "ReferenceOrValue",
    "CustomSignedAssertionProviderName",
    "CustomSignedAssertionProviderData",
];

/// Reads one element; nothing for a credential that is left out, with a warning.
pub(super) fn read(
    element: &Reader<'_>,
    federated_token_file: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<Credential>, SettingsError> {
    let source = element.need(&SOURCE_TYPE)?;
    if element.one(&SKIP)?.unwrap_or(false) {
        warnings.push(format!("{} is left out: Skip is true", element.path()));
        return Ok(None);
    }
    Ok(Some(match source {
        Source::Secret => Credential::Secret(element.need(&CLIENT_SECRET)?),
        Source::Path => Credential::CertificateFile {
            path: element.need(&DISK_PATH)?,
            password: element.one_or_empty(&PASSWORD)?,
        },
        Source::Base64 => Credential::CertificateText {
            base64: element.need(&BASE64)?,
            password: element.one_or_empty(&PASSWORD)?,
        },
        Source::AssertionFile => match (element.one(&ASSERTION_PATH)?, federated_token_file) {
            (Some(path), _) => Credential::AssertionFile { path },
            (None, Some(path)) if !path.is_empty() => Credential::AssertionFile {
                path: PathBuf::from(path),
            },
            (None, _) => return Err(element.missing(&ASSERTION_PATH)),
        },
        Source::ManagedIdentity => Credential::ManagedIdentity {
            identity: managed_identity(element)?,
            token_exchange_url: element.one(&EXCHANGE_URL)?,
        },
        Source::Elsewhere(name) => {
            warnings.push(format!(
                "{} is ignored: {name} cannot be used here, expected {}",
                element.path(),
                SOURCE_TYPE.form.expected()
            ));
            return Ok(None);
        }
    }))
}

/// The one identity that an element names; the machine's own if it names none.
fn managed_identity(element: &Reader<'_>) -> Result<ManagedIdentityName, SettingsError> {
    let refuse = |path: &'static str, expected: &str| match element.node(path) {
        Some(node) => Err(element.wrong(path, node, false, expected.to_owned())),
        None => Ok(()),
    };
    refuse(
        EXCHANGE_AUTHORITY,
        "no such key: the assertion is exchanged at the authority of the section",
    )?;
    let named = [
        element.one(&IDENTITY)?.map(ManagedIdentityName::ClientId),
        element
            .one(&IDENTITY_OBJECT)?
            .map(ManagedIdentityName::ObjectId),
        element
            .one(&IDENTITY_RESOURCE)?
            .map(ManagedIdentityName::ResourceId),
    ];
    if named.iter().flatten().count() > 1 {
        let expected =
            "one managed identity, named by its client id, its object id or its resource id";
        refuse(IDENTITY_RESOURCE.path, expected)?;
        refuse(IDENTITY_OBJECT.path, expected)?;
    }
    Ok(named
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(ManagedIdentityName::System))
}
