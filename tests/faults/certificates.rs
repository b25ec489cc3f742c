//! TLS: an authority that cannot prove who it is is none.

use std::sync::Arc;

use axum_entra::{Entra, JwksRefresh, Tenant};
use base64_simd::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::authority::{API, TENANT, in_the_end, outcome};
use crate::signer::key;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn pem(ca: &Ca) -> String {
    let text = STANDARD.encode_to_string(ca.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Serves both documents over TLS with a certificate for `name`, good until `year`.
async fn serve(ca: &Ca, name: &str, year: i32) -> String {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let own = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&own, ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(own.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let served = base.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, base) = (acceptor.clone(), served.clone());
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut head = [0; 2_048];
                let read = stream.read(&mut head).await.ok()?;
                let body = if head[..read].starts_with(b"GET /keys") {
                    key(0).jwks("first").to_string()
                } else {
                    let issuer = format!("{base}/{TENANT}/v2.0");
                    json!({ "issuer": issuer, "jwks_uri": format!("{base}/keys") }).to_string()
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.ok()?;
                stream.shutdown().await.ok()
            });
        }
    });
    base
}

fn entra(base: &str, roots: Option<&Ca>) -> Entra {
    let builder = Entra::builder_for(
        axum_entra::Authority::entra(Tenant::new(TENANT), API)
            .instance(format!("{base}/"))
            .token_versions([axum_entra::TokenVersion::V2])
            .jwks_refresh(JwksRefresh::default()),
    );
    match roots {
        Some(ca) => builder.root_certificates(pem(ca)),
        None => builder,
    }
    .build()
    .unwrap()
}

fn token(base: &str) -> String {
    let payload = json!({
        "iss": format!("{base}/{TENANT}/v2.0"), "aud": API, "tid": TENANT, "ver": "2.0",
        "exp": 4_000_000_000_u64, "scp": "x", "azp": API,
    });
    key(0).sign(r#"{"alg":"RS256","kid":"first"}"#, &payload.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_is_believed_with_a_good_certificate_alone() {
    let (ours, other_ca) = (ca(), ca());
    let good = serve(&ours, "127.0.0.1", 2100).await;
    in_the_end(&entra(&good, Some(&ours)), &token(&good), "in", "good").await;

    let expired = serve(&ours, "127.0.0.1", 2020).await;
    let elsewhere = serve(&ours, "evil.example", 2100).await;
    let of_other_ca = serve(&other_ca, "127.0.0.1", 2100).await;
    for (what, base, roots) in [
        ("expired", &expired, Some(&ours)),
        ("for another name", &elsewhere, Some(&ours)),
        ("of another root", &of_other_ca, Some(&ours)),
        ("of a root that was not given", &good, None),
    ] {
        let entra = entra(base, roots);
        let answer = outcome(&entra, &token(base)).await;
        assert_eq!(answer, "keys_unavailable", "{what}");
        let status = entra.status();
        let error = status[0].jwks[0].last_error.as_ref().expect("an error");
        let source = std::error::Error::source(&**error).map(|source| {
            // The cause stands at the end of the chain.
            let mut last = source;
            while let Some(next) = last.source() {
                last = next;
            }
            last.to_string()
        });
        println!("{what}: {error}: {source:?}");
        let source = source.unwrap_or_default().to_lowercase();
        assert!(source.contains("certificate"), "{what}: {source}");
    }
}
