//! Errors of an `Entra`'s own methods, which a handler passes on with `?`.

use axum::Router;
use axum::extract::State;
use axum_entra::{Claims, Clock, Entra, ProtectedResource, Rejection, UnixTime};
use http::Method;

use super::{T0, authority, built, good, mint};
use crate::service::{request, send};

const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource";

async fn validate(State(entra): State<Entra>, token: String) -> Result<String, Rejection> {
    let claims = entra.validate(&token).await?;
    Ok(claims.issuer().to_owned())
}

async fn revoke(State(entra): State<Entra>, claims: Claims) -> Result<(), Rejection> {
    let account = claims.account_id().unwrap();
    Ok(entra.revoke_tokens(&account).await?)
}

#[tokio::test]
async fn errors_that_a_handler_passes_on_are_answered_in_the_same_form() {
    let builder = Entra::builder_for(authority())
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .resource(ProtectedResource::unaddressed().metadata_url(METADATA))
        .map_rejection(|rejection, mut answer| {
            *answer.body_mut() = format!("own: {}", rejection.reason()).into();
            answer
        });
    // Nothing listens there.
    #[cfg(feature = "redis")]
    let builder = builder.redis(axum_entra::RedisStore::new(
        "redis://127.0.0.1:1/",
        axum_entra::StoreFailurePolicy::DangerAllow,
    ));
    let entra = builder.build().unwrap();
    let router = Router::new()
        .route("/revoke", axum::routing::post(revoke))
        .route_layer(built(authority()).layer())
        .route("/validate", axum::routing::post(validate))
        .with_state(entra);
    let post = async |path: &str, token: &str, body: String| {
        let mut request = request(Method::POST, path, token);
        *request.body_mut() = body.into();
        send(&router, request).await
    };
    let good = mint(&good());
    let accepted = post("/validate", "", good.clone()).await;
    assert_eq!(accepted.status, 200);
    let refused = post("/validate", "", "x".to_owned()).await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.text),
        (401, "own: malformed")
    );
    assert!(refused.challenge().unwrap().contains(METADATA));
    let revoked = post("/revoke", &good, String::new()).await;
    match cfg!(feature = "redis") {
        true => assert_eq!(
            (revoked.status.as_u16(), &*revoked.text),
            (503, "own: store_unavailable")
        ),
        false => assert_eq!(revoked.status, 200),
    }
}
