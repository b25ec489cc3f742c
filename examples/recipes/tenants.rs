//! The tenants that are customers are in a database, and change while the program runs.
//!
//! With a real tenant: `TenantId` `organizations`, `AllowedTenants` `"any"`.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::routing::get;
use axum_entra::guard::{Caller, Denied, Guard};
use axum_entra::{Claims, Entra, GuardLayer, Uuid};

// ANCHOR: customers
/// The tenants that are customers, as the database last said. A guard reads memory, never the database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customers(Arc<RwLock<HashSet<Uuid>>>);

impl Customers {
    /// Takes a list from the database. Call it in a task, every minute or when the list changes;
    /// when the database does not answer, keep the old one.
    pub(crate) fn replace(&self, tenants: impl IntoIterator<Item = Uuid>) {
        let tenants = tenants.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tenants;
    }

    fn has(&self, tenant: Uuid) -> bool {
        let tenants = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tenants.contains(&tenant)
    }
}

impl Guard for Customers {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().tenant_id() {
            Some(tenant) if self.has(tenant) => Ok(()),
            _ => Err(Denied::custom("not_a_customer")),
        }
    }
}
// ANCHOR_END: customers

// ANCHOR: app
/// The one place that protects routes: with the layer always comes the guard. A router that has the
/// layer alone would accept every tenant in the world.
fn protect(routes: Router, entra: &Entra, customers: &Customers) -> Router {
    routes
        .route_layer(GuardLayer::new(customers.clone()))
        .route_layer(entra.layer())
}

pub(crate) fn app(entra: &Entra, customers: &Customers) -> Router {
    let routes = Router::new().route("/todos", get(todos));
    protect(routes, entra, customers)
}

async fn todos(claims: Claims) -> String {
    // Data is kept by tenant: one customer's rows are never another's.
    format!("of tenant {:?}", claims.tenant_id())
}
// ANCHOR_END: app

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use entra_emulator::{CONTOSO, Emulator, FABRIKAM};

    use super::{Customers, app};
    use crate::asked::{json, request, send, status, trusting};

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
            customers.replace(list.into_iter().map(|id| id.parse().unwrap()));
            assert_eq!(status(&app, "GET /todos", Some(&contoso)).await, of_contoso);
            assert_eq!(
                status(&app, "GET /todos", Some(&fabrikam)).await,
                of_fabrikam
            );
        }
        let refused = send(&app, request("GET /todos", Some(&contoso))).await;
        assert_eq!(json(refused).await["reason"], "not_a_customer");
    }
}
