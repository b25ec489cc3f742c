//! Logout tokens, from the form to the answer.
//!
//! Input that begins with `s` is signed with the published key and with `o` by another's, header and
//! payload parted by a line break; any other is a form as it stands. What is taken was signed by the
//! published key, is typed as a logout token, is meant for this API and says what ended.
#![no_main]

use std::sync::LazyLock;

use axum_entra::__fuzz::{API, ISSUER, TENANT};
use axum_entra::UnixTime;
use axum_entra::middleware::BackChannelLogoutService;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

mod received;
use received::{NOW, SKEW, entra, is_text, signed, status};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

static RECEIVER: LazyLock<BackChannelLogoutService> =
    LazyLock::new(|| entra().back_channel_logout());

fuzz_target!(|data: &str| {
    let post = |body: String| status(&*RECEIVER, "application/x-www-form-urlencoded", body);
    let Some((by_us, header, payload, token)) = signed(data) else {
        // No published key signed it, so it ends nothing.
        assert_eq!(post(data.to_owned()), 400);
        return;
    };
    let answer = post(format!("logout_token={token}"));
    if answer != 200 {
        assert_eq!(answer, 400);
        return;
    }
    assert!(by_us, "signed by a key that nobody published");
    let header: Value = serde_json::from_str(header).expect("JSON");
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&"RS256".into(), &"k".into())
    );
    let typ = header["typ"].as_str().expect("a type").to_ascii_lowercase();
    assert!(["logout+jwt", "application/logout+jwt"].contains(&typ.as_str()));
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    assert!(payload["iss"] == ISSUER || payload["iss"] == *v1);
    let ours = |aud: &Value| *aud == *API || *aud == *format!("api://{API}");
    let audience = &payload["aud"];
    assert!(ours(audience) || audience.as_array().is_some_and(|all| all.iter().any(ours)));
    assert!(payload["events"][EVENT].is_object());
    assert!(is_text(&payload["jti"]));
    assert!(
        payload.get("nonce").is_none_or(Value::is_null),
        "an id token"
    );
    let now = NOW as f64;
    assert!(payload["iat"].as_f64().expect("a number") - SKEW <= now);
    assert!(payload["exp"].as_f64().expect("a number") + SKEW > now);
    let object = payload["oid"]
        .as_str()
        .is_some_and(|oid| oid.parse::<axum_entra::Uuid>().is_ok());
    assert!(is_text(&payload["sub"]) || is_text(&payload["sid"]) || object);
    // One character less of the signature, and no key verifies it.
    assert_eq!(
        post(format!("logout_token={}", &token[..token.len() - 2])),
        400
    );
    // No access token, and no event.
    assert!(entra().validate_at(&token, UnixTime::from_secs(NOW)).is_err());
    assert_eq!(
        status(&entra().security_event_receiver(), "application/secevent+jwt", token),
        400
    );
});
