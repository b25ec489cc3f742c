//! The other crates, each as its own documentation shows it, holding the same things against a
//! token: signature, `iss`, `aud`, `exp` and `nbf`.

use std::sync::Arc;

use aliri_oauth2::scope::BasicClaimsWithScope;
use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contender::App;
use crate::tokens::Authority;

/// What an application would read of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    sub: String,
    oid: String,
    tid: String,
    scp: String,
    roles: Vec<String>,
    name: String,
    exp: u64,
}

async fn hello() -> &'static str {
    "hello"
}

fn route() -> Router {
    Router::new().route("/", get(hello))
}

/// Whether it needs another crypto library than the other contenders have in this process.
pub fn is_apart(name: &str) -> bool {
    name.ends_with("RustCrypto")
}

pub async fn peer(name: &str, authority: &Authority) -> App {
    let jwks = with_algorithm(&authority.jwks);
    let (issuer, audience) = (authority.issuer.clone(), authority.audience);
    match name {
        "unprotected, axum 0.7" => {
            App::Axum07(axum07::Router::new().route("/", axum07::routing::get(hello)))
        }
        "jwt-authorizer" => {
            use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};
            let validation = Validation::new().iss(&[issuer]).aud(&[audience]).nbf(true);
            let authorizer: Authorizer = JwtAuthorizer::from_jwks_text(&jwks.to_string())
                .validation(validation)
                .build()
                .await
                .expect("an authorizer");
            let route = axum07::Router::new().route("/", axum07::routing::get(hello));
            App::Axum07(route.route_layer(authorizer.into_layer()))
        }
        "tower-oauth2-resource-server, aws-lc" | "tower-oauth2-resource-server, RustCrypto" => {
            use jsonwebtoken11::crypto::{aws_lc, rust_crypto};
            use tower_oauth2_resource_server::server::OAuth2ResourceServer;
            use tower_oauth2_resource_server::tenant::TenantConfiguration;
            let library = if name.ends_with("RustCrypto") {
                &rust_crypto::DEFAULT_PROVIDER
            } else {
                &aws_lc::DEFAULT_PROVIDER
            };
            let chosen = library.install_default().is_ok();
            assert!(chosen, "one library for a process");
            let address = serve(&jwks, &issuer).await;
            let tenant = TenantConfiguration::builder(issuer)
                .jwks_url(format!("{address}/jwks"))
                .audiences(&[audience])
                .build()
                .await
                .expect("a tenant");
            let server = <OAuth2ResourceServer>::builder()
                .add_tenant(tenant)
                .build()
                .await
                .expect("a server");
            App::Axum08(route().route_layer(server.into_layer()))
        }
        "aliri_tower" => {
            // Not from a `Value`: it would skip every key, and say nothing.
            let jwks: aliri::Jwks = serde_json::from_str(&jwks.to_string()).expect("keys");
            let validator = aliri::jwt::CoreValidator::default()
                .add_approved_algorithm(aliri::jwa::Algorithm::RS256)
                .add_allowed_audience(aliri::jwt::Audience::from(audience.to_owned()))
                .require_issuer(aliri::jwt::Issuer::from(issuer))
                .check_expiration()
                .check_not_before();
            let authority = aliri_oauth2::Authority::new(jwks, validator);
            let authorizer = aliri_tower::Oauth2Authorizer::new()
                .with_claims::<BasicClaimsWithScope>()
                .with_verbose_error_handler::<axum::body::Body>();
            App::Axum08(route().route_layer(authorizer.jwt_layer(authority)))
        }
        "axum-jwt-auth" => {
            use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
            async fn claimed(_: Claims<Payload>) -> &'static str {
                "hello"
            }
            let mut validation = jsonwebtoken10::Validation::new(jsonwebtoken10::Algorithm::RS256);
            validation.set_audience(&[audience]);
            validation.set_issuer(&[issuer.clone()]);
            validation.validate_nbf = true;
            let address = serve(&jwks, &issuer).await;
            let decoder = RemoteJwksDecoder::builder()
                .jwks_url(format!("{address}/jwks"))
                .validation(validation)
                .build()
                .expect("a decoder");
            let decoder = Arc::new(decoder);
            decoder.initialize().await.expect("keys");
            let decoder: Decoder<Payload> = decoder;
            App::Axum08(Router::new().route("/", get(claimed)).with_state(decoder))
        }
        "axum-keycloak-auth" => {
            use axum_keycloak_auth::instance::{KeycloakAuthInstance, KeycloakConfig};
            use axum_keycloak_auth::layer::KeycloakAuthLayer;
            use axum_keycloak_auth::{PassthroughMode, Url};
            let address = serve(&jwks, &issuer).await;
            let instance = KeycloakAuthInstance::new(
                KeycloakConfig::builder()
                    .server(Url::parse(&address).expect("an address"))
                    .realm("bench".to_owned())
                    .build(),
            );
            // A request before that would be a panic.
            while !instance.is_operational().await {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            let layer = KeycloakAuthLayer::<String>::builder()
                .instance(instance)
                .passthrough_mode(PassthroughMode::Block)
                .persist_raw_claims(false)
                .expected_audiences(vec![audience.to_owned()])
                .build();
            App::Axum08(route().route_layer(layer))
        }
        "oauth-resource-server" => {
            use oauth_resource_server::axum::AuthLayer;
            use oauth_resource_server::{
                KeyNaming, OAuthConfig, OAuthValidator, static_token_policy,
            };
            let address = serve(&jwks, &issuer).await;
            let config = OAuthConfig {
                enabled: true,
                issuer,
                jwks_uri: Some(format!("{address}/jwks")),
                audience: audience.to_owned(),
                resource: "https://api.example/".to_owned(),
                required_scope: Some("access_as_user".to_owned()),
                ..OAuthConfig::default()
            };
            let resolved = config
                .resolve(KeyNaming::Dotted("oauth"))
                .expect("settings")
                .expect("enabled");
            let validator = Arc::new(OAuthValidator::new(&resolved).expect("a validator"));
            validator.spawn_background_refresh();
            validator.refresh_now().await.expect("keys");
            let decision = static_token_policy(None, Some(&resolved), false).expect("a policy");
            let layer = AuthLayer::from_decision(decision, Some(validator)).expect("a layer");
            App::Axum08(route().route_layer(layer))
        }
        other => panic!("no contender `{other}`"),
    }
}

/// Some of them need `alg` in a key, which Entra does not write.
fn with_algorithm(jwks: &Value) -> Value {
    let mut jwks = jwks.clone();
    for key in jwks["keys"].as_array_mut().expect("keys") {
        key["alg"] = json!("RS256");
    }
    jwks
}

/// Serves the keys, and Keycloak's discovery document, for those who only fetch.
async fn serve(jwks: &Value, issuer: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let discovery = json!({
        "issuer": issuer,
        "jwks_uri": format!("{address}/jwks"),
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
        "userinfo_endpoint": format!("{address}/userinfo"),
        "end_session_endpoint": format!("{address}/logout"),
        "check_session_iframe": format!("{address}/session"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let jwks = jwks.clone();
    let documents = Router::new()
        .route(
            "/jwks",
            get(move || std::future::ready(axum::Json(jwks.clone()))),
        )
        .fallback(move || std::future::ready(axum::Json(discovery.clone())));
    tokio::spawn(async move { axum::serve(listener, documents).await });
    address
}
