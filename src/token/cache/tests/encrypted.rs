//! Encrypted tokens that are known: found by their encrypted text, without decrypting.

use entra_emulator::TokenEncryption;

use super::*;
use crate::token::jwe::{DecryptionKeys, TokenDecryptionKey};

const PEM: &str = include_str!("../../../../tests/vectors/jwe/key.pem");

fn keys() -> Option<Arc<DecryptionKeys>> {
    let key = TokenDecryptionKey::bytes(PEM);
    DecryptionKeys::load(vec![key])
        .unwrap()
        .map(|(keys, _)| keys)
}

#[tokio::test]
async fn a_known_token_is_found_without_decrypting_and_revalidated_like_others() {
    let mut twins = Twins::new().await;
    twins.cached.decryption = keys();
    twins.plain.decryption = keys();
    let encryption = TokenEncryption::to(PEM).unwrap();
    let token = twins.token().encrypted(encryption).mint();
    assert_eq!(token.split('.').count(), 5);
    assert_eq!(twins.validate(&token, NOW), "valid");
    assert!(twins.is_kept(&token));
    // One character more or less is another token.
    assert_ne!(twins.validate(&token[..token.len() - 1], NOW), "valid");
    // Lifetime and signing key hold as for others.
    let late = twins.validate(&token, NOW + 3_600 + SKEW);
    assert!(late.starts_with("the token expired"), "{late}");
    assert_eq!(twins.validate(&token, NOW), "valid");
    // Without the key the token cannot be decrypted any more, but it is known.
    twins.cached.decryption = None;
    let known = |twins: &Twins| said(&twins.cached.validate(&token, NOW));
    assert_eq!(known(&twins), "valid");
    assert_eq!(
        said(
            &twins
                .cached
                .validate_uncached(token.as_bytes(), NOW, &Default::default())
        ),
        "the token is malformed"
    );
    twins.cached.forget_all();
    assert_eq!(known(&twins), "the token is malformed");
    // With it, and with another signing key, the token is refused.
    twins.cached.decryption = keys();
    assert_eq!(known(&twins), "valid");
    twins.emulator.rotate_keys();
    twins.emulator.retire_old_keys();
    twins.publish(&twins.emulator.keys_document());
    assert_ne!(known(&twins), "valid");
}

#[tokio::test]
async fn what_others_read_is_the_signed_token_inside() {
    use secrecy::ExposeSecret;
    let mut twins = Twins::new().await;
    let signed = twins.token().mint();
    let encrypted = twins.token();
    let encrypted = encrypted
        .encrypted(TokenEncryption::to(PEM).unwrap())
        .mint();
    let shown = |twins: &Twins, token: &str| {
        let shown = twins.plain.signed_token(token);
        shown.map(|shown| shown.expose_secret().to_owned())
    };
    assert_eq!(shown(&twins, &signed).as_deref(), Some(&*signed));
    assert_eq!(
        shown(&twins, &encrypted).as_deref(),
        Some(&*encrypted),
        "no keys"
    );
    twins.plain.decryption = keys();
    assert_eq!(shown(&twins, &signed).as_deref(), Some(&*signed));
    let inner = shown(&twins, &encrypted).unwrap();
    assert_eq!(inner.split('.').count(), 3);
    assert_eq!(said(&twins.plain.validate(&inner, NOW)), "valid");
    assert_eq!(shown(&twins, &format!("{encrypted}A")), None);
}
