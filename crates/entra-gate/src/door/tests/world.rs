//! A gate on an emulator, and one question in the form of each door.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_entra::EntraBuilder;
use axum_entra::settings::Settings;
use entra_emulator::{ALICE, CLI_ID, DAEMON_ID, Emulator};
use envoy_types::ext_authz::v3::pb::{Authorization, CheckRequest, HttpResponse};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    HttpRequest, Request as PbRequest,
};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use serde_json::Value;

use super::super::{Door, Gate, GrpcDoor, SharedGate};
use crate::assertion::SigningKey;
use crate::policy::Policy;

pub(super) const ALL: [Door; 6] = [
    Door::Nginx,
    Door::Forward,
    Door::Envoy,
    Door::Grpc,
    Door::Haproxy,
    Door::Validate,
];

/// Those that ask about a request, not about a token alone.
pub(super) const PROXIES: [Door; 5] = [
    Door::Nginx,
    Door::Forward,
    Door::Envoy,
    Door::Grpc,
    Door::Haproxy,
];

pub(super) struct World {
    pub(super) emulator: Emulator,
    pub(super) gate: SharedGate,
    folder: std::path::PathBuf,
}

/// A request of a client, as a proxy asks about it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) host: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

/// What the client or the service gets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Headers that the proxy is told to remove.
    pub(super) removed: Vec<String>,
    pub(super) body: Value,
}

impl Told {
    pub(super) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn challenge(&self) -> Option<&str> {
        self.header(WWW_AUTHENTICATE.as_str())
    }
}

impl Asked {
    pub(super) fn get(target: impl Into<String>) -> Self {
        Self {
            method: "GET",
            host: "api.example.com",
            target: target.into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    /// The question that a proxy with the shipped configuration asks.
    pub(super) fn at(&self, door: Door) -> Request<()> {
        let mut headers = self.headers();
        let (path, prefix) = match door {
            Door::Nginx => ("/auth/nginx".to_owned(), "x-original"),
            Door::Haproxy => ("/auth/haproxy".to_owned(), "x-original"),
            Door::Forward => ("/auth/forward".to_owned(), "x-forwarded"),
            Door::Envoy => (format!("/auth/envoy{}", self.target), ""),
            Door::Validate => ("/validate".to_owned(), ""),
            Door::Grpc => panic!("no HTTP"),
        };
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().unwrap();
        if door == Door::Envoy {
            *request.method_mut() = self.method.parse().unwrap();
            headers.insert("host", self.host.parse().unwrap());
        } else if !prefix.is_empty() {
            let told = [
                ("method", self.method),
                ("uri", &self.target),
                ("host", self.host),
            ];
            for (name, value) in told {
                let name: HeaderName = format!("{prefix}-{name}").parse().unwrap();
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        *request.headers_mut() = headers;
        request
    }

    pub(super) fn over_grpc(&self) -> CheckRequest {
        let mut headers = std::collections::HashMap::new();
        for (name, value) in &self.headers {
            // Envoy joins the values of one name.
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|joined: &mut String| *joined = format!("{joined},{value}"))
                .or_insert(value.clone());
        }
        headers.insert(":path".to_owned(), self.target.clone());
        let http = HttpRequest {
            method: self.method.to_owned(),
            host: self.host.to_owned(),
            path: self.target.clone(),
            headers,
            ..HttpRequest::default()
        };
        CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(PbRequest {
                    http: Some(http),
                    ..PbRequest::default()
                }),
                ..AttributeContext::default()
            }),
        }
    }
}

impl World {
    pub(super) async fn new(rules: &str) -> Self {
        Self::changed(rules, |_| {}).await
    }

    pub(super) async fn changed(rules: &str, change: impl FnOnce(&mut Gate)) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let folder = std::env::temp_dir().join(format!("entra-gate-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("rules.toml"), rules).unwrap();
        let text = emulator.settings().to_string();
        let settings = Settings::from_parts(Some(("test", &text)), []).unwrap();
        let entra = EntraBuilder::from_settings(&settings)
            .unwrap()
            .build()
            .unwrap();
        let made = Arc::new(SigningKey::generate().unwrap());
        let policy = Policy::load(&folder.join("rules.toml"), &entra, &made, None);
        let policy = policy.unwrap_or_else(|error| panic!("{error}"));
        let mut gate = Gate::new(entra, policy, ALL.to_vec());
        change(&mut gate);
        while !gate.entra.is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self {
            emulator,
            gate: Arc::new(gate),
            folder,
        }
    }

    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.join(name)
    }

    pub(super) fn load(&self, file: &Path) -> Result<(), String> {
        let made = Arc::new(SigningKey::generate().unwrap());
        let before = self.gate.policy.load_full();
        let policy = Policy::load(file, &self.gate.entra, &made, Some(&before));
        self.gate
            .policy
            .store(Arc::new(policy.map_err(|error| error.to_string())?));
        Ok(())
    }

    pub(super) fn user(&self, scopes: &str) -> String {
        let token = self.emulator.token().user(ALICE).client(CLI_ID);
        token.scope(scopes).mint()
    }

    pub(super) fn app(&self) -> String {
        self.emulator.token().app(DAEMON_ID).mint()
    }

    pub(super) async fn ask(&self, door: Door, asked: &Asked) -> Told {
        match door {
            Door::Grpc => self.ask_grpc(tonic::Request::new(asked.over_grpc())).await,
            _ => self.send(asked.at(door)).await,
        }
    }

    pub(super) async fn send(&self, request: Request<()>) -> Told {
        let (parts, body) = self.gate.answer(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Told {
            status: parts.status.as_u16(),
            headers: parts.headers,
            removed: Vec::new(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    pub(super) async fn ask_grpc(&self, question: tonic::Request<CheckRequest>) -> Told {
        let door = GrpcDoor(Arc::clone(&self.gate));
        let answer = door.check(question).await.unwrap().into_inner();
        let code = answer.status.unwrap().code;
        let (status, options, removed, body) = match answer.http_response.unwrap() {
            HttpResponse::OkResponse(ok) => {
                assert_eq!(code, 0);
                (200, ok.headers, ok.headers_to_remove, String::new())
            }
            HttpResponse::DeniedResponse(denied) => {
                assert_ne!(code, 0);
                let status = denied.status.unwrap().code;
                (
                    u16::try_from(status).unwrap(),
                    denied.headers,
                    Vec::new(),
                    denied.body,
                )
            }
            HttpResponse::ErrorResponse(_) => panic!("no error is answered"),
        };
        let mut headers = HeaderMap::new();
        for option in options {
            let header = option.header.unwrap();
            let name: HeaderName = header.key.parse().unwrap();
            headers.append(name, header.value.parse().unwrap());
        }
        Told {
            status,
            headers,
            removed,
            body: serde_json::from_str(&body).unwrap_or_default(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
