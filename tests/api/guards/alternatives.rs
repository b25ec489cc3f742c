//! `and`, `or`, and what the challenge names (contract §6, last row).

use axum::Router;
use axum_entra::guard::{
    Guard as _, RequireAppOnly, RequireAuthContext, RequireGroup, RequireRole, RequireScope,
    RequireUser,
};
use serde_json::{Value, json};

use super::mounts;
use crate::service::{Runs, fetch};
use crate::token::{API, authority, built, mint, with};

const APP: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";

/// In every place the guard can stand: the reason, and the scope that the challenge names.
async fn refuses(
    mounted: impl IntoIterator<Item = (&'static str, Router)>,
    claims: Value,
    reason: &str,
    scope: Option<&str>,
) {
    let error = if reason == "scope" {
        "insufficient_scope"
    } else {
        "forbidden"
    };
    let challenge = match scope {
        Some(scopes) => {
            let full = scopes.split(' ').map(|name| format!("api://{API}/{name}"));
            let full: Vec<String> = full.collect();
            let scope = full.join(" ");
            format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")
        }
        None => "Bearer error=\"insufficient_scope\"".to_owned(),
    };
    for (place, router) in mounted {
        let answer = fetch(&router, "/", &mint(&with(claims.clone()))).await;
        assert_eq!(
            answer.brief(),
            (403, reason.to_owned()),
            "{place}: {claims}"
        );
        assert_eq!(answer.member("error"), error, "{place}");
        assert_eq!(answer.challenge(), Some(challenge.as_str()), "{place}");
    }
}

async fn lets_in(mounted: impl IntoIterator<Item = (&'static str, Router)>, claims: Value) {
    for (place, router) in mounted {
        let answer = fetch(&router, "/", &mint(&with(claims.clone()))).await;
        assert_eq!(answer.status, 200, "{place}: {claims}");
    }
}

#[tokio::test]
async fn an_alternative_with_scopes_is_the_one_that_is_named() {
    let (entra, runs) = (built(authority()), Runs::default());
    let nothing = json!({ "scp": "other" });
    let mounted = mounts!(entra, runs, RequireScope("A").or(RequireScope("B")));
    refuses(mounted, nothing.clone(), "scope", Some("A")).await;
    let mounted = mounts!(entra, runs, RequireRole("R").or(RequireScope("S")));
    refuses(mounted.clone(), nothing.clone(), "scope", Some("S")).await;
    lets_in(mounted.clone(), json!({ "scp": "S" })).await;
    lets_in(mounted, json!({ "scp": "", "roles": ["R"] })).await;
    let mounted = mounts!(
        entra,
        runs,
        RequireRole("R")
            .or(RequireAppOnly)
            .or(RequireScope::all(["S", "T"]))
    );
    refuses(mounted, nothing.clone(), "scope", Some("S T")).await;
    let mounted = mounts!(
        entra,
        runs,
        RequireRole("R").or(RequireScope::any(["S", "T"]).or(RequireScope("U")))
    );
    refuses(mounted, nothing.clone(), "scope", Some("S")).await;
    let mounted = mounts!(entra, runs, RequireRole("R").or(RequireAppOnly));
    refuses(mounted, nothing.clone(), "role", None).await;
    let mounted = mounts!(entra, runs, RequireAppOnly.or(RequireRole("R")));
    refuses(mounted, nothing, "app_only", None).await;
}

#[tokio::test]
async fn both_of_two_guards_are_needed_and_the_first_that_refuses_is_named() {
    let (entra, runs) = (built(authority()), Runs::default());
    let mounted = mounts!(entra, runs, RequireScope("S").and(RequireRole("R")));
    lets_in(mounted.clone(), json!({ "scp": "S", "roles": ["R"] })).await;
    refuses(mounted.clone(), json!({ "scp": "S" }), "role", None).await;
    refuses(
        mounted.clone(),
        json!({ "scp": "", "roles": ["R"] }),
        "scope",
        Some("S"),
    )
    .await;
    refuses(mounted, json!({ "scp": "T" }), "scope", Some("S")).await;
    let mounted = mounts!(entra, runs, RequireScope("S").and(RequireScope("T")));
    refuses(mounted, json!({ "scp": "S" }), "scope", Some("T")).await;
}

/// Contract §3, `GET /todos/all`, and §4, `/data`.
#[tokio::test]
async fn the_sample_programs_mixed_guards_decide_and_answer_as_promised() {
    let (entra, runs) = (built(authority()), Runs::default());
    let all = mounts!(
        entra,
        runs,
        RequireRole("Todo.Read.All")
            .or(RequireScope("access_as_user").and(RequireRole("Todo.Admin")))
    );
    lets_in(
        all.clone(),
        json!({ "scp": null, "roles": ["Todo.Read.All"] }),
    )
    .await;
    lets_in(all.clone(), json!({ "roles": ["Todo.Admin"] })).await;
    refuses(all.clone(), json!({ "roles": [] }), "role", None).await;
    refuses(
        all,
        json!({ "scp": "", "roles": ["Todo.Admin"] }),
        "scope",
        Some("access_as_user"),
    )
    .await;

    let data = mounts!(
        entra,
        runs,
        RequireScope("Data.Read").or(RequireAppOnly.and(RequireRole("Data.Read.All")))
    );
    lets_in(data.clone(), json!({ "scp": "Data.Read" })).await;
    lets_in(
        data.clone(),
        json!({ "scp": null, "sub": APP, "roles": ["Data.Read.All"] }),
    )
    .await;
    refuses(
        data.clone(),
        json!({ "roles": ["Data.Read.All"] }),
        "scope",
        Some("Data.Read"),
    )
    .await;
    refuses(
        data,
        json!({ "scp": null, "sub": APP, "roles": ["Other"] }),
        "scope",
        Some("Data.Read"),
    )
    .await;
}

#[tokio::test]
async fn a_question_about_groups_counts_only_where_it_matters() {
    let (entra, runs) = (built(authority()), Runs::default());
    let many = json!({ "hasgroups": true });
    let or = mounts!(entra, runs, RequireGroup("G").or(RequireUser));
    lets_in(or, many.clone()).await;
    let or = mounts!(entra, runs, RequireGroup("G").or(RequireRole("R")));
    refuses(or, many.clone(), "groups_overage", None).await;
    let or = mounts!(entra, runs, RequireGroup("G").or(RequireScope("S")));
    refuses(or, many.clone(), "scope", Some("S")).await;
    let and = mounts!(entra, runs, RequireGroup("G").and(RequireRole("R")));
    refuses(and.clone(), many.clone(), "role", None).await;
    refuses(
        and,
        json!({ "hasgroups": true, "roles": ["R"] }),
        "groups_overage",
        None,
    )
    .await;
    let and = mounts!(entra, runs, RequireRole("R").and(RequireGroup("G")));
    refuses(and, many, "role", None).await;
}

#[tokio::test]
async fn a_step_up_is_asked_for_only_where_it_is_the_one_named() {
    let (entra, runs) = (built(authority()), Runs::default());
    let able = json!({ "xms_cc": ["cp1"] });
    for (place, router) in mounts!(entra, runs, RequireUser.and(RequireAuthContext("c1"))) {
        let answer = fetch(&router, "/", &mint(&with(able.clone()))).await;
        assert_eq!(answer.brief(), (401, "auth_context".into()), "{place}");
        assert_eq!(answer.member("error"), "insufficient_claims", "{place}");
        assert!(
            answer
                .challenge()
                .unwrap()
                .starts_with("Bearer error=\"insufficient_claims\", claims=\"")
        );
    }
    let mounted = mounts!(entra, runs, RequireAuthContext("c1").or(RequireScope("S")));
    refuses(mounted, able.clone(), "scope", Some("S")).await;
    let mounted = mounts!(entra, runs, RequireRole("R").or(RequireAuthContext("c1")));
    refuses(mounted, able, "role", None).await;
}
