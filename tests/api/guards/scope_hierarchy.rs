//! Scopes that imply others: what passes, and what a challenge names.

use axum_entra::guard::{Guard as _, RequireRole, RequireScope};
use axum_entra::{Clock, ConfigError, Entra, ScopeHierarchy, UnixTime};
use serde_json::{Value, json};

use super::mounts;
use crate::service::{Runs, fetch, protected};
use crate::token::{API, T0, authority, built, mint, with};

fn todo() -> ScopeHierarchy {
    ScopeHierarchy::new()
        .implies("Todo.ReadWrite", "Todo.Read")
        .implies("Todo.Admin", "Todo.ReadWrite")
}

fn declared(hierarchy: ScopeHierarchy) -> Result<Entra, ConfigError> {
    Entra::builder_for(authority())
        .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
        .scope_hierarchy(hierarchy)
        .build()
}

/// A user's token with these scopes.
fn scp(scopes: &str) -> String {
    mint(&with(json!({ "scp": scopes })))
}

fn challenge(scopes: &str) -> String {
    let full = scopes.split(' ').map(|name| format!("api://{API}/{name}"));
    let full: Vec<String> = full.collect();
    format!(
        "Bearer error=\"insufficient_scope\", scope=\"{}\"",
        full.join(" ")
    )
}

#[tokio::test]
async fn a_wider_scope_passes_only_where_it_is_declared() {
    let runs = Runs::default();
    for (entra, expected) in [
        (declared(todo()).unwrap(), (200, "in")),
        (built(authority()), (403, "scope")),
    ] {
        for token in [scp("Todo.ReadWrite"), scp("x Todo.Admin")] {
            // The second request finds the token in the cache.
            for _ in 0..2 {
                for (place, router) in mounts!(entra, runs, RequireScope("Todo.Read")) {
                    let answer = fetch(&router, "/", &token).await;
                    assert_eq!(answer.brief(), (expected.0, expected.1.into()), "{place}");
                }
            }
        }
        let both = mounts!(
            entra,
            runs,
            RequireScope::all(["Todo.Read", "Todo.ReadWrite"])
        );
        for (place, router) in both {
            let answer = fetch(&router, "/", &scp("Todo.ReadWrite")).await;
            assert_eq!(answer.brief(), (expected.0, expected.1.into()), "{place}");
        }
    }
}

#[tokio::test]
async fn a_narrower_scope_and_an_application_do_not_pass() {
    let (entra, runs) = (declared(todo()).unwrap(), Runs::default());
    let app = json!({ "scp": "Todo.Admin", "idtyp": "app", "roles": ["r"] });
    for token in [
        scp("Todo.Read"),
        scp("todo.admin"),
        scp("Todo.AdminX"),
        mint(&with(json!({ "scp": "x", "roles": ["Todo.Admin"] }))),
        mint(&with(app)),
    ] {
        for (place, router) in mounts!(entra, runs, RequireScope("Todo.ReadWrite")) {
            let answer = fetch(&router, "/", &token).await;
            assert_eq!(answer.brief(), (403, "scope".into()), "{place}");
            let expected = challenge("Todo.ReadWrite");
            assert_eq!(answer.challenge(), Some(expected.as_str()), "{place}");
        }
    }
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_challenge_names_the_least_scope() {
    let runs = Runs::default();
    const ANY: [&str; 3] = ["Todo.Admin", "Todo.ReadWrite", "Todo.Read"];
    const ALL: [&str; 3] = ["Todo.Read", "User.Read", "Todo.ReadWrite"];
    for (entra, of_any, of_all) in [
        (
            declared(todo()).unwrap(),
            "Todo.Read",
            "User.Read Todo.ReadWrite",
        ),
        (
            built(authority()),
            "Todo.Admin",
            "Todo.Read User.Read Todo.ReadWrite",
        ),
    ] {
        let of_any = mounts!(entra, runs, RequireScope::any(ANY))
            .into_iter()
            .chain(mounts!(
                entra,
                runs,
                RequireRole("r").or(RequireScope::any(ANY))
            ))
            .map(|(place, router)| (place, router, of_any));
        let of_all = mounts!(entra, runs, RequireScope::all(ALL))
            .into_iter()
            .map(|(place, router)| (place, router, of_all));
        for (place, router, scopes) in of_any.chain(of_all) {
            let answer = fetch(&router, "/", &scp("other")).await;
            assert_eq!(answer.brief(), (403, "scope".into()), "{place}");
            assert_eq!(
                answer.challenge(),
                Some(challenge(scopes).as_str()),
                "{place}"
            );
        }
    }
}

#[tokio::test]
async fn the_scopes_of_every_route_follow_the_hierarchy_too() {
    let needing = || {
        authority()
            .required_scope("Todo.ReadWrite")
            .required_scope("Todo.Read")
    };
    let build = |hierarchy: ScopeHierarchy| {
        let builder =
            Entra::builder_for(needing()).clock(Clock::from_fn(|| UnixTime::from_secs(T0)));
        builder.scope_hierarchy(hierarchy).build().unwrap()
    };
    for (hierarchy, admin, named) in [
        (todo(), 200, "Todo.Read"),
        (ScopeHierarchy::new(), 403, "Todo.ReadWrite"),
    ] {
        let router = protected(&build(hierarchy), &Runs::default());
        let answer = fetch(&router, "/", &scp("Todo.Admin")).await;
        assert_eq!(answer.status, admin);
        let answer = fetch(&router, "/", &scp("other")).await;
        assert_eq!(answer.brief(), (403, "scope".into()));
        assert_eq!(answer.challenge(), Some(challenge(named).as_str()));
    }
}

#[tokio::test]
async fn claims_answer_as_the_guards_do() {
    let claims = |entra: &Entra, changes: Value| {
        entra
            .validate_at(&mint(&with(changes)), UnixTime::from_secs(T0))
            .unwrap()
    };
    let (entra, plain) = (declared(todo()).unwrap(), built(authority()));
    let wide = json!({ "scp": "Todo.ReadWrite" });
    assert!(claims(&entra, wide.clone()).has_scope("Todo.Read"));
    assert!(!claims(&entra, wide.clone()).has_scope("Todo.Admin"));
    assert!(!claims(&plain, wide.clone()).has_scope("Todo.Read"));
    assert!(claims(&plain, wide).has_scope("Todo.ReadWrite"));
    let app = json!({ "scp": "Todo.ReadWrite", "idtyp": "app", "roles": ["Tasks.Run"] });
    assert!(!claims(&entra, app.clone()).has_scope("Todo.ReadWrite"));
    assert!(claims(&entra, app).has_role("Tasks.Run"));
}

#[tokio::test]
async fn a_circle_does_not_build() {
    assert!(declared(todo()).is_ok());
    let error = declared(todo().implies("Todo.Read", "Todo.Admin")).unwrap_err();
    let line = error.to_string();
    assert!(
        line.contains("scope_hierarchy") && line.contains("imply itself"),
        "{line}"
    );
}
