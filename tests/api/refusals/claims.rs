//! What the claims say.

use std::time::Duration;

use axum_entra::{AllowedTenants, Authority, Entra, TokenVersion, UnixTime};
use serde_json::{Value, json};

use super::{
    API, EXP, OTHER, T0, TENANT, authority, built, good, hold, mint, outcome, rewritten, text,
    with, without,
};

fn rows<const N: usize>(
    table: [(Value, &'static str); N],
) -> impl Iterator<Item = (String, String, &'static str)> {
    table
        .into_iter()
        .map(|(changes, expected)| (changes.to_string(), mint(&with(changes)), expected))
}

#[tokio::test]
async fn the_audience_is_this_api_byte_for_byte() {
    let uri = format!("api://{API}");
    let graph = "00000003-0000-0000-c000-000000000000";
    hold(
        &built(authority()),
        rows([
            (json!({ "aud": API }), "in"),
            (json!({ "aud": uri }), "in"),
            (json!({ "aud": [API] }), "in"),
            (json!({ "aud": ["https://other.example", uri] }), "in"),
            (json!({ "aud": ["https://other.example"] }), "audience"),
            (json!({ "aud": API.to_uppercase() }), "audience"),
            (json!({ "aud": format!("{uri}/") }), "audience"),
            (json!({ "aud": format!(" {API}") }), "audience"),
            (json!({ "aud": "" }), "audience"),
            (json!({ "aud": null }), "audience"),
            (json!({ "aud": [] }), "malformed"),
            (json!({ "aud": [1] }), "malformed"),
            (json!({ "aud": [API, null] }), "malformed"),
            (json!({ "aud": 5 }), "malformed"),
            (json!({ "aud": true }), "malformed"),
            (json!({ "aud": { "0": API } }), "malformed"),
            (json!({ "aud": graph }), "graph_token"),
            (
                json!({ "aud": "https://graph.microsoft.com" }),
                "graph_token",
            ),
            (json!({ "aud": [graph, API] }), "in"),
        ]),
    );
    assert_eq!(
        outcome(&built(authority()), &mint(&without(&["aud"]))),
        "audience"
    );
    // What was configured is all that counts.
    let entra = built(authority().audience("https://api.example/"));
    hold(
        &entra,
        rows([
            (json!({ "aud": "https://api.example/" }), "in"),
            (json!({ "aud": "https://api.example" }), "audience"),
            (json!({ "aud": API }), "audience"),
        ]),
    );
}

#[tokio::test]
async fn the_issuer_is_the_authority_byte_for_byte() {
    let host = "https://login.microsoftonline.com";
    let iss = |text: String| json!({ "iss": text });
    let upper = "ABCDEFAB-1111-4111-8111-111111111111";
    hold(
        &built(authority()),
        rows([
            (iss(format!("{host}/{TENANT}/v2.0")), "in"),
            (iss(format!("{host}/{TENANT}/v2.0/")), "issuer"),
            (iss(format!("{host}/{TENANT}/V2.0")), "issuer"),
            (iss(format!("{host}/{OTHER}/v2.0")), "issuer"),
            (iss(format!("{host}/common/v2.0")), "issuer"),
            (iss(format!("{host}/{{tenantid}}/v2.0")), "issuer"),
            (
                iss(format!("http://login.microsoftonline.com/{TENANT}/v2.0")),
                "issuer",
            ),
            (
                iss(format!("https://login.windows.net/{TENANT}/v2.0")),
                "issuer",
            ),
            (
                iss(format!("https://login.microsoftonline.us/{TENANT}/v2.0")),
                "issuer",
            ),
            (
                iss(format!("HTTPS://login.microsoftonline.com/{TENANT}/v2.0")),
                "issuer",
            ),
            (iss(format!("{host}:443/{TENANT}/v2.0")), "issuer"),
            (iss(format!("{host}.evil.example/{TENANT}/v2.0")), "issuer"),
            (iss(format!("{host}/x/../{TENANT}/v2.0")), "issuer"),
            (iss(format!("{host}/{upper}/v2.0")), "issuer"),
            (iss(String::new()), "issuer"),
            (json!({ "iss": null }), "issuer"),
            (json!({ "iss": 5 }), "malformed"),
            (
                json!({ "iss": [format!("{host}/{TENANT}/v2.0")] }),
                "malformed",
            ),
        ]),
    );
    assert_eq!(
        outcome(&built(authority()), &mint(&without(&["iss"]))),
        "issuer"
    );
}

#[tokio::test]
async fn the_tenant_is_a_guid_and_that_of_the_issuer() {
    hold(
        &built(authority()),
        rows([
            (json!({ "tid": TENANT }), "in"),
            (json!({ "tid": OTHER }), "issuer"),
            (json!({ "tid": TENANT.replace('-', "") }), "issuer"),
            (json!({ "tid": format!("{{{TENANT}}}") }), "issuer"),
            (json!({ "tid": format!("urn:uuid:{TENANT}") }), "issuer"),
            (json!({ "tid": format!("{TENANT} ") }), "issuer"),
            (json!({ "tid": "common" }), "issuer"),
            (json!({ "tid": "" }), "issuer"),
            (json!({ "tid": null }), "issuer"),
            (json!({ "tid": 1 }), "issuer"),
            (json!({ "tid": [TENANT] }), "issuer"),
        ]),
    );
    assert_eq!(
        outcome(&built(authority()), &mint(&without(&["tid"]))),
        "issuer"
    );

    // Letter case is folded to compare GUIDs, and never to accept another spelling of the issuer.
    let tenant = "abcdefab-1111-4111-8111-111111111111";
    let keys = json!({ "keys": [crate::signer::key(0).jwk(super::KID)] }).to_string();
    let entra = built(
        Authority::entra(axum_entra::Tenant::new(tenant.to_uppercase()), API).static_jwks(keys),
    );
    let of = |iss: &str, tid: &str| {
        let issuer = format!("https://login.microsoftonline.com/{iss}/v2.0");
        outcome(&entra, &mint(&with(json!({ "iss": issuer, "tid": tid }))))
    };
    assert_eq!(of(tenant, tenant), "in");
    assert_eq!(of(tenant, &tenant.to_uppercase()), "in");
    assert_eq!(of(&tenant.to_uppercase(), tenant), "issuer");
}

#[tokio::test]
async fn an_issuer_that_names_no_tenant_is_still_one_tenants() {
    let issuer = "https://login.contoso.example/v2.0";
    hold(
        &built(authority().issuer(issuer)),
        rows([
            (json!({ "iss": issuer }), "in"),
            (json!({ "iss": issuer, "tid": OTHER }), "issuer"),
            (json!({ "iss": issuer, "tid": null }), "issuer"),
        ]),
    );
}

#[tokio::test]
async fn the_version_fits_the_issuer_and_is_switched_on() {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    hold(
        &built(authority()),
        rows([
            (json!({ "ver": "2.0" }), "in"),
            (json!({ "ver": "1.0", "iss": v1 }), "in"),
            (json!({ "ver": "1.0" }), "version"),
            (json!({ "ver": "2.0", "iss": v1 }), "version"),
            (json!({ "ver": "3.0" }), "version"),
            (json!({ "ver": "2" }), "version"),
            (json!({ "ver": "" }), "version"),
            (json!({ "ver": null }), "version"),
            (json!({ "ver": 2 }), "malformed"),
            (json!({ "ver": 2.0 }), "malformed"),
            (json!({ "ver": ["2.0"] }), "malformed"),
        ]),
    );
    assert_eq!(
        outcome(&built(authority()), &mint(&without(&["ver"]))),
        "version"
    );
    let only = |version| built(authority().token_versions([version]));
    hold(
        &only(TokenVersion::V2),
        rows([
            (json!({ "ver": "2.0" }), "in"),
            (json!({ "ver": "1.0", "iss": v1 }), "version"),
            // The issuer of a version that is off, in a token of the other.
            (json!({ "ver": "2.0", "iss": v1 }), "issuer"),
        ]),
    );
    hold(
        &only(TokenVersion::V1),
        rows([
            (json!({ "ver": "1.0", "iss": v1 }), "in"),
            (json!({ "ver": "2.0" }), "version"),
        ]),
    );
}

#[tokio::test]
async fn times_are_numbers_that_fit() {
    let exp = |text: &str| rewritten(&format!("\"exp\":{EXP}"), &format!("\"exp\":{text}"));
    let table = [
        (EXP.to_string(), "in"),
        ("9007199254740992".into(), "in"),
        ("9007199254740991".into(), "in"),
        (format!("{EXP}.5"), "in"),
        (format!("{EXP}.0"), "in"),
        ("1.8e9".into(), "in"),
        ("9007199254740993".into(), "malformed"),
        ("1e16".into(), "malformed"),
        ("1e400".into(), "malformed"),
        ("-1".into(), "malformed"),
        ("-1e400".into(), "malformed"),
        (format!("\"{EXP}\""), "malformed"),
        ("null".into(), "malformed"),
        ("true".into(), "malformed"),
        (format!("[{EXP}]"), "malformed"),
        ("{}".into(), "malformed"),
    ];
    hold(
        &built(authority()),
        table.map(|(value, expected)| (format!("exp {value}"), exp(&value), expected)),
    );
    assert_eq!(
        outcome(&built(authority()), &mint(&without(&["exp"]))),
        "malformed"
    );
    hold(
        &built(authority()),
        rows([
            (json!({ "nbf": null, "iat": null }), "in"),
            (json!({ "nbf": 0, "iat": 0 }), "in"),
            (json!({ "nbf": "1" }), "malformed"),
            (json!({ "iat": "1" }), "malformed"),
            (json!({ "nbf": -1 }), "malformed"),
            (json!({ "iat": -1 }), "malformed"),
            (json!({ "nbf": EXP }), "not_yet_valid"),
            (json!({ "nbf": EXP + 1 }), "malformed"),
            (json!({ "nbf": T0 + 1 }), "not_yet_valid"),
            (json!({ "iat": T0 + 1 }), "not_yet_valid"),
            (json!({ "nbf": T0, "iat": T0 }), "in"),
            (json!({ "exp": T0, "nbf": null }), "expired"),
            (json!({ "exp": T0 + 1 }), "in"),
            (json!({ "exp": T0 as f64 + 0.5 }), "in"),
            (json!({ "exp": T0 as f64 - 0.5 }), "expired"),
        ]),
    );
}

#[tokio::test]
async fn clocks_may_be_apart_by_the_skew_and_no_more() {
    let at = |entra: &Entra, now: u64| match entra
        .validate_at(&mint(&good()), UnixTime::from_secs(now))
    {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    };
    let begin = T0 - 100;
    for skew in [0, 300, 600] {
        let entra = built(authority().clock_skew(Duration::from_secs(skew)));
        assert_eq!(at(&entra, EXP + skew - 1), "in", "{skew}");
        assert_eq!(at(&entra, EXP + skew), "expired", "{skew}");
        assert_eq!(at(&entra, begin - skew), "in", "{skew}");
        assert_eq!(at(&entra, begin - skew - 1), "not_yet_valid", "{skew}");
        let early = with(json!({ "iat": T0 + skew }));
        assert_eq!(outcome(&entra, &mint(&early)), "in", "{skew}");
        let earlier = with(json!({ "iat": T0 + skew + 1 }));
        assert_eq!(outcome(&entra, &mint(&earlier)), "not_yet_valid", "{skew}");
    }
    let usual = Authority::entra(axum_entra::Tenant::new(TENANT), API)
        .static_jwks(crate::signer::key(0).jwks(super::KID).to_string());
    assert_eq!(at(&built(usual.clone()), EXP + 299), "in");
    assert_eq!(at(&built(usual), EXP + 300), "expired");
    assert!(
        Entra::builder_for(authority().clock_skew(Duration::from_secs(601)))
            .build()
            .is_err()
    );
}

#[tokio::test]
async fn lists_are_lists_and_null_is_absence() {
    hold(
        &built(authority()),
        rows([
            (json!({ "scp": "" }), "no_permissions"),
            (json!({ "scp": "/" }), "no_permissions"),
            (json!({ "scp": " / ", "roles": [] }), "no_permissions"),
            (json!({ "scp": "/", "roles": ["Tasks.Run"] }), "in"),
            (json!({ "scp": "  a   b " }), "in"),
            (json!({ "scp": ["access_as_user"] }), "malformed"),
            (json!({ "scp": 1 }), "malformed"),
            (json!({ "scp": null }), "no_permissions"),
            (json!({ "scp": null, "roles": null }), "no_permissions"),
            (json!({ "scp": null, "roles": [] }), "no_permissions"),
            (json!({ "scp": null, "roles": ["Tasks.Run"] }), "in"),
            (json!({ "roles": "Tasks.Run" }), "malformed"),
            (json!({ "roles": [1] }), "malformed"),
            (json!({ "roles": [["Tasks.Run"]] }), "malformed"),
            (json!({ "roles": { "0": "Tasks.Run" } }), "malformed"),
            (json!({ "groups": ["g"] }), "in"),
            (json!({ "groups": "src1" }), "in"),
            (json!({ "groups": 1 }), "malformed"),
            (json!({ "groups": [1] }), "malformed"),
            (json!({ "groups": {} }), "malformed"),
            (
                json!({ "wids": "62e90394-69f5-4237-9190-012177145e10" }),
                "malformed",
            ),
            (json!({ "wids": [null] }), "malformed"),
            (json!({ "amr": ["pwd"] }), "in"),
            (json!({ "amr": "pwd" }), "in"),
            (json!({ "amr": 1 }), "malformed"),
            (json!({ "amr": [1] }), "malformed"),
            (json!({ "acrs": "c1", "xms_cc": "cp1" }), "in"),
            (json!({ "tfp": 1 }), "malformed"),
            (json!({ "tfp": null }), "in"),
            (json!({ "cnf": { "jkt": "x" } }), "sender_constrained"),
            (json!({ "cnf": {} }), "sender_constrained"),
            (json!({ "cnf": [] }), "sender_constrained"),
            (json!({ "cnf": "" }), "sender_constrained"),
            (json!({ "cnf": false }), "sender_constrained"),
            (json!({ "cnf": { "xms_ksl": "sw" } }), "sender_constrained"),
            (json!({ "cnf": { "jwe": "x" } }), "sender_constrained"),
            (json!({ "cnf": { "kid": null } }), "sender_constrained"),
            (json!({ "xms_act_fct": "3 9 11", "xms_sub_fct": "9" }), "in"),
            (json!({ "xms_act_fct": null, "xms_sub_fct": null }), "in"),
            (json!({ "xms_act_fct": 11 }), "malformed"),
            (json!({ "xms_act_fct": ["11"] }), "malformed"),
            (json!({ "xms_sub_fct": 13 }), "malformed"),
            (json!({ "xms_sub_fct": {} }), "malformed"),
            (json!({ "cnf": null }), "in"),
            (
                json!({ "oid": null, "sub": null, "azpacr": null, "name": null, "c_hash": null }),
                "in",
            ),
        ]),
    );
    let acl = built(authority().danger_allow_tokens_without_permissions());
    assert_eq!(outcome(&acl, &mint(&without(&["scp"]))), "in");
}

#[tokio::test]
async fn a_tenant_that_is_not_allowed_is_refused_by_the_layer() {
    let only = |tenant: &str| {
        let tenants = AllowedTenants::only([tenant.parse().unwrap()]);
        built(authority().allowed_tenants(tenants))
    };
    assert_eq!(outcome(&only(TENANT), &mint(&good())), "in");
    assert_eq!(outcome(&only(OTHER), &mint(&good())), "tenant_not_allowed");
}

#[tokio::test]
async fn of_the_scopes_that_every_route_needs_one_is_enough() {
    let entra = built(authority().required_scope("a").required_scope("b"));
    hold(
        &entra,
        rows([
            (json!({ "scp": "b c a" }), "in"),
            (json!({ "scp": "b" }), "in"),
            (json!({ "scp": "c" }), "scope"),
            (json!({ "scp": "A B" }), "scope"),
            (json!({ "scp": "a b", "idtyp": "app" }), "scope"),
            (json!({ "scp": null, "roles": ["a", "b"] }), "scope"),
            (json!({ "scp": null }), "no_permissions"),
        ]),
    );
}

#[tokio::test]
async fn a_token_is_measured_before_it_is_read() {
    let token = mint(&with(json!({ "filler": "x".repeat(2_000) })));
    let limited = |most| {
        Entra::builder_for(authority())
            .max_token_size(most)
            .build()
            .unwrap()
    };
    assert_eq!(outcome(&limited(token.len()), &token), "in");
    assert_eq!(outcome(&limited(token.len() - 1), &token), "too_large");
    let junk = "?".repeat(token.len());
    assert_eq!(outcome(&limited(token.len() - 1), &junk), "too_large");
    assert_eq!(outcome(&limited(token.len()), &junk), "malformed");

    let usual = built(authority());
    let groups: Vec<String> = (0..200)
        .map(|n| format!("bbbbbbbb-0000-4000-8000-{n:012}"))
        .collect();
    let many = mint(&with(json!({ "groups": groups })));
    assert!(many.len() > 10_000);
    assert_eq!(outcome(&usual, &many), "in");
    let filler = "x".repeat(200_000);
    assert_eq!(
        outcome(&usual, &mint(&with(json!({ "filler": filler })))),
        "too_large"
    );
    for odd in [0, 1_023, 262_145, usize::MAX] {
        assert!(
            Entra::builder_for(authority())
                .max_token_size(odd)
                .build()
                .is_err(),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn unknown_claims_are_kept_and_refuse_no_token() {
    let mut claims = good();
    for number in 0..20 {
        claims.insert(format!("extension_{number}"), json!({ "value": [number] }));
    }
    let claims = built(authority())
        .validate_at(&mint(&claims), UnixTime::from_secs(T0))
        .unwrap();
    for number in 0..20 {
        let value: Option<Value> = claims.extra(&format!("extension_{number}"));
        assert_eq!(value, Some(json!({ "value": [number] })));
    }
    assert_eq!(
        claims.extra::<String>("name"),
        None,
        "display names have their own place"
    );
    assert!(!format!("{claims:?}").contains("Lincoln"));
    assert!(text(&good()).contains("Lincoln"));
}

#[tokio::test]
async fn of_several_faults_the_first_check_names_its_own() {
    // Version, issuer, audience, lifetime, purpose, ID token: in this order.
    let cnf = json!({ "kid": "k" });
    hold(
        &built(authority()),
        rows([
            (json!({ "cnf": cnf }), "sender_constrained"),
            (json!({ "azp": null }), "id_token"),
            (json!({ "azp": null, "cnf": cnf }), "sender_constrained"),
            (json!({ "azp": null, "exp": T0 - 1 }), "expired"),
            (
                json!({ "c_hash": 5, "aud": "https://other.example" }),
                "audience",
            ),
            (json!({ "azp": null, "scp": null }), "id_token"),
            (json!({ "cnf": cnf, "exp": T0 - 1 }), "expired"),
            (json!({ "cnf": cnf, "nbf": T0 + 1 }), "not_yet_valid"),
            (
                json!({ "cnf": cnf, "exp": T0 - 1, "aud": "https://other.example" }),
                "audience",
            ),
            (
                json!({ "exp": T0 - 1, "aud": "https://other.example", "tid": OTHER }),
                "issuer",
            ),
            (
                json!({ "exp": T0 - 1, "tid": OTHER, "ver": "1.0" }),
                "version",
            ),
        ]),
    );
}
