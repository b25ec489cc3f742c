//! Claims made in code, for the tests of an application's own handlers.
//!
//! No token, no key, no layer: claims are put into a request's extensions, where handlers and
//! guards find them. Nothing that comes over a network can do that; only code in the same process
//! can, so the worst a release build with this feature can do is carry code that it does not call.
//! What a token goes through before it becomes claims is not tested this way: use the
//! [emulator](https://docs.rs/entra-emulator) for that.
//!
//! ```
//! # #[tokio::main] async fn main() {
//! use axum::{Router, body::Body, routing::get};
//! use axum_entra::{Claims, guard::RequireScope, testing::claims};
//! use tower::ServiceExt;
//!
//! let app: Router = Router::new()
//!     .route("/", get(|claims: Claims| async move { claims.scopes().count().to_string() }))
//!     .route_layer(RequireScope("Todo.Read"));
//!
//! let request = || http::Request::new(Body::empty());
//! let allowed = claims().scope("Todo.Read").insert_into(request());
//! assert_eq!(app.clone().oneshot(allowed).await.unwrap().status(), 200);
//! let refused = claims().scope("Other").insert_into(request());
//! assert_eq!(app.oneshot(refused).await.unwrap().status(), 403);
//! # }
//! ```

mod route_audit;

use std::sync::Arc;

use http::Request;
pub use route_audit::{RouteAudit, RouteAuditError, assert_protected};
use serde_json::{Map, Value, json};

use crate::claims::raw::RawClaims;
use crate::claims::{Claims, IssuerKind};
use crate::clock::Clock;
use crate::guid::parse_guid;
use crate::scope_hierarchy::ScopeHierarchy;

/// The tenant of test claims, unless another is named.
pub const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// The object id of test claims, unless another is named.
pub const OBJECT: &str = "a11ce000-0000-4000-8000-000000000001";

/// Starts with a user's v2.0 claims: no scopes, no roles, an hour to live.
///
/// ```
/// let claims = axum_entra::testing::claims().build();
/// assert_eq!(claims.scopes().count(), 0);
/// ```
pub fn claims() -> ClaimsBuilder {
    let now = Clock::system().seconds();
    let members = json!({
        "ver": "2.0",
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "aud": "00000000-0000-4000-8000-000000000000",
        "tid": TENANT,
        "oid": OBJECT,
        "sub": "test-subject",
        "idtyp": "user",
        "azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
        "azpacr": "0",
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add(3_600),
    });
    ClaimsBuilder {
        members: match members {
            Value::Object(members) => members,
            _ => Map::new(),
        },
        kind: IssuerKind::EntraId,
        scope_hierarchy: None,
    }
}

/// A builder for test claims.
///
/// ```
/// use axum_entra::testing::claims;
///
/// let daemon = claims().app().roles(["Tasks.Run"]).build();
/// assert!(daemon.has_role("Tasks.Run") && daemon.scopes().count() == 0);
/// ```
#[derive(Debug, Clone)]
#[must_use = "test claims do nothing before `insert_into` or `build`"]
pub struct ClaimsBuilder {
    members: Map<String, Value>,
    kind: IssuerKind,
    scope_hierarchy: Option<Arc<ScopeHierarchy>>,
}

impl ClaimsBuilder {
    /// The user's or service principal's object id.
    pub fn object_id(self, oid: &str) -> Self {
        self.claim("oid", oid)
    }

    /// The tenant, in `tid` and in the issuer.
    ///
    /// ```
    /// use axum_entra::testing::claims;
    ///
    /// let other = claims().tenant("22222222-2222-4222-8222-222222222222").build();
    /// assert_ne!(other.tenant_id(), claims().build().tenant_id());
    /// assert!(other.issuer().contains("22222222-2222-4222-8222-222222222222"));
    /// ```
    pub fn tenant(self, tenant: &str) -> Self {
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        self.claim("tid", tenant).claim("iss", issuer)
    }

    /// An application that signed in as itself, with a secret.
    ///
    /// ```
    /// use axum_entra::{Principal, testing::claims};
    ///
    /// let app = claims().scope("Todo.Read").app().build();
    /// assert_eq!(app.principal(), Principal::App);
    /// // An application has no scopes.
    /// assert_eq!(app.scopes().count(), 0);
    /// ```
    pub fn app(self) -> Self {
        self.without("scp")
            .claim("idtyp", "app")
            .claim("azpacr", "1")
            .claim("sub", OBJECT)
    }

    /// Scopes, with spaces between.
    pub fn scope(self, scopes: &str) -> Self {
        self.claim("scp", scopes)
    }

    /// Which scopes imply others, as with
    /// [`EntraBuilder::scope_hierarchy`](crate::EntraBuilder::scope_hierarchy), which also checks it.
    ///
    /// ```
    /// use axum_entra::{ScopeHierarchy, testing::claims};
    ///
    /// let scopes = ScopeHierarchy::new().implies("Todo.ReadWrite", "Todo.Read");
    /// let writer = claims().scope("Todo.ReadWrite").scope_hierarchy(scopes).build();
    /// assert!(writer.has_scope("Todo.Read") && !writer.has_scope("Todo.Admin"));
    /// ```
    pub fn scope_hierarchy(mut self, hierarchy: ScopeHierarchy) -> Self {
        self.scope_hierarchy = Some(Arc::new(hierarchy));
        self
    }

    /// App roles.
    pub fn roles(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let roles: Vec<String> = roles.into_iter().map(Into::into).collect();
        self.claim("roles", roles)
    }

    /// Group ids.
    pub fn groups(self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        self.claim("groups", groups)
    }

    /// A B2C user who went through this policy. No other claims are of a B2C policy.
    ///
    /// ```
    /// use axum_entra::testing::claims;
    ///
    /// assert_eq!(claims().policy("B2C_1_susi").build().b2c_policy(), Some("B2C_1_susi"));
    /// assert_eq!(claims().build().b2c_policy(), None);
    /// ```
    pub fn policy(mut self, name: &str) -> Self {
        self.kind = IssuerKind::B2c;
        let issuer = format!("https://contoso.b2clogin.com/{TENANT}/v2.0/");
        let user = self.without("idtyp").without("azpacr").claim("ver", "1.0");
        user.claim("iss", issuer).claim("tfp", name)
    }

    /// An agent (Entra Agent ID) that acts on behalf of the user or, behind [`app`](Self::app), for
    /// itself.
    ///
    /// ```
    /// use axum_entra::{AgentKind, testing::claims};
    ///
    /// let kind = |claims: axum_entra::testing::ClaimsBuilder| claims.build().agent().map(|agent| agent.kind());
    /// assert_eq!(kind(claims().agent()), Some(AgentKind::OnBehalfOfUser));
    /// assert_eq!(kind(claims().app().agent()), Some(AgentKind::Autonomous));
    /// ```
    pub fn agent(self) -> Self {
        self.claim("xms_act_fct", "3 9 11")
    }

    /// Any claim, with any value.
    ///
    /// ```
    /// use axum_entra::testing::claims;
    ///
    /// let claims = claims().claim("amr", ["pwd", "mfa"]).claim("extension_Level", 3).build();
    /// assert_eq!(claims.authentication_methods().count(), 2);
    /// assert_eq!(claims.extra::<u8>("extension_Level"), Some(3));
    /// ```
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    ///
    /// ```
    /// use axum_entra::{Principal, testing::claims};
    ///
    /// // As a token without the optional claim `idtyp`.
    /// assert_eq!(claims().without("idtyp").build().principal(), Principal::Unknown);
    /// ```
    pub fn without(mut self, name: &str) -> Self {
        self.members.remove(name);
        self
    }

    /// The claims themselves, for guards and functions that take them.
    ///
    /// # Panics
    /// If a claim has a type that no token could have, or there is no `exp`.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test that makes up impossible claims should stop"
    )]
    pub fn build(self) -> Claims {
        let tenant = self.members.get("tid").and_then(Value::as_str);
        let tenant = tenant.and_then(parse_guid);
        let text = Value::Object(self.members).to_string();
        let finished = RawClaims::parse(text.as_bytes()).and_then(RawClaims::interpret);
        let finished = finished.expect("claims of types that a token may have, and `exp`");
        let finished = finished.issued_by(self.kind, |_| false);
        finished
            .with_scope_hierarchy(self.scope_hierarchy)
            .into_claims(tenant, None, None)
    }

    /// A request whose caller these claims are, as if a layer had admitted it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use axum_entra::{Claims, guard::RequireUser, testing::claims};
    /// use tower::ServiceExt;
    ///
    /// let app: Router = Router::new()
    ///     .route("/", get(|claims: Claims| async move { claims.principal().as_str() }))
    ///     .route_layer(RequireUser);
    /// let request = || Request::new(Body::empty());
    /// assert_eq!(app.clone().oneshot(claims().insert_into(request())).await?.status(), 200);
    /// assert_eq!(app.oneshot(claims().app().insert_into(request())).await?.status(), 403);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// As [`build`](Self::build).
    pub fn insert_into<B>(self, mut request: Request<B>) -> Request<B> {
        request.extensions_mut().insert(self.build());
        request
    }
}
