//! Guards: each with what it accepts and what it refuses, in every place it can be used.

mod alternatives;
mod checks;
mod custom;
mod each;
mod principal;
mod readiness;
mod routers;
mod scope_hierarchy;
mod token_kinds;

/// A guard whose type is not known where it is used.
fn shared<G>(guard: G) -> std::sync::Arc<dyn axum_entra::guard::Guard + Send + Sync>
where
    G: axum_entra::guard::Guard + Send + Sync + 'static,
{
    std::sync::Arc::new(guard)
}

/// One route, `/`, with a guard in every place it can stand.
///
/// A macro, because every guard is a type of its own.
macro_rules! mounts {
    ($entra:expr, $runs:expr, $guard:expr) => {{
        axum_entra::guards! { Named = $guard; }
        let route = || axum::Router::new().route("/", $runs.handler());
        let runs = $runs.clone();
        let permit = move |permit: axum_entra::Permit<Named>| {
            runs.note();
            async move { permit.claims().version().as_str() }
        };
        let in_signature = axum::Router::new().route("/", axum::routing::get(permit));
        [
            ("route_layer", route().route_layer($guard)),
            ("layer", route().layer($guard)),
            ("route_layer by name", route().route_layer(Named)),
            (
                "GuardLayer",
                route().route_layer(axum_entra::GuardLayer::new($guard)),
            ),
            (
                "GuardLayer of dyn Guard",
                route().route_layer(axum_entra::GuardLayer::new($crate::guards::shared($guard))),
            ),
            ("Permit", in_signature),
        ]
        .map(|(place, router)| (place, router.route_layer($entra.layer())))
    }};
}
use mounts;
