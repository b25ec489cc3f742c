//! "Why 401?": the explanation is the validator's verdict, told.

mod hints;
mod steps;

use axum_entra::explain::Outcome;
use axum_entra::guard::{Guard, RequireGroup, RequireRole, RequireScope};
use axum_entra::{Authority, Clock, Entra, Tenant, UnixTime};
use entra_emulator::{API_ID, B2C_POLICY, Emulator, FABRIKAM, TokenBuilder};
use proptest::prelude::*;
use serde_json::json;

use super::trusting;

const NOW: u64 = 1_900_000_000;

async fn emulated() -> (Emulator, Entra) {
    let emulator = Emulator::start().await.unwrap();
    let entra = trusting(&emulator).build().unwrap();
    // The first waits for the first keys and asks for more, the second waits for those: then
    // the cooldown of unknown ids has begun.
    for version in [TokenBuilder::v1, TokenBuilder::v2] {
        for _ in 0..2 {
            let unknown = version(emulator.token()).key("unknown-kid").mint();
            assert!(entra.validate(&unknown).await.is_err());
        }
    }
    (emulator, entra)
}

/// A text without what is another one in every run.
fn neutral(emulator: &Emulator, text: &str) -> String {
    text.replace(emulator.url(), "{authority}")
        .replace(&emulator.signing_key_id(), "{key}")
}

fn now() -> u64 {
    Clock::system().now().as_secs()
}

/// The explanation says what the validator says, and its steps lead there.
fn agree(entra: &Entra, token: &str, now: u64) -> Option<&'static str> {
    let verdict = entra.validate_at(token, UnixTime::from_secs(now));
    let explanation = entra.explain_at(token, UnixTime::from_secs(now));
    let reason = verdict
        .as_ref()
        .err()
        .map(axum_entra::ValidateError::reason);
    assert_eq!(explanation.reason(), reason, "{explanation}");
    assert_eq!(explanation.is_accepted(), verdict.is_ok());
    let failed = explanation
        .steps()
        .iter()
        .find(|step| step.outcome == Outcome::Failed);
    assert_eq!(failed.and_then(|step| step.reason), reason, "{explanation}");
    assert!(
        explanation
            .steps()
            .iter()
            .all(|step| !step.verified || explanation.is_signature_verified()),
        "{explanation}"
    );
    reason
}

type Spoil = fn(TokenBuilder) -> TokenBuilder;

const TABLE: &[(&str, Option<&str>, Spoil)] = &[
    ("good", None, |token| token),
    ("good v1", None, TokenBuilder::v1),
    ("app", None, |token| token.app("daemon")),
    ("late", Some("expired"), TokenBuilder::expired),
    ("early", Some("not_yet_valid"), |token| {
        token.issued_at(4_000_000_000)
    }),
    ("other api", Some("audience"), |token| {
        token.audience("api://other")
    }),
    ("graph", Some("graph_token"), |token| {
        token.audience("https://graph.microsoft.com")
    }),
    ("graph nonce", Some("graph_token"), |token| {
        token.header("nonce", "n").unpublished_key().key("k")
    }),
    ("other tenant", Some("issuer"), |token| {
        token.tenant(FABRIKAM)
    }),
    ("no ver", Some("version"), |token| token.without("ver")),
    ("odd tid", Some("issuer"), |token| token.claim("tid", "x")),
    ("bound", Some("sender_constrained"), |token| {
        token.claim("cnf", json!({}))
    }),
    ("no permissions", Some("no_permissions"), |token| {
        token.without("scp").without("roles")
    }),
    ("odd scp", Some("malformed"), |token| token.claim("scp", 1)),
    ("odd iss", Some("malformed"), |token| token.claim("iss", 1)),
    ("none", Some("algorithm"), |token| {
        token.header("alg", "none").raw_signature("")
    }),
    ("crit", Some("critical_header"), |token| {
        token.header("crit", json!(["x"]))
    }),
    ("typ", Some("token_type"), |token| {
        token.header("typ", "JWE")
    }),
    ("no kid", Some("unknown_key"), |token| {
        token.without_header("kid")
    }),
    ("other kid", Some("unknown_key"), |token| {
        token.header("kid", "k")
    }),
    ("forged", Some("bad_signature"), |token| {
        token.raw_signature("AAAA")
    }),
    ("payload", Some("malformed"), |token| {
        token.raw_payload("[]")
    }),
    ("policy", Some("issuer"), |token| token.policy(B2C_POLICY)),
];

#[tokio::test]
async fn the_verdict_is_the_validators_for_every_token_of_the_table() {
    let (emulator, entra) = emulated().await;
    for (name, expected, spoil) in TABLE {
        let mut token = spoil(emulator.token()).mint();
        if *name == "graph nonce" {
            token = emulator
                .token()
                .header("nonce", "n")
                .raw_signature("AAAA")
                .mint();
        }
        assert_eq!(agree(&entra, &token, now()), *expected, "{name}");
    }
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer x",
        "a.b.c.d.e",
        &"x".repeat(70_000),
    ] {
        assert!(agree(&entra, text, now()).is_some());
    }
}

#[test]
fn the_verdict_is_the_validators_for_random_tokens() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (emulator, entra) = runtime.block_on(emulated());
    let good = emulator.token().mint();
    // A letter anywhere, a cut, an addition.
    proptest!(ProptestConfig::with_cases(600), |(place in 0..good.len(), letter in "[A-Za-z0-9_.=-]", keep in any::<bool>())| {
        let mut token = good.clone();
        token.replace_range(place..=place, if keep { &letter } else { "" });
        agree(&entra, &token, now());
        agree(&entra, &good[..place], now());
    });
    let names = [
        "iss", "aud", "tid", "ver", "exp", "nbf", "iat", "scp", "roles", "cnf", "tfp", "groups",
    ];
    let values = [
        json!(null),
        json!(1),
        json!(-1),
        json!("2.0"),
        json!("1.0"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!(4_000_000_000_u64),
        json!(API_ID),
        json!(FABRIKAM),
        json!(emulator.issuer(FABRIKAM)),
        json!(emulator.issuer_v1(entra_emulator::CONTOSO)),
        json!(""),
    ];
    proptest!(ProptestConfig::with_cases(300), |(
        edits in prop::collection::vec((0..names.len(), 0..values.len()), 1..4), v1 in any::<bool>()
    )| {
        let start = if v1 { emulator.token().v1() } else { emulator.token() };
        let token = edits.iter().fold(start, |token, (name, value)| token.claim(names[*name], values[*value].clone()));
        agree(&entra, &token.mint(), now());
    });
}

#[tokio::test]
async fn a_route_is_asked_as_its_guard_would_be() {
    let (emulator, entra) = emulated().await;
    let at = |token: TokenBuilder, guard: &dyn Guard| {
        entra
            .explain_at(&token.mint(), UnixTime::from_secs(now()))
            .with_guard("/x", guard)
    };
    let scope = RequireScope("access_as_user");
    assert!(at(emulator.token(), &scope).is_accepted());
    let app = at(emulator.token().app("daemon"), &scope);
    assert_eq!(app.reason(), Some("scope"));
    assert!(app.hints().join("").contains("client credentials"));
    let overage = at(
        emulator.token().user("dave"),
        &RequireGroup("aaaaaaaa-0000-4000-8000-000000000001"),
    );
    assert_eq!(overage.reason(), Some("groups_overage"));
    assert!(overage.hints().join("").contains("overage"));
    assert_eq!(
        at(emulator.token(), &RequireRole("No")).reason(),
        Some("role")
    );
    let late = at(emulator.token().expired(), &scope);
    assert_eq!(late.reason(), Some("expired"));
    assert_eq!(late.steps().last().unwrap().outcome, Outcome::Skipped);
}

#[tokio::test]
async fn unverified_values_are_marked_and_the_token_is_not_repeated() {
    let (emulator, entra) = emulated().await;
    let forged = emulator
        .token()
        .audience("api://other")
        .raw_signature("AAAA")
        .mint();
    let explanation = entra.explain_at(&forged, UnixTime::from_secs(now()));
    assert!(!explanation.is_signature_verified());
    let audience = explanation
        .steps()
        .iter()
        .find(|step| step.check == "audience")
        .unwrap();
    assert_eq!(
        (audience.outcome, audience.verified),
        (Outcome::Skipped, false)
    );
    assert_eq!(audience.found.as_deref(), Some("aud api://other"));
    let (page, json) = (
        explanation.to_string(),
        serde_json::to_string(&explanation).unwrap(),
    );
    for part in forged.split('.').filter(|part| part.len() > 8) {
        assert!(!page.contains(part) && !json.contains(part));
    }
    for told in [&page, &json, &format!("{explanation:?}")] {
        assert!(!told.contains("alice"), "{told}");
    }
    assert!(
        page.contains("values marked ? are untrusted") && page.contains("refused: bad_signature"),
        "{page}"
    );
}

#[tokio::test]
async fn while_keys_are_missing_the_explanation_says_so() {
    let tenant = Tenant::new(entra_emulator::CONTOSO);
    let authority = Authority::entra(tenant, API_ID).instance("http://127.0.0.1:9");
    let entra = Entra::builder_for(authority).build().unwrap();
    let emulator = Emulator::start().await.unwrap();
    let issuer = format!("http://127.0.0.1:9/{}/v2.0", entra_emulator::CONTOSO);
    let token = emulator.token().issuer(issuer).mint();
    let explanation = entra.explain_at(&token, UnixTime::from_secs(NOW));
    assert_eq!(explanation.reason(), Some("keys_unavailable"));
    assert!(explanation.hints().join("").contains("cannot reach"));
}
