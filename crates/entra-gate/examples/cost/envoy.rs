//! Envoy that answers itself, with and without a check of the token before.

use std::net::SocketAddr;

use entra_emulator::{API_ID, CONTOSO, Emulator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::issuer;
use crate::process::Measured;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Filter {
    Nothing,
    /// `jwt_authn`, with as many tokens kept.
    Jwt(u32),
    /// The gate, with the shipped configuration of this file.
    Gate(&'static str),
}

const BY_HTTP: &str = include_str!("../../../../deploy/gate/envoy-http.yaml");
const BY_GRPC: &str = include_str!("../../../../deploy/gate/envoy-grpc.yaml");

impl Filter {
    pub(crate) const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Jwt(0),
        Self::Jwt(1_000),
        Self::Gate(BY_GRPC),
        Self::Gate(BY_HTTP),
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "Envoy, no check",
            Self::Jwt(0) => "Envoy, jwt_authn",
            Self::Jwt(_) => "Envoy, jwt_authn with jwt_cache_config",
            Self::Gate(file) if file.len() == BY_GRPC.len() => "Envoy and the gate by gRPC, both",
            Self::Gate(_) => "Envoy and the gate by HTTP, both",
        }
    }
}

/// A shipped configuration in which Envoy answers what passes, and the filter in place of the gate.
pub(crate) fn configuration(
    filter: Filter,
    own: SocketAddr,
    keys: &str,
    emulator: &Emulator,
    gate: &Measured,
) -> String {
    let shipped = match filter {
        Filter::Gate(file) => file,
        _ => BY_HTTP,
    };
    let at = |text: &str, host: &str, port: u16, to: SocketAddr| {
        let plain = format!("address: {host}, port_value: {port} ");
        assert!(text.contains(&plain), "{plain}");
        text.replace(
            &plain,
            &format!("address: {}, port_value: {} ", to.ip(), to.port()),
        )
    };
    let text = at(shipped, "0.0.0.0", 8000, own);
    let to_the_service = "route: { cluster: service }";
    assert!(text.contains(to_the_service));
    let text = text.replace(
        to_the_service,
        "direct_response: { status: 200, body: { inline_string: in } }",
    );
    let own_filter = match filter {
        Filter::Gate(file) if file.len() == BY_GRPC.len() => {
            return at(&text, "127.0.0.1", 3001, gate.grpc());
        }
        Filter::Gate(_) => return at(&text, "127.0.0.1", 3000, gate.http()),
        Filter::Nothing => String::new(),
        Filter::Jwt(kept) => jwt_authn(kept, keys, emulator),
    };
    let (before, rest) = text
        .split_once("                  # What the client sent")
        .unwrap();
    let router = "                  - name: envoy.filters.http.router";
    let (_, after) = rest.split_once(router).unwrap();
    format!("{before}{own_filter}{router}{after}")
}

fn jwt_authn(kept: u32, keys: &str, emulator: &Emulator) -> String {
    let cache = match kept {
        0 => String::new(),
        kept => format!("jwt_cache_config: {{ jwt_cache_size: {kept} }}"),
    };
    format!(
        r#"                  - name: envoy.filters.http.jwt_authn
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
                      providers:
                        entra:
                          issuer: {}
                          audiences: [{API_ID}]
                          local_jwks: {{ inline_string: '{keys}' }}
                          {cache}
                      rules:
                        - match: {{ prefix: "/" }}
                          requires: {{ provider_name: entra }}
"#,
        issuer(emulator)
    )
}

/// The emulator's key document.
pub(crate) async fn keys(emulator: &Emulator) -> String {
    let host = emulator.url();
    let host = host.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{CONTOSO}/discovery/v2.0/keys HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
