//! The whole pipeline with one published key.
//!
//! Input that begins with `s` is signed with that key, header and payload parted by a line break;
//! any other is a token as it stands. What is accepted was signed, and says what it must say.
#![no_main]

use std::sync::{LazyLock, OnceLock};

use axum_entra::__fuzz::{API, ISSUER, TENANT};
use axum_entra::{Authority, Clock, Entra, Tenant, UnixTime};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../tests/api/signer.rs"]
#[allow(dead_code)]
mod signer;

const NOW: u64 = 1_800_000_000;
const SKEW: f64 = 300.0;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
});

fn entra() -> &'static Entra {
    static ENTRA: OnceLock<Entra> = OnceLock::new();
    ENTRA.get_or_init(|| {
        let _inside = RUNTIME.enter();
        let authority = Authority::entra(Tenant::new(TENANT), API)
            .static_jwks(signer::key(0).jwks("k").to_string());
        Entra::builder_for(authority)
            .clock(Clock::from_fn(|| UnixTime::from_secs(NOW)))
            .build()
            .expect("good settings")
    })
}

fuzz_target!(|data: &str| {
    let entra = entra();
    let Some((header, payload)) = data
        .strip_prefix('s')
        .and_then(|text| text.split_once('\n'))
    else {
        // No published key signed it, so it is refused.
        assert!(entra.validate_at(data, UnixTime::from_secs(NOW)).is_err());
        return;
    };
    let token = signer::key(0).sign(header, payload);
    let Ok(claims) = entra.validate_at(&token, UnixTime::from_secs(NOW)) else {
        return;
    };
    let header: Value = serde_json::from_str(header).expect("JSON");
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["kid"], "k");
    for member in ["crit", "b64", "zip", "enc", "cty"] {
        assert!(header.get(member).is_none(), "{member}");
    }
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    match payload["ver"].as_str() {
        Some("1.0") => assert_eq!(payload["iss"], *v1),
        Some("2.0") => assert_eq!(payload["iss"], ISSUER),
        other => panic!("version {other:?}"),
    }
    assert!(
        payload["tid"]
            .as_str()
            .is_some_and(|tid| tid.eq_ignore_ascii_case(TENANT))
    );
    assert!(
        claims
            .audiences()
            .any(|aud| aud == API || aud == format!("api://{API}"))
    );
    let now = NOW as f64;
    assert!(payload["exp"].as_f64().expect("a number") + SKEW > now);
    assert!(payload["nbf"].as_f64().is_none_or(|nbf| nbf - SKEW <= now));
    assert!(payload["iat"].as_f64().is_none_or(|iat| iat - SKEW <= now));
    assert!(payload.get("cnf").is_none_or(Value::is_null));
    // One character less of the signature, and no key verifies it.
    assert!(entra.validate_at(&token[..token.len() - 2], UnixTime::from_secs(NOW)).is_err());
});
