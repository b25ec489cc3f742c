//! Each token once: a record of its first use, and the refusal of every other.

use http::{Extensions, Request};
use tower_layer::Layer;

use crate::claims::Claims;
use crate::guard::{DenialReason, Denied, Requirements};
use crate::metrics::{Outcome, guarded};
use crate::revocation::{Answer, StoreUnavailable};

use super::context::AuthorityContext;
use super::evaluate::now_of;
use super::guard_layer::missing_claims;
use super::head::Head;
use super::rejection::Rejection;
use super::service::{Decide, Decision, service};
use super::token_source::Subprotocol;

/// Accepts each token once, for operations that a party who intercepts it must not repeat. From
/// [`Entra::replay_protection`](crate::Entra::replay_protection).
///
/// The token is known by the `nonce` of its header, else by `uti`, else by `jti`, each among the
/// tokens of its issuer; the record is kept until the token has expired, in Redis where replicas
/// share one. The `nonce` *claim* is another thing (OpenID Connect's) and counts for nothing. A
/// token with none of them is refused with 403 `replay`, a second use with 401 `replay`, and while
/// the records are out of reach the answer is 503 `store_unavailable`.
///
/// The token is marked as used when the request reaches this layer. Add it **before** the guards,
/// so that it is inside of them: a caller that a guard refuses keeps the token. A guard in the
/// handler's signature ([`Permit`](crate::Permit)) runs after it. Within one request several of
/// these layers count as one use. Whether the handler does its work afterwards is not known here,
/// and a client that gets no answer needs a new token.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::post};
/// use axum_entra::guard::RequireScope;
/// use entra_emulator::Emulator;
/// use tower::ServiceExt;
///
/// let emulator = Emulator::start().await?;
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
/// let app: Router = Router::new()
///     .route("/transfer", post(|| async { "done" }))
///     .route_layer(entra.replay_protection()) // last to be asked
///     .route_layer(RequireScope("Payments.Transfer"))
///     .route_layer(entra.layer()); // first to be asked
///
/// let status = async |token: &str| {
///     let request = Request::post("/transfer").header("authorization", format!("Bearer {token}"));
///     app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
/// };
/// let token = emulator.token().user("alice").scope("Payments.Transfer");
/// let known = token.clone().claim("uti", "k3Zx").mint();
/// assert_eq!(status(&known).await, 200);
/// assert_eq!(status(&known).await, 401);
/// // Nothing distinguishes this token from others: 403.
/// assert_eq!(status(&token.without("uti").without("jti").mint()).await, 403);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a layer protects nothing before it is added to a router"]
pub struct ReplayProtectionLayer {
    _made_by_entra: (),
}

impl ReplayProtectionLayer {
    pub(crate) const fn new() -> Self {
        Self { _made_by_entra: () }
    }

    /// What the layer requires, for the OpenAPI document.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let needs = entra.replay_protection().describe();
    /// assert_eq!(needs.alternatives()[0].requirements()[0].reason(), "replay");
    /// # Ok(()) }
    /// ```
    pub fn describe(&self) -> Requirements {
        Requirements::condition(DenialReason::Replay, "a token that was not used before")
    }
}

impl<S> Layer<S> for ReplayProtectionLayer {
    type Service = ReplayProtectionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ReplayProtectionService::new(inner, *self)
    }
}

service! {
    /// The service that [`ReplayProtectionLayer`] makes.
    ReplayProtectionService<S> of ReplayProtectionLayer
}

/// In the request's extensions once its token is marked as used, for further layers of the kind.
#[derive(Debug, Clone)]
pub struct FirstUse(String);

impl FirstUse {
    /// Whether this request marked the token already.
    fn was_noted(id: &str, extensions: &Extensions) -> bool {
        let noted = extensions.get::<Self>();
        noted.is_some_and(|Self(noted)| noted == id)
    }
}

#[expect(private_interfaces, reason = "callers outside cannot name it")]
impl Decide for ReplayProtectionLayer {
    type RequestExtension = Option<FirstUse>;

    fn admit<B: 'static>(
        &self,
        first_use: Option<FirstUse>,
        request: &mut Request<B>,
    ) -> Option<Box<Subprotocol>> {
        if let Some(first_use) = first_use {
            request.extensions_mut().insert(first_use);
        }
        None
    }

    fn decide<B: 'static>(&self, request: &mut Request<B>) -> Decision<Option<FirstUse>> {
        let decision = check(Head::of(request));
        match &decision {
            Decision::Allow(_) => guarded(Outcome::Admitted),
            Decision::Reject(rejection) => guarded(rejection.outcome()),
            // Counted when the store has answered.
            Decision::Pending(_) => {}
        }
        decision
    }
}

fn check(head: Head<'_>) -> Decision<Option<FirstUse>> {
    let refuse = |rejection| Decision::Reject(Box::new(rejection));
    let Some(claims) = head.extensions.get::<Claims>() else {
        return refuse(missing_claims("ReplayProtectionLayer", head));
    };
    let Some(id) = claims.token_id() else {
        let unknown = Denied::new(DenialReason::Replay);
        return refuse(Rejection::denied(&unknown, claims, head));
    };
    if FirstUse::was_noted(&id, head.extensions) {
        return Decision::Allow(None);
    }
    let used = Rejection::replayed(claims, head);
    let unavailable = Rejection::store_unavailable(claims, head);
    // Claims that no layer admitted have no record.
    let answer = AuthorityContext::of(claims).and_then(|origin| {
        let accounts = &origin.edge.accounts;
        accounts.first_use(claims, origin.clock_skew, now_of(claims))
    });
    let outcome = move |answer| match answer {
        Ok(true) => Ok(Some(FirstUse(id))),
        Ok(false) => Err(used),
        Err(StoreUnavailable) => Err(unavailable),
    };
    match answer {
        None => match outcome(Err(StoreUnavailable)) {
            Ok(first_use) => Decision::Allow(first_use),
            Err(rejection) => refuse(rejection),
        },
        Some(Answer::Now(answer)) => match outcome(answer) {
            Ok(first_use) => Decision::Allow(first_use),
            Err(rejection) => refuse(rejection),
        },
        Some(Answer::Later(answer)) => Decision::Pending(Box::pin(async move {
            let decided = outcome(answer.await);
            guarded(match &decided {
                Ok(_) => Outcome::Admitted,
                Err(rejection) => rejection.outcome(),
            });
            decided
        })),
    }
}
