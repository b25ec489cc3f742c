//! Tokens that say they were issued five minutes before they were, as Entra writes them.

use std::time::Duration;

use axum_entra::{Authority, ConfigError, Entra, Tenant, UnixTime};
use entra_emulator::{Emulator, TokenBuilder};

use crate::house::{House, NOON, at};

const BACKDATE: u64 = 300;

async fn house() -> House {
    let emulator = Emulator::start().await.unwrap();
    House::described(emulator, |authority| authority, |builder| builder).await
}

/// A token of alice that the authority issued at that time.
fn issued(house: &House, time: u64) -> TokenBuilder {
    let said = time - BACKDATE;
    house.token(said).expires_at(time + 3_600)
}

#[tokio::test]
async fn who_signs_in_again_right_after_a_revocation_is_let_in() {
    let house = house().await;
    let before = issued(&house, NOON).mint();
    let long_before = issued(&house, NOON - 3_000).mint();
    // Accepted and kept, which saves no token.
    assert_eq!(house.get("/me", &before).await.of(), (200, "in"));
    let account = house.key_of(&before).await;
    house.entra.revoke_tokens(&account).await.unwrap();
    for token in [&before, &long_before] {
        assert_eq!(house.get("/me", token).await.of(), (401, "revoked"));
    }
    house.at(NOON + 1);
    let after = issued(&house, NOON + 1).mint();
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    // A day later nothing has changed.
    house.at(NOON + 3_000);
    assert_eq!(house.get("/me", &before).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_claims_challenge_is_met_by_the_next_token() {
    let house = house().await;
    let capable = |time| issued(&house, time).claim("xms_cc", ["cp1"].as_slice());
    let before = capable(NOON).mint();
    let account = house.key_of(&before).await;
    house.entra.revoke_tokens(&account).await.unwrap();
    let answer = house.get("/me", &before).await;
    assert_eq!(answer.of(), (401, "revoked"));
    assert_eq!(answer.body["error"], "insufficient_claims");
    house.at(NOON + 1);
    let after = capable(NOON + 1).mint();
    assert_eq!(house.get("/me", &after).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_cut_off_is_compared_with_the_time_of_issue() {
    let house = house().await;
    let (older, equal) = (
        issued(&house, NOON - 101).mint(),
        issued(&house, NOON - 100).mint(),
    );
    let account = house.key_of(&older).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON - 100))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &older).await.of(), (401, "revoked"));
    assert_eq!(house.get("/me", &equal).await.of(), (200, "in"));
}

#[tokio::test]
async fn a_token_that_was_not_backdated_lowers_the_value_for_good() {
    let house = house().await;
    // Six seconds too late for 300: one that was issued at this moment says so.
    let said = |time| house.token(time).mint();
    assert_eq!(house.get("/me", &said(NOON - 10)).await.of(), (200, "in"));
    let account = house.key_of(&said(NOON - 10)).await;
    // As it may have been issued just now, it is ten seconds younger than it says, and no more.
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &said(NOON - 10)).await.of(), (200, "in"));
    assert_eq!(
        house.get("/me", &said(NOON - 11)).await.of(),
        (401, "revoked")
    );
    assert_eq!(house.get("/me", &said(NOON)).await.of(), (200, "in"));
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON + 1))
        .await
        .unwrap();
    for time in [NOON - 300, NOON - 10, NOON] {
        assert_eq!(house.get("/me", &said(time)).await.of(), (401, "revoked"));
    }
    house.at(NOON + 1);
    assert_eq!(house.get("/me", &said(NOON + 1)).await.of(), (200, "in"));
}

#[tokio::test]
async fn five_seconds_between_the_clocks_prove_nothing() {
    let house = house().await;
    let ahead = issued(&house, NOON + 5).mint();
    assert_eq!(house.get("/me", &ahead).await.of(), (200, "in"));
    let account = house.key_of(&ahead).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON + 5))
        .await
        .unwrap();
    assert_eq!(
        house.get("/me", &ahead).await.of(),
        (200, "in"),
        "300 still"
    );
    let further = issued(&house, NOON + 6).mint();
    assert_eq!(
        house.get("/me", &further).await.of(),
        (401, "revoked"),
        "294 now"
    );
    assert_eq!(house.get("/me", &ahead).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn a_judgement_at_another_time_proves_nothing() {
    let house = house().await;
    let token = issued(&house, NOON).mint();
    let account = house.key_of(&token).await;
    let earlier = issued(&house, NOON - 1).mint();
    assert!(
        house
            .entra
            .validate_at(&earlier, UnixTime::from_secs(NOON - 250))
            .is_ok()
    );
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &token).await.of(), (200, "in"));
    assert_eq!(house.get("/me", &earlier).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn one_authority_s_tokens_say_nothing_of_another_s() {
    use entra_emulator::FABRIKAM;
    let emulator = Emulator::start().await.unwrap();
    let other = Authority::entra(Tenant::new(FABRIKAM), entra_emulator::API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url());
    let house = House::described(
        emulator,
        |authority| authority,
        |builder| builder.authority(other),
    )
    .await;
    let theirs = house.token(NOON).tenant(FABRIKAM).mint();
    assert_eq!(house.get("/me", &theirs).await.of(), (200, "in"));
    let ours = issued(&house, NOON).mint();
    let account = house.key_of(&ours).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &ours).await.of(), (200, "in"));
    let account = house.key_of(&theirs).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON + 1))
        .await
        .unwrap();
    assert_eq!(house.get("/me", &theirs).await.of(), (401, "revoked"));
}

#[tokio::test]
async fn more_than_ten_minutes_are_no_backdating() {
    let built = |seconds| {
        let authority = Authority::entra(
            Tenant::new("11111111-1111-4111-8111-111111111111"),
            "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        );
        Entra::builder_for(authority.issued_at_backdate(Duration::from_secs(seconds))).build()
    };
    assert!(built(0).is_ok() && built(600).is_ok());
    let Err(ConfigError::InvalidValue { setting, .. }) = built(601) else {
        panic!("accepted");
    };
    assert_eq!(setting, "IssuedAtBackdateSeconds");
}
