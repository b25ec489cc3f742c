//! Encrypted tokens: header, parts, inflating, and what is inside.
//!
//! Input that begins with `s` is a header and, behind a line break, what is encrypted below it: a good
//! signed token where that is empty. Any other input is a token as it stands. Only a good signed token
//! below a header of the accepted form is accepted.
#![no_main]

use std::sync::{LazyLock, OnceLock};

use axum_entra::__fuzz::{API, ISSUER, TENANT};
use axum_entra::{Authority, Clock, Entra, Tenant, TokenDecryptionKey, UnixTime};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[path = "../../tests/encrypted/jwe.rs"]
#[allow(dead_code)]
mod jwe;
#[path = "../../tests/api/signer.rs"]
#[allow(dead_code)]
mod signer;

const NOW: u64 = 1_800_000_000;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
});

struct World {
    entra: Entra,
    own: jwe::Recipient,
    signed: String,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let _inside = RUNTIME.enter();
        let own = jwe::Recipient::new();
        let authority = Authority::entra(Tenant::new(TENANT), API)
            .static_jwks(signer::key(0).jwks("k").to_string());
        let entra = Entra::builder_for(authority)
            .clock(Clock::from_fn(|| UnixTime::from_secs(NOW)))
            .max_token_size(16_384)
            .token_decryption_key(TokenDecryptionKey::bytes(own.pem()))
            .build()
            .expect("good settings");
        let claims = json!({
            "aud": API, "iss": ISSUER, "tid": TENANT, "ver": "2.0", "iat": NOW, "nbf": NOW, "exp": NOW + 60,
            "azp": API, "azpacr": "0", "sub": "s", "oid": TENANT, "scp": "read",
        });
        let header = json!({ "alg": "RS256", "kid": "k" });
        let signed = signer::key(0).sign(&header.to_string(), &claims.to_string());
        World { entra, own, signed }
    })
}

fuzz_target!(|data: &[u8]| {
    let world = world();
    let split = data.iter().position(|byte| *byte == b'\n');
    let sealed = data.first() == Some(&b's');
    let (Some(at), true) = (split, sealed) else {
        if let Ok(token) = std::str::from_utf8(data) {
            assert!(world.entra.validate_at(token, UnixTime::from_secs(NOW)).is_err());
        }
        return;
    };
    let Ok(header) = std::str::from_utf8(&data[1..at]) else {
        return;
    };
    let content = match &data[at + 1..] {
        [] => world.signed.as_bytes(),
        content => content,
    };
    let members: Value = serde_json::from_str(header).unwrap_or_default();
    let known = |name: &str, all: &[&'static str]| {
        let named = all.iter().find(|one| members[name] == **one);
        named.copied().unwrap_or(all[0])
    };
    let alg = known("alg", &jwe::KEY_ENCRYPTIONS);
    let enc = known("enc", &jwe::ENCRYPTIONS);
    let content_key = jwe::random(jwe::key_length(enc));
    let encrypted = world.own.encrypt(alg, &content_key, None);
    let token = jwe::sealed_by(&content_key, encrypted, enc, header.to_owned(), content);
    if world.entra.validate_at(&token.compact(), UnixTime::from_secs(NOW)).is_err() {
        return;
    }
    assert_eq!(members["alg"], alg);
    assert_eq!(members["enc"], enc);
    assert!(members["cty"].as_str().is_some_and(|cty| cty.eq_ignore_ascii_case("JWT")));
    assert!(members.get("crit").is_none());
    // Anything else that were accepted would have been signed by the key of this process.
    if members.get("zip").is_none() {
        assert_eq!(content, world.signed.as_bytes());
    }
});
