//! Guards with state, guards behind pointers, guards that are functions, and lists of run time.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::routing::get;
use axum_entra::guard::{
    self, Caller, DenialReason, Denied, Guard, RequireAcr, RequireB2cPolicy, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireObjectId, RequireRole, RequireScope, RequireTenant,
};
use axum_entra::middleware::GuardFromState;
use axum_entra::{ConfigError, GuardLayer, Permit, UnixTime, Uuid};
use serde_json::json;

use super::mounts;
use crate::service::{Runs, fetch};
use crate::token::{OTHER, T0, TENANT, authority, built, good, mint, with};

#[tokio::test]
async fn lists_that_are_read_at_run_time_decide_as_arrays_do() {
    let (entra, runs) = (built(authority()), Runs::default());
    let configured = || ["Todo.Read", "Todo.ReadWrite"].map(str::to_owned).to_vec();
    let token = |scp: &str, roles: &[&str]| mint(&with(json!({ "scp": scp, "roles": roles })));
    let any = mounts!(
        entra,
        runs,
        RequireScope::any_of(vec!["Todo.Read", "Todo.ReadWrite"]).unwrap()
    );
    let all = mounts!(entra, runs, RequireRole::all_of(["A", "B"]).unwrap());
    for (place, router) in any {
        assert_eq!(
            fetch(&router, "/", &token("Todo.ReadWrite", &[]))
                .await
                .status,
            200,
            "{place}"
        );
        let answer = fetch(&router, "/", &token("Todo", &[])).await;
        assert_eq!(answer.brief(), (403, "scope".into()), "{place}");
        let challenge = answer.challenge().unwrap();
        assert!(challenge.ends_with("/Todo.Read\""), "{place}: {challenge}");
    }
    for (place, router) in all {
        assert_eq!(
            fetch(&router, "/", &token("x", &["B", "A"])).await.status,
            200,
            "{place}"
        );
        let answer = fetch(&router, "/", &token("x", &["A"])).await;
        assert_eq!(answer.brief(), (403, "role".into()), "{place}");
    }
    let claims = entra
        .validate_at(&token("Todo.Read", &[]), UnixTime::from_secs(T0))
        .unwrap();
    let passes = |guard: &dyn Guard| {
        guard
            .check(&Caller::at(&claims, UnixTime::from_secs(T0)))
            .is_ok()
    };
    let read = RequireScope::any_of(configured()).unwrap();
    assert!(passes(&read) && passes(&read.clone()));
    assert!(!passes(&RequireScope::all_of(configured()).unwrap()));
    assert!(passes(&RequireTenant::any_of([OTHER, TENANT]).unwrap()));
    assert!(!passes(&RequireTenant::any_of([OTHER]).unwrap()));
}

#[test]
fn an_empty_list_is_an_error_for_every_guard() {
    let none = Vec::<String>::new;
    let name = |found: Result<(), ConfigError>| found.unwrap_err().to_string();
    for (error, constructor) in [
        (
            name(RequireScope::any_of(none()).map(drop)),
            "RequireScope::any_of",
        ),
        (
            name(RequireScope::all_of(none()).map(drop)),
            "RequireScope::all_of",
        ),
        (
            name(RequireRole::any_of(none()).map(drop)),
            "RequireRole::any_of",
        ),
        (
            name(RequireRole::all_of(none()).map(drop)),
            "RequireRole::all_of",
        ),
        (
            name(RequireGroup::any_of(none()).map(drop)),
            "RequireGroup::any_of",
        ),
        (
            name(RequireGroup::all_of(none()).map(drop)),
            "RequireGroup::all_of",
        ),
        (
            name(RequireTenant::any_of(none()).map(drop)),
            "RequireTenant::any_of",
        ),
        (
            name(RequireClientId::any_of(none()).map(drop)),
            "RequireClientId::any_of",
        ),
        (
            name(RequireObjectId::any_of(none()).map(drop)),
            "RequireObjectId::any_of",
        ),
        (
            name(RequireDirectoryRole::any_of(none()).map(drop)),
            "RequireDirectoryRole::any_of",
        ),
        (
            name(RequireB2cPolicy::any_of(none()).map(drop)),
            "RequireB2cPolicy::any_of",
        ),
        (
            name(RequireAcr::any_of(none()).map(drop)),
            "RequireAcr::any_of",
        ),
    ] {
        assert_eq!(
            error,
            format!("{constructor}: missing, expected at least one name")
        );
    }
}

/// Tenants that an administrator suspends and readmits while the program runs.
#[derive(Debug, Clone, Default)]
struct Suspended(Arc<RwLock<BTreeSet<Uuid>>>);

impl Suspended {
    fn set(&self, suspended: bool) {
        let tenant: Uuid = TENANT.parse().unwrap();
        let mut list = self.0.write().unwrap();
        if suspended {
            list.insert(tenant);
        } else {
            list.remove(&tenant);
        }
    }

    fn holds(&self, caller: &Caller<'_>) -> bool {
        let list = self.0.read().unwrap();
        caller
            .claims()
            .tenant_id()
            .is_none_or(|tenant| list.contains(&tenant))
    }
}

struct NotSuspended(Suspended);

impl Guard for NotSuspended {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        if self.0.holds(caller) {
            return Err(Denied::custom("suspended"));
        }
        Ok(())
    }
}

#[derive(Clone)]
struct App {
    suspended: Suspended,
}

impl GuardFromState<App> for NotSuspended {
    fn from_state(app: &App) -> Self {
        Self(app.suspended.clone())
    }
}

#[tokio::test]
async fn a_list_that_changes_decides_in_layers_and_in_permit() {
    let entra = built(authority());
    let suspended = Suspended::default();
    let shared = suspended.clone();
    let function = guard::from_fn(move |caller| match shared.holds(caller) {
        true => Err(Denied::new(DenialReason::Tenant)),
        false => Ok(()),
    });
    let ok = || async { "in" };
    let app = Router::new()
        .route(
            "/layer",
            get(ok).layer(GuardLayer::new(Arc::new(NotSuspended(suspended.clone())))),
        )
        .route("/function", get(ok).layer(function.clone()))
        .route(
            "/both",
            get(ok).layer(RequireScope("access_as_user").and(function)),
        )
        .route("/permit", get(|_: Permit<NotSuspended>| async { "in" }))
        .with_state(App {
            suspended: suspended.clone(),
        })
        .route_layer(entra.layer());
    let token = mint(&good());
    let places = [
        ("/layer", "suspended"),
        ("/function", "tenant"),
        ("/both", "tenant"),
        ("/permit", "suspended"),
    ];
    for is_suspended in [false, true, false, true] {
        suspended.set(is_suspended);
        for (path, reason) in places {
            let expected = if is_suspended {
                (403, reason.to_owned())
            } else {
                (200, "in".into())
            };
            assert_eq!(fetch(&app, path, &token).await.brief(), expected, "{path}");
        }
    }
    for (path, _) in places {
        assert_eq!(fetch(&app, path, "").await.status, 401, "{path}");
    }
}

#[test]
fn a_function_says_what_it_requires_and_pointers_say_what_their_guard_says() {
    let guard = guard::from_fn(|_| Err(Denied::custom("closed")));
    assert_eq!(
        guard.describe().to_string(),
        "a rule of this application's own"
    );
    let guard = guard.described("office hours");
    assert_eq!(guard.describe().to_string(), "office hours");
    let no_guid = RequireTenant("contoso.com");
    let boxed: Box<dyn Guard + Send + Sync> = Box::new(no_guid);
    let shared: Arc<dyn Guard> = Arc::new(no_guid);
    for guard in [&no_guid as &dyn Guard, &boxed, &shared, &&no_guid] {
        assert_eq!(guard.describe(), no_guid.describe());
        assert_eq!(guard.mistakes(), no_guid.mistakes());
        assert_eq!(guard.mistakes().len(), 1);
    }
    // Pointers combine as what they point to.
    let either = boxed.or(&no_guid).and(shared);
    assert_eq!(either.mistakes().len(), 3);
}
