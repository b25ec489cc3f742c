//! Cut-offs: who is refused, with what, and for how long.

use std::time::Duration;

use axum_entra::{AccountId, InvalidToken, Rejection, RevokeError, StoreFailurePolicy};
use entra_emulator::{ALICE, CONTOSO};

use crate::house::{House, NOON, at};

fn alice() -> AccountId {
    AccountId::Entra {
        tenant_id: CONTOSO.parse().unwrap(),
        object_id: ALICE.parse().unwrap(),
    }
}

#[tokio::test]
async fn a_token_issued_before_the_cut_off_is_refused_known_or_not() {
    let house = House::open().await;
    let (old, older) = (house.token(NOON - 1).mint(), house.token(NOON - 2).mint());
    let (equal, newer) = (house.token(NOON).mint(), house.token(NOON + 1).mint());
    assert_eq!(house.get("/me", &old).await.of(), (200, "in"));
    assert_eq!(house.key_of(&old).await, alice());

    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON))
        .await
        .unwrap();
    for token in [&old, &older] {
        let answer = house.get("/me", token).await;
        assert_eq!(answer.of(), (401, "revoked"));
        assert!(answer.challenge().contains(r#"error="invalid_token""#));
    }
    for token in [&equal, &newer] {
        assert_eq!(house.get("/me", token).await.of(), (200, "in"));
    }
    let outside = house.entra.validate(&old).await.unwrap_err();
    assert_eq!(outside.reason(), "revoked");
    assert_eq!(outside.invalid_token(), Some(&InvalidToken::Revoked));
    assert!(!outside.is_unavailable() && outside.denial().is_none());
    assert_eq!(Rejection::from(outside).status(), 401);
    assert!(house.entra.validate(&newer).await.is_ok());
}

#[tokio::test]
async fn no_other_account_is_refused() {
    let house = House::open().await;
    let bob = house.token(NOON - 1).user("bob").mint();
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &bob).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_cut_off_is_never_lowered() {
    let house = House::open().await;
    let token = house.token(NOON - 50).mint();
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON - 10))
        .await
        .unwrap();
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON - 100))
        .await
        .unwrap();
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(0))
        .await
        .unwrap();
    house.entra.remove_account(&alice()).await;
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    house.at(NOON + 3_000);
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn revoking_now_refuses_this_second_s_tokens_and_leaves_the_next_second_s() {
    let house = House::open().await;
    let before = house.token(NOON).mint();
    house.entra.revoke_tokens(&alice()).await.unwrap();
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    let within = house.token(NOON).mint();
    assert_eq!(house.get("/me", &within).await.of(), (401, "revoked"));
    let after = house.token(NOON + 1).mint();
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_begun_second_counts_as_whole() {
    let house = House::open().await;
    let within = house.token(NOON).mint();
    let time = at(NOON) + Duration::from_millis(1);
    house
        .entra
        .revoke_tokens_issued_before(&alice(), time)
        .await
        .unwrap();
    assert_eq!(house.get("/me", &within).await.of(), (401, "revoked"));
    let after = house.token(NOON + 1).mint();
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_time_more_than_a_day_ahead_is_an_error_and_revokes_nothing() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    // Milliseconds taken for seconds.
    for far in [at(NOON * 1_000), at(NOON + 90_000)] {
        let refused = house.entra.revoke_tokens_issued_before(&alice(), far).await;
        assert!(matches!(refused, Err(RevokeError::TooFarAhead)));
        assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    }
    let near = at(NOON + 86_400);
    house
        .entra
        .revoke_tokens_issued_before(&alice(), near)
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn a_revocation_that_was_a_mistake_is_lifted_and_the_next_one_holds() {
    let house = House::open().await;
    let token = house.token(NOON).mint();
    house.entra.lift_revocation(&alice()).await.unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    // The longest mistake that is accepted: the account would be refused for a day.
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON + 86_400))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    house.entra.lift_revocation(&alice()).await.unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    // Another account's is not touched by it, and a new one has an effect at whatever time.
    let bob = house.token(NOON).user("bob").mint();
    assert_eq!(house.get("/me", &bob).await.of(), (200, "in"));
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON + 1))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn a_token_that_does_not_say_when_it_was_issued_is_refused() {
    let house = House::open().await;
    let token = house.token(NOON).without("iat").mint();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(1_000))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
    let bob = house.token(NOON).user("bob").without("iat").mint();
    assert_eq!(house.get("/me", &bob).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_client_with_cp1_is_told_to_come_back_with_a_newer_token() {
    let house = House::open().await;
    let token = house.token(NOON - 1).claim("xms_cc", ["CP1"].as_slice());
    let user = token.clone().mint();
    let app = token.app("daemon").mint();
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON))
        .await
        .unwrap();
    let answer = house.get("/me", &user).await;
    assert_eq!(answer.of(), (401, "revoked"));
    assert_eq!(answer.body["error"], "insufficient_claims");
    let challenge = answer.challenge();
    assert!(
        challenge.contains(r#"error="insufficient_claims""#),
        "{challenge}"
    );
    assert!(challenge.contains("oauth2/v2.0/authorize"), "{challenge}");
    let claims = challenge.split("claims=\"").nth(1).unwrap();
    let claims = base64(claims.split('"').next().unwrap());
    let expected = format!(r#"{{"access_token":{{"nbf":{{"essential":true,"value":"{NOON}"}}}}}}"#);
    assert_eq!(claims, expected);

    // An application cannot go to a sign-in page.
    let daemon = house.key_of(&app).await;
    house
        .entra
        .revoke_tokens_issued_before(&daemon, at(NOON))
        .await
        .unwrap();
    let answer = house.get("/me", &app).await;
    assert_eq!(answer.of(), (401, "revoked"));
    assert_eq!(answer.body["error"], "invalid_token");
}

#[tokio::test]
async fn a_session_that_ended_takes_its_tokens_along_and_no_others() {
    let house = House::open().await;
    let of = |session: &str| house.token(NOON).claim("sid", session).mint();
    let (here, there, none) = (of("s-1"), of("s-2"), house.token(NOON).mint());
    let tenant = CONTOSO.parse().unwrap();
    house.entra.revoke_session(tenant, "s-1").await.unwrap();
    assert_eq!(house.get("/me", &here).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &there).await.of(), (200, "in"));
    assert_eq!(house.get("/me", &none).await.of(), (200, "in"));
    let elsewhere = "22222222-2222-4222-8222-222222222222".parse().unwrap();
    house.entra.revoke_session(elsewhere, "s-2").await.unwrap();
    assert_eq!(house.get("/me", &there).await.of(), (200, "in"));
}

#[tokio::test]
async fn an_account_is_also_known_by_issuer_and_subject() {
    let house = House::open().await;
    let token = house.token(NOON - 1).mint();
    let claims = house.entra.validate(&token).await.unwrap();
    let by_subject = AccountId::Subject {
        issuer: claims.issuer().into(),
        subject: claims.subject().unwrap().into(),
    };
    house
        .entra
        .revoke_tokens_issued_before(&by_subject, at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn the_revocation_is_named_before_what_a_guard_would_say() {
    let house = House::open().await;
    let bare = house.token(NOON - 1).without("scp").without("roles").mint();
    assert_eq!(house.get("/me", &bare).await.of(), (403, "no_permissions"));
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &bare).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn in_memory_nothing_can_be_lost() {
    let house = House::open().await;
    house
        .entra
        .revoke_tokens_issued_before(&alice(), at(NOON))
        .await
        .unwrap();
    let status = house.entra.store_status();
    assert!(status.connected && !status.is_shared);
    assert_eq!((status.revocation_count, status.failure_policy), (1, None));
    let younger = StoreFailurePolicy::default();
    assert_eq!(
        younger,
        StoreFailurePolicy::AllowIssuedWithin(std::time::Duration::from_secs(600))
    );
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}
