//! Security event tokens, from the body to the answer.
//!
//! Input that begins with `s` is signed with the transmitter's key and with `o` by another's, header
//! and payload parted by a line break; any other is a body as it stands. What is taken was signed by
//! that key, is typed as an event, is meant for this API, and names itself and what happened.
#![no_main]

use std::sync::LazyLock;

use axum_entra::UnixTime;
use axum_entra::middleware::SecurityEventReceiver;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

mod received;
use received::{EVENTS_FOR, NOW, SKEW, TRANSMITTER, entra, is_text, signed, status};

const MEDIA_TYPE: &str = "application/secevent+jwt";
const KNOWN: [&str; 3] = [
    "session-revoked",
    "credential-change",
    "token-claims-change",
];

static RECEIVER: LazyLock<SecurityEventReceiver> =
    LazyLock::new(|| entra().security_event_receiver());

fuzz_target!(|data: &str| {
    let push = |body: String| status(&*RECEIVER, MEDIA_TYPE, body);
    let Some((by_them, header, payload, token)) = signed(data) else {
        // No published key signed it, so it cuts no account off.
        assert_eq!(push(data.to_owned()), 400);
        return;
    };
    let answer = push(token.clone());
    if answer != 202 {
        assert_eq!(answer, 400);
        return;
    }
    assert!(by_them, "signed by a key that nobody published");
    let header: Value = serde_json::from_str(header).expect("JSON");
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    assert_eq!(
        (&header["alg"], &header["kid"]),
        (&"RS256".into(), &"k".into())
    );
    let typ = header["typ"].as_str().expect("a type").to_ascii_lowercase();
    assert!(["secevent+jwt", "application/secevent+jwt"].contains(&typ.as_str()));
    assert_eq!(payload["iss"], TRANSMITTER);
    let ours = |aud: &Value| *aud == *EVENTS_FOR;
    let audience = &payload["aud"];
    assert!(ours(audience) || audience.as_array().is_some_and(|all| all.iter().any(ours)));
    assert!(is_text(&payload["jti"]));
    assert!(payload["iat"].as_f64().expect("a number") - SKEW <= NOW as f64);
    let events = payload["events"].as_object().expect("events");
    assert!((1..=16).contains(&events.len()));
    // A known event has a subject that can identify an account.
    for (name, event) in events {
        let kind = name.strip_prefix("https://schemas.openid.net/secevent/caep/event-type/");
        if kind.is_some_and(|kind| KNOWN.contains(&kind)) {
            let subject = payload.get("sub_id").filter(|subject| !subject.is_null());
            let subject = subject.or(event.get("subject")).expect("a subject");
            let format = subject["format"].as_str().expect("a format");
            assert!(
                ["iss_sub", "opaque", "complex"].contains(&format),
                "{format}"
            );
        }
    }
    // One character less of the signature, and no key verifies it.
    assert_eq!(push(token[..token.len() - 2].to_owned()), 400);
    // No access token, and no logout token.
    assert!(entra().validate_at(&token, UnixTime::from_secs(NOW)).is_err());
    let form = format!("logout_token={token}");
    let logout = entra().back_channel_logout();
    assert_eq!(
        status(&logout, "application/x-www-form-urlencoded", form),
        400
    );
});
