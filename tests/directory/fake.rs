//! A Microsoft Graph with a token endpoint, and an API whose authority it belongs to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use axum_entra::graph::{ClientCredential, GraphConfig};
use axum_entra::{Authority, Entra, JwksRefresh, Tenant, TokenVersion};
use entra_emulator::{API_ID, CONTOSO, Emulator};
use serde_json::{Value, json};
use tower::ServiceExt;

/// One request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A field of a form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A canned answer.
#[derive(Debug, Clone)]
pub(crate) enum Canned {
    Json(u16, Value),
    RetryAfter(u16, &'static str),
    Redirect(String),
    Never,
}

#[derive(Default)]
struct Inner {
    calls: Vec<Call>,
    groups: Vec<String>,
    objects: Option<Value>,
    sessions: Value,
    graph: Option<Canned>,
    tokens: Option<Canned>,
    pages: VecDeque<Value>,
    delay: Duration,
    authority: String,
    token_endpoint: Option<String>,
    date: Option<SystemTime>,
}

#[derive(Clone)]
pub(crate) struct Fake {
    inner: Arc<Mutex<Inner>>,
    pub(crate) url: String,
}

impl Fake {
    pub(crate) async fn start(emulator: &Emulator) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self {
            inner: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        fake.inner.lock().unwrap().authority = emulator.url().to_owned();
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    /// The caller is a member of these groups.
    pub(crate) fn member_of(&self, groups: &[&str]) {
        self.inner.lock().unwrap().groups = groups.iter().map(|&group| group.into()).collect();
    }

    pub(crate) fn objects(&self, ids: Value) {
        self.inner.lock().unwrap().objects = Some(ids);
    }

    pub(crate) fn pages(&self, pages: impl IntoIterator<Item = Value>) {
        self.inner.lock().unwrap().pages = pages.into_iter().collect();
    }

    pub(crate) fn sessions_valid_from(&self, time: Value) {
        self.inner.lock().unwrap().sessions = time;
    }

    /// Graph answers everything with this.
    pub(crate) fn graph_answers(&self, canned: Option<Canned>) {
        self.inner.lock().unwrap().graph = canned;
    }

    /// The token endpoint answers everything with this.
    pub(crate) fn tokens_answer(&self, canned: Option<Canned>) {
        self.inner.lock().unwrap().tokens = canned;
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.inner.lock().unwrap().delay = delay;
    }

    /// What its clock shows.
    pub(crate) fn date(&self, date: SystemTime) {
        self.inner.lock().unwrap().date = Some(date);
    }

    pub(crate) fn token_endpoint(&self, address: &str) {
        self.inner.lock().unwrap().token_endpoint = Some(address.to_owned());
    }

    fn calls(&self, wanted: impl Fn(&Call) -> bool) -> Vec<Call> {
        let inner = self.inner.lock().unwrap();
        inner
            .calls
            .iter()
            .filter(|call| wanted(call))
            .cloned()
            .collect()
    }

    pub(crate) fn graph_calls(&self) -> Vec<Call> {
        self.calls(|call| !call.path.contains("/oauth2/") && !call.path.contains("/.well-known/"))
    }

    pub(crate) fn token_calls(&self) -> Vec<Call> {
        self.calls(|call| call.path.contains("/oauth2/"))
    }

    pub(crate) fn base(&self) -> String {
        format!("{}/v1.0", self.url)
    }
}

async fn answer(
    State(fake): State<Fake>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    let call = Call {
        method,
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: authorization.unwrap_or_default(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let (canned, delay) = answer_to(&fake, call, &path);
    tokio::time::sleep(delay).await;
    let mut response = reply(canned).await;
    if let Some(date) = fake.inner.lock().unwrap().date {
        let date = httpdate::fmt_http_date(date).parse().unwrap();
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn answer_to(fake: &Fake, call: Call, path: &str) -> (Canned, Duration) {
    let mut inner = fake.inner.lock().unwrap();
    inner.calls.push(call.clone());
    if let Some(tenant) = path.strip_suffix("/v2.0/.well-known/openid-configuration") {
        let document = discovery(&inner, &fake.url, tenant.trim_start_matches('/'));
        return (Canned::Json(200, document), Duration::ZERO);
    }
    let canned = if path.contains("/oauth2/") {
        inner.tokens.clone().unwrap_or_else(|| {
                let number = inner.calls.len();
                Canned::Json(
                    200,
                    json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": format!("token-{number}") }),
                )
            })
    } else {
        inner
            .graph
            .clone()
            .unwrap_or_else(|| graph(&mut inner, &call))
    };
    (canned, inner.delay)
}

fn discovery(inner: &Inner, own: &str, tenant: &str) -> Value {
    let authority = &inner.authority;
    let issuer = match tenant {
        "common" | "organizations" => "{tenantid}",
        tenant => tenant,
    };
    let endpoint = format!("{own}/{tenant}/oauth2/v2.0/token");
    json!({
        "issuer": format!("{authority}/{issuer}/v2.0"),
        "jwks_uri": format!("{authority}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint": inner.token_endpoint.as_ref().unwrap_or(&endpoint),
    })
}

fn graph(inner: &mut Inner, call: &Call) -> Canned {
    let last = call.path.rsplit('/').next().unwrap();
    match last {
        "checkMemberGroups" => {
            let asked = call.json()["groupIds"].as_array().unwrap().clone();
            assert!(asked.len() <= 20, "{} ids in one call", asked.len());
            let is_member = |id: &&Value| inner.groups.iter().any(|group| *id == group);
            let value: Vec<&Value> = asked.iter().filter(is_member).collect();
            Canned::Json(200, json!({ "value": value }))
        }
        "getMemberObjects" => match &inner.objects {
            Some(ids) => Canned::Json(200, json!({ "value": ids })),
            None => Canned::Json(
                400,
                json!({ "error": { "code": "Directory_ResultSizeLimitExceeded", "message": "…" } }),
            ),
        },
        "transitiveMemberOf" => Canned::Json(200, inner.pages.pop_front().unwrap()),
        "revokeSignInSessions" => Canned::Json(200, json!({ "value": true })),
        "invalidateAllRefreshTokens" => Canned::Json(204, Value::Null),
        _ if call.query.contains("signInSessionsValidFromDateTime") => Canned::Json(
            200,
            json!({ "signInSessionsValidFromDateTime": inner.sessions }),
        ),
        _ => Canned::Json(
            404,
            json!({ "error": { "code": "Request_ResourceNotFound" } }),
        ),
    }
}

async fn reply(canned: Canned) -> Response<Body> {
    let response = Response::builder();
    match canned {
        Canned::Json(204, _) => response.status(204).body(Body::empty()).unwrap(),
        Canned::Json(status, body) => response
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        Canned::RetryAfter(status, seconds) => response
            .status(status)
            .header(header::RETRY_AFTER, seconds)
            .body(Body::empty())
            .unwrap(),
        Canned::Redirect(to) => response
            .status(307)
            .header(header::LOCATION, to)
            .body(Body::empty())
            .unwrap(),
        Canned::Never => std::future::pending().await,
    }
}

/// An emulator that issues, and a fake that is asked.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) fake: Fake,
}

impl World {
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let fake = Fake::start(&emulator).await;
        Self { emulator, fake }
    }

    /// Contoso's authority, whose discovery document is the fake's.
    pub(crate) fn authority(&self) -> Authority {
        self.authority_of(Tenant::new(CONTOSO), CONTOSO)
    }

    pub(crate) fn authority_of(&self, tenant: Tenant, segment: &str) -> Authority {
        Authority::entra(tenant, API_ID)
            .instance(self.emulator.url())
            .token_versions([TokenVersion::V2])
            .metadata_address(format!(
                "{}/{segment}/v2.0/.well-known/openid-configuration",
                self.fake.url
            ))
            .jwks_refresh(JwksRefresh::default().timeout(Duration::from_millis(2_000)))
    }

    pub(crate) fn access(&self) -> GraphConfig {
        GraphConfig::new(ClientCredential::secret("s3cret+&=%")).graph_url(self.fake.base())
    }

    pub(crate) fn entra(&self) -> Entra {
        self.entra_with(self.access())
    }

    pub(crate) fn entra_with(&self, access: GraphConfig) -> Entra {
        Entra::builder_for(self.authority())
            .graph(access)
            .build()
            .unwrap()
    }
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.headers.get("retry-after")?.to_str().ok()?.parse().ok()
    }

    pub(crate) fn challenge(&self) -> &str {
        self.headers
            .get("www-authenticate")
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The claims of a claims challenge.
    pub(crate) fn claims(&self) -> Value {
        let (_, rest) = self.challenge().split_once("claims=\"").unwrap();
        let (claims, _) = rest.split_once('"').unwrap();
        let decoded = base64_simd::STANDARD.decode_to_vec(claims).unwrap();
        serde_json::from_slice(&decoded).unwrap()
    }
}

pub(crate) async fn get(app: &Router, path: &str, token: &str) -> Answer {
    let request = Request::get(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    answer_of(app.clone().oneshot(request).await.unwrap()).await
}

pub(crate) async fn answer_of(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}

/// `expected` is a status, or a status and a reason.
#[track_caller]
pub(crate) fn assert_is(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.reason()),
        (status, reason),
        "{answer:?}"
    );
}
