//! The tokens that Microsoft's pages print: one is genuine, the others were changed by hand.

use std::time::Duration;

use axum_entra::guard::{
    Caller, DenyGuests, Guard as _, RequireAccountId, RequireB2cPolicy, RequireClientAuthMethod,
    RequireMfa,
};
use axum_entra::{
    Authority, ClientAuthMethod, Clock, Entra, GroupIds, Groups, Principal, Tenant, TokenVersion,
    UnixTime,
};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};

use crate::service::{Runs, fetch, protected};
use crate::signer::key;

const B2C_TOKEN: &str = include_str!("../vectors/b2c/id_token.jwt");
const B2C_KEYS: &str = include_str!("../vectors/b2c/keys.json");
const V1_PADDED: &str = include_str!("../vectors/printed/v1_padded.jwt");
const V1_UNPADDED: &str = include_str!("../vectors/printed/v1_unpadded.jwt");
const V2: &str = include_str!("../vectors/printed/v2.jwt");

/// A time within both lifetimes of 2018.
const T0: u64 = 1_537_233_200;
const KID: &str = "i6lGk3FZzxRcUb2C3nEQ7syHJlY";
const T_V1: &str = "fa15d692-e9c7-4460-a743-29f2956fd429";

fn b2c() -> Authority {
    Authority::b2c(
        "https://login.microsoftonline.com",
        Tenant::new("775527ff-9a37-4307-8b3d-cc311f58d925"),
        "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6",
        ["B2C_1_Sign_In_Stock"],
    )
    .static_jwks(B2C_KEYS)
    .clock_skew(Duration::ZERO)
    .danger_allow_tokens_without_permissions()
    .danger_accept_id_tokens()
}

fn built(authority: Authority) -> Entra {
    Entra::builder_for(authority).build().unwrap()
}

fn v1(version: TokenVersion) -> Entra {
    built(
        Authority::entra(Tenant::new(T_V1), "ef1da9d4-ff77-4c3e-a005-840c3f830745")
            .token_versions([version])
            .static_jwks(key(0).jwks(KID).to_string())
            .clock_skew(Duration::ZERO),
    )
}

fn v2() -> Entra {
    built(
        Authority::entra(
            Tenant::new("72f988bf-86f1-41af-91ab-2d7cd011db47"),
            "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        )
        .static_jwks(key(0).jwks(KID).to_string())
        .clock_skew(Duration::ZERO),
    )
}

/// What a token brings: `in`, or the reason of its refusal.
fn outcome(entra: &Entra, token: &str, now: u64) -> &'static str {
    match entra.validate_at(token, UnixTime::from_secs(now)) {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}

/// The claims of a printed token, padding or not.
fn claims_of(token: &str) -> Map<String, Value> {
    let payload = token.split('.').nth(1).unwrap().trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
}

fn signed(claims: &Map<String, Value>) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": KID, "kid": KID });
    key(0).sign(
        &header.to_string(),
        &Value::Object(claims.clone()).to_string(),
    )
}

fn with(claims: &Map<String, Value>, name: &str, value: impl Into<Value>) -> Map<String, Value> {
    let mut claims = claims.clone();
    claims.insert(name.to_owned(), value.into());
    claims
}

#[tokio::test]
async fn a_genuine_token_is_valid_in_its_lifetime_and_never_again() {
    let (entra, token) = (built(b2c()), B2C_TOKEN.trim());
    let table = [
        (1_442_356_433, "not_yet_valid"),
        (1_442_356_434, "in"),
        (1_442_357_000, "in"),
        (1_442_360_033, "in"),
        (1_442_360_034, "expired"),
        (1_800_000_000, "expired"),
    ];
    for (now, expected) in table {
        assert_eq!(outcome(&entra, token, now), expected, "{now}");
    }
}

#[tokio::test]
async fn a_genuine_token_is_valid_for_its_own_authority_alone() {
    let token = B2C_TOKEN.trim();
    let at = |authority: Authority| outcome(&built(authority), token, 1_442_357_000);
    let others = |tenant: &str, client: &str, policy: &str| {
        Authority::b2c(
            "https://login.microsoftonline.com",
            Tenant::new(tenant),
            client,
            [policy],
        )
        .static_jwks(B2C_KEYS)
        .danger_allow_tokens_without_permissions()
        .danger_accept_id_tokens()
    };
    let (tenant, client) = (
        "775527ff-9a37-4307-8b3d-cc311f58d925",
        "90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6",
    );
    let policy = "b2c_1_sign_in_stock";
    assert_eq!(at(others(tenant, client, policy)), "in");
    assert_eq!(at(others(T_V1, client, policy)), "issuer");
    assert_eq!(at(others(tenant, T_V1, policy)), "audience");
    assert_eq!(at(others(tenant, client, "b2c_1_sign_in")), "policy");
    // Entra, v2.0, of the same tenant: its issuer has no slash at the end.
    let entra = Authority::entra(Tenant::new(tenant), client).static_jwks(B2C_KEYS);
    assert_eq!(at(entra), "issuer");
    let strict = Authority::b2c(
        "https://login.microsoftonline.com",
        Tenant::new(tenant),
        client,
        [policy],
    )
    .static_jwks(B2C_KEYS);
    assert_eq!(at(strict.clone()), "id_token");
    assert_eq!(
        at(strict.clone().danger_allow_tokens_without_permissions()),
        "id_token"
    );
    assert_eq!(at(strict.danger_accept_id_tokens()), "no_permissions");
}

#[tokio::test]
async fn one_changed_character_of_a_genuine_token_is_found() {
    let (entra, token) = (built(b2c()), B2C_TOKEN.trim());
    let signature = token.rfind('.').unwrap() + 1;
    for place in (signature..token.len() - 1).step_by(29) {
        let mut damaged = token.as_bytes().to_vec();
        damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        assert_eq!(
            outcome(&entra, &damaged, 1_442_357_000),
            "bad_signature",
            "{place}"
        );
    }
    let (header, rest) = token.split_once('.').unwrap();
    let claims = with(&claims_of(token), "idp", "facebook.org");
    let payload = URL_SAFE_NO_PAD.encode_to_string(Value::Object(claims).to_string());
    let (_, signature) = rest.split_once('.').unwrap();
    let forged = format!("{header}.{payload}.{signature}");
    assert_eq!(outcome(&entra, &forged, 1_442_357_000), "bad_signature");
}

#[tokio::test]
async fn another_library_says_the_same_of_the_genuine_token() {
    let keys: Value = serde_json::from_str(B2C_KEYS).unwrap();
    let text = |name: &str| keys["keys"][0][name].as_str().unwrap().to_owned();
    let key = DecodingKey::from_rsa_components(&text("n"), &text("e")).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.set_audience(&["90c0fe63-bcf2-44d5-8fb7-b8bbc0b29dc6"]);
    let theirs = jsonwebtoken::decode::<Value>(B2C_TOKEN.trim(), &key, &rules).unwrap();
    let ours = built(b2c())
        .validate_at(B2C_TOKEN.trim(), UnixTime::from_secs(1_442_357_000))
        .unwrap();
    assert_eq!(theirs.claims["iss"], ours.issuer());
    assert_eq!(theirs.claims["exp"], ours.expires_at().as_secs());
}

#[tokio::test]
async fn the_genuine_token_says_what_its_page_says() {
    let claims = built(b2c())
        .validate_at(B2C_TOKEN.trim(), UnixTime::from_secs(1_442_357_000))
        .unwrap();
    assert_eq!(claims.version(), TokenVersion::V1);
    assert_eq!(claims.b2c_policy(), Some("b2c_1_sign_in_stock"));
    assert_eq!(claims.identity_provider(), "facebook.com");
    assert_eq!(claims.auth_time(), Some(UnixTime::from_secs(1_442_356_434)));
    assert_eq!(claims.principal(), Principal::User);
    assert_eq!(
        claims.tenant_id().map(|id| id.to_string()).as_deref(),
        Some("775527ff-9a37-4307-8b3d-cc311f58d925")
    );
    assert_eq!(
        claims.subject(),
        Some("Not supported currently. Use oid claim.")
    );
    assert_eq!(claims.account_id(), None);
    let caller = Caller::at(&claims, UnixTime::from_secs(1_442_357_000));
    assert!(
        RequireB2cPolicy("B2C_1_SIGN_IN_STOCK")
            .check(&caller)
            .is_ok()
    );
    assert!(RequireB2cPolicy("b2c_1_sign_in").check(&caller).is_err());
    assert!(RequireAccountId.check(&caller).is_err());
}

#[tokio::test]
async fn printed_tokens_are_refused_as_they_stand() {
    let runs = Runs::default();
    let table = [
        (v1(TokenVersion::V1), V1_PADDED, (400, "malformed_header")),
        (v1(TokenVersion::V1), V1_UNPADDED, (401, "malformed")),
        (v2(), V2, (401, "malformed")),
    ];
    for (entra, token, (status, reason)) in table {
        // The padding is no credential over HTTP; handed over as text it is no token.
        assert_eq!(outcome(&entra, token.trim(), T0), "malformed");
        let answer = fetch(&protected(&entra, &runs), "/", token.trim()).await;
        assert_eq!(answer.brief(), (status, reason.to_owned()));
    }
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn each_fault_of_the_printed_v1_sample_refuses_it_alone() {
    let entra = v1(TokenVersion::V1);
    let good = with(
        &claims_of(V1_UNPADDED),
        "iss",
        format!("https://sts.windows.net/{T_V1}/"),
    );
    assert_eq!(outcome(&entra, &signed(&good), T0), "in");
    let broken = "https://sts.windows.net/fa15d692-e9c7-4460-a743-29f29522229/";
    let table = [
        (
            "expired since 2018",
            signed(&good),
            1_790_000_000,
            "expired",
        ),
        (
            "issuer GUID of 31 digits",
            signed(&with(&good, "iss", broken)),
            T0,
            "issuer",
        ),
        (
            "tid of another tenant",
            signed(&with(&good, "tid", "72f988bf-86f1-41af-91ab-2d7cd011db47")),
            T0,
            "issuer",
        ),
        (
            "no slash",
            signed(&with(
                &good,
                "iss",
                format!("https://sts.windows.net/{T_V1}"),
            )),
            T0,
            "issuer",
        ),
    ];
    for (name, token, now, expected) in table {
        assert_eq!(outcome(&entra, &token, now), expected, "{name}");
    }
    let token = signed(&good);
    let (start, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = start.split_once('.').unwrap();
    let damaged = [
        (format!("{header}.{payload}=.{signature}"), "malformed"),
        // As printed: 19 characters that decode to 14 bytes and two bits too many.
        (format!("{start}.D3H6pMUtQnoJAGq6AHd"), "malformed"),
        // The same 14 bytes in their canonical spelling are a signature, only not this key's.
        (format!("{start}.D3H6pMUtQnoJAGq6AHc"), "bad_signature"),
    ];
    for (token, expected) in damaged {
        assert_eq!(outcome(&entra, &token, T0), expected, "{token}");
    }
}

#[tokio::test]
async fn a_printed_token_signed_anew_says_what_its_page_says() {
    let issuer = format!("https://sts.windows.net/{T_V1}/");
    let repaired = signed(&with(&claims_of(V1_PADDED), "iss", issuer));
    let claims = v1(TokenVersion::V1)
        .validate_at(&repaired, UnixTime::from_secs(T0))
        .unwrap();
    let caller = Caller::at(&claims, UnixTime::from_secs(T0));
    assert!(claims.is_guest(), "its idp is another tenant");
    assert_eq!(claims.client_auth_method(), Some(ClientAuthMethod::Public));
    assert_eq!(claims.acr(), Some("1"));
    let lifetime = claims
        .expires_at()
        .duration_since(claims.issued_at().unwrap());
    assert_eq!(lifetime, Some(Duration::from_secs(3_900)));
    assert!(RequireMfa.check(&caller).is_err(), "acr 1 proves nothing");
    assert!(DenyGuests.check(&caller).is_err());
    assert!(
        RequireClientAuthMethod(ClientAuthMethod::Secret)
            .check(&caller)
            .is_err()
    );
    assert_eq!(claims.profile().email(), Some("AbeLi@microsoft.com"));
    for opaque in ["aio", "rh", "uti"] {
        assert_eq!(claims.extra::<Value>(opaque), None, "{opaque}");
    }

    let claims = v2()
        .validate_at(&signed(&claims_of(V2)), UnixTime::from_secs(T0))
        .unwrap();
    assert_eq!(
        claims
            .client_id()
            .map(|client| client.to_string())
            .as_deref(),
        claims.audiences().next(),
        "the app calls itself"
    );
    assert_eq!(claims.authentication_methods().count(), 0);
    assert_eq!(claims.groups(), Groups::Absent);
    assert_eq!(claims.identity_provider(), claims.issuer());
    assert!(!claims.is_guest());
}

#[tokio::test]
async fn every_printed_shape_of_the_overage_claim_is_understood() {
    let base = claims_of(V2);
    let entra = v2();
    let source = |endpoint: &str| json!({ "src1": { "endpoint": endpoint } });
    let shapes = [
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": source("https://graph.windows.net/t/users/u/getMemberObjects") }),
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": source("https://graph.microsoft.com/v1.0/users/u/getMemberObjects") }),
        json!({ "groups": "src1", "_claim_sources": source("https://evil.example/x") }),
        json!({ "hasgroups": true }),
        json!({ "hasgroups": "true" }),
        json!({ "_claim_names": { "groups": "src2" } }),
        json!({ "_claim_names": { "groups": {} } }),
        json!({ "_claim_names": "groups" }),
        json!({ "_claim_names": { "groups": "src1" }, "groups": [] }),
    ];
    for shape in shapes {
        let mut claims = base.clone();
        claims.extend(shape.as_object().unwrap().clone());
        let claims = entra
            .validate_at(&signed(&claims), UnixTime::from_secs(T0))
            .unwrap();
        assert!(matches!(claims.groups(), Groups::Overage(_)), "{shape}");
    }
    let others = [
        (json!({ "hasgroups": false }), "not_issued"),
        (json!({ "_claim_names": { "other": "src1" } }), "not_issued"),
        (json!({ "groups": [] }), "listed"),
        (json!({ "groups": null, "hasgroups": null }), "not_issued"),
    ];
    for (shape, state) in others {
        let mut claims = base.clone();
        claims.extend(shape.as_object().unwrap().clone());
        let claims = entra
            .validate_at(&signed(&claims), UnixTime::from_secs(T0))
            .unwrap();
        assert_eq!(claims.groups().as_str(), state, "{shape}");
    }
    let listed = with(&base, "groups", json!(["g1", "g2"]));
    let claims = entra
        .validate_at(&signed(&listed), UnixTime::from_secs(T0))
        .unwrap();
    match claims.groups() {
        Groups::Complete(ids) => assert_eq!(GroupIds::iter(&ids).collect::<Vec<_>>(), ["g1", "g2"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_broken_into_lines_as_in_print_is_no_token() {
    let entra = Entra::builder_for(b2c())
        .clock(Clock::from_fn(|| UnixTime::from_secs(1_442_357_000)))
        .build()
        .unwrap();
    let runs = Runs::default();
    let router = protected(&entra, &runs);
    let token = B2C_TOKEN.trim();
    assert_eq!(fetch(&router, "/", token).await.status.as_u16(), 200);
    let (start, end) = token.split_at(200);
    for between in [" ", "\t"] {
        let broken = format!("{start}{between}{end}");
        let answer = fetch(&router, "/", &broken).await;
        assert_eq!(answer.brief(), (400, "malformed_header".to_owned()));
        assert_eq!(outcome(&entra, &broken, 1_442_357_000), "malformed");
    }
    let lines = format!("{start}\n{end}");
    assert_eq!(outcome(&entra, &lines, 1_442_357_000), "malformed");
    assert_eq!(runs.count(), 1);
}
