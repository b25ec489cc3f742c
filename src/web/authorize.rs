//! Guards as layers.

use std::any::type_name;

use http::Request;
use tower_layer::Layer;

use crate::claims::Claims;
use crate::guard::{
    And, Caller, Denied, Guard, OncePerToken, Or, RequireAcr, RequireAllGroups, RequireAllRoles,
    RequireAllScopes, RequireAnyClientApp, RequireAnyDirectoryRole, RequireAnyGroup,
    RequireAnyPolicy, RequireAnyRole, RequireAnyScope, RequireAnyTenant, RequireAppOnly,
    RequireAuthContext, RequireClientApp, RequireClientAuth, RequireDirectoryRole, RequireGroup,
    RequireIdentity, RequireMfa, RequireNoGuests, RequirePolicy, RequireRecentSignIn, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};

use super::edge::{Anonymous, Origin};
use super::gate::{Admission, Gate, Judge, Judgement, is_preflight};
use super::once::Spend;
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

impl<G: Guard> Judge for Authorize<G> {
    fn judge<B>(&self, request: &Request<B>) -> Judgement {
        if is_preflight(request) {
            return Judgement::Admit(Admission::Nothing);
        }
        match admit(&self.0, request.extensions(), request.headers()) {
            Outcome::Pass(_) => Judgement::Admit(Admission::Nothing),
            Outcome::Spend(_, spend) => spend.judgement(),
            Outcome::Refuse(rejection) => Judgement::Refuse(rejection),
        }
    }
}

/// What a guard's word comes to.
pub(super) enum Outcome<'r> {
    Pass(&'r Claims),
    /// The caller passes if this is the first use of the token.
    Spend(&'r Claims, Box<Spend>),
    Refuse(Box<Rejection>),
}

/// Holds a request's claims against a guard; without claims nobody passes.
pub(super) fn admit<'r, G: Guard>(
    guard: &G,
    extensions: &'r http::Extensions,
    headers: &http::HeaderMap,
) -> Outcome<'r> {
    let Some(claims) = extensions.get::<Claims>() else {
        return Outcome::Refuse(Box::new(without_claims(
            type_name::<G>(),
            extensions,
            headers,
        )));
    };
    let system = crate::Clock::system();
    let clock = Origin::of(claims).map_or(&system, |origin| &origin.edge.clock);
    let mut caller = Caller::by_clock(claims, clock);
    if Spend::was_made(claims, extensions) {
        caller = caller.with_first_use(true);
    }
    let denied = match guard.check(&caller) {
        Ok(()) => return Outcome::Pass(claims),
        Err(denied) => denied,
    };
    let refuse = |denied: &Denied<'_>| Rejection::denied(denied, claims, headers);
    if !denied.asks_first_use() {
        return Outcome::Refuse(Box::new(refuse(&denied)));
    }
    // A token is not spent in vain: would its first use let the caller pass?
    let caller = caller.with_first_use(true);
    if let Err(denied) = guard.check(&caller) {
        return Outcome::Refuse(Box::new(refuse(&denied)));
    }
    let caller = caller.with_first_use(false);
    let used = guard.check(&caller).err().as_ref().map(refuse);
    match Spend::of(claims, clock.now(), used, headers) {
        Ok(spend) => Outcome::Spend(claims, Box::new(spend)),
        Err(rejection) => Outcome::Refuse(Box::new(rejection)),
    }
}

/// Nobody signed in, or nobody looked.
pub(super) fn without_claims(
    used: &'static str,
    extensions: &http::Extensions,
    headers: &http::HeaderMap,
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
