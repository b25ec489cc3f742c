//! Guards as layers.

use std::any::type_name;

use http::{HeaderMap, Request};
use tower_layer::Layer;

use crate::guard::{
    And, Caller, Guard, OncePerToken, Or, RequireAcr, RequireAllGroups, RequireAllRoles,
    RequireAllScopes, RequireAnyClientApp, RequireAnyDirectoryRole, RequireAnyGroup,
    RequireAnyPolicy, RequireAnyRole, RequireAnyScope, RequireAnyTenant, RequireAppOnly,
    RequireAuthContext, RequireClientApp, RequireClientAuth, RequireDirectoryRole, RequireGroup,
    RequireIdentity, RequireMfa, RequireNoGuests, RequirePolicy, RequireRecentSignIn, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};

use super::edge::Anonymous;
use super::gate::{Admission, Gate, Judge, Judgement, is_preflight};
use super::question::{Held, checked, hold};
use super::rejection::Rejection;

/// A guard of the application's own, as a layer.
///
/// The guards of this crate, their combinations and the names that [`guards!`](crate::guards)
/// makes are layers by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guarded<G>(
    /// The guard.
    pub G,
);

/// The service that a guard makes as a layer.
pub type GuardService<S, G> = Gate<S, Authorize<G>>;

#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Authorize<G>(G);

/// Makes a guard's service; what `Layer::layer` of every guard does.
pub struct GuardLayer;

impl GuardLayer {
    /// Puts a guard around a service.
    pub const fn around<S, G: Guard>(inner: S, guard: G) -> GuardService<S, G> {
        Gate::new(inner, Authorize(guard))
    }
}

impl std::fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GuardLayer")
    }
}

impl<G: Guard + Clone + Send + 'static> Judge for Authorize<G> {
    fn judge<B>(&self, request: &Request<B>) -> Judgement {
        if is_preflight(request) {
            return Judgement::Admit(Admission::Nothing);
        }
        let guard = &self.0;
        let (extensions, headers) = (request.extensions(), request.headers());
        let check = |caller: &Caller<'_>, headers: &HeaderMap| checked(guard, caller, headers);
        match hold(type_name::<G>(), check, extensions, headers) {
            Held::Passes(_) => Judgement::Admit(Admission::Nothing),
            Held::Spends(_, spend) => spend.judgement(),
            Held::Refused(rejection) => Judgement::Refuse(rejection),
            Held::Open(question) => {
                let guard = guard.clone();
                let check = move |caller: &Caller<'_>, headers: &HeaderMap| {
                    checked(&guard, caller, headers)
                };
                Judgement::Wait(Box::pin(async move {
                    Ok(match question.settle(check).await?.1 {
                        Some(spend) => Admission::first_use(spend.make().await?),
                        None => Admission::Nothing,
                    })
                }))
            }
        }
    }
}

/// Nobody signed in, or nobody looked.
pub(super) fn without_claims(
    used: &'static str,
    extensions: &http::Extensions,
    headers: &HeaderMap,
) -> Rejection {
    match extensions.get::<Anonymous>() {
        Some(Anonymous(edge)) => Rejection::missing_token(edge, headers),
        None => Rejection::not_configured(used, headers),
    }
}

macro_rules! layers {
    ($([$($parameter:ident),*] [$($length:ident)?] $guard:ty;)+) => {
        $(
            impl<Service $(, $parameter: Clone)* $(, const $length: usize)?> Layer<Service> for $guard
            where
                Self: Guard,
            {
                type Service = GuardService<Service, Self>;

                fn layer(&self, inner: Service) -> Self::Service {
                    GuardLayer::around(inner, self.clone())
                }
            }
        )+
    };
}

layers! {
    [S] [] RequireScope<S>;
    [S] [N] RequireAnyScope<S, N>;
    [S] [N] RequireAllScopes<S, N>;
    [S] [] RequireRole<S>;
    [S] [N] RequireAnyRole<S, N>;
    [S] [N] RequireAllRoles<S, N>;
    [S] [] RequireTenant<S>;
    [S] [N] RequireAnyTenant<S, N>;
    [S] [] RequireGroup<S>;
    [S] [N] RequireAnyGroup<S, N>;
    [S] [N] RequireAllGroups<S, N>;
    [S] [] RequireDirectoryRole<S>;
    [S] [N] RequireAnyDirectoryRole<S, N>;
    [S] [] RequireClientApp<S>;
    [S] [N] RequireAnyClientApp<S, N>;
    [S] [] RequirePolicy<S>;
    [S] [N] RequireAnyPolicy<S, N>;
    [S] [] RequireAcr<S>;
    [S] [] RequireAuthContext<S>;
    [] [] RequireClientAuth;
    [] [] RequireUser;
    [] [] RequireAppOnly;
    [] [] RequireNoGuests;
    [] [] RequireIdentity;
    [] [] RequireMfa;
    [] [] RequireRecentSignIn;
    [] [] OncePerToken;
    [A, B] [] And<A, B>;
    [A, B] [] Or<A, B>;
}

impl<Service, G: Guard + Clone> Layer<Service> for Guarded<G> {
    type Service = GuardService<Service, G>;

    fn layer(&self, inner: Service) -> Self::Service {
        GuardLayer::around(inner, self.0.clone())
    }
}
