//! Guards as layers.

use std::any::type_name;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::Request;
use tower_layer::Layer;

use crate::guard::{
    And, Caller, DenyAgents, DenyGuests, DenyKnownAgents, Guard, OncePerToken, Or,
    RequireAccountId, RequireAcr, RequireAgent, RequireAllGroups, RequireAllRoles,
    RequireAllScopes, RequireAnyB2cPolicy, RequireAnyClientId, RequireAnyDirectoryRole,
    RequireAnyGroup, RequireAnyObjectId, RequireAnyRole, RequireAnyScope, RequireAnyTenant,
    RequireAppOnly, RequireAuthContext, RequireB2cPolicy, RequireClientAuthMethod, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};

use super::context::Anonymous;
use super::evaluate::{GuardOutcome, checked, hold};
use super::head::Head;
use super::patience::Patience;
use super::rejection::Rejection;
use super::replay::FirstUse;
use super::service::{Decide, Decision, Gate};

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
    /// Puts a guard around a service, and says in the log what of it can never match.
    pub fn around<S, G: Guard>(inner: S, guard: G) -> GuardService<S, G> {
        tell_mistakes(&guard);
        Gate::new(inner, Authorize(guard))
    }
}

/// Logs what can never match in a guard, each sentence once however many routes have the guard.
#[doc(hidden)]
pub fn tell_mistakes(guard: &dyn Guard) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mistakes = guard.mistakes();
    if mistakes.is_empty() {
        return;
    }
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for mistake in mistakes {
        if told.len() < MOST_TOLD && told.insert(mistake.clone()) {
            tracing::warn!(mistake, "a guard can never match");
        }
    }
}

/// More than a program has guards; guards that are made in requests must not grow it for ever.
const MOST_TOLD: usize = 1_000;

impl std::fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GuardLayer")
    }
}

/// What the guard needed to let the request pass.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Passed {
    /// The first use of the token.
    pub(super) first_use: Option<FirstUse>,
    /// What is left of the time for questions to the directory.
    pub(super) patience: Option<Patience>,
}

impl Passed {
    pub(super) fn with(first_use: Option<FirstUse>) -> Self {
        Self {
            first_use,
            patience: None,
        }
    }
}

#[expect(private_interfaces, reason = "callers outside cannot name it")]
impl<G: Guard + Clone + Send + 'static> Decide for Authorize<G> {
    type RequestExtension = Passed;

    #[inline]
    fn admit<B>(&self, passed: Passed, request: &mut Request<B>) {
        if let Some(first_use) = passed.first_use {
            request.extensions_mut().insert(first_use);
        }
        if let Some(patience) = passed.patience {
            request.extensions_mut().insert(patience);
        }
    }

    fn decide<B>(&self, request: &Request<B>) -> Decision<Passed> {
        let guard = &self.0;
        let check = |caller: &Caller<'_>, head: Head<'_>| checked(guard, caller, head);
        match hold(type_name::<G>(), check, Head::of(request)) {
            GuardOutcome::Passes(_) => Decision::Allow(Passed::default()),
            GuardOutcome::Spends(_, spend) => spend.judgement(),
            GuardOutcome::Refused(rejection) => Decision::Reject(rejection),
            GuardOutcome::Open(question) => {
                let guard = guard.clone();
                let check =
                    move |caller: &Caller<'_>, head: Head<'_>| checked(&guard, caller, head);
                Decision::Pending(Box::pin(async move {
                    let settled = question.resolve(check).await?;
                    let first_use = match settled.spend {
                        Some(spend) => spend.make().await?,
                        None => None,
                    };
                    Ok(Passed {
                        first_use,
                        patience: Some(settled.patience),
                    })
                }))
            }
        }
    }
}

/// The client sent no token, or the auth layer is missing.
pub(super) fn missing_claims(used: &'static str, head: Head<'_>) -> Rejection {
    match head.extensions.get::<Anonymous>() {
        Some(Anonymous(edge)) => Rejection::missing_token(edge, head),
        None => Rejection::not_configured(used, head),
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
    [S] [] RequireClientId<S>;
    [S] [N] RequireAnyClientId<S, N>;
    [S] [] RequireObjectId<S>;
    [S] [N] RequireAnyObjectId<S, N>;
    [S] [] RequireB2cPolicy<S>;
    [S] [N] RequireAnyB2cPolicy<S, N>;
    [S] [] RequireAcr<S>;
    [S] [] RequireAuthContext<S>;
    [] [] RequireClientAuthMethod;
    [] [] RequireUser;
    [] [] RequireAppOnly;
    [] [] DenyGuests;
    [] [] RequireAccountId;
    [] [] DenyAgents;
    [] [] DenyKnownAgents;
    [] [] RequireAgent;
    [] [] RequireMfa;
    [] [] RequireMaxAge;
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
