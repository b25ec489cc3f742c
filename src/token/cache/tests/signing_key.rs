//! A key is looked for when the key set is another one, and not before.

use super::*;
use crate::token::cache::KeyState;

fn keys(modulus_ends_with: u8, place: &Validated) -> Arc<KeySet> {
    let mut modulus = [0xff; 256];
    modulus[255] = modulus_ends_with;
    let modulus = base64_simd::URL_SAFE_NO_PAD.encode_to_string(modulus);
    let document = json!({ "keys": [{ "kty": "RSA", "kid": "k", "n": modulus, "e": "AQAB" }] });
    let issuer = crate::authority::issuer::IssuerPattern::new("i");
    Arc::new(KeySet::read(document.to_string().as_bytes(), issuer, place).unwrap())
}

#[tokio::test]
async fn a_key_is_looked_for_once_in_each_key_set() {
    let authority = Authority::entra(Tenant::new(CONTOSO), API_ID);
    let place = &authority.resolve().unwrap().documents[0];
    let (publisher, reader) = key_store(std::time::Duration::from_secs(300));
    let publish = |keys: &Arc<KeySet>| {
        publisher.publish(Snapshot {
            keys: Some(Arc::clone(keys)),
            confirmed: Some(Instant::now()),
            last_error: None,
        });
    };
    let (first, again, other) = (keys(0xff, place), keys(0xff, place), keys(0xfd, place));
    let key = || Arc::clone(&first.with_id("k")[0]);
    let signing_key = SigningKeyRef::new(0, 0, key(), first.generation());
    assert_eq!(signing_key.key_is(&reader), KeyState::Unavailable);
    for (keys, expected) in [
        (&first, KeyState::Published),
        (&again, KeyState::Published),
        (&other, KeyState::Withdrawn),
        (&first, KeyState::Published),
    ] {
        publish(keys);
        assert_eq!(signing_key.key_is(&reader), expected);
        assert_eq!(signing_key.key_is(&reader), expected);
    }
    // The generation of the key set is trusted: the set is not searched again.
    publish(&other);
    let signing_key = SigningKeyRef::new(0, 0, key(), other.generation());
    assert_eq!(signing_key.key_is(&reader), KeyState::Published);
    publish(&again);
    assert_eq!(signing_key.key_is(&reader), KeyState::Published);
    publish(&other);
    assert_eq!(
        signing_key.key_is(&reader),
        KeyState::Withdrawn,
        "it was looked for in between"
    );
}

#[test]
fn the_authority_and_its_document_are_those_that_signed() {
    let known = signing_key();
    assert_eq!((known.authority(), known.document()), (0, 0));
    let authority = Authority::entra(Tenant::new(CONTOSO), API_ID);
    let keys = keys(0xff, &authority.resolve().unwrap().documents[0]);
    let key = || Arc::clone(&keys.with_id("k")[0]);
    let other = SigningKeyRef::new(3, 5, key(), keys.generation());
    assert_eq!((other.authority(), other.document()), (3, 5));
    // More than can be counted are never the first again.
    let beyond = SigningKeyRef::new(1 << 32, usize::MAX, key(), keys.generation());
    assert!(beyond.authority() > 1 << 31 && beyond.document() > 1 << 31);
}
