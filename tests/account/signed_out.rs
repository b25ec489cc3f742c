//! Sign-out: what is forgotten, and what is not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_entra::AccountId;

use crate::house::{House, NOON, at};

#[tokio::test]
async fn each_cache_of_an_account_is_told_to_forget_it() {
    let told: Arc<Mutex<Vec<AccountId>>> = Arc::default();
    let told_too = Arc::clone(&told);
    let house = House::open_with(|builder| {
        builder.on_sign_out(move |account| told_too.lock().unwrap().push(account.clone()))
    })
    .await;
    let (alice, bob) = (
        house.token(NOON - 1).mint(),
        house.token(NOON - 1).user("bob").mint(),
    );
    let (alice_key, bob_key) = (house.key_of(&alice).await, house.key_of(&bob).await);
    house.entra.remove_account(&alice_key).await;
    assert_eq!(told.lock().unwrap().len(), 1);
    house.at(NOON + 1);
    house.entra.remove_account(&alice_key).await;
    assert_eq!(*told.lock().unwrap(), [alice_key.clone(), alice_key]);
    // Nothing is revoked, for no account.
    assert_eq!(house.get("/me", &alice).await.of(), (200, "in"));
    assert_eq!(house.get("/me", &bob).await.of(), (200, "in"));
    told.lock().unwrap().clear();
    house
        .entra
        .revoke_tokens_issued_before(&bob_key, at(NOON))
        .await
        .unwrap();
    assert_eq!(*told.lock().unwrap(), [bob_key]);
}

#[tokio::test]
async fn an_account_that_was_never_seen_may_sign_out() {
    let house = House::open().await;
    let unknown = AccountId::Subject {
        issuer: "https://nowhere.example".into(),
        subject: "unknown".into(),
    };
    house.entra.remove_account(&unknown).await;
    assert_eq!(house.entra.store_status().revocation_count, 0);
}

#[tokio::test]
async fn nothing_outlives_the_last_handle() {
    let weak = {
        let kept = Arc::new(());
        let weak = Arc::downgrade(&kept);
        let house = House::open_with(|builder| {
            builder.on_sign_out(move |_| {
                let _ = &kept;
            })
        })
        .await;
        let _layer = house.entra.layer();
        assert!(weak.upgrade().is_some());
        weak
    };
    assert!(weak.upgrade().is_none());
}

#[tokio::test]
async fn two_thousand_sign_outs_of_a_second_are_told_as_one_and_the_rest_as_another() {
    let told: Arc<Mutex<Vec<AccountId>>> = Arc::default();
    let told_too = Arc::clone(&told);
    let house = House::open_with(|builder| {
        builder.on_sign_out(move |account| told_too.lock().unwrap().push(account.clone()))
    })
    .await;
    let (alice, bob) = (
        house.token(NOON - 1).mint(),
        house.token(NOON - 1).user("bob").mint(),
    );
    let (alice_key, bob_key) = (house.key_of(&alice).await, house.key_of(&bob).await);
    let app = Router::new()
        .route_service("/signout", house.entra.sign_out_service())
        .route_layer(house.entra.layer());
    let sign_out = async |token: &str| {
        let request = Request::post("/signout").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        house.send(app.clone(), request).await.status
    };
    tokio::time::pause();
    for _ in 0..2_000 {
        assert_eq!(sign_out(&alice).await, 204);
    }
    // Another account does not wait.
    assert_eq!(sign_out(&bob).await, 204);
    assert_eq!(*told.lock().unwrap(), [alice_key.clone(), bob_key.clone()]);
    // What came after the first one is not lost.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        *told.lock().unwrap(),
        [alice_key.clone(), bob_key.clone(), alice_key.clone()]
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(told.lock().unwrap().len(), 3);
    house.at(NOON + 10);
    assert_eq!(sign_out(&alice).await, 204);
    assert_eq!(told.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn hooks_that_panic_leave_the_sign_out_and_the_answer_as_they_are() {
    let house = House::open_with(|builder| {
        builder
            .on_sign_out(|_| panic!("the application's own"))
            .map_rejection(|_, _| panic!("the application's own"))
    })
    .await;
    let token = house.token(NOON - 1).mint();
    let account = house.key_of(&token).await;
    assert_eq!(house.entra.store_status().last_error, None);
    house.entra.remove_account(&account).await;
    house
        .entra
        .revoke_tokens_issued_before(&account, at(NOON))
        .await
        .unwrap();
    let said = house.entra.store_status().last_error.unwrap();
    assert!(said.contains("on_sign_out"), "{said}");
    let answer = house.get("/me", &token).await;
    assert_eq!(answer.of(), (401, "revoked"));
    assert!(answer.challenge().contains("invalid_token"));
}
