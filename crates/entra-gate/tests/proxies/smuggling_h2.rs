//! The same over HTTP/2, whose fields a proxy turns into lines: what no line could hold, fields that HTTP/2
//! forbids, and pseudo-header fields that are there twice.

use std::collections::BTreeSet;

use entra_emulator::ALICE;
use serde_json::Value;

use crate::h2::{self, Field, H2Request, field};
use crate::proxy::{KINDS, Kind, Proxy};
use crate::smuggling::{Guarded, NAMES, identity, without_assertion};
use crate::upstream::Service;
use crate::wire::Answer;

type Identity = BTreeSet<(String, String)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_field_of_a_client_passes_for_the_gates_over_http_2() {
    let guarded = Guarded::start().await;
    let (gate, service) = (&guarded.gate, &guarded.service);
    let bearer = field("authorization", &guarded.bearer);
    for kind in KINDS {
        let Some(proxy) = kind.start(gate.addresses(), service).await else {
            continue;
        };
        let (mut cases, mut passed) = (0, 0);
        for (path, credentials) in [("/open", vec![]), ("/me", vec![bearer.clone()])] {
            let plain = H2Request::get(path).with(credentials);
            let answer = h2::send(proxy.h2, &plain).await;
            let expected = without_assertion(identity(&answer.body).expect("the service"));
            let is_alice = expected.contains(&("x-entra-object-id".to_owned(), ALICE.to_owned()));
            assert_eq!(is_alice, path == "/me", "{kind:?} {path}: {answer:?}");
            let requests = smuggled(&plain);
            cases += requests.len();
            for Case {
                request,
                answer,
                reached,
            } in play(&proxy, service, requests).await
            {
                for seen in &reached {
                    let read = without_assertion(identity(seen).unwrap());
                    assert_eq!(read, expected, "{kind:?} {request}: {seen}");
                }
                passed += reached.len();
                let is_refused = matches!(answer.status, 0 | 400 | 403 | 413 | 431);
                assert_ne!(
                    is_refused,
                    !reached.is_empty(),
                    "{kind:?} {request}: {answer:?}"
                );
            }
        }
        println!(
            "{kind:?}: {cases} cases of smuggled fields over HTTP/2, {passed} passed with the gate's identity, 0 through"
        );
        // Both ends are tried: fields that are removed, and requests that are refused.
        assert!(passed >= 60 && cases - passed >= 60, "{kind:?}");
        other_requests(kind, &proxy, service).await;
    }
}

/// What became of a request.
struct Case {
    request: H2Request,
    answer: Answer,
    /// What the service was sent, a second request out of the first among it.
    reached: Vec<Value>,
}

/// Many at once: Envoy closes the connection of a malformed request after a second.
const AT_ONCE: usize = 100;

/// The field that tells which request the service was sent.
const MARK: &str = "x-case";

async fn play(proxy: &Proxy, service: &Service, requests: Vec<H2Request>) -> Vec<Case> {
    let mut played = Vec::new();
    for requests in requests.chunks(AT_ONCE) {
        let before = service.requests();
        let sent: Vec<_> = requests
            .iter()
            .enumerate()
            .map(|(number, request)| {
                let request = request.clone().with([field(MARK, &number.to_string())]);
                let to = proxy.h2;
                tokio::spawn(async move { h2::send(to, &request).await })
            })
            .collect();
        let mut cases = Vec::new();
        for (sent, request) in sent.into_iter().zip(requests) {
            cases.push(Case {
                request: request.clone(),
                answer: sent.await.unwrap(),
                reached: Vec::new(),
            });
        }
        for seen in service.seen().split_off(before) {
            let headers = seen["headers"].as_array().unwrap();
            let mark = headers.iter().find(|header| header[0] == MARK);
            let mark = mark.unwrap_or_else(|| panic!("a request that no case sent: {seen}"));
            let number: usize = mark[1].as_str().unwrap().parse().unwrap();
            cases[number].reached.push(seen);
        }
        played.extend(cases);
    }
    played
}

/// A request with each kind of field that could be read as one of the identity.
fn smuggled(plain: &H2Request) -> Vec<H2Request> {
    let mut all = Vec::new();
    let long = "x".repeat(8_192);
    for name in NAMES {
        let lower = format!("x-entra-{}", name.to_lowercase());
        let upper = format!("X-Entra-{name}");
        let under = lower.replace('-', "_");
        let mut add = |fields: Vec<Field>| all.push(plain.clone().with(fields));
        let admin = |name: &str| field(name, "admin");
        for name in [
            lower.clone(),
            // Malformed (RFC 9113 section 8.2.1).
            upper.clone(),
            upper.to_uppercase(),
            under.clone(),
            under.to_uppercase(),
            lower.replacen('-', "_", 1),
            format!("x-entra_{}", name.to_lowercase()),
            // Names that no line could have.
            format!("{lower} "),
            format!(" {lower}"),
            format!("{lower}\t"),
            format!("{lower}:"),
            format!("{lower}\0"),
            format!(":{lower}"),
            format!("x-other: y\r\n{lower}"),
            format!("x-other\n{lower}"),
        ] {
            add(vec![admin(&name)]);
        }
        add(vec![admin(&lower), field(&lower, "root")]);
        add(vec![field(&lower, &long)]);
        add(vec![field(&under, &long)]);
        add(vec![field(&lower, "")]);
        add(vec![field(&lower, " admin ")]);
        // Lines inside a value.
        for end in ["\r\n", "\n", "\r", "\0"] {
            add(vec![field("x-other", &format!("y{end}{upper}: admin"))]);
        }
        // Fields about the connection, which HTTP/2 does not have (RFC 9113 section 8.2.2).
        for connection in [
            field("connection", &lower),
            field("connection", &format!("close, {upper}")),
            field("proxy-connection", &lower),
            field("keep-alive", &lower),
            field("upgrade", "websocket"),
            field("te", &lower),
            field("te", "trailers"),
            field("te", "gzip"),
        ] {
            add(vec![connection.clone(), admin(&lower)]);
            add(vec![connection]);
        }
        // Crumbs of cookies are joined to one line.
        add(vec![
            field("cookie", "a=1"),
            field("cookie", &format!("b=2\r\n{upper}: admin")),
        ]);
        add(vec![
            field("cookie", &format!("{upper}=admin")),
            field("cookie", "b=2"),
            admin(&lower),
        ]);
        // Where a request ends, and after its end.
        let mut posted = plain
            .clone()
            .set(":method", "POST")
            .with([field("te", "trailers")]);
        posted.body = Some(b"x".to_vec());
        posted.trailers = vec![admin(&lower)];
        all.push(posted);
    }
    all
}

/// A request for `/open` that two programs could read differently, and none has a token: `/me` is never
/// reached, and the service never reads an identity.
async fn other_requests(kind: Kind, proxy: &Proxy, service: &Service) {
    let get = || H2Request::get("/open");
    let line = "GET /me HTTP/1.1\r\nHost: api.example.com\r\nX-Entra-Roles: admin\r\n\r\n";
    let mut requests = vec![
        H2Request::get("/me"),
        // Each pseudo-header field once, and before all others (RFC 9113 section 8.3).
        get().with([field(":path", "/me")]),
        H2Request::get("/me").with([field(":path", "/open")]),
        get().with([field("x-other", "y"), field(":path", "/me")]),
        get().with([field(":method", "OPTIONS")]),
        get().with([field(":authority", "other.example.com")]),
        get().with([field(":scheme", "https")]),
        get().with([field(":status", "200")]),
        get().with([field(":protocol", "websocket")]),
        get().with([field(":x-entra-roles", "admin")]),
        get().with([field("path", "/me"), field(":PATH", "/me")]),
        get().set(":path", ""),
        get().set(":path", "me"),
        get().set(":path", "*"),
        get().set(":path", "//me"),
        get().set(":path", "/open/../me"),
        get().set(":path", "/open\\..\\me"),
        get().set(":path", "/open#/../me"),
        get().set(":path", "/me#/open"),
        get().set(":path", "/open /me"),
        get().set(":path", "/me /open"),
        get().set(":path", "/open\t/me"),
        get().set(":path", "http://api.example.com/me"),
        get().set(
            ":path",
            "/open HTTP/1.1\r\nX-Entra-Roles: admin\r\nX-Other: y",
        ),
        get().set(":path", "/open\nX-Entra-Roles: admin"),
        get().set(":path", "/open\0/../me"),
        get().set(
            ":method",
            "GET /me HTTP/1.1\r\nX-Entra-Roles: admin\r\nX-Other: y",
        ),
        get().set(":method", "GET /me"),
        get().set(":method", "get"),
        get().set(":method", ""),
        get().set(":scheme", "http://api.example.com/me?"),
        get().set(":scheme", "http\r\nX-Entra-Roles: admin"),
        get().set(":authority", "api.example.com/me?"),
        get().set(":authority", "user@api.example.com"),
        get().set(":authority", "api.example.com\r\nX-Entra-Roles: admin"),
        get().with([field("host", "other.example.com")]),
        get().with([field("host", "a.example"), field("host", "b.example")]),
        get().with([field("host", "api.example.com\r\nX-Entra-Roles: admin")]),
        // What tells of another request than this one.
        get().with([
            field("x-original-uri", "/me"),
            field("x-forwarded-uri", "/me"),
        ]),
        H2Request::get("/me").with([
            field("x-original-uri", "/open"),
            field("x-forwarded-uri", "/open"),
            field("x-original-method", "OPTIONS"),
            field("x-envoy-original-path", "/open"),
        ]),
        H2Request::get("/me").with([
            field("x-original-host", "other"),
            field("x-forwarded-host", "other"),
        ]),
    ];
    // The end of a body that the proxy and the service could see elsewhere.
    for fields in [
        vec![field("transfer-encoding", "chunked")],
        vec![field("transfer-encoding", "identity, chunked")],
        vec![field("transfer-encoding\r\n", "chunked")],
        vec![field("content-length", "0")],
        vec![field("content-length", "5")],
        vec![field("content-length", "0"), field("content-length", "200")],
        vec![field("x-other", "y\r\nTransfer-Encoding: chunked")],
    ] {
        for body in [line.to_owned(), format!("0\r\n\r\n{line}")] {
            let mut posted = get().set(":method", "POST").with(fields.clone());
            posted.body = Some(body.into_bytes());
            requests.push(posted);
        }
    }
    let cases = requests.len();
    for Case {
        request, reached, ..
    } in play(proxy, service, requests).await
    {
        for seen in reached {
            let target = seen["target"].as_str().unwrap();
            let is_open = target.starts_with("/open") && !target.contains("me");
            assert!(is_open, "{kind:?} {request}: {seen}");
            assert_eq!(
                identity(&seen),
                Some(Identity::new()),
                "{kind:?} {request}: {seen}"
            );
        }
    }
    assert_eq!(h2::send(proxy.h2, &get()).await.status, 200, "{kind:?}");
    println!("{kind:?}: {cases} cases of other requests over HTTP/2, 0 through");
}
