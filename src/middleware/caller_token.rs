//! The caller's own token, for those who ask others on the caller's behalf.

use std::fmt;
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use secrecy::SecretString;

use crate::claims::Claims;
use crate::graph::{Account, GraphError, Requester};
use crate::token::{Validator, Verdict};

use super::bearer::{Credentials, credentials};
use super::context::AuthorityContext;
use super::guard_layer::missing_claims;
use super::head::{Head, OwnedHead};
use super::rejection::Rejection;

/// The caller's claims together with the token they were read from, in a handler's signature.
///
/// What [`GraphClient`](crate::GraphClient) takes. The token is read from the request's own header
/// at that moment and checked against the claims; it is not stored and not shown in `Debug`.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use axum_entra::{CallerToken, GraphClient, Rejection};
/// use entra_emulator::Emulator;
/// use tower::ServiceExt;
///
/// async fn mail(caller: CallerToken, graph: GraphClient) -> Result<String, Rejection> {
///     let scopes = ["https://graph.microsoft.com/Mail.Read"];
///     let token = graph.on_behalf_of(&caller, &scopes).await?;
///     Ok(format!("good for {} s", token.expires_in().as_secs()))
/// }
///
/// let emulator = Emulator::start().await?;
/// # let access = axum_entra::graph::GraphConfig::new(axum_entra::graph::ClientCredential::secret(entra_emulator::API_SECRET));
/// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
/// # let authority = authority.instance(emulator.url()).graph(access.graph_url(emulator.graph_url()));
/// # let entra = axum_entra::Entra::builder_for(authority).build()?;
/// let app: Router = Router::new().route("/mail", get(mail)).route_layer(entra.layer());
/// let status = async |token: String| {
///     let request = Request::get("/mail").header("authorization", format!("Bearer {token}"));
///     app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
/// };
/// assert_eq!(status(emulator.token().user("alice").scope("Todo.Read").mint()).await, 200);
/// // An application has no user on whose behalf something could be done.
/// assert_eq!(status(emulator.token().app("daemon").roles(["Tasks.Run"]).mint()).await, 403);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CallerToken {
    claims: Claims,
    asker: Option<Requester>,
    head: OwnedHead,
}

impl CallerToken {
    /// Of a token that was validated just now.
    pub(crate) fn new(claims: Claims, token: &str) -> Self {
        let asker = Account::of(&claims).map(|account| of_account(account, &claims, token));
        Self {
            claims,
            asker,
            head: OwnedHead::default(),
        }
    }

    /// What the caller's token says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn asker(&self) -> Result<&Requester, GraphError> {
        self.asker.as_ref().ok_or(GraphError::MissingAccountId)
    }

    pub(super) fn rejection(&self, error: &GraphError) -> Rejection {
        Rejection::directory(error, &self.claims, self.head.as_head())
    }
}

impl<S: Sync> FromRequestParts<S> for CallerToken {
    type Rejection = Rejection;

    /// # Errors
    /// 401 and 500 as for `Claims`; 503 if the token is not in the request's header any more.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let head = Head::of_parts(parts);
        let Some(claims) = head.extensions.get::<Claims>() else {
            return Err(missing_claims("the extractor CallerToken", head));
        };
        let asker = match asker(claims, head.headers) {
            Ok(asker) => Some(asker),
            Err(GraphError::MissingAccountId) => None,
            Err(error) => return Err(Rejection::directory(&error, claims, head)),
        };
        Ok(Self {
            claims: claims.clone(),
            asker,
            head: head.without_credentials(),
        })
    }
}

impl fmt::Debug for CallerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerToken")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// Who asks, with the token of the request if it is a user's.
pub(super) fn asker(claims: &Claims, headers: &HeaderMap) -> Result<Requester, GraphError> {
    let account = Account::of(claims).ok_or(GraphError::MissingAccountId)?;
    if account.is_app {
        return Ok(Requester {
            account,
            token: None,
        });
    }
    let token = token_of(claims, headers).ok_or_else(GraphError::without_token)?;
    Ok(of_account(account, claims, token))
}

/// The header's token, if it is the one that the claims were read from: validated once more, for
/// a layer in between may have put another there.
fn token_of<'h>(claims: &Claims, headers: &'h HeaderMap) -> Option<&'h str> {
    let Credentials::Token(presented) = credentials(headers) else {
        return None;
    };
    let token = presented.token()?;
    let validator = validator_of(claims)?;
    let now = AuthorityContext::of(claims)?.edge.clock.seconds();
    match validator.validate(token, now) {
        Verdict::Valid(found) if found.is_same_token(claims) => Some(token),
        _ => None,
    }
}

/// Of an encrypted token the signed one inside it, which the authority can read.
pub(super) fn of_account(account: Account, claims: &Claims, token: &str) -> Requester {
    let signed = || match validator_of(claims) {
        Some(validator) => validator.signed_token(token),
        None => Some(SecretString::from(token)),
    };
    let token = if account.is_app { None } else { signed() };
    Requester {
        account,
        token: token.map(Arc::new),
    }
}

fn validator_of(claims: &Claims) -> Option<Arc<Validator>> {
    AuthorityContext::of(claims)?
        .edge
        .validator
        .get()?
        .upgrade()
}
