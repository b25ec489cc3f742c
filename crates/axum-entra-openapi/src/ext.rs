//! Guards around routes that are documented.

use axum::routing::MethodRouter;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::operations::operations;
use super::problem::{PROBLEM_SCHEMA_NAME, schema};
use super::requirements::{add_requirement, authenticate};
use axum_entra::guard::Guard;
use axum_entra::middleware::ReplayProtectionLayer;
use axum_entra::{EntraLayer, GuardLayer};

/// Protects documented routes, and says so in the document: see the [module](crate).
///
/// For what [`routes!`](utoipa_axum::routes) makes, and for a whole [`OpenApiRouter`]. Layers that
/// lie on one route's way add up, in the document as at run time.
///
/// The answers 400, 401, 403 and 503 of the operations are replaced: they come from the layers.
pub trait OpenApiRouterExt: Sized {
    /// Puts a guard around every route that is there.
    ///
    /// # Panics
    /// On a router without any route, as axum's `route_layer` does.
    #[must_use]
    fn require_guard<G>(self, guard: G) -> Self
    where
        G: Guard + Clone + Send + Sync + 'static;

    /// Puts replay protection around every route that is there: each token once.
    ///
    /// Call it before [`require_guard`](Self::require_guard), so that the guards are asked first.
    ///
    /// # Panics
    /// On a router without any route, as axum's `route_layer` does.
    #[must_use]
    fn require_replay_protection(self, layer: ReplayProtectionLayer) -> Self;

    /// Puts the layer that validates tokens around every route that is there.
    ///
    /// A route without a guard then needs a valid token, or none where the layer is optional.
    ///
    /// # Panics
    /// On a router without any route, as axum's `route_layer` does.
    #[must_use]
    fn require_auth(self, layer: EntraLayer) -> Self;
}

impl<S> OpenApiRouterExt for UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn require_guard<G>(self, guard: G) -> Self
    where
        G: Guard + Clone + Send + Sync + 'static,
    {
        let (mut schemas, mut paths, routes) = self;
        schemas.push((PROBLEM_SCHEMA_NAME.to_owned(), schema()));
        for operation in operations(&mut paths) {
            add_requirement(operation, guard.describe());
        }
        let routes: MethodRouter<S> = routes.layer(GuardLayer::new(guard));
        (schemas, paths, routes)
    }

    fn require_replay_protection(self, layer: ReplayProtectionLayer) -> Self {
        let (mut schemas, mut paths, routes) = self;
        schemas.push((PROBLEM_SCHEMA_NAME.to_owned(), schema()));
        for operation in operations(&mut paths) {
            add_requirement(operation, layer.describe());
        }
        let routes: MethodRouter<S> = routes.layer(layer);
        (schemas, paths, routes)
    }

    fn require_auth(self, layer: EntraLayer) -> Self {
        let (mut schemas, mut paths, routes) = self;
        schemas.push((PROBLEM_SCHEMA_NAME.to_owned(), schema()));
        for operation in operations(&mut paths) {
            authenticate(operation, layer.describe(), layer.is_optional());
        }
        let routes: MethodRouter<S> = routes.layer(layer);
        (schemas, paths, routes)
    }
}

impl<S> OpenApiRouterExt for OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn require_guard<G>(mut self, guard: G) -> Self
    where
        G: Guard + Clone + Send + Sync + 'static,
    {
        add_schema(&mut self);
        for operation in operations(&mut self.get_openapi_mut().paths) {
            add_requirement(operation, guard.describe());
        }
        self.route_layer(GuardLayer::new(guard))
    }

    fn require_replay_protection(mut self, layer: ReplayProtectionLayer) -> Self {
        add_schema(&mut self);
        for operation in operations(&mut self.get_openapi_mut().paths) {
            add_requirement(operation, layer.describe());
        }
        self.route_layer(layer)
    }

    fn require_auth(mut self, layer: EntraLayer) -> Self {
        add_schema(&mut self);
        for operation in operations(&mut self.get_openapi_mut().paths) {
            authenticate(operation, layer.describe(), layer.is_optional());
        }
        self.route_layer(layer)
    }
}

fn add_schema<S: Clone + Send + Sync + 'static>(router: &mut OpenApiRouter<S>) {
    let components = &mut router.get_openapi_mut().components;
    components
        .get_or_insert_with(Default::default)
        .schemas
        .insert(PROBLEM_SCHEMA_NAME.to_owned(), schema());
}
