//! What a client sends in the hope that the service takes it for the gate's.

use std::collections::BTreeSet;
use std::path::PathBuf;

use entra_emulator::{ALICE, CLI_ID, Emulator};
use serde_json::Value;

use crate::program::Program;
use crate::proxy::{KINDS, Kind};
use crate::upstream::Service;
use crate::wire;

pub(crate) const RULES: &str = r#"
rule = [
  { path = "/open", allow = "open" },
  { path = "/me", allow = "authenticated" },
]
"#;

pub(crate) const NAMES: [&str; 9] = [
    "Tenant-Id",
    "Object-Id",
    "Client-Id",
    "Scopes",
    "Roles",
    "Principal",
    "Agent",
    "Assertion",
    "Door",
];

/// What a program is told of an emulator.
pub(crate) fn environment(emulator: &Emulator) -> Vec<(String, String)> {
    let settings = emulator.settings();
    let section = settings["AzureAd"].as_object().unwrap();
    section
        .iter()
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (format!("AzureAd__{name}"), text)
        })
        .collect()
}

/// The identity that the service reads, in whatever spelling; `None` if it was not reached.
pub(crate) fn identity(told: &Value) -> Option<BTreeSet<(String, String)>> {
    let headers = told["headers"].as_array()?;
    let pairs = headers.iter().map(|pair| {
        let text = |index: usize| pair[index].as_str().unwrap_or_default().to_owned();
        (text(0).to_lowercase().replace('_', "-"), text(1))
    });
    // An empty value says the same as none.
    let pairs = pairs.filter(|(name, value)| name.starts_with("x-entra") && !value.is_empty());
    Some(pairs.collect())
}

/// A gate that has a service told who calls, and a token of a caller.
pub(crate) struct Guarded {
    _emulator: Emulator,
    folder: PathBuf,
    pub(crate) gate: Program,
    pub(crate) service: Service,
    /// The value of `Authorization`.
    pub(crate) bearer: String,
}

impl Guarded {
    pub(crate) async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let rules = format!("{RULES}\n[assertion]\naudience = \"todos\"\n");
        std::fs::write(folder.join("rules.toml"), rules).unwrap();
        let token = emulator.token().user(ALICE).client(CLI_ID);
        Self {
            gate: Program::start(folder.join("rules.toml"), environment(&emulator)).await,
            service: Service::start().await,
            bearer: format!("Bearer {}", token.scope("Todo.Read").mint()),
            folder,
            _emulator: emulator,
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_of_a_client_passes_for_the_gates() {
    let guarded = Guarded::start().await;
    let (gate, service) = (&guarded.gate, &guarded.service);
    let bearer = guarded.bearer.as_bytes();
    let long = vec![b'x'; 8_192];
    for kind in KINDS {
        let Some(proxy) = kind.start(gate.addresses(), service).await else {
            continue;
        };
        let mut cases = 0;
        for path in ["/open", "/me"] {
            let credentials: &[(&str, &[u8])] = match path {
                "/me" => &[("Authorization", bearer)],
                _ => &[],
            };
            let plain = wire::send(proxy.address, "GET", path, credentials).await;
            let expected = without_assertion(identity(&plain.body).expect("the service"));
            let is_alice = expected.contains(&("x-entra-object-id".to_owned(), ALICE.to_owned()));
            assert_eq!(is_alice, path == "/me", "{kind:?} {path}: {plain:?}");
            for lines in smuggled(&long) {
                let mut all = credentials.to_vec();
                all.extend(
                    lines
                        .iter()
                        .map(|(name, value)| (name.as_str(), value.as_slice())),
                );
                let answer = wire::send(proxy.address, "GET", path, &all).await;
                cases += 1;
                match identity(&answer.body).map(without_assertion) {
                    Some(read) => assert_eq!(read, expected, "{kind:?} {path} {lines:?}"),
                    None => {
                        let refused = matches!(answer.status, 0 | 400 | 403);
                        assert!(refused, "{kind:?} {path} {lines:?}: {answer:?}");
                    }
                }
            }
        }
        println!("{kind:?}: {cases} cases of smuggled headers, 0 through");
        assert!(cases >= 60);
        paths(kind, &proxy, service).await;
    }
}

/// Each assertion has an id of its own; a client's would not be signed.
pub(crate) fn without_assertion(read: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    let is_signed = |(name, value): &(String, String)| {
        name == "x-entra-assertion" && value.matches('.').count() == 2 && value.starts_with("eyJ")
    };
    read.into_iter().filter(|pair| !is_signed(pair)).collect()
}

type Lines = Vec<(String, Vec<u8>)>;

fn smuggled(long: &[u8]) -> Vec<Lines> {
    let mut all: Vec<Lines> = Vec::new();
    let admin = || b"admin".to_vec();
    for name in NAMES {
        let usual = format!("X-Entra-{name}");
        let under = usual.replace('-', "_");
        for spelling in [
            usual.clone(),
            usual.to_lowercase(),
            usual.to_uppercase(),
            under.clone(),
            under.to_lowercase(),
            format!("X-Entra_{name}"),
            format!("X_Entra-{name}"),
        ] {
            all.push(vec![(spelling, admin())]);
        }
        all.push(vec![
            (usual.clone(), admin()),
            (usual.to_lowercase(), b"root".to_vec()),
        ]);
        all.push(vec![(usual.clone(), long.to_vec())]);
        all.push(vec![(usual.clone(), Vec::new())]);
        for connection in [
            format!("close, {usual}"),
            format!("{under}, close"),
            "close".to_owned(),
        ] {
            let connection = ("Connection".to_owned(), connection.into_bytes());
            all.push(vec![connection.clone(), (usual.clone(), admin())]);
            all.push(vec![connection]);
        }
    }
    all
}

/// Targets that lead a service elsewhere than a proxy or the gate thinks, and headers that tell of
/// another request than the client's: without a token only `/open` is reached.
async fn paths(kind: Kind, proxy: &crate::proxy::Proxy, service: &Service) {
    let targets = [
        "/me",
        "/%6de",
        "/open/../me",
        "/open/%2e%2e/me",
        "/open/..%2fme",
        "/open%2f..%2fme",
        "//me",
        "/open//../me",
        "/open/..;/me",
        "/open;/../me",
        "/me;x=/open",
        "/open\\..\\me",
        "/open%5c..%5cme",
        "/./me",
        "/%2e/me",
        "/me/.",
        "/open%00/../me",
        "/open%23/../me",
        "/open%3f/../me",
        "/open%252f..%252fme",
        "/OPEN/../me",
        "/me?/open",
        "/me?x=/../open",
        "/open/.%2e/me",
        "/%2e%2e/me",
        "/ope%6e/../me",
        "/me%20",
        "/me%0a",
        "/open/x",
    ];
    let mut cases = 0;
    for target in targets {
        for lines in tellings() {
            let before = service.requests();
            let answer = wire::send(proxy.address, "GET", target, &lines).await;
            assert_eq!(
                service.requests(),
                before,
                "{kind:?} {target} {lines:?}: {answer:?}"
            );
            assert_ne!(answer.status, 200, "{kind:?} {target} {lines:?}");
            cases += 1;
        }
    }
    // The counterpart: what is open is reached, whatever the headers say.
    for target in ["/open", "/ope%6e", "/open?x=/../me"] {
        for lines in tellings() {
            let answer = wire::send(proxy.address, "GET", target, &lines).await;
            assert_eq!(answer.status, 200, "{kind:?} {target} {lines:?}");
        }
    }
    println!("{kind:?}: {cases} cases of other paths, 0 through");
}

fn tellings() -> Vec<Vec<(&'static str, &'static [u8])>> {
    vec![
        vec![],
        vec![("X-Original-URI", b"/open"), ("X-Original-Method", b"GET")],
        vec![
            ("X-Forwarded-Uri", b"/open"),
            ("X-Forwarded-Method", b"GET"),
        ],
        vec![
            ("X-Forwarded-Host", b"other"),
            ("X-Original-Host", b"other"),
            ("X-Original-URL", b"/open"),
        ],
        vec![
            ("X-Envoy-Original-Path", b"/open"),
            ("X-Rewrite-URL", b"/open"),
            ("X-Entra-Door", b"x"),
        ],
    ]
}
