//! News of accounts from outside: security events, logout tokens, a browser in a frame.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_entra::{
    AccountId, Authority, Clock, Entra, EntraBuilder, SecurityEventTransmitter, Tenant,
};
use entra_emulator::{ALICE, API_ID, CONTOSO, Emulator, FABRIKAM, TokenBuilder};
use serde_json::{Value, json};

use crate::house::{Answer, House, NOON};

pub(crate) const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub(crate) fn routes(house: &House) -> Router {
    Router::new()
        .route_service("/events", house.entra.security_event_receiver())
        .route_service("/back", house.entra.back_channel_logout())
        .route_service("/front", house.entra.front_channel_logout())
}

pub(crate) async fn post(house: &House, path: &str, media_type: &str, body: String) -> Answer {
    let request = Request::post(path)
        .header("content-type", media_type)
        .body(Body::from(body))
        .unwrap();
    house.send(routes(house), request).await
}

pub(crate) async fn log_out(house: &House, token: TokenBuilder) -> Answer {
    let body = format!("logout_token={}&other=1", token.mint());
    post(house, "/back", "application/x-www-form-urlencoded", body).await
}

pub(crate) async fn push(house: &House, event: TokenBuilder) -> Answer {
    post(house, "/events", "application/secevent+jwt", event.mint()).await
}

/// An API that believes the emulator's keys for events too.
pub(crate) async fn listening() -> House {
    listening_with(|builder| builder).await
}

pub(crate) async fn listening_with(more: impl FnOnce(EntraBuilder) -> EntraBuilder) -> House {
    let emulator = Emulator::start().await.unwrap();
    let signals =
        SecurityEventTransmitter::new(emulator.issuer(CONTOSO), "https://api.example/events")
            .metadata_address(format!(
                "{}/{CONTOSO}/v2.0/.well-known/openid-configuration",
                emulator.url()
            ));
    House::of(emulator, |builder| {
        more(builder.security_event_transmitter(signals))
    })
    .await
}

/// A good logout token, for alice's session `s-1`.
pub(crate) fn logout(house: &House) -> TokenBuilder {
    house
        .token(NOON)
        .header("typ", "logout+jwt")
        .audience(API_ID)
        .without("oid")
        .without("nonce")
        .claim("jti", "j-1")
        .claim("sid", "s-1")
        .claim("events", json!({ LOGOUT: {} }))
}

/// A good event about a subject.
pub(crate) fn event(house: &House, kind: &str, subject: &Value, body: &Value) -> TokenBuilder {
    house
        .token(NOON)
        .header("typ", "secevent+jwt")
        .audience("https://api.example/events")
        .without("exp")
        .without("nbf")
        .without("sub")
        .claim("jti", "j-1")
        .claim("sub_id", subject.clone())
        .claim("events", json!({ format!("{CAEP}{kind}"): body }))
}

fn alice(house: &House) -> Value {
    json!({ "format": "iss_sub", "iss": house.emulator.issuer(CONTOSO), "sub": ALICE })
}

#[tokio::test]
async fn each_event_cuts_its_account_off_at_its_time() {
    for kind in [
        "session-revoked",
        "credential-change",
        "token-claims-change",
    ] {
        let house = listening().await;
        let at = json!({ "event_timestamp": NOON - 100 });
        let (before, after) = (
            house.token(NOON - 101).mint(),
            house.token(NOON - 100).mint(),
        );
        let bob = house.token(NOON - 101).user("bob").mint();
        let told = push(&house, event(&house, kind, &alice(&house), &at)).await;
        assert_eq!((told.status, &told.body), (202, &Value::Null), "{kind}");
        assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
        assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
        assert_eq!(house.get("/me", &bob).await.of(), (200, "in"));
        // It comes again, and nothing more is refused.
        let told = push(&house, event(&house, kind, &alice(&house), &at)).await;
        assert_eq!(told.status, 202);
        assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
    }
}

#[tokio::test]
async fn a_subject_that_is_no_object_id_is_told_by_its_issuer_and_itself() {
    let house = listening().await;
    let of = |sub: &str| {
        house
            .token(NOON - 1)
            .claim("sub", sub)
            .without("oid")
            .mint()
    };
    let (theirs, others) = (of("pairwise-1"), of("pairwise-2"));
    let about = |sub: &str| json!({ "format": "iss_sub", "iss": house.emulator.issuer(CONTOSO), "sub": sub });
    let tell = async |sub: &str| {
        let event = event(&house, "session-revoked", &about(sub), &json!({}));
        push(&house, event).await.status
    };
    assert_eq!(tell("").await, 400, "unknown");
    assert_eq!(house.get("/me", &theirs).await.of(), (200, "in"));
    assert_eq!(tell("pairwise-1").await, 202);
    assert_eq!(house.get("/me", &theirs).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &others).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_subject_is_told_in_each_form_that_names_an_account() {
    let by_tenant = json!({ "format": "complex",
        "user": { "format": "opaque", "id": ALICE },
        "tenant": { "format": "opaque", "id": CONTOSO } });
    let with_session = json!({ "format": "complex",
        "user": { "format": "opaque", "id": ALICE },
        "tenant": { "format": "opaque", "id": CONTOSO },
        "session": { "format": "opaque", "id": "s-9" } });
    for subject in [by_tenant, with_session] {
        let house = listening().await;
        let token = house.token(NOON - 1).mint();
        let told = push(
            &house,
            event(&house, "session-revoked", &subject, &json!({})),
        )
        .await;
        assert_eq!(told.status, 202, "{subject}");
        assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    }
    let house = listening().await;
    let session = json!({ "format": "complex",
        "tenant": { "format": "opaque", "id": CONTOSO },
        "session": { "format": "opaque", "id": "s-9" } });
    let told = push(
        &house,
        event(&house, "session-revoked", &session, &json!({})),
    )
    .await;
    assert_eq!(told.status, 202);
    let of_session = house.token(NOON - 1).claim("sid", "s-9").mint();
    assert_eq!(house.get("/me", &of_session).await.of(), (401, "revoked"));
    let other = house.token(NOON - 1).mint();
    assert_eq!(house.get("/me", &other).await.of(), (200, "in"));
    // An older form has the subject in the event.
    let body = json!({ "subject": alice(&house) });
    let older = event(&house, "session-revoked", &Value::Null, &body).without("sub_id");
    assert_eq!(push(&house, older).await.status, 202);
    assert_eq!(house.get("/me", &other).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn an_event_that_cannot_be_believed_or_carried_out_is_refused() {
    let house = listening().await;
    let good = || event(&house, "session-revoked", &alice(&house), &json!({}));
    let email = json!({ "format": "email", "email": "alice@contoso.example" });
    let table = [
        ("typ", good().header("typ", "JWT"), "invalid_request"),
        (
            "logout",
            good().header("typ", "logout+jwt"),
            "invalid_request",
        ),
        ("no typ", good().without_header("typ"), "invalid_request"),
        ("audience", good().audience(API_ID), "invalid_audience"),
        (
            "issuer",
            good().issuer("https://ssf.evil.example"),
            "invalid_issuer",
        ),
        (
            "another tenant's issuer",
            good().issuer(house.emulator.issuer(FABRIKAM)),
            "invalid_issuer",
        ),
        ("signature", good().raw_signature("AAAA"), "invalid_key"),
        ("key", good().unpublished_key(), "invalid_key"),
        ("alg", good().header("alg", "HS256"), "invalid_key"),
        ("jti", good().without("jti"), "invalid_request"),
        ("iat", good().without("iat"), "invalid_request"),
        ("future", good().claim("iat", NOON + 301), "invalid_request"),
        (
            "expired",
            good().claim("exp", NOON - 301),
            "invalid_request",
        ),
        (
            "no events",
            good().claim("events", json!({})),
            "invalid_request",
        ),
        ("no subject", good().without("sub_id"), "invalid_request"),
        (
            "unknown subject",
            good().claim("sub_id", email),
            "invalid_request",
        ),
    ];
    for (name, event, expected) in table {
        let told = push(&house, event).await;
        assert_eq!(told.status, 400, "{name}: {told:?}");
        assert_eq!(told.body["err"], expected, "{name}");
        assert!(told.body["description"].is_string());
    }
    let token = house.token(NOON - 1).mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    let wrong_type = post(&house, "/events", "application/json", good().mint()).await;
    assert_eq!(wrong_type.status, 400);
    let long = post(
        &house,
        "/events",
        "application/secevent+jwt",
        "x".repeat(70_000),
    )
    .await;
    assert_eq!(long.status, 413);
    let get = Request::get("/events").body(Body::empty()).unwrap();
    assert_eq!(house.send(routes(&house), get).await.status, 405);
    // A security event is no access token.
    let event = good().audience(API_ID).expires_at(NOON + 60).mint();
    assert_eq!(house.get("/me", &event).await.of(), (401, "token_type"));
}

#[tokio::test]
async fn events_of_other_kinds_are_taken_and_change_nothing() {
    let house = listening().await;
    let token = house.token(NOON - 1).mint();
    let other = event(
        &house,
        "device-compliance-change",
        &alice(&house),
        &json!({}),
    );
    assert_eq!(push(&house, other).await.status, 202);
    let probe = event(&house, "x", &Value::Null, &json!({})).claim(
        "events",
        json!({ "https://schemas.openid.net/secevent/ssf/event-type/verification": {} }),
    );
    assert_eq!(push(&house, probe).await.status, 202);
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_logout_token_with_sid_ends_the_session() {
    let house = House::open().await;
    let here = house.token(NOON).claim("sid", "s-1").mint();
    let there = house.token(NOON).claim("sid", "s-2").mint();
    let told = log_out(&house, logout(&house)).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert!(
        told.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("no-store")
    );
    assert_eq!(house.get("/me", &here).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &there).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_logout_token_without_sid_ends_all_sessions_of_its_subject() {
    let told: Arc<Mutex<Vec<AccountId>>> = Arc::default();
    let kept = Arc::clone(&told);
    let house = House::open_with(|builder| {
        builder.on_sign_out(move |account| kept.lock().unwrap().push(account.clone()))
    })
    .await;
    let (old, new) = (house.token(NOON - 1).mint(), house.token(NOON).mint());
    let answer = log_out(&house, logout(&house).without("sid")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(house.get("/me", &old).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &new).await.of(), (200, "in"));
    assert!(!told.lock().unwrap().is_empty());
    // Late, or once more: it refuses nothing that was issued after it.
    house.at(NOON + 100);
    let later = house.token(NOON + 50).mint();
    assert_eq!(
        log_out(&house, logout(&house).without("sid")).await.status,
        200
    );
    assert_eq!(house.get("/me", &later).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_logout_token_is_meant_for_the_client_or_for_an_audience_of_the_api() {
    let house = House::open().await;
    for (audience, status) in [
        (json!(API_ID), 200),
        (json!(format!("api://{API_ID}")), 200),
        (json!(["https://other.example", API_ID]), 200),
        (json!(["https://other.example"]), 400),
        (json!([]), 400),
        (json!({ "x": API_ID }), 400),
    ] {
        let token = logout(&house).claim("aud", audience.clone());
        assert_eq!(log_out(&house, token).await.status, status, "{audience}");
    }
}

#[tokio::test]
async fn a_logout_token_that_is_not_one_is_refused() {
    let house = House::open().await;
    let good = || logout(&house);
    let table = [
        ("typ", good().header("typ", "JWT")),
        ("no typ", good().without_header("typ")),
        ("event typ", good().header("typ", "secevent+jwt")),
        ("nonce", good().claim("nonce", "n")),
        ("no event", good().without("events")),
        ("another event", good().claim("events", json!({ "x": {} }))),
        (
            "event of another type",
            good().claim("events", json!({ LOGOUT: 1 })),
        ),
        ("unknown", good().without("sid").without("sub")),
        ("no jti", good().without("jti")),
        ("no iat", good().without("iat")),
        ("no exp", good().without("exp")),
        ("expired", good().expires_at(NOON - 301)),
        ("audience", good().audience("https://other.example")),
        ("issuer", good().issuer("https://login.evil.example/v2.0")),
        (
            "tenant",
            good()
                .tenant(FABRIKAM)
                .issuer(house.emulator.issuer(FABRIKAM)),
        ),
        ("signature", good().raw_signature("AAAA")),
        ("key", good().unpublished_key()),
    ];
    for (name, token) in table {
        let told = log_out(&house, token).await;
        assert_eq!(told.status, 400, "{name}: {told:?}");
        assert_eq!(told.body["error"], "invalid_request", "{name}");
    }
    let token = house.token(NOON).claim("sid", "s-1").mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    let form = "application/x-www-form-urlencoded";
    let twice = format!("logout_token={0}&logout_token={0}", good().mint());
    for body in [String::new(), "logout_token=".to_owned(), twice] {
        assert_eq!(post(&house, "/back", form, body).await.status, 400);
    }
    let token = good().mint();
    assert_eq!(house.get("/me", &token).await.of(), (401, "token_type"));
}

#[tokio::test]
async fn a_browser_in_a_frame_ends_its_session() {
    let house = House::open().await;
    let issuer = house.emulator.issuer(CONTOSO);
    let here = house.token(NOON).claim("sid", "s-1").mint();
    let there = house.token(NOON).claim("sid", "s-2").mint();
    let get = async |query: String| {
        let request = Request::get(format!("/front?{query}"))
            .body(Body::empty())
            .unwrap();
        house.send(routes(&house), request).await.status
    };
    let long = "s".repeat(129);
    for query in [
        String::new(),
        "sid=s-1".to_owned(),
        format!("iss={issuer}"),
        format!("iss={issuer}&sid="),
        format!("iss={issuer}&sid={long}"),
        format!("iss={issuer}&sid=s-1&sid=s-2"),
        "iss=https://login.evil.example&sid=s-1".to_owned(),
        format!("iss={}&sid=s-1", house.emulator.issuer(FABRIKAM)),
    ] {
        assert_eq!(get(query.clone()).await, 400, "{query}");
    }
    assert_eq!(house.get("/me", &here).await.of(), (200, "in"));
    assert_eq!(get(format!("iss={issuer}&sid=s-1")).await, 200);
    assert_eq!(house.get("/me", &here).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &there).await.of(), (200, "in"));
}

#[tokio::test]
async fn the_callers_own_sign_out_needs_a_token_and_is_204() {
    let house = House::open().await;
    let app = || {
        Router::new()
            .route_service("/signout", house.entra.sign_out_service())
            .route_layer(house.entra.layer())
    };
    let token = house.token(NOON).mint();
    let request = |token: Option<&str>| {
        let mut request = Request::post("/signout");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(Body::empty()).unwrap()
    };
    for _ in 0..2 {
        assert_eq!(house.send(app(), request(Some(&token))).await.status, 204);
    }
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    assert_eq!(house.send(app(), request(None)).await.status, 401);
    let bare = Router::new().route_service("/signout", house.entra.sign_out_service());
    assert_eq!(
        house.send(bare, request(None)).await.of(),
        (500, "not_configured")
    );
}

#[tokio::test]
async fn without_keys_no_message_is_decided_on() {
    use entra_emulator::Fault;
    let emulator = Emulator::start().await.unwrap();
    emulator.inject_fault(Fault::Status(500));
    let house = House::of(emulator, |builder| builder).await;
    let answer = log_out(&house, logout(&house)).await;
    assert_eq!(answer.of(), (503, "keys_unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_transmitter_may_bring_its_keys_along() {
    let emulator = Emulator::start().await.unwrap();
    let issuer = emulator.issuer(CONTOSO);
    let keys = emulator.keys_document().to_string();
    let signals =
        SecurityEventTransmitter::new(issuer, "https://api.example/events").static_jwks(keys);
    let house = House::of(emulator, |builder| {
        builder.security_event_transmitter(signals)
    })
    .await;
    let token = house.token(NOON - 1).mint();
    let told = push(
        &house,
        event(&house, "session-revoked", &alice(&house), &json!({})),
    )
    .await;
    assert_eq!(told.status, 202, "{told:?}");
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    let authority = Authority::entra(Tenant::new(CONTOSO), API_ID).instance(house.emulator.url());
    let broken = SecurityEventTransmitter::new("http://ssf.example/", "a");
    let built = Entra::builder_for(authority)
        .clock(Clock::system())
        .security_event_transmitter(broken)
        .build();
    assert!(built.is_err());
}

#[tokio::test]
async fn invented_sessions_take_no_room_and_real_logouts_go_on() {
    let house = House::open().await;
    let issuer = house.emulator.issuer(CONTOSO);
    let get = async |sid: &str| {
        let request = Request::get(format!("/front?iss={issuer}&sid={sid}"));
        let request = request.body(Body::empty()).unwrap();
        house.send(routes(&house), request).await.status
    };
    for number in 0..1_000 {
        assert_eq!(get(&format!("invented-{number}")).await, 200);
    }
    assert_eq!(house.entra.store_status().revocation_count, 0);
    let token = house.token(NOON).claim("sid", "s-1").mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    assert_eq!(get("s-2").await, 200);
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    for _ in 0..2 {
        assert_eq!(get("s-1").await, 200);
        assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    }
    assert_eq!(house.entra.store_status().revocation_count, 1);
}

#[tokio::test]
async fn a_subject_is_one_account_for_both_versions_of_its_tenant() {
    let v1 = |house: &House, sub: &str| {
        let token = house.token(NOON - 1).v1().claim("sub", sub);
        token.without("oid").mint()
    };
    let v2 = |house: &House, sub: &str| {
        let token = house.token(NOON - 1).claim("sub", sub);
        token.without("oid").mint()
    };
    let by_logout = async |house: &House| {
        let token = logout(house).without("sid").claim("sub", "pairwise-1");
        log_out(house, token).await.status
    };
    let by_event = async |house: &House| {
        let iss = house.emulator.issuer(CONTOSO);
        let about = json!({ "format": "iss_sub", "iss": iss, "sub": "pairwise-1" });
        push(house, event(house, "session-revoked", &about, &json!({})))
            .await
            .status
    };
    for by_the_first in [true, false] {
        let house = listening().await;
        let tokens = [v1(&house, "pairwise-1"), v2(&house, "pairwise-1")];
        let others = [v1(&house, "pairwise-2"), v2(&house, "pairwise-2")];
        for token in tokens.iter().chain(&others) {
            assert_eq!(house.get("/me", token).await.of(), (200, "in"));
        }
        let status = if by_the_first {
            by_logout(&house).await
        } else {
            by_event(&house).await
        };
        assert!([200, 202].contains(&status));
        for token in &tokens {
            assert_eq!(house.get("/me", token).await.of(), (401, "revoked"));
        }
        for token in &others {
            assert_eq!(house.get("/me", token).await.of(), (200, "in"));
        }
    }
    // The other way round, and by the application.
    let house = House::open().await;
    let claims = house
        .entra
        .validate(&v1(&house, "pairwise-1"))
        .await
        .unwrap();
    assert_ne!(claims.issuer(), house.emulator.issuer(CONTOSO));
    let account = claims.account_id().unwrap();
    house
        .entra
        .revoke_tokens_issued_before(&account, crate::house::at(NOON))
        .await
        .unwrap();
    let refused = house.get("/me", &v2(&house, "pairwise-1")).await;
    assert_eq!(refused.of(), (401, "revoked"));
}

#[tokio::test]
async fn no_receiver_waits_for_a_body_for_long_and_on_get_for_none() {
    let house = listening().await;
    let token = house.token(NOON).claim("sid", "s-1").mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    let endless = || Body::from_stream(tokio_stream::pending::<Result<String, std::io::Error>>());
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let issuer = house.emulator.issuer(CONTOSO);
    let get = Request::get(format!("/front?iss={issuer}&sid=s-1"))
        .body(endless())
        .unwrap();
    assert_eq!(house.send(routes(&house), get).await.status, 200);
    let app = Router::new()
        .route_service("/signout", house.entra.sign_out_service())
        .route_layer(house.entra.layer());
    let other = house.token(NOON).mint();
    let sign_out = Request::post("/signout").header("authorization", format!("Bearer {other}"));
    let sign_out = sign_out.body(endless()).unwrap();
    assert_eq!(house.send(app, sign_out).await.status, 204);
    assert_eq!(start.elapsed().as_secs(), 0);
    for (path, media_type) in [
        ("/events", "application/secevent+jwt"),
        ("/back", "application/x-www-form-urlencoded"),
    ] {
        let start = tokio::time::Instant::now();
        let post = Request::post(path).header("content-type", media_type);
        let post = post.body(endless()).unwrap();
        assert_eq!(house.send(routes(&house), post).await.status, 408, "{path}");
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
