//! Each library with the strictest settings that its documents show for a bearer token of one issuer and audience.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::App;
use crate::corpus::Given;

async fn hello() -> &'static str {
    "hello"
}

fn route() -> Router {
    Router::new().route("/", get(hello))
}

pub async fn build(name: &str, given: &Given) -> App {
    match name {
        "axum_entra" => axum_entra(given).await,
        "jwt_authorizer" => jwt_authorizer(given).await,
        "tower_oauth2_resource_server" => tower_oauth2_resource_server(given).await,
        "axum_jwt_auth" => axum_jwt_auth(given).await,
        "oauth_resource_server" => oauth_resource_server(given).await,
        "huskarl_axum" => huskarl_axum(given).await,
        other => panic!("no library `{other}`"),
    }
}

/// README.md.
async fn axum_entra(given: &Given) -> App {
    use axum_entra::{AllowedTenants, Authority, Entra, Tenant, TokenVersion, Uuid};
    let tenants = given.tenants();
    let ids = tenants
        .iter()
        .map(|tenant| tenant.parse::<Uuid>().expect("a GUID"));
    let one = (tenants.len() == 1).then(|| tenants[0]);
    let audience = given.audience();
    let versions = match given.settings["token_versions"][0].as_str() {
        Some("1.0") => [TokenVersion::V1],
        _ => [TokenVersion::V2],
    };
    let mut authority = Authority::entra(
        one.map_or(Tenant::Organizations, Tenant::new),
        audience.trim_start_matches("api://"),
    )
    .instance(given.instance())
    .sts_instance(given.instance())
    .token_versions(versions)
    .clock_skew(Duration::from_secs(given.skew()));
    if one.is_none() {
        authority = authority.allowed_tenants(AllowedTenants::only(ids));
    }
    let entra = Entra::builder_for(authority)
        .build()
        .expect("good settings");
    App::Axum08(route().route_layer(entra.layer()).with_state(()))
}

/// docs.rs/jwt-authorizer/0.15.0: crate page ("Validation"), struct `Validation`.
async fn jwt_authorizer(given: &Given) -> App {
    use jsonwebtoken9::Algorithm;
    use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, Validation};
    let validation = Validation::new()
        .iss(&[given.issuer()])
        .aud(&[given.audience()])
        .exp(true)
        .nbf(true)
        .leeway(given.skew())
        .algs(vec![Algorithm::RS256]);
    let authorizer: Authorizer = JwtAuthorizer::from_jwks_url(&given.jwks)
        .validation(validation)
        .build()
        .await
        .expect("an authorizer");
    let route = axum07::Router::new().route("/", axum07::routing::get(hello));
    App::Axum07(route.route_layer(authorizer.into_layer()).with_state(()))
}

/// docs.rs/tower-oauth2-resource-server/0.12.5: `TenantConfigurationBuilder`.
async fn tower_oauth2_resource_server(given: &Given) -> App {
    use jsonwebtoken11::Algorithm;
    use tower_oauth2_resource_server::server::OAuth2ResourceServer;
    use tower_oauth2_resource_server::tenant::TenantConfiguration;
    use tower_oauth2_resource_server::validation::ClaimsValidationSpec;
    let _ = jsonwebtoken11::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let audiences = vec![given.audience()];
    let tenant = TenantConfiguration::builder(given.issuer())
        .jwks_url(&given.jwks)
        .audiences(&audiences)
        .claims_validation(ClaimsValidationSpec::recommended(
            &given.issuer(),
            &audiences,
        ))
        .allowed_algorithms(&[Algorithm::RS256])
        .build()
        .await
        .expect("a tenant");
    let server = <OAuth2ResourceServer>::builder()
        .add_tenant(tenant)
        .build()
        .await
        .expect("a server");
    App::Axum08(route().route_layer(server.into_layer()).with_state(()))
}

/// github.com/cmackenzie1/axum-jwt-auth, README "Remote JWKS"; jsonwebtoken's `Validation`, which it takes.
async fn axum_jwt_auth(given: &Given) -> App {
    use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
    /// As an application writes it: what it reads.
    #[derive(Clone, Serialize, Deserialize)]
    struct Payload {
        oid: String,
    }
    async fn claimed(_: Claims<Payload>) -> &'static str {
        "hello"
    }
    let mut validation = jsonwebtoken10::Validation::new(jsonwebtoken10::Algorithm::RS256);
    validation.set_audience(&[given.audience()]);
    validation.set_issuer(&[given.issuer()]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    validation.leeway = given.skew();
    let decoder = RemoteJwksDecoder::builder()
        .jwks_url(given.jwks.clone())
        .validation(validation)
        .build()
        .expect("a decoder");
    let decoder = Arc::new(decoder);
    decoder.initialize().await.expect("keys");
    let decoder: Decoder<Payload> = decoder;
    App::Axum08(Router::new().route("/", get(claimed)).with_state(decoder))
}

/// github.com/St0nefish/oauth-resource-server, README "Quickstart: axum"; docs/providers.md for Entra ID.
async fn oauth_resource_server(given: &Given) -> App {
    use oauth_resource_server::axum::AuthLayer;
    use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, static_token_policy};
    let config = OAuthConfig {
        enabled: true,
        issuer: given.issuer(),
        jwks_uri: Some(given.jwks.clone()),
        audience: given.audience(),
        resource: "https://api.example/".to_owned(),
        required_scope: Some("access_as_user".to_owned()),
        scope_claims: vec!["scp".to_owned()],
        algorithms: vec!["RS256".to_owned()],
        accept_static_bearer: false,
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
    App::Axum08(route().route_layer(layer).with_state(()))
}

/// docs.rs/huskarl-axum/0.1.0: "Protect existing routes"; huskarl-resource-server's guide `custom`, which is for
/// authorization servers whose tokens are not RFC 9068's. Entra's have `uti` and no `jti`.
async fn huskarl_axum(given: &Given) -> App {
    use huskarl_axum::layers::ValidatorLayer;
    use huskarl_axum::resource_server::validator::custom::CustomValidator;
    let client = huskarl_reqwest::ReqwestClient::builder().build().await;
    let validator = CustomValidator::builder()
        .authorization_server(given.issuer())
        .iss(given.issuer())
        .aud(given.audience())
        .require_exp(true)
        .require_jti(false)
        .allowed_signing_algorithms(vec!["RS256".to_owned()])
        .clock_leeway(Duration::from_secs(given.skew()))
        .jwks_uri(given.jwks.parse().expect("an address"))
        .jwks_source(client.expect("a client"))
        .build()
        .await
        .expect("a validator");
    let auth = ValidatorLayer::builder().validator(validator).build();
    App::Axum08(route().layer(auth.authenticated()).with_state(()))
}
