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

/// The tenants that are customers, as the database last said. A request reads memory, never the database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customers(Arc<RwLock<HashSet<Uuid>>>);

impl Customers {
    fn has(&self, tenant: Uuid) -> bool {
        let tenants = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tenants.contains(&tenant)
    }

    /// Takes a whole list.
    pub(crate) fn replace(&self, tenants: impl IntoIterator<Item = Uuid>) {
        let tenants = tenants.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tenants;
    }

    /// Loads the list, then again after each `period`. `.await?` it before the program listens: until it has
    /// loaded, the list is empty and every caller is refused.
    ///
    /// # Errors
    /// That of the first load. Later ones are logged, and the old list stays.
    pub(crate) async fn load<E, Fut>(
        period: Duration,
        query: impl Fn() -> Fut + Send + 'static,
    ) -> Result<Self, E>
    where
        E: Display + Send,
        Fut: Future<Output = Result<Vec<Uuid>, E>> + Send,
    {
        let customers = Self::default();
        customers.replace(query().await?);
        let kept = customers.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(period).await;
                match query().await {
                    Ok(tenants) => kept.replace(tenants),
                    Err(error) => tracing::warn!(%error, "the customers could not be read"),
                }
            }
        });
        Ok(customers)
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

// ANCHOR: app
use axum::Router;
use axum::http::StatusCode;
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

/// The one place that protects routes. Both layers are added with `layer`, which covers a router's fallback
/// too; `route_layer` would leave it open.
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

    use std::sync::Mutex;

    use axum::routing::get;
    use entra_emulator::{API_ID, CONTOSO, Emulator, FABRIKAM};

    use super::*;
    use crate::asked::{json, request, send, status, trusting};

    fn ids(tenants: &[&str]) -> Vec<Uuid> {
        tenants.iter().map(|id| id.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_customer_gets_in_and_a_tenant_that_left_does_not() {
        let emulator = Emulator::start().await.unwrap();
        let many = [("TenantId", "organizations"), ("AllowedTenants", "any")];
        let entra = trusting(&emulator, &many).build().unwrap();
        let customers = Customers::default();
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
        let customers = Customers::default();
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
        let customers = Customers::default();
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
    async fn the_list_is_there_before_the_program_and_outlives_the_database() {
        let (contoso, fabrikam) = (ids(&[CONTOSO]), ids(&[FABRIKAM]));
        let answers = [Ok(contoso.clone()), Err("down"), Ok(fabrikam.clone())];
        let answers = Arc::new(Mutex::new(answers.into_iter()));
        let query = move || {
            let next = answers.lock().unwrap().next();
            async move { next.unwrap_or(Err("down")) }
        };
        let minute = Duration::from_secs(60);
        let customers = Customers::load(minute, query).await.unwrap();
        for (after, is_customer, expected) in [
            (1, contoso[0], true),
            (60, contoso[0], true),
            (60, contoso[0], false),
            (0, fabrikam[0], true),
            (60, fabrikam[0], true),
        ] {
            tokio::time::sleep(Duration::from_secs(after)).await;
            assert_eq!(customers.has(is_customer), expected, "after {after} s");
        }
        let refused = Customers::load(minute, || async { Err("down") }).await;
        assert_eq!(refused.unwrap_err(), "down");
    }
}
