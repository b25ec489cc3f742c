//! What the log says about guards when a router is built.

use axum::Router;
use axum::routing::get;
use axum_entra::guard::{Guard, RequireClientId, RequireRole, RequireScope, RequireTenant};
use axum_entra::{Authority, Entra, Tenant, guards};

use crate::log::Log;

const EVENT: &str = "a guard can never match";
const GUID: &str = "aaaaaaaa-1111-4111-8111-111111111111";

guards! {
    Named = RequireScope("api://named/Todo.Read");
}

#[test]
fn a_guard_that_can_never_match_says_so_once_however_many_routes_have_it() {
    let (log, _listening) = Log::listen();
    let three = || {
        let routes = ["/a", "/b", "/c"];
        routes
            .into_iter()
            .fold(Router::<()>::new(), |router, path| {
                router.route(path, get(|| async {}))
            })
    };
    // Good names, first.
    let _ = three()
        .route_layer(RequireScope::any(["Todo.Read", "Todo.ReadWrite"]))
        .route_layer(RequireTenant(GUID).or(RequireRole("Any text is a role")))
        .route_layer(RequireClientId(GUID));
    assert_eq!(log.lines(EVENT), [""; 0]);

    let _ = three().route_layer(RequireTenant("contoso.com").or(RequireScope("a b")));
    let _ = three().route_layer(RequireTenant("contoso.com").and(RequireRole("R")));
    let _ = three().route_layer(Named);
    let said = log.lines(EVENT);
    assert_eq!(said.len(), 3, "{said:?}");
    for (line, name) in said
        .iter()
        .zip(["contoso.com", "a b", "api://named/Todo.Read"])
    {
        assert!(line.contains("WARN") && line.contains(name), "{line}");
    }
}

#[tokio::test]
async fn a_required_scope_that_can_never_match_says_so_when_the_layer_is_built() {
    const EVENT: &str = "a required scope can never match";
    let (log, _listening) = Log::listen();
    let build = |scope: &str| {
        let authority = Authority::entra(Tenant::new(GUID), GUID).static_jwks(JWKS);
        drop(Entra::builder_for(authority.required_scope(scope)).build());
    };
    build("Todo.Read");
    assert_eq!(log.lines(EVENT), [""; 0]);
    for scope in ["a b", "api://named/Todo.Read", ""] {
        build(scope);
    }
    let said = log.lines(EVENT);
    assert!(
        said.len() == 3 && said[1].contains("api://named/Todo.Read"),
        "{said:?}"
    );
}

const JWKS: &str = r#"{"keys":[{"kty":"RSA","kid":"k","e":"AQAB","n":"_____________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________________v8"}]}"#;
