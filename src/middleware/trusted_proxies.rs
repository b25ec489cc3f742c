//! Which proxies are believed when they say what a request looked like before them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Extensions;

use crate::config_error::ConfigError;

/// The reverse proxies whose headers are believed, by the address that they connect from.
///
/// Without it no header changes what a request is: its own `Host` (or `:authority`) is compared
/// with a signed HTTP request, and a client certificate is that of the connection. The proxy must
/// set each header that is believed itself, and remove what the client sent under that name.
///
/// The application says how it knows the peer's address: this crate has no listener.
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::extract::ConnectInfo;
/// use axum_entra::TrustedProxies;
///
/// let peer = |extensions: &http::Extensions| {
///     let info = extensions.get::<ConnectInfo<SocketAddr>>()?;
///     Some(info.0.ip())
/// };
/// let ingress = TrustedProxies::new(["10.0.0.0/8", "fd00::1"], peer)?.forward_host();
/// # let _ = ingress;
/// // By address, since a name would have to be looked up.
/// assert!(TrustedProxies::new(["ingress.example.com"], peer).is_err());
/// # Ok::<(), axum_entra::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TrustedProxies {
    networks: Vec<Network>,
    peer: FindPeer,
    host: bool,
    certificate: bool,
}

type FindPeer = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: IpAddr,
    bits: u32,
}

impl TrustedProxies {
    /// Begins with addresses or networks (`10.0.0.1`, `10.0.0.0/8`, `fd00::/8`), and with how the
    /// peer's address is found in the extensions of a request. Believes nothing yet.
    ///
    /// ```
    /// use axum_entra::TrustedProxies;
    ///
    /// let new = |address: &str| TrustedProxies::new([address], |_| None);
    /// assert!(new("10.0.0.1").is_ok() && new("fd00::/8").is_ok());
    /// // Bits behind the prefix: is it the network or the one address?
    /// assert!(new("10.0.0.1/8").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] for what is no address, and for a network with bits behind its prefix.
    pub fn new<A: AsRef<str>>(
        addresses: impl IntoIterator<Item = A>,
        peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let expected = "an address, or a network like 10.0.0.0/8";
        let read = |text: A| {
            let text = text.as_ref();
            Network::read(text)
                .ok_or_else(|| ConfigError::value("TrustedProxies", text.to_owned(), expected))
        };
        Ok(Self {
            networks: addresses.into_iter().map(read).collect::<Result<_, _>>()?,
            peer: Arc::new(peer),
            host: false,
            certificate: false,
        })
    }

    /// Believes `X-Forwarded-Host` and `X-Forwarded-Proto`: the host and the scheme that signed
    /// HTTP requests are compared with. A header that is there twice, or lists several values, is
    /// believed no more than a wrong one: such a request is 401 `proof`.
    pub fn forward_host(mut self) -> Self {
        self.host = true;
        self
    }

    /// Believes `X-Forwarded-Client-Cert` as Envoy writes it: the certificate of the client. The
    /// proxy must verify it, or at least have the client prove that it holds the key (TLS does),
    /// and it must send one element only (Envoy: `SANITIZE_SET`).
    ///
    /// The certificate that the proxy itself shows to this API is the client's no more.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::net::IpAddr;
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{ClientCertificate, Entra, TrustedProxies};
    /// use entra_emulator::Emulator;
    /// use tower::ServiceExt;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// // The acceptor put the peer's address into the extensions.
    /// let peer = |extensions: &http::Extensions| extensions.get::<IpAddr>().copied();
    /// let ingress = TrustedProxies::new(["10.0.0.0/8"], peer)?.forward_client_certificate();
    /// let entra = Entra::builder_for(authority).trusted_proxies(ingress).build()?;
    /// let app: Router = Router::new().route("/", get(|| async { "milk" })).route_layer(entra.layer());
    ///
    /// let certificate = b"the DER of the client's certificate";
    /// let token = emulator.token().user("alice").scope("Todo.Read").bound_to_certificate(certificate);
    /// let bearer = format!("Bearer {}", token.mint());
    /// let hash: String = ClientCertificate::from_der(certificate)
    ///     .sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    /// let status = async |from: [u8; 4]| {
    ///     let request = Request::get("/")
    ///         .header("authorization", &bearer)
    ///         .header("x-forwarded-client-cert", format!("Hash={hash}"));
    ///     let request = request.extension(IpAddr::from(from)).body(Body::empty()).unwrap();
    ///     app.clone().oneshot(request).await.unwrap().status()
    /// };
    /// assert_eq!(status([10, 0, 0, 7]).await, 200);
    /// // From elsewhere the header is a client's word.
    /// assert_eq!(status([203, 0, 113, 7]).await, 401);
    /// # Ok(()) }
    /// ```
    pub fn forward_client_certificate(mut self) -> Self {
        self.certificate = true;
        self
    }

    pub(super) fn tells_host(&self, extensions: &Extensions) -> bool {
        self.host && self.has(extensions)
    }

    pub(super) fn tells_certificate(&self, extensions: &Extensions) -> bool {
        self.certificate && self.has(extensions)
    }

    /// Whether the peer is one of them; an unknown peer is none.
    fn has(&self, extensions: &Extensions) -> bool {
        let peer = (self.peer)(extensions);
        peer.is_some_and(|peer| self.networks.iter().any(|network| network.has(peer)))
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => {
                let digits =
                    (1..=3).contains(&bits.len()) && bits.bytes().all(|b| b.is_ascii_digit());
                (address, Some(digits.then_some(bits)?.parse::<u32>().ok()?))
            }
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let (number, most) = number(first);
        let bits = bits.unwrap_or(most);
        // A network that is written with a host in it may mean another prefix.
        (bits <= most && number == prefix(number, bits, most)).then_some(Self { first, bits })
    }

    fn has(self, peer: IpAddr) -> bool {
        // A dual-stack listener shows 10.0.0.1 as ::ffff:10.0.0.1.
        let peer = match self.first {
            IpAddr::V4(_) => peer.to_canonical(),
            IpAddr::V6(_) => peer,
        };
        let ((own, most), (peer, length)) = (number(self.first), number(peer));
        most == length && own == prefix(peer, self.bits, most)
    }
}

/// An address as a number, and how many bits it has.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

/// The number with nothing behind its first bits.
fn prefix(number: u128, bits: u32, most: u32) -> u128 {
    let behind = most.saturating_sub(bits);
    let shifted = number.checked_shr(behind).unwrap_or_default();
    shifted.checked_shl(behind).unwrap_or_default()
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedProxies")
            .field("networks", &self.networks)
            .field("host", &self.host)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(network: &str, peer: &str) -> bool {
        let proxies =
            TrustedProxies::new([network], |extensions| extensions.get::<IpAddr>().copied())
                .unwrap();
        let mut extensions = Extensions::new();
        extensions.insert(peer.parse::<IpAddr>().unwrap());
        proxies.has(&extensions)
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_with_its_bits() {
        for (network, peer) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("192.0.2.7", "192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("fd00::/8", "fdff::1"),
            ("::/0", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::1/128", "::1"),
        ] {
            assert!(has(network, peer), "{network} {peer}");
        }
        for (network, peer) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/31", "10.0.0.2"),
            ("192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::/0", "203.0.113.9"),
            ("fd00::/8", "fe00::1"),
        ] {
            assert!(!has(network, peer), "{network} {peer}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_and_an_unknown_peer_is_no_proxy() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
            "proxy.example",
            "10.0.0",
            "10.0.0.0/8/8",
            "*",
        ] {
            assert!(TrustedProxies::new([bad], |_| None).is_err(), "{bad}");
        }
        let all = TrustedProxies::new(["0.0.0.0/0"], |_| None).unwrap();
        assert!(!all.forward_host().tells_host(&Extensions::new()));
    }
}
