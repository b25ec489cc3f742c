//! On-behalf-of and app-only tokens, as handlers get them.

use axum::Router;
use axum::routing::get as route;
use axum_entra::guard::RequireGroup;
use axum_entra::{AllowedTenants, CallerToken, Entra, GraphClient, Rejection, Tenant};
use entra_emulator::{API_ID, CONTOSO, FABRIKAM, GROUP_ID};
use serde_json::json;
use tokio::task::JoinSet;

use crate::fake::{Canned, World, assert_is, get};

const MAIL: &str = "https://graph.microsoft.com/Mail.Read";

async fn mail(directory: GraphClient, caller: CallerToken) -> Result<String, Rejection> {
    let token = directory
        .on_behalf_of(&caller, &[MAIL, "offline_access"])
        .await?;
    let shown = format!("{token:?} {caller:?} {directory:?}");
    assert!(!shown.contains(token.expose_secret()), "{shown}");
    Ok(format!("\"{}\"", token.expose_secret()))
}

fn app(entra: &Entra) -> Router {
    Router::new()
        .route("/mail", route(mail))
        .route(
            "/group",
            route(|| async {}).route_layer(RequireGroup(GROUP_ID)),
        )
        .route_layer(entra.layer())
}

#[tokio::test]
async fn the_callers_own_token_is_the_assertion() {
    let world = World::new().await;
    let token = world.emulator.token().scope("access_as_user").mint();
    let answer = get(&app(&world.entra()), "/mail", &token).await;
    assert_is(&answer, 200, "");
    let calls = world.fake.token_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, format!("/{CONTOSO}/oauth2/v2.0/token"));
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("client_id", API_ID),
        ("client_secret", "s3cret+&=%"),
        ("assertion", &token),
        ("scope", &format!("{MAIL} offline_access")),
        ("requested_token_use", "on_behalf_of"),
    ];
    for (name, value) in expected {
        assert_eq!(calls[0].field(name).as_deref(), Some(value), "{name}");
    }
}

/// The authority cannot read what is encrypted to this API, so it gets the signed token inside, as
/// from Microsoft.Identity.Web.
#[tokio::test]
async fn of_an_encrypted_token_the_signed_one_inside_is_the_assertion() {
    const PEM: &str = include_str!("../vectors/jwe/key.pem");
    let world = World::new().await;
    let entra = Entra::builder_for(world.authority())
        .graph(world.access())
        .token_decryption_key(axum_entra::TokenDecryptionKey::bytes(PEM))
        .build()
        .unwrap();
    let encryption = entra_emulator::TokenEncryption::to(PEM).unwrap();
    let token = world.emulator.token().scope("access_as_user");
    let token = token.encrypted(encryption).mint();
    assert_eq!(token.split('.').count(), 5);
    // New, and then known.
    for _ in 0..2 {
        assert_is(&get(&app(&entra), "/mail", &token).await, 200, "");
    }
    let calls = world.fake.token_calls();
    assert_eq!(calls.len(), 1, "kept by the assertion");
    let assertion = calls[0].field("assertion").unwrap();
    assert_eq!(assertion.split('.').count(), 3);
    assert!(entra.validate(&assertion).await.is_ok());
}

#[tokio::test]
async fn a_token_is_kept_by_assertion_and_scopes_and_asked_for_once() {
    let world = World::new().await;
    world.fake.delay(std::time::Duration::from_millis(20));
    let app = app(&world.entra());
    let token = world.emulator.token().scope("access_as_user").mint();
    let mut all = JoinSet::new();
    for _ in 0..100 {
        let (app, token) = (app.clone(), token.clone());
        all.spawn(async move { get(&app, "/mail", &token).await.body });
    }
    let bodies = all.join_all().await;
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:?}");
    assert_eq!(world.fake.token_calls().len(), 1);
    // A newer token of the same user is another assertion; Graph's scope is another too.
    let newer = world
        .emulator
        .token()
        .scope("access_as_user Todo.Read")
        .mint();
    assert_ne!(get(&app, "/mail", &newer).await.body, bodies[0]);
    let overage = world
        .emulator
        .token()
        .scope("access_as_user")
        .groups_overage()
        .mint();
    assert_is(&get(&app, "/group", &overage).await, 403, "group");
    let calls = world.fake.token_calls();
    assert_eq!(calls.len(), 3);
    assert_eq!(
        calls[2].field("scope").unwrap(),
        "https://graph.microsoft.com/.default"
    );
}

#[tokio::test]
async fn a_short_token_is_not_kept_to_its_end() {
    let world = World::new().await;
    let short = json!({ "token_type": "Bearer", "expires_in": "0", "access_token": "short" });
    world.fake.tokens_answer(Some(Canned::Json(200, short)));
    let app = app(&world.entra());
    let token = world.emulator.token().scope("access_as_user").mint();
    for expected in 1..=2 {
        assert_is(&get(&app, "/mail", &token).await, 200, "");
        assert_eq!(world.fake.token_calls().len(), expected);
    }
}

#[tokio::test]
async fn an_applications_token_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let token = world.emulator.token().app("daemon").mint();
    assert_is(
        &get(&app(&world.entra()), "/mail", &token).await,
        403,
        "user_only",
    );
    assert!(world.fake.token_calls().is_empty());
}

#[tokio::test]
async fn an_authority_for_many_is_asked_in_the_callers_tenant() {
    let world = World::new().await;
    let authority = world
        .authority_of(Tenant::Organizations, "organizations")
        .allowed_tenants(AllowedTenants::Any);
    let entra = Entra::builder_for(authority)
        .graph(world.access())
        .build()
        .unwrap();
    let app = app(&entra);
    for (user, tenant) in [("alice", CONTOSO), ("erin", FABRIKAM)] {
        let token = world
            .emulator
            .token()
            .user(user)
            .scope("access_as_user")
            .mint();
        assert_is(&get(&app, "/mail", &token).await, 200, "");
        let last = world.fake.token_calls().pop().unwrap();
        assert_eq!(last.path, format!("/{tenant}/oauth2/v2.0/token"));
    }
}

#[tokio::test]
async fn without_credentials_every_question_is_503() {
    let world = World::new().await;
    let entra = Entra::builder_for(world.authority()).build().unwrap();
    let token = world.emulator.token().scope("access_as_user").mint();
    let answer = get(&app(&entra), "/mail", &token).await;
    assert_is(&answer, 503, "directory_unavailable");
    assert!(answer.retry_after().is_some());
    let refused = entra
        .graph()
        .client_credentials_token(None, &["x/.default"])
        .await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_token_of_our_own_is_kept_by_tenant_and_scopes() {
    let world = World::new().await;
    let directory = world.entra().graph();
    let scope = ["https://vault.azure.net/.default"];
    let first = directory
        .client_credentials_token(None, &scope)
        .await
        .unwrap();
    let second = directory
        .client_credentials_token(None, &scope)
        .await
        .unwrap();
    assert_eq!(first.expose_secret(), second.expose_secret());
    assert!(first.expires_in().as_secs() > 3_500);
    let other = directory
        .client_credentials_token(Some(FABRIKAM.parse().unwrap()), &scope)
        .await
        .unwrap();
    assert_ne!(first.expose_secret(), other.expose_secret());
    let calls = world.fake.token_calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].field("scope").unwrap(), scope[0]);
}
