//! What metrics and spans are told of bound tokens: `key`, `certificate` or `key_and_certificate`, of
//! admitted requests alone.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_entra::{ClientCertificate, Entra, PopTokens};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};
use tower_http::trace::TraceLayer;
use tracing::field::Empty;

use crate::key::{RSA, base64url, sha256};
use crate::log::Log;
use crate::modes::signed_with;
use crate::world::{World, send};

const CERTIFICATE: &[u8] = b"the client's certificate in DER";
const OTHER: &[u8] = b"another certificate in DER";

/// A request of the table, and what is told of it.
struct Row {
    name: &'static str,
    /// The token's `cnf`.
    cnf: Value,
    scheme: &'static str,
    shown: Option<&'static [u8]>,
    /// The binding of an admitted request, or why it is refused.
    told: Result<Option<&'static str>, &'static str>,
}

fn rows() -> Vec<Row> {
    let thumbprint = base64url(sha256(CERTIFICATE));
    let by_thumbprint = json!({ "kid": RSA.thumbprint() });
    let by_certificate = json!({ "x5t#S256": thumbprint });
    let by_both = json!({ "kid": RSA.thumbprint(), "x5t#S256": thumbprint });
    let row = |name, cnf: &Value, scheme, shown, told| Row {
        name,
        cnf: cnf.clone(),
        scheme,
        shown,
        told,
    };
    let own = Some(CERTIFICATE);
    vec![
        row("plain", &Value::Null, "Bearer", None, Ok(None)),
        row(
            "plain with a certificate",
            &Value::Null,
            "Bearer",
            own,
            Ok(None),
        ),
        row("key", &by_thumbprint, "PoP", None, Ok(Some("key"))),
        row(
            "key in full",
            &json!({ "jwk": RSA.jwk() }),
            "PoP",
            None,
            Ok(Some("key")),
        ),
        row(
            "certificate",
            &by_certificate,
            "Bearer",
            own,
            Ok(Some("certificate")),
        ),
        row(
            "mutual TLS",
            &by_certificate,
            "MTLS_POP",
            own,
            Ok(Some("certificate")),
        ),
        row(
            "both",
            &by_both,
            "PoP",
            own,
            Ok(Some("key_and_certificate")),
        ),
        row(
            "a key, not proved",
            &by_thumbprint,
            "Bearer",
            None,
            Err("sender_constrained"),
        ),
        row(
            "another certificate",
            &by_certificate,
            "Bearer",
            Some(OTHER),
            Err("proof"),
        ),
        row("half of both", &by_both, "PoP", Some(OTHER), Err("proof")),
        row("PoP, not bound", &Value::Null, "PoP", None, Err("proof")),
    ]
}

async fn world() -> World {
    World::new(|builder| builder.pop_tokens(PopTokens::Accept).record_span_fields()).await
}

impl Row {
    fn request(&self, world: &World, path: &str, token: &str, turn: u8) -> Request<Body> {
        let credential = match self.scheme {
            "PoP" => signed_with(world, token, &turn.to_string()),
            _ => token.to_owned(),
        };
        let mut request = Request::get(path)
            .header("host", "a.example")
            .header("authorization", format!("{} {credential}", self.scheme))
            .body(Body::empty())
            .unwrap();
        if let Some(der) = self.shown {
            let certificate = ClientCertificate::from_der(der);
            request.extensions_mut().insert(certificate);
        }
        request
    }
}

/// Runs something under a recorder of its own, on this thread.
fn recorded(run: impl Future<Output = ()>) -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    ::metrics::with_local_recorder(&recorder, || runtime.block_on(run));
    handle
}

/// The lines of the metric, sorted.
fn counted(handle: &PrometheusHandle) -> Vec<String> {
    let page = handle.render();
    let lines = page.lines();
    let mut own: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("axum_entra_bound_tokens_total{"))
        .map(str::to_owned)
        .collect();
    own.sort();
    own
}

#[test]
fn admitted_bound_tokens_are_counted_by_their_binding_new_and_known() {
    for row in rows() {
        let handle = recorded(async {
            let world = world().await;
            let token = world.token(row.cnf.clone());
            // The first request waits for keys, the second is new no more.
            for turn in 0..3 {
                let request = row.request(&world, "/", &token, turn);
                let expected = row.told.map_or_else(|reason| reason, |_| "in");
                assert_eq!(world.send(request).await.brief(), expected, "{}", row.name);
            }
        });
        let expected = match row.told {
            Ok(Some(binding)) => vec![format!("binding=\"{binding}\"}} 3")],
            _ => Vec::new(),
        };
        assert_eq!(counted(&handle), expected, "{}", row.name);
    }
}

#[test]
fn a_bound_token_for_another_resource_is_not_counted() {
    let handle = recorded(async {
        let world = World::new(|builder| builder).await;
        let resources = ["https://api.example/a", "https://api.example/b"];
        let [one, other] = resources;
        let authority = axum_entra::Authority::entra(
            axum_entra::Tenant::new(entra_emulator::CONTOSO),
            entra_emulator::API_ID,
        );
        let authority = authority
            .instance(world.emulator.url())
            .sts_instance(world.emulator.url())
            .audience(one)
            .audience(other);
        let entra = Entra::builder_for(authority)
            .resource(one)
            .resource(other)
            .build()
            .unwrap();
        let router = Router::new()
            .fallback(|| async { "in" })
            .layer(entra.layer());
        let row = rows().swap_remove(4);
        let token = world.emulator.token().user("alice").audience(one);
        let token = token.claim("cnf", row.cnf.clone()).mint();
        for turn in 0..2 {
            let request = row.request(&world, "/b", &token, turn);
            assert_eq!(send(&router, request).await.brief(), "audience");
            let request = row.request(&world, "/a", &token, turn);
            assert_eq!(send(&router, request).await.brief(), "in");
        }
    });
    assert_eq!(counted(&handle), [r#"binding="certificate"} 2"#]);
}

#[tokio::test]
async fn a_span_is_told_the_binding_of_an_admitted_request_alone() {
    for row in rows() {
        let world = world().await;
        let trace = TraceLayer::new_for_http().make_span_with(|_: &Request<_>| {
            tracing::info_span!("request", entra.binding = Empty, entra.reason = Empty)
        });
        let router = world.router.clone().layer(trace);
        let token = world.token(row.cnf.clone());
        for turn in 0..3 {
            let (log, _listening) = Log::listen();
            drop(send(&router, row.request(&world, "/", &token, turn)).await);
            let [line] = &*log.lines("close time") else {
                panic!("{}", log.text());
            };
            let fields = line.split_once("request{").map_or("", |(_, rest)| rest);
            let fields = fields.split('}').next().unwrap_or_default();
            let expected = match row.told {
                Ok(Some(binding)) => format!("entra.binding=\"{binding}\""),
                Ok(None) => String::new(),
                Err(reason) => format!("entra.reason=\"{reason}\""),
            };
            assert_eq!(fields, expected, "{}, turn {turn}", row.name);
        }
    }
}
