//! Certificate-bound tokens: `cargo run --example mutual_tls`, then paste what it prints.
//!
//! The acceptor asks each client for a certificate and puts it into the connection's requests as
//! `ClientCertificate`. A token with `x5t#S256` in its `cnf` is then accepted on the connections of that
//! certificate only (RFC 8705). Authority, CA and certificates are made at the start, for
//! demonstration; `cargo test --example mutual_tls` tries it with another certificate and with none.

#![allow(clippy::print_stdout, reason = "lines to paste")]

use std::error::Error;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::{Router, routing::get};
use axum_entra::guard::RequireBoundToken;
use axum_entra::settings::Settings;
use axum_entra::{Claims, ClientCertificate, Entra, EntraBuilder};
use entra_emulator::Emulator;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tower::ServiceExt as _;

type Failure = Box<dyn Error + Send + Sync>;

/// The application: one route for any good token, one that asks for a bound one.
fn app(entra: &Entra) -> Router {
    let whoami = |claims: Claims| async move {
        let bound = claims.confirmation();
        bound.map_or("a bearer token", |bound| bound.binding())
    };
    Router::new()
        .route("/me", get(whoami))
        .route("/payments", get(whoami).layer(RequireBoundToken))
        .route_layer(entra.layer())
}

/// Serves over TLS; the certificate that a client has shown goes into each request of its connection.
async fn serve(listener: TcpListener, tls: TlsAcceptor, app: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, app) = (tls.clone(), app.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            // The first of the chain is the client's own.
            let chain = stream.get_ref().1.peer_certificates();
            let certificate = chain
                .and_then(<[_]>::first)
                .map(|der| ClientCertificate::from_der(der));
            let service = service_fn(move |mut request: Request<Incoming>| {
                if let Some(certificate) = certificate {
                    request.extensions_mut().insert(certificate);
                }
                app.clone().oneshot(request.map(Body::new))
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A CA, and certificates that it issues: to a server for `localhost`, and to clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// A certificate with its key, in DER and in PEM.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pem: String,
}

impl Authority {
    fn new() -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let root = params.self_signed(&key)?.der().clone();
        let issuer = Issuer::new(params, key);
        Ok(Self { issuer, root })
    }

    fn issue(&self, name: &str) -> Result<Identity, Failure> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec![name.to_owned()])?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            pem: pem("CERTIFICATE", certificate.der()) + &pem("PRIVATE KEY", &key.serialize_der()),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            certificate: certificate.der().clone(),
        })
    }

    /// Asks for a client certificate of this CA; a client without one may connect all the same.
    fn acceptor(&self) -> Result<TlsAcceptor, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone())?;
        let provider = Arc::new(default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let server = self.issue("localhost")?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![server.certificate], server.key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// RFC 7468: lines of 64 characters.
fn pem(label: &str, der: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// An API that accepts the emulator's tokens.
fn entra_for(emulator: &Emulator) -> Result<Entra, Failure> {
    let text = emulator.settings().to_string();
    let settings = Settings::from_parts(Some(("the emulator", &text)), [])?;
    Ok(EntraBuilder::from_settings(&settings)?.build()?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let emulator = Emulator::start().await?;
    let authority = Authority::new()?;
    let client = authority.issue("client")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let folder = std::env::temp_dir().join(format!("mutual_tls_{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("client.pem");
    std::fs::write(&file, &client.pem)?;
    let token = emulator
        .token()
        .bound_to_certificate(&client.certificate)
        .mint();
    println!("listening on https://localhost:{port}");
    println!("TOKEN={token}");
    println!("# 200: the certificate that the token is bound to");
    println!(
        "curl -sk --cert {} -H \"Authorization: MTLS_POP $TOKEN\" https://localhost:{port}/payments",
        file.display()
    );
    println!("# 401: the token without the certificate");
    println!("curl -sk -H \"Authorization: Bearer $TOKEN\" https://localhost:{port}/payments");
    let tls = authority.acceptor()?;
    let app = app(&entra_for(&emulator)?);
    tokio::select! {
        () = serve(listener, tls, app) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::ClientConfig;

    use super::*;

    /// Asks over a connection of its own; what came back, head and body.
    async fn ask(
        ca: &Authority,
        port: u16,
        client: Option<&Identity>,
        authorization: &str,
        path: &str,
    ) -> Result<String, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(ca.root.clone())?;
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match client {
            Some(own) => {
                config.with_client_auth_cert(vec![own.certificate.clone()], own.key.clone_key())?
            }
            None => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect("localhost".try_into()?, stream).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\
             authorization: {authorization}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // The server may close without saying so.
        let _ = stream.read_to_end(&mut answer).await;
        Ok(String::from_utf8(answer)?)
    }

    #[tokio::test]
    async fn a_token_is_good_on_the_connections_of_its_certificate() -> Result<(), Failure> {
        let emulator = Emulator::start().await?;
        let ca = Authority::new()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let app = app(&entra_for(&emulator)?);
        tokio::spawn(serve(listener, ca.acceptor()?, app));
        let (own, other) = (ca.issue("client")?, ca.issue("other")?);
        let bound = emulator
            .token()
            .bound_to_certificate(&own.certificate)
            .mint();
        let plain = emulator.token().mint();
        for (name, client, authorization, path, status, word) in [
            (
                "its certificate",
                Some(&own),
                format!("Bearer {bound}"),
                "/payments",
                200,
                "certificate",
            ),
            (
                "MTLS_POP",
                Some(&own),
                format!("MTLS_POP {bound}"),
                "/me",
                200,
                "certificate",
            ),
            (
                "another certificate",
                Some(&other),
                format!("Bearer {bound}"),
                "/me",
                401,
                "proof",
            ),
            (
                "no certificate",
                None,
                format!("Bearer {bound}"),
                "/me",
                401,
                "sender_constrained",
            ),
            (
                "MTLS_POP without one",
                None,
                format!("MTLS_POP {bound}"),
                "/me",
                401,
                "missing_token",
            ),
            (
                "a bearer token",
                Some(&own),
                format!("Bearer {plain}"),
                "/me",
                200,
                "a bearer token",
            ),
            (
                "a bearer token where none will do",
                Some(&own),
                format!("Bearer {plain}"),
                "/payments",
                401,
                "proof",
            ),
            (
                "MTLS_POP, not bound",
                Some(&own),
                format!("MTLS_POP {plain}"),
                "/me",
                401,
                "proof",
            ),
        ] {
            let answer = ask(&ca, port, client, &authorization, path).await?;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{name}: {answer}"
            );
            assert!(answer.contains(word), "{name}: {answer}");
        }
        Ok(())
    }
}
