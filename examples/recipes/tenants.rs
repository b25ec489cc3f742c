//! The tenants that are customers are in a database, and change while the program runs.
//!
//! With a real tenant: `TenantId` `organizations`, `AllowedTenants` `"any"`.
#![allow(dead_code, reason = "two ways; the program shows the second")]

// ANCHOR: customers
use std::collections::HashSet;
use std::fmt::Display;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum_entra::Uuid;
use tokio::time::{Instant, sleep, timeout};

/// The tenants that are customers, as the database last said. A request reads memory, never the database.
///
/// A tenant that was removed is refused after [`OLDEST`] at the latest: by the next list, or because this one is
/// too old to say anything.
#[derive(Debug, Clone)]
pub(crate) struct Customers(Arc<RwLock<List>>);

#[derive(Debug)]
struct List {
    tenants: HashSet<Uuid>,
    /// When the query began: what was removed later can still be in the list.
    asked: Instant,
}

const PERIOD: Duration = Duration::from_secs(15);
const QUERY: Duration = Duration::from_secs(5);
const OLDEST: Duration = Duration::from_secs(60);

impl Customers {
    /// A list that is known already.
    pub(crate) fn of(tenants: impl IntoIterator<Item = Uuid>) -> Self {
        Self(Arc::new(RwLock::new(List::now(tenants))))
    }

    /// Whether this tenant is a customer; none is while the list is too old.
    fn has(&self, tenant: Uuid) -> bool {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.is_fresh() && list.tenants.contains(&tenant)
    }

    fn is_fresh(&self) -> bool {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.is_fresh()
    }

    /// Reads the list, and again every [`PERIOD`]. `.await?` it before the program listens.
    ///
    /// # Errors
    /// That of the first query. Later ones are logged, and the list grows older.
    pub(crate) async fn load<E, Fut>(
        query: impl Fn() -> Fut + Send + 'static,
    ) -> Result<Self, String>
    where
        E: Display + Send,
        Fut: Future<Output = Result<Vec<Uuid>, E>> + Send,
    {
        let customers = Self(Arc::new(RwLock::new(List::read(query()).await?)));
        let kept = customers.clone();
        tokio::spawn(async move {
            loop {
                sleep(PERIOD).await;
                match List::read(query()).await {
                    Ok(list) => *kept.0.write().unwrap_or_else(PoisonError::into_inner) = list,
                    Err(error) => tracing::warn!(%error, "the customers could not be read"),
                }
            }
        });
        Ok(customers)
    }
}

impl List {
    fn now(tenants: impl IntoIterator<Item = Uuid>) -> Self {
        let (tenants, asked) = (tenants.into_iter().collect(), Instant::now());
        Self { tenants, asked }
    }

    fn is_fresh(&self) -> bool {
        self.asked.elapsed() < OLDEST
    }

    async fn read<E: Display>(
        query: impl Future<Output = Result<Vec<Uuid>, E>>,
    ) -> Result<Self, String> {
        let asked = Instant::now();
        let answer = timeout(QUERY, query).await;
        let tenants = answer.map_err(|_| "no answer in time".to_owned())?;
        let tenants = tenants.map_err(|error| error.to_string())?;
        let tenants = tenants.into_iter().collect();
        Ok(Self { tenants, asked })
    }
}
// ANCHOR_END: customers

// ANCHOR: authority
use axum_entra::{AllowedTenants, Authority, ConfigError, Entra, Tenant};

/// Accepts the tokens of customers' tenants, on every route. The authority is made in code: the setting
/// `AllowedTenants` is a fixed list, and no other setting is read here.
pub(crate) fn entra_for(customers: &Customers, client_id: &str) -> Result<Entra, ConfigError> {
    Entra::builder_for(authority_for(customers, client_id)).build()
}

fn authority_for(customers: &Customers, client_id: &str) -> Authority {
    let customers = customers.clone();
    // The closure takes the tenant of the token (`Uuid`), and is asked for each request.
    let allowed = AllowedTenants::from_fn(move |tenant| customers.has(tenant));
    Authority::entra(Tenant::Organizations, client_id).allowed_tenants(allowed)
}
// ANCHOR_END: authority

// ANCHOR: fresh
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// 503 while the list is too old, in place of a 401 that makes clients throw good tokens away. Outside of the
/// `EntraLayer`: `.layer(entra.layer()).layer(from_fn_with_state(customers.clone(), fresh))`.
async fn fresh(State(customers): State<Customers>, request: Request, next: Next) -> Response {
    if customers.is_fresh() {
        return next.run(request).await;
    }
    let soon = [(header::RETRY_AFTER, "15")];
    (StatusCode::SERVICE_UNAVAILABLE, soon).into_response()
}
// ANCHOR_END: fresh

// ANCHOR: app
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum_entra::guard::{Caller, Denied, Guard, RequireScope};
use axum_entra::{Claims, GuardLayer};

impl Guard for Customers {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().tenant_id() {
            Some(tenant) if self.has(tenant) => Ok(()),
            _ => Err(Denied::custom("not_a_customer")),
        }
    }
}

/// The one place that protects routes. The layers are added with `layer`, which covers a router's fallback too;
/// `route_layer` would leave it open.
fn protect(
    entra: &Entra,
    customers: &Customers,
    of_customers: Router,
    of_every_tenant: Router,
) -> Router {
    of_customers
        .layer(GuardLayer::new(customers.clone()))
        .merge(of_every_tenant)
        .layer(entra.layer())
        .layer(from_fn_with_state(customers.clone(), fresh))
}

pub(crate) fn app(entra: &Entra, customers: &Customers) -> Router {
    let of_customers = Router::new()
        .route("/todos", get(todos))
        .fallback(|| async { StatusCode::NOT_FOUND });
    // Anyone can create a tenant and sign in: what is here must do nothing that costs or opens anything.
    let of_every_tenant = Router::new()
        .route("/sign-up", post(sign_up))
        .route_layer(RequireScope("access_as_user"));
    protect(entra, customers, of_customers, of_every_tenant)
}

async fn todos(claims: Claims) -> String {
    // Data is kept by tenant: one customer's rows are never another's.
    format!("of tenant {:?}", claims.tenant_id())
}

/// Notes who asks. A person, or a payment, makes a customer of the tenant: never the request itself.
async fn sign_up(claims: Claims) -> (StatusCode, String) {
    let tenant = claims.tenant_id();
    (StatusCode::ACCEPTED, format!("noted: tenant {tenant:?}"))
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::get;
    use entra_emulator::{API_ID, CONTOSO, Emulator, FABRIKAM};

    use super::*;
    use crate::asked::{json, request, send, status, trusting};

    fn ids(tenants: &[&str]) -> Vec<Uuid> {
        tenants.iter().map(|id| id.parse().unwrap()).collect()
    }

    impl Customers {
        fn replace(&self, tenants: impl IntoIterator<Item = Uuid>) {
            *self.0.write().unwrap() = List::now(tenants);
        }
    }

    #[tokio::test]
    async fn a_customer_gets_in_and_a_tenant_that_left_does_not() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let customers = Customers::of([]);
        let app = app(&entra, &customers);
        let contoso = emulator.token();
        let fabrikam = emulator.token().tenant(FABRIKAM).user("erin").client("cli");
        assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, 403);
        for (list, of_contoso, of_fabrikam) in [
            (vec![CONTOSO], 200, 403),
            (vec![CONTOSO, FABRIKAM], 200, 200),
            (vec![FABRIKAM], 403, 200),
        ] {
            customers.replace(ids(&list));
            assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, of_contoso);
            assert_eq!(
                status(&app, "GET /todos", Some(&fabrikam)).await,
                of_fabrikam
            );
        }
        let refused = send(&app, request("GET /todos", Some(&contoso))).await;
        assert_eq!(json(refused).await["reason"], "not_a_customer");
    }

    #[tokio::test]
    async fn a_fallback_is_closed_and_only_the_sign_up_is_for_every_tenant() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let customers = Customers::of([]);
        customers.replace(ids(&[CONTOSO]));
        let app = app(&entra, &customers);
        let contoso = emulator.token().scope("access_as_user");
        let fabrikam = emulator.token().tenant(FABRIKAM).user("erin").client("cli");
        let fabrikam = fabrikam.scope("access_as_user");
        for (line, without, of_customer, of_other) in [
            ("GET /todos", 401, 200, 403),
            ("GET /no/route", 401, 404, 403),
            ("POST /sign-up", 401, 202, 202),
        ] {
            assert_eq!(status(&app, line, None).await, without, "{line}");
            assert_eq!(
                status(&app, line, Some(&contoso)).await,
                of_customer,
                "{line}"
            );
            assert_eq!(
                status(&app, line, Some(&fabrikam)).await,
                of_other,
                "{line}"
            );
        }
        axum_entra::testing::assert_protected(app, []).await;
    }

    #[tokio::test]
    async fn with_the_list_in_the_authority_every_route_is_closed() {
        let emulator = Emulator::start().await.unwrap();
        let customers = Customers::of([]);
        let authority = authority_for(&customers, API_ID).instance(emulator.url());
        let entra = Entra::builder_for(authority).build().unwrap();
        let app = Router::new()
            .route("/todos", get(todos))
            .layer(entra.layer());
        let contoso = emulator.token();
        let refused = send(&app, request("GET /todos", Some(&contoso))).await;
        assert_eq!(refused.status(), 401);
        assert_eq!(json(refused).await["reason"], "tenant_not_allowed");
        customers.replace(ids(&[CONTOSO]));
        assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, 200);
        // A token that was verified before is refused as soon as its tenant leaves.
        customers.replace([]);
        assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, 401);
        assert!(entra_for(&customers, API_ID).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_removed_tenant_is_refused_within_a_minute_whatever_the_database_does() {
        let (contoso, fabrikam) = (ids(&[CONTOSO]), ids(&[FABRIKAM]));
        for then in [Then::Removed, Then::Down, Then::Hanging] {
            let (first, second) = (contoso.clone(), fabrikam.clone());
            let asked = Arc::new(AtomicUsize::new(0));
            let query = move || {
                let (first, second) = (first.clone(), second.clone());
                let number = asked.fetch_add(1, Ordering::SeqCst);
                async move {
                    match (number, then) {
                        (0 | 1, _) => Ok(first),
                        (_, Then::Removed) => Ok(second),
                        (_, Then::Down) => Err("down"),
                        (_, Then::Hanging) => std::future::pending().await,
                    }
                }
            };
            let customers = Customers::load(query).await.unwrap();
            sleep(Duration::from_secs(16)).await;
            assert!(customers.has(contoso[0]) && customers.is_fresh());
            // Removed now, and the second list began a second ago.
            sleep(Duration::from_secs(60)).await;
            assert!(!customers.has(contoso[0]), "{then:?}");
            let is_removed = matches!(then, Then::Removed);
            assert_eq!(customers.has(fabrikam[0]), is_removed, "{then:?}");
            assert_eq!(customers.is_fresh(), is_removed, "{then:?}");
        }
        let refused = Customers::load(|| async { Err("down") }).await;
        assert_eq!(refused.unwrap_err(), "down");
        let refused = Customers::load(std::future::pending::<Result<_, String>>).await;
        assert_eq!(refused.unwrap_err(), "no answer in time");
    }

    /// What the database does after the second list.
    #[derive(Debug, Clone, Copy)]
    enum Then {
        Removed,
        Down,
        Hanging,
    }

    #[tokio::test]
    async fn a_list_that_is_too_old_is_503_and_not_401() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let customers = Customers::of(ids(&[CONTOSO]));
        let app = app(&entra, &customers);
        let contoso = emulator.token();
        assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, 200);
        customers.0.write().unwrap().asked = Instant::now().checked_sub(OLDEST).unwrap();
        let undecided = send(&app, request("GET /todos", Some(&contoso))).await;
        assert_eq!(undecided.status(), 503);
        assert_eq!(undecided.headers()[header::RETRY_AFTER], "15");
    }
}
