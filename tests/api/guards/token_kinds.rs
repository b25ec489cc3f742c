//! Every kind of token that Entra makes, before every guard: who passes, and what the others are told.
//!
//! Kinds are claims of real tokens of that kind, as Microsoft prints them or as they stand in
//! public repositories; optional claims are absent unless the kind is named after them.

use std::time::Duration;

use axum::Router;
use axum_entra::guard::{
    DenyAgents, DenyGuests, RequireAccountId, RequireAcr, RequireAgent, RequireAppOnly,
    RequireAuthContext, RequireB2cPolicy, RequireClientAuthMethod, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};
use axum_entra::{Authority, Claims, ClientAuthMethod, Clock, Entra, Tenant, UnixTime};
use serde_json::{Map, Value, json};

use crate::service::{Runs, fetch};
use crate::signer::key;
use crate::token::{API, EXP, KID, OTHER, T0, TENANT, authority, text};

const CLI: &str = "75dbe77f-10a3-4e59-85fd-8c127544f17c";
const DAEMON: &str = "bbbbbbbb-1111-4111-8111-111111111111";
const PERSON: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const SERVICE: &str = "aaaaaaaa-1111-4111-8111-00000000a11c";
const GROUP_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// A kind of token: its name, what its header says besides, its claims.
struct Kind {
    name: &'static str,
    header: Value,
    claims: Value,
}

fn kind(name: &'static str, claims: Value) -> Kind {
    Kind {
        name,
        header: json!({ "typ": "JWT" }),
        claims,
    }
}

impl Kind {
    fn with_header(mut self, header: Value) -> Self {
        self.header = header;
        self
    }

    fn token(&self) -> String {
        key(0).sign(
            &text(&merged(
                json!({ "alg": "RS256", "kid": KID }),
                self.header.clone(),
            )),
            &text(&merged(json!({}), self.claims.clone())),
        )
    }
}

fn merged(base: Value, more: Value) -> Map<String, Value> {
    let mut all = base.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    all
}

/// A token of Entra ID or External ID, as issued at `T0`.
fn issued(issuer: &str, tenant: &str, more: Value) -> Value {
    let base = json!({
        "aud": API, "iss": issuer, "tid": tenant, "uti": "u",
        "iat": T0 - 300, "nbf": T0 - 300, "exp": EXP,
    });
    Value::Object(merged(base, more))
}

fn v2(more: Value) -> Value {
    let mut claims = issued(
        &format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        TENANT,
        json!({ "ver": "2.0", "azp": CLI, "azpacr": "0" }),
    );
    claims = Value::Object(merged(claims, more));
    claims
}

fn v1(more: Value) -> Value {
    let claims = issued(
        &format!("https://sts.windows.net/{TENANT}/"),
        TENANT,
        json!({ "ver": "1.0", "aud": format!("api://{API}"), "appid": CLI, "appidacr": "0" }),
    );
    Value::Object(merged(claims, more))
}

/// Without `tid`, and issued at the time it says.
fn b2c(more: Value) -> Value {
    let base = json!({
        "aud": API, "iss": format!("https://contoso.b2clogin.com/{TENANT}/v2.0/"),
        "iat": T0, "nbf": T0, "exp": EXP, "tfp": "B2C_1_susi", "azp": CLI,
    });
    Value::Object(merged(base, more))
}

fn external(more: Value) -> Value {
    let claims = issued(
        &format!("https://{OTHER}.ciamlogin.com/{OTHER}/v2.0"),
        OTHER,
        json!({ "ver": "2.0", "azp": CLI, "azpacr": "0", "idp": "google.com" }),
    );
    Value::Object(merged(claims, more))
}

fn person(more: Value) -> Value {
    let base = json!({ "oid": PERSON, "sub": "pairwise", "scp": "access_as_user" });
    Value::Object(merged(base, more))
}

fn service(more: Value) -> Value {
    let base = json!({ "oid": SERVICE, "sub": SERVICE, "roles": ["Tasks.Run"] });
    Value::Object(merged(base, more))
}

/// The tokens that are access tokens of this API's, each with what it can be distinguished by.
fn accepted() -> [Kind; 13] {
    let fabrikam = format!("https://sts.windows.net/{OTHER}/");
    let own_v1 = format!("https://sts.windows.net/{TENANT}/");
    [
        kind(
            "user v2",
            v2(person(
                json!({ "roles": ["Task Admin"], "auth_time": T0 - 60,
                "groups": [GROUP_ID], "wids": [ADMINISTRATOR], "acrs": ["c1"] }),
            )),
        ),
        kind(
            "user v1",
            v1(person(
                json!({ "amr": ["pwd", "mfa"], "acr": "1", "idp": own_v1 }),
            )),
        ),
        kind(
            "app v2",
            v2(service(json!({ "azp": DAEMON, "azpacr": "1" }))),
        ),
        kind(
            "app v1",
            v1(service(
                json!({ "appid": DAEMON, "appidacr": "2", "idp": own_v1 }),
            )),
        ),
        kind(
            "app with idtyp",
            v2(service(
                json!({ "azpacr": "1", "sub": "s", "idtyp": "app" }),
            )),
        ),
        kind("guest", v2(person(json!({ "idp": fabrikam })))),
        kind(
            "B2C user",
            b2c(
                json!({ "ver": "1.0", "scp": "access_as_user", "oid": PERSON, "sub": PERSON,
                "idp": "google.com", "roles": ["Task Admin"] }),
            ),
        ),
        kind(
            "B2C client credentials",
            b2c(
                json!({ "ver": "2.0", "scp": "access_as_user", "oid": SERVICE, "sub": SERVICE,
                "azpacr": "1" }),
            ),
        ),
        kind("External ID user", external(person(json!({})))),
        kind(
            "person with facets",
            v2(person(
                json!({ "xms_act_fct": "9 3", "xms_sub_fct": "3", "xms_idrel": "1 2" }),
            )),
        ),
        kind(
            "agent for a user",
            v2(person(
                json!({ "xms_act_fct": "3 9 11", "xms_sub_fct": "3", "azpacr": "2" }),
            )),
        ),
        kind(
            "autonomous agent",
            v2(service(
                json!({ "xms_act_fct": "3 9 11", "xms_sub_fct": "9 3 11", "azpacr": "2",
                "xms_idrel": "7 10", "sub": "not the oid", "scp": "/" }),
            )),
        ),
        kind(
            "agent's user",
            v2(person(
                json!({ "xms_act_fct": "11 3", "xms_sub_fct": "13", "azpacr": "2" }),
            )),
        ),
    ]
}

/// The tokens that are none, and the reason.
fn refused() -> Vec<(Kind, &'static str)> {
    let without_client = json!({ "azp": null, "azpacr": null, "appid": null, "appidacr": null });
    let id = |claims: Value| Value::Object(merged(claims, without_client.clone()));
    let roles = || json!({ "oid": PERSON, "sub": "s", "roles": ["Task Admin"], "nonce": "n" });
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let logout = || {
        v2(
            json!({ "azp": null, "azpacr": null, "sub": "s", "sid": "x", "jti": "j",
            "events": { event: {} } }),
        )
    };
    let set = || {
        let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
        v2(json!({ "azp": null, "azpacr": null, "jti": "j",
            "sub_id": { "format": "opaque", "id": PERSON }, "events": { revoked: {} } }))
    };
    let hash = json!("Ld2hLwZM8GzgZQGEJAi4pg");
    let graph = "00000003-0000-0000-c000-000000000000";
    vec![
        (kind("ID v2", id(v2(roles()))), "id_token"),
        // Of a page that shares the API's registration: the same `aud` as an access token's.
        (
            kind(
                "ID v1",
                id(v1(json!({ "aud": API, "roles": ["Task Admin"] }))),
            ),
            "id_token",
        ),
        (
            kind("ID with scp", id(v2(person(json!({ "nonce": "n" }))))),
            "id_token",
        ),
        (
            kind("hybrid ID", id(v2(person(json!({ "c_hash": hash }))))),
            "id_token",
        ),
        (
            kind(
                "ID with c_hash and azp",
                v2(person(json!({ "c_hash": hash }))),
            ),
            "id_token",
        ),
        (
            kind(
                "ID with at_hash and appid",
                v1(person(json!({ "at_hash": hash }))),
            ),
            "id_token",
        ),
        (
            kind("azp that names no client", v2(person(json!({ "azp": "" })))),
            "id_token",
        ),
        (
            kind("azp of another type", v2(person(json!({ "azp": [CLI] })))),
            "id_token",
        ),
        (
            kind(
                "B2C ID",
                b2c(
                    json!({ "azp": null, "ver": "1.0", "oid": PERSON, "sub": PERSON,
                "roles": ["Task Admin"], "nonce": "n" }),
                ),
            ),
            "id_token",
        ),
        (
            // B2C tokens have no `appid`.
            kind(
                "B2C ID with appid",
                b2c(json!({ "azp": null, "appid": CLI, "ver": "1.0",
                "scp": "access_as_user" })),
            ),
            "id_token",
        ),
        (
            kind(
                "B2C ID with c_hash",
                b2c(json!({ "ver": "1.0", "scp": "access_as_user",
                "c_hash": hash })),
            ),
            "id_token",
        ),
        (kind("External ID's ID", id(external(roles()))), "id_token"),
        (
            kind("logout", logout()).with_header(json!({ "typ": "logout+jwt" })),
            "token_type",
        ),
        (kind("logout as JWT", logout()), "id_token"),
        (
            kind("SET", set()).with_header(json!({ "typ": "secevent+jwt" })),
            "token_type",
        ),
        (kind("SET as JWT", set()), "id_token"),
        (
            kind("Graph", v1(person(json!({ "aud": graph }))))
                .with_header(json!({ "typ": "JWT", "nonce": "n" })),
            "graph_token",
        ),
        (
            kind("Graph's ID", id(v2(json!({ "aud": graph })))),
            "graph_token",
        ),
        (
            kind(
                "bound to a key",
                v2(person(json!({ "cnf": { "kid": "k", "xms_ksl": "sw" } }))),
            ),
            "sender_constrained",
        ),
        // The claim checks before the last one go first.
        (
            kind(
                "ID of another API",
                id(v2(json!({ "aud": "https://other.example" }))),
            ),
            "audience",
        ),
        (
            kind("expired ID", id(v2(json!({ "exp": T0 - 1, "nbf": 1 })))),
            "expired",
        ),
        (
            kind("bound ID", id(v2(json!({ "cnf": {} })))),
            "sender_constrained",
        ),
    ]
}

fn entra() -> Entra {
    let keys = key(0).jwks(KID).to_string();
    let b2c = Authority::b2c(
        "https://contoso.b2clogin.com",
        Tenant::new(TENANT),
        API,
        ["B2C_1_susi"],
    )
    .static_jwks(keys.clone());
    let external = Authority::external_id("northwind", Tenant::new(OTHER), API).static_jwks(keys);
    Entra::builder_for(authority())
        .authority(b2c)
        .authority(external)
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .build()
        .unwrap()
}

/// Each guard with its route, and for each of the accepted kinds `+` or the refusal's reason.
fn guards(runs: &Runs) -> Vec<(&'static str, Router, [&'static str; 13])> {
    macro_rules! rows {
        ($($guard:expr => [$($outcome:literal)+];)+) => {
            vec![$((
                stringify!($guard),
                Router::new().route("/", runs.handler()).route_layer($guard),
                [$($outcome),+],
            )),+]
        };
    }
    // user v2, user v1, app v2, app v1, app with idtyp, guest, B2C user, B2C client credentials,
    // External ID user, person with facets, agent for a user, autonomous agent, agent's user
    rows! {
        RequireScope("access_as_user") =>
            ["+" "+" "scope" "scope" "scope" "+" "+" "scope" "+" "+" "+" "scope" "+"];
        RequireScope::any(["access_as_user", "Todo.Read"]) =>
            ["+" "+" "scope" "scope" "scope" "+" "+" "scope" "+" "+" "+" "scope" "+"];
        RequireRole("Task Admin") =>
            ["+" "role" "role" "role" "role" "role" "+" "role" "role" "role" "role" "role" "role"];
        RequireRole("Tasks.Run") =>
            ["role" "role" "+" "+" "+" "role" "role" "role" "role" "role" "role" "+" "role"];
        RequireUser =>
            ["+" "+" "user_only" "user_only" "user_only" "+" "+" "user_only" "+" "+" "+" "user_only" "+"];
        RequireAppOnly =>
            ["app_only" "app_only" "+" "+" "+" "app_only" "app_only" "+" "app_only" "app_only" "app_only" "+" "app_only"];
        RequireClientId(CLI) =>
            ["+" "+" "client_app" "client_app" "+" "+" "+" "+" "+" "+" "+" "+" "+"];
        RequireClientAuthMethod(ClientAuthMethod::Secret) =>
            ["client_auth" "client_auth" "+" "+" "+" "client_auth" "client_auth" "+" "client_auth" "client_auth" "+" "+" "+"];
        RequireClientAuthMethod(ClientAuthMethod::Certificate) =>
            ["client_auth" "client_auth" "client_auth" "+" "client_auth" "client_auth" "client_auth" "client_auth" "client_auth" "client_auth" "+" "+" "+"];
        DenyGuests =>
            ["+" "+" "+" "+" "+" "guest" "+" "+" "+" "+" "+" "+" "+"];
        RequireDirectoryRole(ADMINISTRATOR) =>
            ["+" "directory_role" "directory_role" "directory_role" "directory_role" "directory_role" "directory_role"
             "directory_role" "directory_role" "directory_role" "directory_role" "directory_role" "directory_role"];
        RequireTenant(TENANT) =>
            ["+" "+" "+" "+" "+" "+" "+" "+" "tenant" "+" "+" "+" "+"];
        RequireGroup(GROUP_ID) =>
            ["+" "group" "group" "group" "group" "group" "group" "group" "group" "group" "group" "group" "group"];
        RequireMfa =>
            ["mfa" "+" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa" "mfa"];
        RequireAcr("1") =>
            ["acr" "+" "acr" "acr" "acr" "acr" "acr" "acr" "acr" "acr" "acr" "acr" "acr"];
        RequireAuthContext("c1") =>
            ["+" "auth_context" "auth_context" "auth_context" "auth_context" "auth_context" "auth_context"
             "auth_context" "auth_context" "auth_context" "auth_context" "auth_context" "auth_context"];
        RequireB2cPolicy("B2C_1_susi") =>
            ["policy" "policy" "policy" "policy" "policy" "policy" "+" "+" "policy" "policy" "policy" "policy" "policy"];
        RequireMaxAge(Duration::from_secs(600)) =>
            ["+" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old"
             "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old" "sign_in_too_old"];
        RequireAccountId =>
            ["+" "+" "+" "+" "+" "+" "+" "+" "+" "+" "+" "+" "+"];
        RequireObjectId(SERVICE) =>
            ["object_id" "object_id" "+" "+" "+" "object_id" "object_id" "+" "object_id" "object_id" "object_id" "+" "object_id"];
        DenyAgents =>
            ["agent" "agent" "agent" "agent" "agent" "agent" "agent" "agent" "agent" "+" "agent" "agent" "agent"];
        DenyAgents::known_only() =>
            ["+" "+" "+" "+" "+" "+" "+" "+" "+" "+" "agent" "agent" "agent"];
        RequireAgent =>
            ["not_agent" "not_agent" "not_agent" "not_agent" "not_agent" "not_agent" "not_agent" "not_agent"
             "not_agent" "not_agent" "+" "+" "+"];
        // B2C's tokens have nothing by which their first use could be told.
        entra().replay_protection() =>
            ["+" "+" "+" "+" "+" "+" "replay" "replay" "+" "+" "+" "+" "+"];
    }
}

#[tokio::test]
async fn every_kind_of_token_before_every_guard() {
    let runs = Runs::default();
    let (kinds, refused) = (accepted(), refused());
    let guards = guards(&runs);
    assert_eq!(guards.len(), 24);
    for (guard, router, outcomes) in guards {
        let router = router.route_layer(entra().layer());
        for (number, (kind, outcome)) in kinds.iter().zip(outcomes).enumerate() {
            let before = runs.count();
            // Each token of its own, so that none is the second use of another.
            let mut claims = kind.claims.clone();
            if claims.get("uti").is_some() {
                claims["uti"] = json!(format!("{guard} {number}"));
            }
            let token = Kind {
                claims,
                name: kind.name,
                header: kind.header.clone(),
            }
            .token();
            let answer = fetch(&router, "/", &token).await;
            let expected = match outcome {
                "+" => (200, "in".to_owned()),
                reason => (403, reason.to_owned()),
            };
            assert_eq!(answer.brief(), expected, "{} before {guard}", kind.name);
            assert_eq!(runs.count() - before, usize::from(outcome == "+"));
        }
        for (kind, reason) in &refused {
            let before = runs.count();
            let answer = fetch(&router, "/", &kind.token()).await;
            let name = format!("{} before {guard}", kind.name);
            assert_eq!(answer.brief(), (401, (*reason).to_owned()), "{name}");
            assert_eq!(answer.member("error"), "invalid_token", "{name}");
            assert_eq!(runs.count(), before, "{name}");
        }
    }
}

#[tokio::test]
async fn an_agent_is_told_by_kind_and_application() {
    let entra = entra();
    let found = |name: &str| {
        let kinds = accepted();
        let kind = kinds.iter().find(|kind| kind.name == name).unwrap();
        let claims: Claims = entra
            .validate_at(&kind.token(), UnixTime::from_secs(T0))
            .unwrap();
        claims.agent().map(|agent| {
            assert_eq!(agent.application_id(), Some(CLI));
            agent.kind().as_str()
        })
    };
    assert_eq!(found("agent for a user"), Some("on_behalf_of_user"));
    assert_eq!(found("autonomous agent"), Some("autonomous"));
    assert_eq!(found("agent's user"), Some("agent_user"));
    for unowned in ["user v2", "app v1", "person with facets", "B2C user"] {
        assert_eq!(found(unowned), None, "{unowned}");
    }
}

#[tokio::test]
async fn an_id_token_is_told_to_be_one_and_accepted_where_code_says_so() {
    let runs = Runs::default();
    let router = Router::new().route("/", runs.handler());
    let strict = router.clone().route_layer(entra().layer());
    let lenient = authority().danger_accept_id_tokens();
    let lenient = Entra::builder_for(lenient).clock(Clock::from_fn(|| UnixTime::from_secs(T0)));
    let lenient = router.route_layer(lenient.build().unwrap().layer());
    let id_token = v2(json!({ "azp": null, "azpacr": null, "c_hash": "h", "roles": ["R"] }));
    let id_token = kind("ID", id_token).token();
    let answer = fetch(&strict, "/", &id_token).await;
    assert_eq!(answer.brief(), (401, "id_token".into()));
    assert!(answer.member("detail").contains("Send the access token"));
    assert_eq!(fetch(&lenient, "/", &id_token).await.brief().0, 200);
    assert_eq!(runs.count(), 1);
}

/// Contract section 6, "guest" and "tid": by product, and for B2C by the issuer alone.
#[tokio::test]
async fn who_is_a_guest_and_whose_tenant_counts_depends_on_the_product() {
    let entra = entra();
    let found = |claims: Value| {
        let claims = entra
            .validate_at(&kind("", claims).token(), UnixTime::from_secs(T0))
            .unwrap();
        (claims.is_guest(), claims.tenant_id().unwrap().to_string())
    };
    let v2_issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let v1_issuer = format!("https://sts.windows.net/{TENANT}/");
    for (idp, guest) in [
        (json!(null), false),
        (json!(v2_issuer), false),
        (json!(format!("{v2_issuer}/")), false),
        (json!(v1_issuer), false),
        (json!(v1_issuer.trim_end_matches('/')), false),
        (json!(v1_issuer.replace(TENANT, OTHER)), true),
        (json!(format!("https://sts.evil.example/{TENANT}/")), true),
        (
            json!(format!("https://login.microsoftonline.us/{TENANT}/v2.0")),
            true,
        ),
        (json!(format!("{v1_issuer}/")), true),
        (json!(v1_issuer.to_uppercase()), true),
        (json!("live.com"), true),
        (json!(""), true),
        (json!(5), true),
        (json!(true), true),
        (json!([v2_issuer]), true),
        (json!({ "iss": v2_issuer }), true),
    ] {
        for make in [v1 as fn(Value) -> Value, v2] {
            let token = make(person(json!({ "idp": idp })));
            assert_eq!(found(token), (guest, TENANT.to_owned()), "{idp}");
        }
        assert!(!found(external(person(json!({ "idp": idp })))).0, "{idp}");
        let of_b2c = b2c(person(json!({ "idp": idp, "acct": 1 })));
        assert!(!found(of_b2c).0, "{idp}");
    }
    for (acct, guest) in [
        (json!(0), false),
        (json!("0"), false),
        (json!(1), true),
        (json!("1"), true),
        (json!(2), true),
        (json!(false), true),
        (json!([0]), true),
    ] {
        let odd = json!({ "acct": acct, "idp": "live.com" });
        assert_eq!(found(v2(person(odd.clone()))).0, guest, "{acct}");
        assert_eq!(found(external(person(odd))).0, guest, "{acct}");
    }
    for tid in [
        json!(OTHER),
        json!(TENANT),
        json!("common"),
        json!(5),
        json!(null),
    ] {
        let of_b2c = b2c(person(json!({ "tid": tid })));
        assert_eq!(found(of_b2c).1, TENANT, "{tid}");
    }
}

/// Contract section 6, "user or app": B2C by `idtyp`, `azpacr` and `ver` alone.
#[tokio::test]
async fn b2c_tells_users_from_applications_by_neither_scp_nor_sub() {
    let entra = entra();
    let same = |more: Value| Value::Object(merged(json!({ "oid": PERSON, "sub": PERSON }), more));
    for (claims, expected) in [
        (same(json!({ "ver": "1.0", "scp": "a" })), "user"),
        (same(json!({ "ver": "1.0", "roles": ["R"] })), "user"),
        (json!({ "ver": "1.0", "roles": ["R"] }), "user"),
        (json!({ "roles": ["R"] }), "user"),
        (same(json!({ "ver": "2.0", "scp": "a" })), "app"),
        (
            same(json!({ "ver": "1.0", "scp": "a", "azpacr": "1" })),
            "app",
        ),
        (
            same(json!({ "ver": "1.0", "scp": "a", "azpacr": 0 })),
            "app",
        ),
        (
            json!({ "ver": "2.0", "azpacr": "1", "scp": "a", "idtyp": "user" }),
            "user",
        ),
        (json!({ "ver": "1.0", "scp": "a", "idtyp": "app" }), "app"),
        (
            json!({ "ver": "1.0", "scp": "a", "idtyp": "device" }),
            "unknown",
        ),
    ] {
        let token = kind("", b2c(claims.clone())).token();
        let found = entra.validate_at(&token, UnixTime::from_secs(T0)).unwrap();
        assert_eq!(found.principal().as_str(), expected, "{claims}");
    }
}
