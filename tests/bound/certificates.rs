//! `tests/vectors/certificate_bound.toml`: tokens that are bound to a client certificate.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::Request;
use axum_entra::{ClientCertificate, EntraBuilder, PopTokens, TrustedProxies};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::key::{RSA, base64url, sha256};
use crate::world::World;

/// One row: a certificate-bound token on a connection whose client has shown that certificate,
/// with something changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    name: String,
    expect: String,
    /// `cnf` as JSON: `$own` and `$other` are thumbprints in base64url, `$hex` is the own one in hexadecimal.
    cnf: Option<String>,
    scheme: Option<String>,
    /// The certificate of the connection: `own`, `other`, `none`.
    shown: Option<String>,
    /// The peer: `proxy` (trusted for certificates), `host_proxy` (trusted for the host alone), `client`.
    peer: Option<String>,
    /// Values of `X-Forwarded-Client-Cert`, with the words of `cnf` and `$hex_other`, `$pem`, `$pem_other`.
    forwarded: Vec<String>,
    /// Other headers.
    headers: Vec<(String, String)>,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    case: Vec<Row>,
}

const OWN: &[u8] = b"the client's certificate in DER";
const OTHER: &[u8] = b"another certificate in DER";

fn filled(text: &str) -> String {
    let hex = |der: &[u8]| -> String {
        let hash = sha256(der);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let pem = |der: &[u8]| {
        let body = base64_simd::STANDARD.encode_to_string(der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        pem.replace('\n', "%0A")
            .replace(' ', "%20")
            .replace('+', "%2B")
            .replace('=', "%3D")
    };
    text.replace("$hex_other", &hex(OTHER))
        .replace("$pem_other", &pem(OTHER))
        .replace("$hex", &hex(OWN))
        .replace("$pem", &pem(OWN))
        .replace("$own", &base64url(sha256(OWN)))
        .replace("$other", &base64url(sha256(OTHER)))
        .replace("$rsa", &RSA.thumbprint())
}

fn trusting(builder: EntraBuilder) -> EntraBuilder {
    let peer = |extensions: &axum::http::Extensions| extensions.get::<IpAddr>().copied();
    let proxies = TrustedProxies::new(["10.0.0.0/8"], peer).unwrap();
    builder.trusted_proxies(proxies.forward_client_certificate())
}

fn trusting_hosts(builder: EntraBuilder) -> EntraBuilder {
    let peer = |extensions: &axum::http::Extensions| extensions.get::<IpAddr>().copied();
    let proxies = TrustedProxies::new(["10.0.0.0/8"], peer).unwrap();
    builder
        .pop_tokens(PopTokens::Accept)
        .trusted_proxies(proxies.forward_host())
}

impl Row {
    fn request(&self, world: &World) -> Request<Body> {
        let cnf = self.cnf.as_deref().unwrap_or(r#"{"x5t#S256":"$own"}"#);
        let cnf: Value = serde_json::from_str(&filled(cnf)).unwrap();
        let token = world.emulator.token().v2().user("alice").claim("cnf", cnf);
        let token = match self.token.as_deref() {
            None => token.mint(),
            Some("expired") => token.expired().mint(),
            Some("unsigned") => token.raw_signature("AAAA").mint(),
            Some("audience") => token.audience("api://other").mint(),
            Some(other) => panic!("{other}"),
        };
        let scheme = self.scheme.as_deref().unwrap_or("Bearer");
        let mut request = Request::builder()
            .uri("/")
            .header("host", "a.example")
            .header("authorization", format!("{scheme} {token}"));
        for value in &self.forwarded {
            request = request.header("x-forwarded-client-cert", filled(value));
        }
        for (name, value) in &self.headers {
            request = request.header(name, filled(value));
        }
        let mut request = request.body(Body::empty()).unwrap();
        let shown = match self.shown.as_deref().unwrap_or("own") {
            "own" => Some(OWN),
            "other" => Some(OTHER),
            _ => None,
        };
        if let Some(der) = shown {
            request
                .extensions_mut()
                .insert(ClientCertificate::from_der(der));
        }
        let address = match self.peer.as_deref() {
            Some("proxy" | "host_proxy") => "10.0.0.1",
            _ => "192.0.2.1",
        };
        request
            .extensions_mut()
            .insert(address.parse::<IpAddr>().unwrap());
        request
    }
}

#[tokio::test]
async fn every_row_of_the_table_is_answered_as_it_says() {
    let table: Table = toml::from_str(include_str!("../vectors/certificate_bound.toml")).unwrap();
    let (mut attacks, mut accepted, mut wrong) = (0, 0, Vec::new());
    let of_certificates = World::new(trusting).await;
    let of_hosts = World::new(trusting_hosts).await;
    for row in table.case {
        let world = match row.peer.as_deref() {
            Some("host_proxy") => &of_hosts,
            _ => &of_certificates,
        };
        let before = world.runs.count();
        // Twice: the second time the token is known.
        for time in ["new", "known"] {
            let answer = world.send(row.request(world)).await;
            if answer.brief() != row.expect {
                wrong.push(format!("{} ({time}): {}", row.name, answer.brief()));
            }
            if answer.status == 401 {
                assert_eq!(answer.schemes()[0], "Bearer", "{}", row.name);
            }
        }
        match row.expect.as_str() {
            "in" => accepted += 1,
            _ => {
                attacks += 1;
                assert_eq!(world.runs.count(), before, "{}: a handler ran", row.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        attacks >= 30 && accepted >= 10,
        "{attacks} attacks, {accepted} accepted"
    );
}

/// The cache knows the token after the first request; each connection proves it anew.
#[tokio::test]
async fn a_known_token_is_good_on_the_connections_of_its_certificate_alone() {
    let world = World::new(trusting).await;
    let token = world.token(json!({ "x5t#S256": base64url(sha256(OWN)) }));
    let ask = async |shown: Option<&[u8]>, scheme: &str| {
        let mut request = Request::builder()
            .uri("/")
            .header("authorization", format!("{scheme} {token}"))
            .body(Body::empty())
            .unwrap();
        if let Some(der) = shown {
            request
                .extensions_mut()
                .insert(ClientCertificate::from_der(der));
        }
        world.send(request).await.brief()
    };
    for _ in 0..3 {
        assert_eq!(ask(Some(OWN), "Bearer").await, "in");
        assert_eq!(ask(Some(OWN), "MTLS_POP").await, "in");
        assert_eq!(ask(Some(OTHER), "Bearer").await, "proof");
        assert_eq!(ask(Some(OTHER), "MTLS_POP").await, "proof");
        assert_eq!(ask(None, "Bearer").await, "sender_constrained");
        assert_eq!(ask(None, "MTLS_POP").await, "missing_token");
    }
}
