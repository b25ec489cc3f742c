//! Every guard: rows of claims, and what becomes of them.

use std::time::Duration;

use axum_entra::guard::{
    Caller, Denied, DenyAgents, DenyGuests, Guard, RequireAccountId, RequireAcr, RequireAgent,
    RequireAppOnly, RequireAuthContext, RequireB2cPolicy, RequireClientAuthMethod, RequireClientId,
    RequireDirectoryRole, RequireGroup, RequireMaxAge, RequireMfa, RequireObjectId, RequireRole,
    RequireScope, RequireTenant, RequireUser,
};
use axum_entra::{Authority, ClientAuthMethod, Tenant};
use serde_json::{Value, json};

use super::mounts;
use crate::service::{Runs, fetch};
use crate::signer::key;
use crate::token::{API, KID, OTHER, T0, TENANT, authority, built, mint, with};

/// A guard, and rows of claims with `in` or the reason of the refusal.
macro_rules! guard_test {
    ($name:ident, $($guard:expr => [$($claims:tt => $expected:literal),+ $(,)?];)+) => {
        #[tokio::test]
        async fn $name() {
            let entra = built(authority());
            $(
                let rows: Vec<(Value, &str)> = vec![$((json!($claims), $expected)),+];
                assert!(rows.iter().any(|(_, expected)| *expected == "in"), "a twin that passes");
                assert!(rows.iter().any(|(_, expected)| *expected != "in"), "a twin that does not");
                let runs = Runs::default();
                for (place, router) in mounts!(entra, runs, $guard) {
                    for (claims, expected) in &rows {
                        let before = runs.count();
                        let answer = fetch(&router, "/", &mint(&with(claims.clone()))).await;
                        let name = format!("{} as {place}: {claims}", stringify!($guard));
                        let status = match *expected {
                            "in" => 200,
                            "id_token" => 401,
                            _ => 403,
                        };
                        assert_eq!(answer.brief(), (status, expected.to_string()), "{name}");
                        assert_eq!(runs.count() - before, usize::from(status == 200), "{name}");
                    }
                    assert_eq!(fetch(&router, "/", "").await.status.as_u16(), 401, "{place}");
                }
            )+
        }
    };
}

guard_test! { scopes_are_whole_words_of_a_user,
    RequireScope("Todo.Read") => [
        { "scp": "Todo.Read" } => "in",
        { "scp": "a Todo.Read b" } => "in",
        { "scp": "  a   Todo.Read" } => "in",
        { "scp": "Todo.ReadWrite" } => "scope",
        { "scp": "todo.read" } => "scope",
        { "scp": "a.Todo.Read" } => "scope",
        { "scp": "a,Todo.Read" } => "scope",
        { "scp": "" } => "no_permissions",
        { "scp": "/" } => "no_permissions",
        { "scp": "/", "roles": ["R"] } => "scope",
        { "scp": null, "roles": ["Todo.Read"] } => "scope",
        { "scp": "Todo.Read", "idtyp": "app" } => "scope",
    ];
    RequireScope(String::from("Todo.Read")) => [
        { "scp": "Todo.Read" } => "in",
        { "scp": "Todo" } => "scope",
    ];
    RequireScope::any(["Todo.Read", "Todo.ReadWrite"]) => [
        { "scp": "Todo.Read" } => "in",
        { "scp": "Todo.ReadWrite" } => "in",
        { "scp": "Todo" } => "scope",
    ];
    RequireScope::all(["Todo.Read", "Todo.ReadWrite"]) => [
        { "scp": "Todo.ReadWrite Todo.Read" } => "in",
        { "scp": "Todo.Read" } => "scope",
        { "scp": "Todo.ReadWrite" } => "scope",
    ];
}

guard_test! { roles_are_whole_and_of_this_letter_case,
    RequireRole("Task Admin") => [
        { "roles": ["Task Admin"] } => "in",
        { "roles": ["Other", "Task Admin"] } => "in",
        { "roles": ["Task"] } => "role",
        { "roles": ["Task", "Admin"] } => "role",
        { "roles": ["task admin"] } => "role",
        { "roles": [] } => "role",
        { "roles": null } => "role",
        { "scp": "Task Admin" } => "role",
        { "name": "Task Admin", "upn": "Task Admin", "unique_name": "Task Admin" } => "role",
    ];
    RequireRole::any(["A", "B"]) => [
        { "roles": ["B"] } => "in",
        { "roles": ["C"] } => "role",
    ];
    RequireRole::all(["A", "B"]) => [
        { "roles": ["B", "A"] } => "in",
        { "roles": ["A"] } => "role",
    ];
}

guard_test! { groups_in_the_token_decide_unless_there_are_too_many,
    RequireGroup("aaaaaaaa-0000-4000-8000-000000000001") => [
        { "groups": ["aaaaaaaa-0000-4000-8000-000000000001"] } => "in",
        { "groups": ["AAAAAAAA-0000-4000-8000-000000000001"] } => "in",
        { "groups": ["aaaaaaaa-0000-4000-8000-000000000001"], "hasgroups": true } => "in",
        { "groups": ["aaaaaaaa-0000-4000-8000-000000000002"] } => "group",
        { "groups": [] } => "group",
        { "groups": null } => "group",
        { "hasgroups": true } => "groups_overage",
        { "hasgroups": "true" } => "groups_overage",
        { "hasgroups": false } => "group",
        { "groups": "src1" } => "groups_overage",
        { "_claim_names": { "groups": "src1" } } => "groups_overage",
        { "_claim_names": { "groups": "src1" }, "groups": ["x"] } => "groups_overage",
        { "_claim_names": {} } => "group",
    ];
    RequireGroup("Sales") => [
        { "groups": ["Sales"] } => "in",
        { "groups": ["sales"] } => "group",
    ];
    RequireGroup::any(["Sales", "Research"]) => [
        { "groups": ["Research"] } => "in",
        { "groups": ["Research"], "hasgroups": true } => "in",
        { "groups": ["Finance"] } => "group",
        { "hasgroups": true } => "groups_overage",
    ];
    RequireGroup::all(["Sales", "Research"]) => [
        { "groups": ["Research", "Sales"] } => "in",
        { "groups": ["Research"] } => "group",
        { "groups": ["Research"], "hasgroups": true } => "groups_overage",
    ];
}

guard_test! { directory_roles_are_template_ids,
    RequireDirectoryRole("62e90394-69f5-4237-9190-012177145e10") => [
        { "wids": ["62e90394-69f5-4237-9190-012177145e10"] } => "in",
        { "wids": ["62E90394-69F5-4237-9190-012177145E10"] } => "in",
        { "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"] } => "directory_role",
        { "wids": [] } => "directory_role",
        { "wids": null } => "directory_role",
        { "roles": ["62e90394-69f5-4237-9190-012177145e10"] } => "directory_role",
    ];
    RequireDirectoryRole::any(["x", "62e90394-69f5-4237-9190-012177145e10"]) => [
        { "wids": ["62e90394-69f5-4237-9190-012177145e10"] } => "in",
        { "wids": ["y"] } => "directory_role",
    ];
}

guard_test! { the_client_is_azp_or_appid,
    RequireClientId("75dbe77f-10a3-4e59-85fd-8c127544f17c") => [
        { "azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c" } => "in",
        { "azp": "75DBE77F-10A3-4E59-85FD-8C127544F17C" } => "in",
        { "azp": null, "appid": "75dbe77f-10a3-4e59-85fd-8c127544f17c" } => "in",
        { "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3" } => "client_app",
        { "azp": null } => "id_token",
        { "azp": ["75dbe77f-10a3-4e59-85fd-8c127544f17c"] } => "id_token",
    ];
    RequireClientId::any(["x", "y"]) => [
        { "azp": "y" } => "in",
        { "azp": "z" } => "client_app",
    ];
}

guard_test! { the_client_proves_itself_at_least_so_strongly,
    RequireClientAuthMethod(ClientAuthMethod::Secret) => [
        { "azpacr": "1" } => "in",
        { "azpacr": "2" } => "in",
        { "azpacr": 1 } => "in",
        { "azpacr": null, "appidacr": "2" } => "in",
        { "azpacr": "0" } => "client_auth",
        { "azpacr": 0 } => "client_auth",
        { "azpacr": "3" } => "client_auth",
        { "azpacr": "" } => "client_auth",
        { "azpacr": ["1"] } => "client_auth",
        { "azpacr": null } => "client_auth",
    ];
    RequireClientAuthMethod(ClientAuthMethod::Certificate) => [
        { "azpacr": "2" } => "in",
        { "azpacr": 2 } => "in",
        { "azpacr": "1" } => "client_auth",
        { "azpacr": "0" } => "client_auth",
    ];
    RequireClientAuthMethod(ClientAuthMethod::Public) => [
        { "azpacr": "0" } => "in",
        { "azpacr": null } => "client_auth",
    ];
}

guard_test! { users_and_applications_are_told_apart_or_refused,
    RequireUser => [
        { "scp": "a" } => "in",
        { "idtyp": "user", "scp": null, "roles": ["R"] } => "in",
        { "idtyp": "app" } => "user_only",
        { "idtyp": "device" } => "user_only",
        { "scp": null, "roles": ["R"] } => "user_only",
        { "scp": null, "roles": ["R"], "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474" } => "user_only",
        { "scp": "/", "roles": ["R"] } => "user_only",
        { "scp": "a", "xms_sub_fct": "11", "xms_idrel": "7" } => "in",
    ];
    RequireAppOnly => [
        { "scp": null, "roles": ["R"], "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474" } => "in",
        { "idtyp": "app", "scp": null, "roles": ["R"] } => "in",
        { "scp": "a", "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474" } => "app_only",
        { "idtyp": "user", "scp": null, "roles": ["R"], "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474" } => "app_only",
        { "idtyp": "device", "scp": null, "roles": ["R"] } => "app_only",
        { "scp": null, "roles": ["R"], "xms_sub_fct": "9 3 11" } => "in",
        { "scp": "/", "roles": ["R"], "xms_idrel": "10 7" } => "in",
        { "scp": "", "roles": ["R"], "xms_idrel": "13" } => "in",
        { "scp": null, "roles": ["R"], "xms_idrel": "33" } => "in",
        { "scp": null, "roles": ["R"], "xms_idrel": "1 5" } => "app_only",
        { "scp": null, "roles": ["R"], "xms_idrel": 7 } => "app_only",
        { "scp": null, "roles": ["R"] } => "app_only",
        { "scp": null, "roles": ["R"], "sub": null, "oid": null } => "app_only",
    ];
}

guard_test! { guests_are_told_by_acct_else_by_their_identity_provider,
    DenyGuests => [
        { "scp": "a" } => "in",
        { "acct": 0 } => "in",
        { "acct": 0, "idp": "https://sts.windows.net/22222222-2222-4222-8222-222222222222/" } => "in",
        { "idp": "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0" } => "in",
        { "idp": "https://sts.windows.net/11111111-1111-4111-8111-111111111111/" } => "in",
        { "idp": null } => "in",
        { "acct": "0", "idp": 5 } => "in",
        { "idp": 5 } => "guest",
        { "idp": true } => "guest",
        { "idp": ["live.com"] } => "guest",
        { "idp": {} } => "guest",
        { "acct": 2 } => "guest",
        { "acct": false } => "guest",
        { "acct": 1 } => "guest",
        { "acct": "1" } => "guest",
        { "idp": "https://sts.windows.net/22222222-2222-4222-8222-222222222222/" } => "guest",
        { "idp": "live.com" } => "guest",
    ];
}

guard_test! { an_identity_is_an_object_or_a_subject_of_its_own,
    RequireAccountId => [
        { "scp": "a" } => "in",
        { "sub": null } => "in",
        { "oid": null } => "in",
        { "sub": "Not supported currently. Use oid claim." } => "in",
        { "oid": null, "sub": "Not supported currently. Use oid claim." } => "no_identity",
        { "oid": null, "sub": "" } => "no_identity",
        { "oid": null, "sub": null } => "no_identity",
    ];
}

guard_test! { multi_factor_is_proven_by_amr_alone,
    RequireMfa => [
        { "amr": ["pwd", "mfa"] } => "in",
        { "amr": ["ngcmfa"] } => "in",
        { "amr": "mfa" } => "in",
        { "acr": "1" } => "mfa",
        { "amr": ["pwd", "rsa", "otp", "fed", "wia"] } => "mfa",
        { "amr": ["wiaormfa"] } => "mfa",
        { "amr": ["MFA"] } => "mfa",
        { "amr": ["none"] } => "mfa",
        { "amr": [] } => "mfa",
        { "amr": null } => "mfa",
    ];
}

guard_test! { classes_and_contexts_are_exact,
    RequireAcr("1") => [
        { "acr": "1" } => "in",
        { "acr": "0" } => "acr",
        { "acr": 1 } => "acr",
        { "acr": null } => "acr",
    ];
    RequireAuthContext("c1") => [
        { "acrs": ["c1"] } => "in",
        { "acrs": ["c2", "c1"] } => "in",
        { "acrs": "c1" } => "in",
        { "acrs": ["C1"] } => "auth_context",
        { "acrs": ["c10"] } => "auth_context",
        { "acrs": [] } => "auth_context",
        { "acrs": null } => "auth_context",
        { "acrs": null, "xms_cc": ["cp2"] } => "auth_context",
    ];
}

#[tokio::test]
async fn policies_have_no_letter_case_and_come_from_tfp_first() {
    let policies = ["B2C_1_susi", "B2C_1_edit", "B2C_1_susi2", "1"];
    let b2c = Authority::b2c(
        "https://contoso.b2clogin.com",
        Tenant::new(TENANT),
        API,
        policies,
    );
    let b2c = built(b2c.static_jwks(key(0).jwks(KID).to_string()));
    let of_b2c = |claims: &Value| {
        let mut all = with(claims.clone());
        let issuer = format!("https://contoso.b2clogin.com/{TENANT}/v2.0/");
        all.insert("iss".into(), issuer.into());
        all.insert("ver".into(), "1.0".into());
        mint(&all)
    };
    let runs = Runs::default();
    let entra = built(authority());
    let rows = [
        (json!({ "tfp": "B2C_1_susi" }), true, true),
        (json!({ "tfp": "b2c_1_SUSI" }), true, true),
        (json!({ "acr": "b2c_1_susi" }), true, true),
        (
            json!({ "tfp": "B2C_1_edit", "acr": "B2C_1_susi" }),
            false,
            true,
        ),
        (json!({ "tfp": "B2C_1_susi2" }), false, false),
        (json!({ "acr": "1" }), false, false),
    ];
    let one = mounts!(b2c, runs, RequireB2cPolicy("B2C_1_susi"));
    let any = mounts!(
        b2c,
        runs,
        RequireB2cPolicy::any(["B2C_1_susi", "B2C_1_EDIT"])
    );
    for ((place, one), (_, any)) in one.into_iter().zip(any) {
        for (claims, passes_one, passes_any) in &rows {
            for (router, passes) in [(&one, passes_one), (&any, passes_any)] {
                let answer = fetch(router, "/", &of_b2c(claims)).await;
                let (status, reason) = if *passes {
                    (200, "in")
                } else {
                    (403, "policy")
                };
                assert_eq!(answer.brief(), (status, reason.into()), "{place}: {claims}");
            }
        }
    }
    // Entra's tokens have no policy, whatever they say.
    for (place, router) in mounts!(entra, runs, RequireB2cPolicy("B2C_1_susi")) {
        for (claims, ..) in &rows {
            let answer = fetch(&router, "/", &mint(&with(claims.clone()))).await;
            assert_eq!(answer.brief(), (403, "policy".into()), "{place}: {claims}");
        }
    }
}

guard_test! { agents_are_told_by_their_facets,
    DenyAgents => [
        { "xms_act_fct": "9 3" } => "in",
        { "xms_act_fct": null } => "agent",
        { "xms_act_fct": "" } => "in",
        { "xms_act_fct": "3,11" } => "agent",
        { "xms_act_fct": "3 9 11" } => "agent",
        { "xms_act_fct": "9", "xms_sub_fct": "13" } => "agent",
        { "scp": "a" } => "agent",
    ];
    DenyAgents::known_only() => [
        { "scp": "a" } => "in",
        { "xms_act_fct": "11" } => "agent",
        { "xms_sub_fct": "11 9" } => "agent",
    ];
    RequireAgent => [
        { "xms_act_fct": "3 9 11" } => "in",
        { "xms_sub_fct": "13" } => "in",
        { "xms_act_fct": "111 1" } => "not_agent",
        { "xms_par_app_azp": "75dbe77f-10a3-4e59-85fd-8c127544f17c" } => "not_agent",
    ];
}

guard_test! { accounts_are_known_by_their_object_id,
    RequireObjectId("690222BE-ff1a-4d56-abd1-7e4f7d38e474") => [
        { "scp": "a" } => "in",
        { "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e475" } => "object_id",
        { "oid": null, "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474" } => "object_id",
        { "oid": ["690222be-ff1a-4d56-abd1-7e4f7d38e474"] } => "object_id",
    ];
    RequireObjectId::any([OTHER, "690222be-ff1a-4d56-abd1-7e4f7d38e474"]) => [
        { "scp": "a" } => "in",
        { "oid": TENANT } => "object_id",
    ];
}

guard_test! { a_sign_in_is_recent_by_the_second,
    RequireMaxAge(Duration::from_secs(600)) => [
        { "auth_time": T0 } => "in",
        { "auth_time": (T0 - 600) } => "in",
        { "auth_time": (T0 - 601) } => "sign_in_too_old",
        { "auth_time": (T0 + 1) } => "sign_in_too_old",
        { "auth_time": (T0.to_string()) } => "sign_in_too_old",
        { "auth_time": null } => "sign_in_too_old",
        { "iat": (T0 - 1) } => "sign_in_too_old",
    ];
}

guard_test! { tenants_are_compared_as_guids,
    RequireTenant(TENANT).or(RequireRole("R")) => [
        { "roles": [] } => "in",
        { "aud": [crate::token::API] } => "in",
        { "scp": null } => "no_permissions",
    ];
    RequireTenant::any([OTHER, TENANT]).and(RequireRole("R")) => [
        { "roles": ["R"] } => "in",
        { "roles": [] } => "role",
    ];
    RequireTenant(OTHER).or(RequireRole("R")) => [
        { "roles": ["R"] } => "in",
        { "roles": [] } => "tenant",
    ];
    RequireTenant("no GUID").or(RequireRole("R")) => [
        { "roles": ["R"] } => "in",
        { "tid": TENANT } => "tenant",
    ];
}

#[derive(Clone, Debug, Default)]
struct FromTheOffice;

impl Guard for FromTheOffice {
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        match caller.claims().extra::<String>("extension_Office") {
            Some(office) if office == "HQ" => Ok(()),
            _ => Err(Denied::custom("not_from_the_office")),
        }
    }
}

#[tokio::test]
async fn a_guard_of_the_applications_own_is_a_guard_like_any_other() {
    let (entra, runs) = (built(authority()), Runs::default());
    let router = axum::Router::new()
        .route("/", runs.handler())
        .route_layer(axum_entra::GuardLayer::new(FromTheOffice))
        .route_layer(entra.layer());
    let from = |office: &str| mint(&with(json!({ "extension_Office": office })));
    let answer = fetch(&router, "/", &from("Home")).await;
    assert_eq!(answer.brief(), (403, "not_from_the_office".into()));
    assert_eq!(answer.member("error"), "forbidden");
    assert_eq!(
        answer.challenge(),
        Some("Bearer error=\"insufficient_scope\"")
    );
    assert_eq!(fetch(&router, "/", &from("HQ")).await.status, 200);
    assert_eq!(runs.count(), 1);
    let both = axum::Router::new()
        .route("/", runs.handler())
        .route_layer(FromTheOffice.and(RequireScope("access_as_user")))
        .route_layer(entra.layer());
    assert_eq!(fetch(&both, "/", &from("HQ")).await.status, 200);
}
