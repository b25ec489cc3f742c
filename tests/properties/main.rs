//! Properties of answers, for names and addresses that are unlikely in practice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod challenge_reader;
#[allow(dead_code, reason = "the API's tests use all of it")]
#[path = "../api/signer.rs"]
mod signer;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::routing::get;
use axum_entra::guard::{Guard as _, RequireAuthContext, RequireRole, RequireScope};
use axum_entra::{Authority, Clock, Entra, ProtectedResource, Tenant};
use challenge_reader::{Challenge, read};
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt as _;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const API: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

fn token() -> String {
    let now = Clock::system().now().as_secs();
    let payload = json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": API,
        "tid": TENANT, "ver": "2.0", "exp": now + 3_600, "scp": "nothing", "azp": "c", "xms_cc": ["cp1"],
    });
    signer::key(0).sign(r#"{"alg":"RS256","kid":"k"}"#, &payload.to_string())
}

/// The challenge in the answer to a request that a route's guard refuses.
fn challenge(runtime: &tokio::runtime::Runtime, metadata: &str, route: Router) -> Challenge {
    runtime.block_on(async {
        let authority = Authority::entra(Tenant::new(TENANT), API)
            .static_jwks(signer::key(0).jwks("k").to_string());
        let entra = Entra::builder_for(authority)
            .resource(ProtectedResource::unaddressed().metadata_url(metadata))
            .build()
            .unwrap();
        let router = route.route_layer(entra.layer());
        let request = Request::get("/")
            .header(AUTHORIZATION, format!("Bearer {}", token()))
            .body(Body::empty())
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let headers: Vec<_> = answer.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        assert_eq!(headers.len(), 1);
        let text = headers[0].to_str().expect("ASCII");
        read(text).unwrap_or_else(|| panic!("no challenge: {text}"))
    })
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

fn parameter<'c>(challenge: &'c Challenge, name: &str) -> Option<&'c str> {
    challenge
        .parameters
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.as_str())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_challenge_can_always_be_read(
        scope in ".{0,20}|[ -~]{0,20}", metadata in ".{0,20}|https://[a-z./]{0,20}"
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let guard = RequireRole("no-such-role").or(RequireScope(scope.clone()));
        let route = Router::new().route("/", get(|| async {}).layer(guard));
        let read = challenge(&runtime, &metadata, route);
        prop_assert_eq!(read.scheme.as_str(), "Bearer");
        prop_assert_eq!(parameter(&read, "error"), Some("insufficient_scope"));
        let kept = |text: &str| (is_plain(text) && !text.is_empty()).then(|| text.to_owned());
        // By the names that a client can request.
        let full = scope.split(' ').filter(|word| !word.is_empty()).map(|word| match word.contains("://") {
            true => word.to_owned(),
            false => format!("api://{API}/{word}"),
        });
        let full = full.collect::<Vec<_>>().join(" ");
        prop_assert_eq!(parameter(&read, "scope").map(str::to_owned), kept(&full));
        prop_assert_eq!(parameter(&read, "resource_metadata").map(str::to_owned), kept(&metadata));
    }

    #[test]
    fn a_claims_challenge_can_always_be_read(context in ".{0,20}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let guard = RequireAuthContext(context.clone());
        let route = Router::new().route("/", get(|| async {}).layer(guard));
        let read = challenge(&runtime, "", route);
        prop_assert_eq!(parameter(&read, "error"), Some("insufficient_claims"));
        let claims = parameter(&read, "claims").expect("claims");
        let claims = base64_simd::STANDARD.decode_to_vec(claims).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        prop_assert_eq!(&claims["access_token"]["acrs"]["value"], &json!(context));
    }
}

#[test]
fn the_reader_is_strict() {
    for good in [
        "Bearer",
        r#"Bearer a="b""#,
        r#"Bearer a="b", c=d"#,
        r#"Bearer a="\"""#,
    ] {
        assert!(read(good).is_some(), "{good}");
    }
    for bad in [
        "",
        "Bearer ",
        " Bearer",
        r#"Bearer a="b"#,
        r#"Bearer a="b" c="d""#,
        r#"Bearer a="b",c="d""#,
        r#"Bearer a="b", a="c""#,
        r#"Bearer  a="b""#,
        "Bearer a=\"\u{e9}\"",
        r#"Bearer ="b""#,
    ] {
        assert!(read(bad).is_none(), "{bad}");
    }
}
