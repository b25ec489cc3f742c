//! The certificate that a client has shown, which a token may be bound to (RFC 8705).

use http::{Extensions, HeaderMap};

use crate::jwks::sha256;

/// The client's certificate of a TLS connection, as a request extension.
///
/// The application's acceptor inserts it into every request of a connection whose client has shown
/// one (`examples/mutual_tls.rs`). TLS proves that the client holds the certificate's key; who signed
/// the certificate, and whether it is still valid, is for the acceptor to verify: a token that is
/// bound to a certificate is bound to that one only (RFC 8705 section 3), also where it is
/// self-signed (section 2.2).
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::ClientCertificate;
/// use entra_emulator::Emulator;
/// use tower::ServiceExt;
///
/// let emulator = Emulator::start().await?;
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
/// let app: Router = Router::new().route("/", get(|| async { "milk" })).route_layer(entra.layer());
///
/// # let (own, other): (&[u8], &[u8]) = (b"the DER of one certificate", b"of another");
/// // Bound to the certificate that the client showed when it got the token.
/// let token = emulator.token().user("alice").scope("Todo.Read").bound_to_certificate(own).mint();
/// let status = async |shown: Option<&[u8]>| {
///     let request = Request::get("/").header("authorization", format!("Bearer {token}"));
///     let mut request = request.body(Body::empty()).unwrap();
///     // What an acceptor does with each request of a connection.
///     if let Some(certificate) = shown {
///         request.extensions_mut().insert(ClientCertificate::from_der(certificate));
///     }
///     app.clone().oneshot(request).await.unwrap().status()
/// };
/// assert_eq!(status(Some(own)).await, 200);
/// assert_eq!(status(Some(other)).await, 401);
/// assert_eq!(status(None).await, 401);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate {
    sha256: [u8; 32],
}

impl ClientCertificate {
    /// Takes the end-entity certificate in DER, the first of the chain. It is not parsed.
    #[must_use]
    pub fn from_der(certificate: &[u8]) -> Self {
        Self {
            sha256: sha256(certificate),
        }
    }

    /// The SHA-256 of the certificate: `x5t#S256` in bytes.
    ///
    /// ```
    /// use axum_entra::ClientCertificate;
    ///
    /// let certificate = ClientCertificate::from_der(b"the DER of a certificate");
    /// let other = ClientCertificate::from_der(b"the DER of another");
    /// assert_ne!(certificate.sha256(), other.sha256());
    /// ```
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// What the application's acceptor has put into a request.
    pub(super) fn of_connection(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }

    /// What a proxy says about the client in `X-Forwarded-Client-Cert`, as Envoy writes it; `None`
    /// unless there is one such header with one element.
    pub(super) fn of_header(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(XFCC).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        let (mut hash, mut certificate) = (None, None);
        for (name, value) in pairs(value.to_str().ok()?)? {
            let slot = match name {
                _ if name.eq_ignore_ascii_case("Hash") => &mut hash,
                _ if name.eq_ignore_ascii_case("Cert") => &mut certificate,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let hash = match hash {
            Some(hex) => Some(from_hex(hex)?),
            None => None,
        };
        let whole = match certificate {
            Some(pem) => Some(Self::from_der(&from_pem(&percent_decoded(pem)?)?)),
            None => None,
        };
        match (hash, whole) {
            (Some(hash), Some(whole)) => (whole.sha256 == hash).then_some(whole),
            (Some(sha256), None) => Some(Self { sha256 }),
            (None, whole) => whole,
        }
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

const XFCC: &str = "x-forwarded-client-cert";

/// The pairs of the only element; `None` where there is a comma outside of quotes, so that a
/// further element could be the one of another client.
fn pairs(element: &str) -> Option<Vec<(&str, &str)>> {
    let (mut quoted, mut escaped, mut start) = (false, false, 0_usize);
    let mut found = Vec::new();
    for (at, byte) in element.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return None,
            b';' if !quoted => {
                found.push(element.get(start..at)?);
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    if quoted {
        return None;
    }
    found.push(element.get(start..)?);
    let pairs = found.into_iter().map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        Some((name.trim(), bare.unwrap_or(value)))
    });
    pairs.collect()
}

/// 32 bytes in hexadecimal.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_pair(pair)?;
    }
    Some(bytes)
}

pub(super) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    match pair {
        [high, low] => {
            let value = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
            u8::try_from(value).ok()
        }
        _ => None,
    }
}

/// A text without its percent escapes (RFC 3986 section 2.1); `None` for a broken one.
pub(super) fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, more @ ..] = rest {
        rest = more;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (pair, more) = more.split_at_checked(2)?;
        decoded.push(hex_pair(pair)?);
        rest = more;
    }
    Some(decoded)
}

/// The DER of the only certificate in a PEM text (RFC 7468).
fn from_pem(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let body = text
        .strip_prefix("-----BEGIN CERTIFICATE-----")?
        .strip_suffix("-----END CERTIFICATE-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = base64_simd::STANDARD.decode_to_vec(body).ok()?;
    (!der.is_empty()).then_some(der)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<ClientCertificate> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(XFCC, HeaderValue::from_str(value).unwrap());
        }
        ClientCertificate::of_header(&headers)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    const DER: &[u8] = b"any bytes";

    fn pem() -> String {
        let body = base64_simd::STANDARD.encode_to_string(DER);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        pem.replace('\n', "%0A")
            .replace(' ', "%20")
            .replace('=', "%3D")
            .replace('+', "%2B")
    }

    #[test]
    fn one_element_of_envoy_names_one_certificate() {
        let expected = Some(ClientCertificate::from_der(DER));
        let hash = hex(&sha256(DER));
        let upper = hash.to_uppercase();
        let pem = pem();
        for good in [
            format!("Hash={hash}"),
            format!("hash={upper}"),
            format!("By=spiffe://a/b;Hash={hash};Subject=\"CN=a, O=\\\"b\\\"; c\";URI="),
            format!("Cert=\"{pem}\""),
            format!("Hash={hash};Cert=\"{pem}\";DNS=a.example;DNS=b.example"),
        ] {
            assert_eq!(read(&[&good]), expected, "{good}");
        }
    }

    #[test]
    fn whatever_could_be_two_certificates_is_none() {
        let (hash, other) = (hex(&sha256(DER)), hex(&sha256(b"other")));
        let pem = pem();
        for bad in [
            String::new(),
            "Hash=".into(),
            format!("Hash={}", &hash[1..]),
            format!("Hash={}g", &hash[1..]),
            format!("Hash={hash},Hash={other}"),
            format!("Hash={hash};Hash={other}"),
            format!("Hash={hash};Hash={hash}"),
            format!("Hash={other};Cert=\"{pem}\""),
            format!("Hash=\"{hash}"),
            format!("Subject=\"CN=a\",Hash={hash}"),
            "Subject=\"CN=a\"".into(),
            "Cert=\"%\"".into(),
            "Cert=\"AAAA\"".into(),
            format!("Cert=\"{pem}{pem}\""),
            "x".into(),
        ] {
            assert_eq!(read(&[&bad]), None, "{bad}");
        }
        let one = format!("Hash={hash}");
        assert_eq!(read(&[&one, &one]), None);
        assert_eq!(read(&[]), None);
    }
}
