//! The acceptance cases of `tests/vectors/acceptance.json` through each door and each proxy: verdict,
//! status and challenge are those of the library in process (`tests/api/acceptance.rs`).
//!
//! The tokens are of 2018, and the program takes no clock. So the gate runs in this process, with the
//! clock of the case, on listeners that the proxies know.

#[path = "../../../../tests/api/acceptance/accounts.rs"]
mod accounts;
#[path = "../../../../tests/api/acceptance/case.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod case;
#[path = "../../../../tests/api/acceptance/scenarios.rs"]
mod scenarios;
#[path = "../../../../tests/api/acceptance/stage.rs"]
mod stage;
#[path = "../../../../tests/api/acceptance/way.rs"]
#[allow(dead_code, reason = "the library's tests use all of it")]
mod way;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use axum_entra::{Clock, Entra};
use entra_gate::in_process::{self, InProcess};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};

use self::case::{Case, Expected, Sample, Step, file};
use self::stage::Stage;
use self::way::Way;
use crate::proxy::{Addresses, KINDS, Kind, Proxy};
use crate::service::Answer;
use crate::upstream::Service;
use crate::wire;

/// Those of `tests/api/acceptance/routes.rs`, as far as the gate's rules have a name for them: a token
/// that is good once is no rule, and neither is an account.
const RULES: &str = r#"
rule = [
  { path = "/open", allow = "open" },
  { path = "/health", allow = "open" },
  { path = "/me", allow = "authenticated" },
  { path = "/todos", allow = 'scope("access_as_user")' },
  { path = "/jobs", methods = ["POST"], allow = 'app_only and role("Tasks.Run")' },
  { path = "/reports", allow = 'role("Tasks.Run")' },
  { path = "/partner", allow = 'client("75dbe77f-10a3-4e59-85fd-8c127544f17c")' },
  { path = "/secret", allow = "secret_client" },
  { path = "/certificate", allow = "certificate_client" },
  { path = "/tenant", allow = 'tenant("72f988bf-86f1-41af-91ab-2d7cd011db47")' },
  { path = "/group", allow = 'group("aaaaaaaa-0000-4000-8000-000000000001")' },
  { path = "/admin", allow = 'directory_role("62e90394-69f5-4237-9190-012177145e10")' },
  { path = "/secure", allow = "mfa" },
  { path = "/policy", allow = 'policy("b2c_1_sign_in_stock")' },
  { path = "/policy-of-the-table", allow = 'policy("b2c_1_sign_in")' },
]
"#;

/// What the gate's rules cannot say, by case.
const NO_RULE: [&str; 2] = ["A39e", "A40a"];

/// The gate of the moment, and the runtime of its case: the clock of a scenario stands still there.
type Current = Arc<Mutex<Option<(InProcess, Handle)>>>;

/// What the proxies know, and what stays while the gates behind it change.
struct Listeners {
    /// Of listeners and proxies, whose clock goes on.
    runtime: Runtime,
    current: Current,
    addresses: Addresses,
    service: Service,
    folder: PathBuf,
}

impl Listeners {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("rules.toml"), RULES).unwrap();
        let current = Current::default();
        let (addresses, service) = runtime.block_on(async {
            let http = listen(&current, |gate, request| async move {
                gate.answer(request).await
            });
            let grpc = listen(&current, |gate, request| async move {
                gate.answer_grpc(request).await.map(Body::new)
            });
            let (http, grpc) = (http.await, grpc.await);
            (Addresses { http, grpc }, Service::start().await)
        });
        Self {
            runtime,
            current,
            addresses,
            service,
            folder,
        }
    }

    /// With a gate that has no keys: `/open` is what a proxy is asked for until it is there.
    fn start(&self, kind: Kind) -> Option<Proxy> {
        let stage = self.runtime.block_on(Stage::set("P-V2", None));
        let _inside = self.runtime.enter();
        let entra = stage.entra_without_keys(Clock::default());
        *self.current.lock().unwrap() = Some((
            gate(entra, &self.folder.join("rules.toml")),
            self.runtime.handle().clone(),
        ));
        self.runtime
            .block_on(kind.start(self.addresses, &self.service))
    }

    /// Through a proxy, or to a door without one.
    fn way(&self, address: SocketAddr, place: Place) -> Way {
        let (current, rules) = (Arc::clone(&self.current), self.folder.join("rules.toml"));
        let mut way = Way::new(self.service.runs.clone(), move |entra, request| {
            *current.lock().unwrap() = Some((gate(entra, &rules), Handle::current()));
            send(address, place, request)
        });
        way.has_bodies = place != Place::Proxy(Kind::Nginx);
        way.has_unavailable = place != Place::Proxy(Kind::EnvoyHttp);
        way
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn gate(entra: Entra, rules: &Path) -> InProcess {
    InProcess::new(entra, rules).unwrap()
}

/// Opens a listener behind which the gate of the moment answers, in the runtime of its case.
async fn listen<A>(
    current: &Current,
    answer: impl Fn(InProcess, Request<hyper::body::Incoming>) -> A + Clone + Send + 'static,
) -> SocketAddr
where
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let current = Arc::clone(current);
    tokio::spawn(in_process::serve(listener, 65_536, move |request| {
        let (gate, runtime) = current.lock().unwrap().clone().expect("a gate");
        let answered = runtime.spawn(answer(gate, request));
        async move { answered.await.expect("an answer") }
    }));
    address
}

/// Where requests go.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Proxy(Kind),
    /// A door's address, and how the names of its headers begin.
    Door(&'static str, &'static str),
    /// The door that takes method, target and host as they are.
    EnvoyDoor,
}

const DOORS: [Place; 4] = [
    Place::Door("/auth/nginx", "X-Original"),
    Place::Door("/auth/haproxy", "X-Original"),
    Place::Door("/auth/forward", "X-Forwarded"),
    Place::EnvoyDoor,
];

impl Place {
    fn is_proxy(self) -> bool {
        matches!(self, Self::Proxy(_))
    }

    /// nginx takes 401 and 403 of a question, and no other refusal.
    fn status(self, status: u16) -> u16 {
        match (self, status) {
            (Self::Proxy(Kind::Nginx) | Self::Door("/auth/nginx", _), 400) => 403,
            _ => status,
        }
    }
}

async fn send(address: SocketAddr, place: Place, request: Request<Body>) -> Answer {
    let method = request.method().as_str();
    let target = request.uri().path_and_query().unwrap().as_str();
    let mut lines: Vec<(&str, &[u8])> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let answer = match place {
        Place::Proxy(_) => wire::send(address, method, target, &lines).await,
        Place::EnvoyDoor => {
            let target = format!("/auth/envoy{target}");
            wire::send(address, method, &target, &lines).await
        }
        Place::Door(door, prefix) => {
            let own = ["Method", "Uri", "Host"].map(|name| format!("{prefix}-{name}"));
            let values = [method, target, "api.example.com"];
            let values = values.iter().map(|value| value.as_bytes());
            lines.extend(own.iter().map(String::as_str).zip(values));
            wire::send(address, "GET", door, &lines).await
        }
    };
    let headers = answer.headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().unwrap();
        (name, value.parse().unwrap())
    });
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(name, value);
    }
    Answer {
        status: StatusCode::from_u16(answer.status).expect("an answer"),
        headers: all,
        text: answer.body.to_string(),
        rejection: None,
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_acceptance_case_gets_the_same_answer_through_every_proxy() {
    let listeners = Listeners::new();
    let mut failed = Vec::new();
    for door in DOORS {
        failed.extend(play(&listeners, listeners.addresses.http, door));
    }
    for kind in KINDS {
        if let Some(proxy) = listeners.start(kind) {
            failed.extend(play(&listeners, proxy.address, Place::Proxy(kind)));
        }
    }
    assert_eq!(failed, [""; 0], "what they said is above");
}

/// The cases that got another answer.
fn play(listeners: &Listeners, address: SocketAddr, place: Place) -> Vec<String> {
    let file = file();
    let (mut failed, mut same) = (Vec::new(), 0);
    // The scenarios count what reached the service, which only a proxy passes on.
    let is_for = |case: &&Case| {
        !NO_RULE.contains(&&*case.id) && (place.is_proxy() || case.scenario.is_none())
    };
    for case in file.cases.iter().filter(is_for) {
        let way = listeners.way(address, place);
        let played = catch_unwind(AssertUnwindSafe(|| {
            let runtime = runtime();
            for step in &case.steps {
                runtime.block_on(run(step, &file.tokens, &way, place));
            }
            if let Some(name) = &case.scenario {
                runtime.block_on(scenarios::play(name, &way));
            }
        }));
        match played {
            Ok(()) => same += 1,
            Err(_) => failed.push(format!("{place:?}: {}", case.id)),
        }
    }
    println!(
        "{place:?}: {same} acceptance cases answered as in process, {} otherwise",
        failed.len()
    );
    let all = if place.is_proxy() { 83 } else { 68 };
    assert_eq!(same + failed.len(), all);
    failed
}

/// Plays one step as the library's test does.
async fn run(step: &Step, samples: &HashMap<String, Sample>, way: &Way, place: Place) {
    let stage = Stage::set(&step.profile, step.audiences.as_deref()).await;
    let entra = stage.entra(step.clock()).await;
    let token = step.token(samples);
    let (method, target) = step.line(token.as_deref());
    let mut request = Request::builder().method(method).uri(target);
    let credentials = step.credentials(token.as_deref());
    for value in &credentials {
        request = request.header("authorization", value);
    }
    let (before, ran) = (stage.documents.seen().len(), way.runs.count());
    let answer = way.send(&entra, request.body(Body::empty()).unwrap()).await;

    assert_eq!(
        stage.documents.seen().len(),
        before,
        "no case here may cause a fetch"
    );
    // nginx itself refuses two `Authorization` headers, with its own answer.
    if place == Place::Proxy(Kind::Nginx) && credentials.len() > 1 {
        assert_eq!((answer.status.as_u16(), way.runs.count()), (400, ran));
        return;
    }
    let expected = &step.answer;
    let status = place.status(expected.status);
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.challenge(), expected.challenge.as_deref());
    let reaches = place.is_proxy() && expected.status == 200;
    assert_eq!(way.runs.count() - ran, usize::from(reaches));
    if let (Some(error), Some(reason), true) = (&expected.error, &expected.reason, way.has_bodies) {
        assert_eq!(
            (&answer.member("error"), &answer.member("reason")),
            (error, reason)
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.body()["status"], status);
    }
    if expected.status == 200 && place.is_proxy() {
        caller_is_told(&answer, expected);
    }
    if let Some(token) = token
        && expected.status != 200
    {
        assert!(!answer.text.contains(&token));
    }
}

/// The service learns of the caller what `/me` would have answered.
fn caller_is_told(answer: &Answer, expected: &Expected) {
    let body = answer.body();
    let sent = body["headers"].as_array().unwrap();
    for (member, name) in [
        ("tid", "x-entra-tenant-id"),
        ("oid", "x-entra-object-id"),
        ("client", "x-entra-client-id"),
        ("principal", "x-entra-principal"),
    ] {
        let Some(value) = expected.body.as_ref().and_then(|body| body.get(member)) else {
            continue;
        };
        let own = sent.iter().filter(|pair| pair[0] == name);
        let own: Vec<_> = own.map(|pair| &pair[1]).collect();
        assert_eq!(own, [value], "{name}");
    }
}
