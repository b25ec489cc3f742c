//! Why Microsoft Graph and Redis cannot be reached: every cause by its name, in the log and in
//! `/ready`. `start_up` has the same for signing keys.

use entra_emulator::{App, Emulator};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::start_up::{File, NO_ROOTS, ca, pem, proxy, refused, reported, serve};

/// A name, an address with `https`, and what the error holds.
type Row<'r> = (&'r str, String, &'r str);

/// Servers with five faults, and the certificate that some of them should have been signed with.
async fn faults(roots: &str) -> (File, Vec<Row<'static>>) {
    let (ours, other) = (ca("ours"), ca("another's"));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused_at = format!("https://{}/", closed.local_addr().unwrap());
    drop(closed);
    let rows = vec![
        ("name", "https://no-such-host.invalid/".into(), "lookup"),
        ("refused", refused_at, "Connection refused"),
        ("expired", serve(&ours, "127.0.0.1", 2020).await, "expired"),
        (
            "issuer",
            serve(&other, "127.0.0.1", 2100).await,
            "UnknownIssuer",
        ),
        (
            "other",
            serve(&ours, "other.example", 2100).await,
            "not valid for name",
        ),
    ];
    (File::new(roots, &pem(&ours)), rows)
}

/// Settings of the emulator's authority with further keys.
fn with(emulator: &Emulator, key: &str, value: Value) -> Value {
    let mut settings = emulator.settings_with_graph();
    settings["AzureAd"][key] = value;
    settings
}

fn are_different(mut texts: Vec<String>, count: usize) {
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), count, "{texts:?}");
}

#[tokio::test]
async fn seven_causes_have_seven_texts_for_graph() {
    let (roots, mut rows) = faults("graph-roots.pem").await;
    let proxy = proxy().await;
    rows.push((
        "proxy",
        "https://graph.contoso.example/".into(),
        "proxy auth",
    ));
    // The token endpoint gives out tokens for each of these addresses.
    let mut emulator = Emulator::builder();
    for (number, (name, address, _)) in rows.iter().enumerate() {
        let id = format!("99999999-0000-4000-8000-00000000000{number}");
        let app = App::api(*name, id).with_app_id_uri(address.trim_end_matches('/'));
        emulator = emulator.app(app.with_scope("User.ReadWrite"));
    }
    let emulator = emulator.start().await.unwrap();
    let token = emulator
        .token()
        .user("alice")
        .scope("User.ReadWrite")
        .mint();
    let request = format!(
        "POST /me/revokeSignInSessions HTTP/1.1\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n"
    );
    let mut told = Vec::new();
    for (name, address, expected) in rows {
        let graph = json!({ "BaseUrl": format!("{address}v1.0") });
        let mut settings = with(&emulator, "Graph", graph);
        settings["AzureAd"]["CaFile"] = json!(roots.0);
        let variables = [("HTTPS_PROXY", proxy.as_str())];
        let variables = if name == "proxy" { &variables[..] } else { &[] };
        let place = "/authorities/0/graph_last_error";
        let file = format!("graph-{name}");
        let request = Some(request.clone());
        let Some(error) = reported(&file, &settings, variables, place, request).await else {
            return;
        };
        println!("{name}: {error}");
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!error.contains("/me"), "no address: {error}");
        told.push(error);
    }
    let graph = json!({ "BaseUrl": "https://graph.microsoft.com/v1.0" });
    let settings = with(&emulator, "Graph", graph);
    let line = refused("graph-none", &settings, &NO_ROOTS).await.unwrap();
    assert!(line.contains("no root certificates"), "{line}");
    told.push(line);
    are_different(told, 7);
}

#[tokio::test]
async fn six_causes_have_six_texts_for_redis_over_tls() {
    let emulator = Emulator::start().await.unwrap();
    let (roots, mut rows) = faults("redis-roots.pem").await;
    // It uses the roots of the machine; no proxy.
    let path = roots.0.display().to_string();
    let trusting = [("SSL_CERT_FILE", path.as_str())];
    let without = serve(&ca("ours"), "127.0.0.1", 2100).await;
    rows.push(("none", without, "opening directory"));
    let mut told = Vec::new();
    for (name, address, expected) in rows {
        let url = address.replace("https://", "rediss://:hush@");
        let settings = with(&emulator, "Redis", json!({ "Url": url }));
        let variables = if name == "none" {
            &NO_ROOTS[..]
        } else {
            &trusting
        };
        let (file, place) = (format!("redis-{name}"), "/store/last_error");
        let Some(error) = reported(&file, &settings, variables, place, None).await else {
            return;
        };
        println!("{name}: {error}");
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!error.contains("hush"), "{name}: {error}");
        told.push(error);
    }
    are_different(told, 6);
}

#[tokio::test]
async fn a_good_graph_has_no_error() {
    let emulator = Emulator::start().await.unwrap();
    let settings = emulator.settings_with_graph();
    let place = "/last_error";
    let token = emulator
        .token()
        .user("alice")
        .scope("User.ReadWrite")
        .mint();
    let request = format!(
        "POST /me/revokeSignInSessions HTTP/1.1\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n"
    );
    if let Some(error) = reported("graph-good", &settings, &NO_ROOTS, place, Some(request)).await {
        assert_eq!(error, "");
    }
}
