//! What a start says when it cannot work, and why keys cannot be fetched: every cause by its name.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use base64_simd::STANDARD;
use entra_emulator::Emulator;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::program::{SOON, comes_true, path};

pub(crate) type Ca = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn ca(name: &str) -> Ca {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn pem(ca: &Ca) -> String {
    let text = STANDARD.encode_to_string(ca.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// A TLS server with a certificate for `name`, good until `year`.
pub(crate) async fn serve(ca: &Ca, name: &str, year: i32) -> String {
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
    let base = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.is_ok() });
        }
    });
    base
}

/// A proxy that wants a name and a password.
pub(crate) async fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 1_024];
                let _ = stream.read(&mut head).await;
                let answer =
                    b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    format!("http://{address}")
}

/// A file that goes with the test.
pub(crate) struct File(pub(crate) PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let name = format!("axum-entra-start-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn settings(instance: &str, more: Value) -> Value {
    let mut section = json!({
        "Instance": instance,
        "TenantId": "11111111-1111-4111-8111-111111111111",
        "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        "TokenVersions": ["2.0"],
    });
    section
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "AzureAd": section })
}

/// Starts the sample with settings and variables; `None` where it is not built.
fn start(name: &str, settings: &Value, variables: &[(&str, &str)]) -> Option<(Child, File)> {
    let Some(path) = path() else {
        println!("skipped: the example protected_api is not built");
        return None;
    };
    let file = File::new(&format!("{name}.json"), &settings.to_string());
    let mut command = Command::new(path);
    for proxy in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    let child = command
        .args(["--listen", "127.0.0.1:0", "--settings"])
        .arg(&file.0)
        .envs(variables.iter().copied())
        .env("RUST_LOG", "info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    Some((child, file))
}

/// The line of a start that ends with code 2.
pub(crate) async fn refused(
    name: &str,
    settings: &Value,
    variables: &[(&str, &str)],
) -> Option<String> {
    let (child, _file) = start(name, settings, variables)?;
    let ended = tokio::time::timeout(SOON, child.wait_with_output()).await;
    let output = ended.expect("an end").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{name}: {said}");
    assert!(output.stdout.is_empty(), "{name}: no socket was opened");
    Some(said.trim().lines().last().unwrap().to_owned())
}

/// What `/ready` and the log say about a program that runs and has no keys.
async fn unready(name: &str, settings: &Value, variables: &[(&str, &str)]) -> Option<String> {
    reported(name, settings, variables, "/last_error", None).await
}

/// The error at a place of `/ready` that the log has too; the program is sent a request until it
/// is there. Empty where it is ready without one, and no request was to be sent.
pub(crate) async fn reported(
    name: &str,
    settings: &Value,
    variables: &[(&str, &str)],
    place: &str,
    request: Option<String>,
) -> Option<String> {
    let (mut child, _file) = start(name, settings, variables)?;
    let log = Arc::<Mutex<String>>::default();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let heard = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok(Some(line)) = said.next_line().await {
            *heard.lock().unwrap() += &(line + "\n");
        }
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap();
    assert!(first.is_some(), "{name}: {}", log.lock().unwrap());
    let first = first.unwrap();
    let address = first.strip_prefix("listening on http://").unwrap();
    let address: SocketAddr = address.parse().unwrap();
    let error = Mutex::new(String::new());
    let found = async || {
        if let Some(request) = &request {
            exchange(address, request).await;
        }
        let answer = exchange(address, "GET /ready HTTP/1.1\r\n").await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let at_place = body.pointer(place).and_then(Value::as_str);
        *error.lock().unwrap() = at_place.unwrap_or_default().to_owned();
        let is_ready = answer.starts_with("HTTP/1.1 200 ");
        at_place.is_some() || (is_ready && place == "/last_error")
    };
    assert!(comes_true(found).await, "{name}: {}", log.lock().unwrap());
    let error = error.into_inner().unwrap();
    let logged = async || log.lock().unwrap().contains(&error);
    assert!(
        comes_true(logged).await,
        "{name}: {error} in {}",
        log.lock().unwrap()
    );
    Some(error)
}

/// Sends a request line with some headers, and gives the whole answer.
async fn exchange(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}host: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A name, an instance, variables, and what is reported.
type Row<'r> = (&'r str, String, &'r [(&'r str, &'r str)], &'r str);

/// No certificate of the machine's is found there.
pub(crate) const NO_ROOTS: [(&str, &str); 2] = [
    ("SSL_CERT_FILE", "/nonexistent/roots.pem"),
    ("SSL_CERT_DIR", "/nonexistent"),
];

#[tokio::test]
async fn seven_causes_have_seven_texts_in_the_log_and_in_ready() {
    let (ours, other) = (ca("ours"), ca("another's"));
    let roots = File::new("roots.pem", &pem(&ours));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused_at = format!("https://{}/", closed.local_addr().unwrap());
    drop(closed);
    let proxy = proxy().await;
    let with_proxy = [("HTTPS_PROXY", proxy.as_str())];
    let trusting = json!({ "CaFile": roots.0 });
    let rows: [Row<'_>; 6] = [
        (
            "name",
            "https://no-such-host.invalid/".into(),
            &[],
            "dns error",
        ),
        ("refused", refused_at, &[], "Connection refused"),
        (
            "expired",
            serve(&ours, "127.0.0.1", 2020).await,
            &[],
            "certificate expired",
        ),
        (
            "issuer",
            serve(&other, "127.0.0.1", 2100).await,
            &[],
            "UnknownIssuer",
        ),
        (
            "other",
            serve(&ours, "other.example", 2100).await,
            &[],
            "not valid for name",
        ),
        (
            "proxy",
            "https://login.contoso.example/".into(),
            &with_proxy,
            "proxy auth",
        ),
    ];
    let mut told = Vec::new();
    for (name, instance, variables, expected) in rows {
        let settings = settings(&instance, trusting.clone());
        let Some(error) = unready(name, &settings, variables).await else {
            return;
        };
        println!("{name}: {error}");
        assert!(error.contains(expected), "{name}: {error}");
        assert!(
            error.starts_with("discovery document: no answer from the authority: "),
            "{error}"
        );
        assert!(!error.contains("11111111-1111"), "no address: {error}");
        told.push(error);
    }
    let without = settings("https://login.microsoftonline.com/", json!({}));
    let line = refused("roots", &without, &NO_ROOTS).await.unwrap();
    assert!(
        line.contains("no root certificates") && line.contains("ca-certificates"),
        "{line}"
    );
    assert!(
        line.contains("CaFile") && line.contains("SSL_CERT_FILE"),
        "{line}"
    );
    told.push(line);
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 7, "{told:?}");
}

#[tokio::test]
async fn without_root_certificates_whatever_needs_none_starts() {
    let emulator = Emulator::start().await.unwrap();
    if let Some(error) = unready("plain", &emulator.settings_with_graph(), &NO_ROOTS).await {
        assert_eq!(error, "");
    }
    // With roots of one's own the machine's are not needed.
    let roots = File::new("own.pem", &pem(&ca("ours")));
    let settings = settings("https://127.0.0.1:9/", json!({ "CaFile": roots.0 }));
    if let Some(error) = unready("own", &settings, &NO_ROOTS).await {
        assert!(error.contains("Connection refused"), "{error}");
    }
}

#[tokio::test]
async fn a_broken_ca_file_stops_the_start_with_its_cause() {
    let rows = [
        ("missing", None, "No such file or directory"),
        ("empty", Some(String::new()), "it holds no certificate"),
        (
            "text",
            Some("no PEM at all".to_owned()),
            "it holds no certificate",
        ),
        (
            "base64",
            Some("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n".to_owned()),
            "invalid certificate encoding",
        ),
        (
            "der",
            Some(
                pem(&ca("ours")) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            "BadEncoding",
        ),
    ];
    for (name, text, cause) in rows {
        let file = File::new(&format!("{name}.pem"), &text.clone().unwrap_or_default());
        if text.is_none() {
            std::fs::remove_file(&file.0).unwrap();
        }
        let settings = settings("https://127.0.0.1:9/", json!({ "CaFile": file.0 }));
        let Some(line) = refused(name, &settings, &[]).await else {
            return;
        };
        assert!(line.starts_with("CaFile: found `"), "{name}: {line}");
        assert!(line.contains(cause), "{name}: {line}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_stops_the_start_without_its_password() {
    let settings = settings("https://127.0.0.1:9/", json!({}));
    for (name, value, cause) in [
        (
            "HTTPS_PROXY",
            "http://me:hunter2@proxy.example:99999",
            "invalid port number",
        ),
        (
            "ALL_PROXY",
            "socks5://me:hunter2@proxy.example",
            "socks5 is not supported",
        ),
    ] {
        let Some(line) = refused(name, &settings, &[(name, value)]).await else {
            return;
        };
        assert!(line.starts_with(&format!("{name}: found `")), "{line}");
        assert!(line.contains(cause) && !line.contains("hunter2"), "{line}");
    }
}
