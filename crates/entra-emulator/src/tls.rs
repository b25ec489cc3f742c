//! A certificate authority that lives as long as the process, and a server certificate of it.

use std::sync::Arc;

use base64_simd::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::error::EmulatorError;

/// What a TLS listener needs, and what its clients must trust.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// The CA's certificate as PEM.
    pub(super) ca_pem: String,
}

impl Tls {
    /// Makes a CA, and with it a certificate for `localhost`, `127.0.0.1` and `::1`.
    pub(super) fn generate() -> Result<Self, EmulatorError> {
        let (ca, chain, key) = certificates().map_err(|error| failed(error.into()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.into()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| failed(error.into()))?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: pem(&ca),
        })
    }
}

type Certificates = (
    CertificateDer<'static>,
    Vec<CertificateDer<'static>>,
    PrivateKeyDer<'static>,
);

fn certificates() -> Result<Certificates, rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name
        .push(DnType::CommonName, "Emulator of Entra ID, for development");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut server = CertificateParams::new(names)?;
    server
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server = server.signed_by(&key, &issuer)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let ca = ca_certificate.der().clone();
    Ok((ca, vec![server.der().clone()], key.into()))
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> EmulatorError {
    EmulatorError::Tls(error)
}

/// RFC 7468 §2: lines of 64 characters.
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode_to_string(certificate.as_ref());
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
