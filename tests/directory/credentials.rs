//! How this API proves who it is.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use axum_entra::graph::{AssertionFuture, ClientAssertionProvider, ClientCredential, GraphConfig};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use entra_emulator::{API_ID, CONTOSO};
use serde_json::Value;

use crate::fake::{Call, World};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn ask(world: &World, credential: ClientCredential) -> Option<Call> {
    let access = GraphConfig::new(credential).graph_url(world.fake.base());
    let directory = world.entra_with(access).graph();
    directory
        .client_credentials_token(None, &["x/.default"])
        .await
        .ok()?;
    world.fake.token_calls().pop()
}

struct Pair {
    key: rcgen::KeyPair,
    certificate: Vec<u8>,
}

impl Pair {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::default();
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        Self { key, certificate }
    }

    fn pem(&self) -> String {
        format!(
            "# a comment\n{}{}",
            pem("CERTIFICATE", &self.certificate),
            pem("PRIVATE KEY", &self.key.serialize_der())
        )
    }

    fn verifies(&self, parameters: &'static RsaParameters, jwt: &str) -> bool {
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        UnparsedPublicKey::new(parameters, self.key.public_key_raw())
            .verify(signed.as_bytes(), &signature)
            .is_ok()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode_to_string(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_for_the_token_endpoint_that_is_good_once() {
    let world = World::new().await;
    let pair = Pair::new();
    let credential = ClientCredential::certificate(pair.pem()).unwrap();
    let mut seen = Vec::new();
    for (credential, algorithm, parameters) in [
        (credential.clone(), "PS256", &RSA_PSS_2048_8192_SHA256),
        (
            credential.with_rs256(),
            "RS256",
            &RSA_PKCS1_2048_8192_SHA256,
        ),
    ] {
        let call = ask(&world, credential).await.unwrap();
        assert_eq!(call.field("client_assertion_type").unwrap(), TYPE);
        assert_eq!(call.field("client_secret"), None);
        let jwt = call.field("client_assertion").unwrap();
        assert!(pair.verifies(parameters, &jwt));
        let (header, claims) = (part(&jwt, 0), part(&jwt, 1));
        let thumbprint = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, &pair.certificate));
        assert_eq!(
            (&header["alg"], &header["typ"]),
            (&algorithm.into(), &"JWT".into())
        );
        assert_eq!(header["x5t#S256"], thumbprint);
        let endpoint = format!("{}/{CONTOSO}/oauth2/v2.0/token", world.fake.url);
        assert_eq!(claims["aud"], endpoint);
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&API_ID.into(), &API_ID.into())
        );
        let lifetime = claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap();
        assert_eq!(lifetime, 600);
        seen.push(claims["jti"].clone());
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_text_without_a_certificate_and_its_key_is_refused_when_it_is_read() {
    let (one, other) = (Pair::new(), Pair::new());
    let certificate = pem("CERTIFICATE", &one.certificate);
    let rows = [
        (String::new(), "no certificate"),
        (certificate.clone(), "no private key"),
        (
            certificate.clone() + &pem("PRIVATE KEY", b"junk"),
            "no private key",
        ),
        (
            certificate + &pem("PRIVATE KEY", &other.key.serialize_der()),
            "the key of another certificate",
        ),
    ];
    for (text, found) in rows {
        let error = ClientCredential::certificate(text).unwrap_err().to_string();
        assert!(error.contains(found), "{error}");
    }
}

#[tokio::test]
async fn an_assertion_file_is_read_again_for_each_token() {
    let world = World::new().await;
    let file = std::env::temp_dir().join(format!("axum-entra-{}", std::process::id()));
    std::fs::write(&file, "first.signed.assertion\n").unwrap();
    let access = GraphConfig::new(ClientCredential::federated_token_file(&file))
        .graph_url(world.fake.base());
    let directory = world.entra_with(access).graph();
    directory
        .client_credentials_token(None, &["a/.default"])
        .await
        .unwrap();
    std::fs::write(&file, "second.signed.assertion").unwrap();
    directory
        .client_credentials_token(None, &["b/.default"])
        .await
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(
        directory
            .client_credentials_token(None, &["c/.default"])
            .await
            .is_err()
    );
    let sent: Vec<_> = world
        .fake
        .token_calls()
        .iter()
        .map(|call| call.field("client_assertion").unwrap())
        .collect();
    assert_eq!(sent, ["first.signed.assertion", "second.signed.assertion"]);
}

struct Platform(Option<&'static str>);

impl ClientAssertionProvider for Platform {
    fn assertion(&self) -> AssertionFuture<'_> {
        Box::pin(async {
            self.0
                .map(str::to_owned)
                .ok_or_else(|| "no identity".into())
        })
    }
}

#[tokio::test]
async fn a_source_of_the_applications_own_gives_assertions() {
    let world = World::new().await;
    let call = ask(
        &world,
        ClientCredential::assertion_provider(Platform(Some("a.b.c"))),
    )
    .await
    .unwrap();
    assert_eq!(call.field("client_assertion").unwrap(), "a.b.c");
    for useless in [None, Some("")] {
        assert!(
            ask(
                &world,
                ClientCredential::assertion_provider(Platform(useless))
            )
            .await
            .is_none()
        );
    }
    assert_eq!(world.fake.token_calls().len(), 1);
}

#[test]
fn no_credential_shows_itself() {
    let pem = Pair::new().pem();
    let all = [
        ClientCredential::secret("hunter2"),
        ClientCredential::certificate(&pem).unwrap(),
        ClientCredential::federated_token_file("hunter2"),
        ClientCredential::assertion_provider(Platform(Some("hunter2"))),
    ];
    for credential in all {
        let shown = format!("{:?}", GraphConfig::new(credential));
        assert!(
            !shown.contains("hunter2") && shown.contains("not shown"),
            "{shown}"
        );
    }
}
