//! Certificates and private keys as files have them: PEM (RFC 7468), and PKCS#12 (RFC 7292) with
//! the feature `pkcs12`. The one file that imports `p12_keystore`.

use base64_simd::STANDARD;
use secrecy::zeroize::Zeroizing;

/// What a file holds, in DER and in the file's order.
pub(crate) struct KeyFile {
    pub(crate) certificates: Vec<Vec<u8>>,
    /// PKCS#8, of PEM files PKCS#1 too.
    pub(crate) private_keys: Vec<Zeroizing<Vec<u8>>>,
    /// The first certificate is the key's own, as in PEM; PKCS#12 has no order.
    pub(crate) is_ordered: bool,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFileError {
    /// Neither PEM nor PKCS#12.
    Form,
    /// PKCS#12 that the password does not open, or with an algorithm that is not known.
    #[cfg(feature = "pkcs12")]
    Password,
    /// PKCS#12 in a build that does not read it.
    #[cfg(not(feature = "pkcs12"))]
    NoPkcs12,
    /// PEM with an encrypted key, or a password for PEM.
    EncryptedPem,
}

impl KeyFile {
    /// Reads PEM, or PKCS#12 where it is no PEM.
    pub(crate) fn read(bytes: &[u8], password: Option<&str>) -> Result<Self, KeyFileError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => Self::read_pem(text, password),
            // An ASN.1 SEQUENCE, which every PKCS#12 file is.
            _ if bytes.first() == Some(&0x30) => Self::read_pkcs12(bytes, password),
            _ => Err(KeyFileError::Form),
        }
    }

    fn read_pem(text: &str, password: Option<&str>) -> Result<Self, KeyFileError> {
        let is_encrypted = text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || text.contains("Proc-Type: 4,ENCRYPTED");
        if password.is_some() || is_encrypted {
            return Err(KeyFileError::EncryptedPem);
        }
        let keys = ["PRIVATE KEY", "RSA PRIVATE KEY"];
        Ok(Self {
            certificates: blocks(text, "CERTIFICATE")
                .map(|mut der| std::mem::take(&mut *der))
                .collect(),
            private_keys: keys
                .into_iter()
                .flat_map(|label| blocks(text, label))
                .collect(),
            is_ordered: true,
        })
    }

    #[cfg(feature = "pkcs12")]
    fn read_pkcs12(der: &[u8], password: Option<&str>) -> Result<Self, KeyFileError> {
        let archive = p12_keystore::Pkcs12Archive::from_pkcs12(der, password.unwrap_or_default())
            .map_err(|_| KeyFileError::Password)?;
        Ok(Self {
            certificates: archive
                .certs
                .iter()
                .map(|bag| bag.cert.as_der().to_vec())
                .collect(),
            private_keys: archive
                .keys
                .iter()
                .map(|bag| Zeroizing::new(bag.key.as_der().to_vec()))
                .collect(),
            is_ordered: false,
        })
    }

    #[cfg(not(feature = "pkcs12"))]
    fn read_pkcs12(_: &[u8], _: Option<&str>) -> Result<Self, KeyFileError> {
        Err(KeyFileError::NoPkcs12)
    }
}

impl KeyFileError {
    /// What was found, for an error of the settings.
    pub(crate) const fn found(self) -> &'static str {
        match self {
            Self::Form => "neither PEM nor PKCS#12",
            #[cfg(feature = "pkcs12")]
            Self::Password => "a PKCS#12 file that the password does not open",
            #[cfg(not(feature = "pkcs12"))]
            Self::NoPkcs12 => "a PKCS#12 file",
            Self::EncryptedPem => "a PEM text whose key is encrypted, or a password for PEM",
        }
    }

    /// What would be right.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Form => "a certificate and its private RSA key in PEM or PKCS#12 form",
            #[cfg(feature = "pkcs12")]
            Self::Password => "its CertificatePassword; none where it has no password",
            #[cfg(not(feature = "pkcs12"))]
            Self::NoPkcs12 => "a PEM text, or a build with the feature `pkcs12`",
            Self::EncryptedPem => {
                "PEM with an RSA key that is not encrypted, and no CertificatePassword; PKCS#12 may \
                 have one"
            }
        }
    }
}

/// The bytes of every block with this label whose Base64 is right.
fn blocks<'t>(pem: &'t str, label: &str) -> impl Iterator<Item = Zeroizing<Vec<u8>>> + use<'t> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let mut rest = pem;
    std::iter::from_fn(move || {
        let (_, from) = rest.split_once(&begin)?;
        let (body, behind) = from.split_once(&end)?;
        rest = behind;
        let lines = body.split_ascii_whitespace();
        // Sized first, so that no piece of a key is left behind where the text grows.
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        lines.for_each(|line| base64.push_str(line));
        Some(STANDARD.decode_to_vec(base64.as_bytes()).ok())
    })
    .flatten()
    .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_hold_several_blocks_and_anything_between_them() {
        let text = "# first\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n\
             -----BEGIN RSA PRIVATE KEY-----\r\nBA\r\nUG\r\n-----END RSA PRIVATE KEY-----\n\
             -----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----Bwg=-----END CERTIFICATE-----";
        let file = KeyFile::read(text.as_bytes(), None).unwrap();
        assert_eq!(file.certificates, [vec![1, 2, 3], vec![7, 8]]);
        assert_eq!(file.private_keys.len(), 1);
        assert_eq!(*file.private_keys[0], [4, 5, 6]);
    }

    #[test]
    fn what_cannot_be_read_says_what_would_be() {
        let error = |bytes: &[u8], password| match KeyFile::read(bytes, password) {
            Ok(_) => panic!("read"),
            Err(error) => error,
        };
        assert_eq!(error(b"", None), KeyFileError::Form);
        assert_eq!(error(b"a secret", None), KeyFileError::Form);
        let key = b"-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----";
        assert_eq!(error(key, Some("x")), KeyFileError::EncryptedPem);
        let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n";
        assert_eq!(error(encrypted, None), KeyFileError::EncryptedPem);
        #[cfg(feature = "pkcs12")]
        assert_eq!(error(&[0x30, 0], None), KeyFileError::Password);
        #[cfg(not(feature = "pkcs12"))]
        assert_eq!(error(&[0x30, 0], None), KeyFileError::NoPkcs12);
    }
}
