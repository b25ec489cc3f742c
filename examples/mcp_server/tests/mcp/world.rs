//! The servers on a port of their own, with an emulator as their authority.

use axum_entra::mcp::ToolGuards;
use axum_entra::settings::Settings;
use axum_entra::{EntraBuilder, HttpClient};
use entra_emulator::{API_ID, App, CLI_ID, CONTOSO, Emulator, USER_PASSWORD};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::servers;

pub(crate) const NEW: &str = "2026-07-28";
pub(crate) const OLD: &str = "2025-06-18";

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) base: String,
    pub(crate) http: HttpClient,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn brief(&self) -> (u16, String) {
        let reason = self.json()["reason"].as_str().map(str::to_owned);
        (self.status.as_u16(), reason.unwrap_or_default())
    }

    pub(crate) fn challenge(&self) -> &str {
        let value = self.headers.get("www-authenticate");
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        let value = self.challenge().split(&format!("{name}=\"")).nth(1);
        value.map_or("", |rest| rest.split('"').next().unwrap())
    }

    /// The text that a tool gave.
    pub(crate) fn tool_text(&self) -> String {
        let event = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"));
        let body = event
            .filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok())
            .find(|value| value["result"].is_object())
            .unwrap_or_else(|| self.json());
        body["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// A request to be built.
pub(crate) struct Ask<'w> {
    world: &'w World,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_as(servers::todo_guards(), |app| app).await
    }

    /// With other guards of the first server.
    pub(crate) async fn start_behind(guards: ToolGuards) -> Self {
        Self::start_as(guards, |app| app).await
    }

    /// The registration has `requestedAccessTokenVersion` 1.
    pub(crate) async fn start_with_v1_tokens() -> Self {
        Self::start_as(servers::todo_guards(), App::with_v1_tokens).await
    }

    async fn start_as(guards: ToolGuards, registered: impl FnOnce(App) -> App) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let registration = registered(servers::registration(&base));
        let emulator = Emulator::builder().app(registration);
        let emulator = emulator.start().await.unwrap();
        let text = servers::settings(emulator.settings(), &base).to_string();
        let settings = Settings::from_parts(Some(("the emulator", &text)), []).unwrap();
        let builder = EntraBuilder::from_settings(&settings).unwrap();
        let entra = servers::describe(builder, base.clone()).build().unwrap();
        let app = servers::routes_behind(guards, &entra, std::future::pending());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            emulator,
            base,
            http: HttpClient::new(),
        }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let headers = [("accept", "application/json, text/event-stream")];
        Ask {
            world: self,
            method,
            path: path.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: String::new(),
        }
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Ask<'_> {
        let ask = self
            .ask(Method::POST, path)
            .header("content-type", "application/json");
        ask.body(body)
    }

    /// A call of a tool as protocol version 2026-07-28 makes it.
    pub(crate) fn call(&self, path: &str, tool: &str, arguments: Value) -> Ask<'_> {
        self.post(path, &call_body(tool, arguments))
            .header("mcp-protocol-version", NEW)
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
    }

    /// A token from the emulator's token endpoint: its answer, or its error number.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Result<String, u64> {
        let endpoint = self.emulator.token_endpoint(CONTOSO);
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let answer = self
            .http
            .post(endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(fields.join("&"))
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        match answer["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(answer["error_codes"][0].as_u64().unwrap()),
        }
    }

    /// The token of a user who asks for these full scope names, for this resource.
    pub(crate) async fn sign_in(
        &self,
        user: &str,
        scope: &str,
        resource: Option<&str>,
    ) -> Result<String, u64> {
        let mut fields = vec![
            ("grant_type", "password"),
            ("client_id", CLI_ID),
            ("username", user),
            ("password", USER_PASSWORD),
            ("scope", scope),
        ];
        fields.extend(resource.map(|resource| ("resource", resource)));
        self.token(&fields).await
    }

    /// A token of alice's for the sample API, with these scopes.
    pub(crate) fn alice(&self, scopes: &str) -> String {
        self.emulator
            .token()
            .user("alice")
            .audience(API_ID)
            .scope(scopes)
            .mint()
    }
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..self
        }
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) async fn send(self) -> Answer {
        let url = format!("{}{}", self.world.base, self.path);
        let mut request = self.world.http.request(self.method, url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.body(self.body).send().await.unwrap();
        Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }
}

pub(crate) fn call_body(tool: &str, arguments: Value) -> String {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": tool, "arguments": arguments,
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": NEW,
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    })
    .to_string()
}

pub(crate) fn message(method: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} }).to_string()
}

fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    value.bytes().map(byte).collect()
}
