//! An authority made of raw sockets, so that it can do what no HTTP server would.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum_entra::{Entra, JwksRefresh, Tenant};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::signer::key;

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const API: &str = "aaaaaaaa-1111-4111-8111-111111111111";

/// A way to be in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadAnswer {
    None,
    Hang,
    Trickle,
    Truncate,
    CloseAtOnce,
    CloseMidBody,
    Redirect,
    Status500,
    NotModified,
    TenMegabytes,
    EndlessChunks,
    EndlessHeaders,
    Html,
    NotHttp,
    EmptySet,
    EmptyBody,
    DeepJson,
    OtherTenant,
}

pub(crate) const FAULTS: [BadAnswer; 17] = [
    BadAnswer::Hang,
    BadAnswer::Trickle,
    BadAnswer::Truncate,
    BadAnswer::CloseAtOnce,
    BadAnswer::CloseMidBody,
    BadAnswer::Redirect,
    BadAnswer::Status500,
    BadAnswer::NotModified,
    BadAnswer::TenMegabytes,
    BadAnswer::EndlessChunks,
    BadAnswer::EndlessHeaders,
    BadAnswer::Html,
    BadAnswer::NotHttp,
    BadAnswer::EmptySet,
    BadAnswer::EmptyBody,
    BadAnswer::DeepJson,
    BadAnswer::OtherTenant,
];

/// Which document is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    Discovery,
    Keys,
}

pub(crate) const BOTH: [Document; 2] = [Document::Discovery, Document::Keys];

#[derive(Clone)]
pub(crate) struct Authority {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    fault: Option<(BadAnswer, Document)>,
    key: (usize, &'static str),
    asked: usize,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(State {
                fault: None,
                key: (0, "first"),
                asked: 0,
            })),
        };
        let own = authority.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let own = own.clone();
                tokio::spawn(async move { own.answer(stream).await });
            }
        });
        authority
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn fault(&self, fault: BadAnswer, document: Document) {
        self.state.lock().unwrap().fault =
            Some((fault, document)).filter(|_| fault != BadAnswer::None);
    }

    pub(crate) fn repair(&self) {
        self.state.lock().unwrap().fault = None;
    }

    /// Publishes another key from here on.
    pub(crate) fn roll_over(&self) {
        self.state.lock().unwrap().key = (1, "second");
    }

    /// How many requests came in.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    /// An API that trusts this authority; v2.0 alone, so that there is one document.
    pub(crate) fn entra(&self, freshness: JwksRefresh) -> Entra {
        Entra::builder_for(self.described(freshness))
            .build()
            .unwrap()
    }

    pub(crate) fn described(&self, freshness: JwksRefresh) -> axum_entra::Authority {
        axum_entra::Authority::entra(Tenant::new(TENANT), API)
            .instance(format!("{}/", self.base()))
            .token_versions([axum_entra::TokenVersion::V2])
            .jwks_refresh(freshness)
    }

    /// A good token of that key, for a century.
    pub(crate) fn token(&self, number: usize, kid: &str) -> String {
        let payload = json!({
            "iss": format!("{}/{TENANT}/v2.0", self.base()), "aud": API, "tid": TENANT,
            "ver": "2.0", "exp": 4_000_000_000_u64, "scp": "x", "azp": API, "sub": "s",
        });
        let header = json!({ "alg": "RS256", "kid": kid });
        key(number).sign(&header.to_string(), &payload.to_string())
    }

    pub(crate) fn first_token(&self) -> String {
        self.token(0, "first")
    }

    pub(crate) fn second_token(&self) -> String {
        self.token(1, "second")
    }

    async fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut bytes = [0; 1_024];
            match stream.read(&mut bytes).await.ok()? {
                0 => return None,
                read => head.extend_from_slice(&bytes[..read]),
            }
        }
        let document = match head.starts_with(b"GET /keys") {
            true => Document::Keys,
            false => Document::Discovery,
        };
        let (fault, key_in_use) = {
            let mut state = self.state.lock().unwrap();
            state.asked += 1;
            let fault = state.fault.filter(|(_, which)| *which == document);
            (fault.map_or(BadAnswer::None, |(fault, _)| fault), state.key)
        };
        let tenant = match fault {
            BadAnswer::OtherTenant => "22222222-2222-4222-8222-222222222222",
            _ => TENANT,
        };
        let body = match document {
            Document::Discovery => json!({
                "issuer": format!("{}/{tenant}/v2.0", self.base()),
                "jwks_uri": format!("{}/keys", self.base()),
            }),
            Document::Keys => {
                let mut jwks = key(key_in_use.0).jwks(key_in_use.1);
                if fault == BadAnswer::OtherTenant {
                    // A key that is bound to another tenant's issuer.
                    jwks["keys"][0]["issuer"] = format!("{}/{tenant}/v2.0", self.base()).into();
                }
                jwks
            }
        };
        send(&mut stream, fault, document, &body.to_string()).await
    }
}

async fn send(
    stream: &mut TcpStream,
    fault: BadAnswer,
    document: Document,
    body: &str,
) -> Option<()> {
    let with = |status: &str, headers: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
    };
    let good = with("200 OK", "", body);
    let answer = match fault {
        BadAnswer::None | BadAnswer::OtherTenant => good,
        BadAnswer::Hang => {
            // Until the client has had enough.
            let mut byte = [0];
            let _ = stream.read(&mut byte).await;
            return None;
        }
        BadAnswer::Trickle => {
            for byte in good.bytes() {
                stream.write_all(&[byte]).await.ok()?;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            return None;
        }
        BadAnswer::Truncate => good.replace("content-length: ", "content-length: 9"),
        BadAnswer::CloseAtOnce => return None,
        BadAnswer::CloseMidBody => good[..good.len() - 10].to_owned(),
        BadAnswer::Redirect => with("302 Found", "location: http://127.0.0.1:1/\r\n", body),
        BadAnswer::Status500 => with("500 Internal Server Error", "", body),
        BadAnswer::NotModified => with("304 Not Modified", "", ""),
        BadAnswer::TenMegabytes => with("200 OK", "", &format!("{body}{}", " ".repeat(10 << 20))),
        BadAnswer::EndlessChunks => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
            loop {
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
        }
        BadAnswer::EndlessHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await.ok()?;
            loop {
                stream.write_all(b"x-more: and more\r\n").await.ok()?;
            }
        }
        BadAnswer::Html => with("200 OK", "", "<!DOCTYPE html><title>Sign in</title>"),
        BadAnswer::NotHttp => "\x16\x03\x01 this is not HTTP".to_owned(),
        BadAnswer::EmptySet if document == Document::Keys => with("200 OK", "", r#"{"keys":[]}"#),
        BadAnswer::EmptySet => with("200 OK", "", "{}"),
        BadAnswer::EmptyBody => with("200 OK", "", ""),
        BadAnswer::DeepJson => with("200 OK", "", &"[".repeat(200_000)),
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// What a token is answered: `in`, or the reason.
pub(crate) async fn outcome(entra: &Entra, token: &str) -> &'static str {
    match entra.validate(token).await {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}

/// Waits, in real time and not for long, until a token gets that answer.
pub(crate) async fn in_the_end(entra: &Entra, token: &str, expected: &str, what: &str) {
    let start = std::time::Instant::now();
    loop {
        let found = outcome(entra, token).await;
        if found == expected {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: still {found}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
