//! The hints: which mistake brings which, to the letter, and that no other comes with it.
//!
//! `INSTA_UPDATE=always cargo test --test observability explain` writes `snapshots/`: read what it changes.

use axum_entra::explain::Explanation;
use axum_entra::guard::{
    DenyAgents, Guard, RequireAgent, RequireAppOnly, RequireAuthContext, RequireB2cPolicy,
    RequireClientAuthMethod, RequireGroup, RequireRole, RequireScope, RequireTenant, RequireUser,
};
use axum_entra::{
    AllowedTenants, Authority, ClientAuthMethod, Entra, Tenant, TokenVersion, UnixTime,
};
use entra_emulator::{API_ID, B2C_POLICY, CONTOSO, Emulator, FABRIKAM, NORTHWIND, TokenBuilder};
use insta::assert_snapshot;
use serde_json::json;

use super::{NOW, emulated, neutral};

/// What was tried, and every hint that came, in their order.
struct Hints<'e>(&'e Emulator, String);

impl<'e> Hints<'e> {
    const fn of(emulator: &'e Emulator) -> Self {
        Self(emulator, String::new())
    }

    fn add(&mut self, tried: &str, explanation: &Explanation) {
        let hints = explanation.hints().iter();
        let hints: String = hints.map(|hint| format!("\n  * {hint}")).collect();
        self.1 += &format!("{tried}{hints}\n");
    }

    fn add_token(&mut self, tried: &str, entra: &Entra, token: TokenBuilder) {
        self.add_text(tried, entra, &token.mint());
    }

    fn add_text(&mut self, tried: &str, entra: &Entra, text: &str) {
        self.add(tried, &entra.explain_at(text, UnixTime::from_secs(NOW)));
    }

    fn text(self) -> String {
        neutral(self.0, &self.1)
    }
}

fn token(emulator: &Emulator) -> TokenBuilder {
    let token = emulator.token().scope("access_as_user");
    token.issued_at(NOW - 60).expires_at(NOW + 3_600)
}

/// An hour behind its end, and with nothing that would tell an ID token from another.
fn late(emulator: &Emulator) -> TokenBuilder {
    let token = emulator.token().issued_at(NOW - 7_200);
    let token = token.expires_at(NOW - 3_600).without("roles");
    token.without("scp").without("azp")
}

fn authority(emulator: &Emulator) -> Authority {
    Authority::entra(Tenant::new(CONTOSO), API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url())
}

async fn trusting(authority: Authority, good: TokenBuilder) -> Entra {
    let entra = Entra::builder_for(authority).build().unwrap();
    // Its keys are there now.
    entra.validate(&good.mint()).await.unwrap();
    entra
}

#[tokio::test]
async fn every_refusal_brings_its_own_hint() {
    let (emulator, entra) = emulated().await;
    let token = || token(&emulator);
    let mut hints = Hints::of(&emulator);
    for (name, token) in [
        ("an ID token", token().id_token().audience(API_ID)),
        ("a hybrid ID token", token().claim("c_hash", "h")),
        ("another key", token().key("k")),
        ("forged", token().raw_signature("AAAA")),
        ("no permissions", token().without("scp").without("roles")),
        ("bound", token().bound_to_key("k")),
        (
            "bound to a certificate",
            token().bound_to_certificate(b"DER"),
        ),
        (
            "bound to both",
            token().claim("cnf", json!({ "kid": "k", "x5t#S256": "x" })),
        ),
        (
            "bound to something else",
            token().claim("cnf", json!({ "jkt": "k" })),
        ),
        ("a signed HTTP request", token().header("typ", "pop")),
        (
            "a signed HTTP request with PS256, as MSAL.NET makes it",
            token().header("typ", "pop").header("alg", "PS256"),
        ),
        ("early", token().not_before(NOW + 400)),
        (
            "late",
            token().expires_at(NOW - 3_600).issued_at(NOW - 7_200),
        ),
        ("a claim of another type", token().claim("scp", 1)),
        ("ver of the other", token().claim("ver", "1.0")),
        ("ver of the other, v1", token().v1().claim("ver", "2.0")),
        ("no iss", token().without("iss")),
        ("B2C", token().issuer("https://a.b2clogin.com/x/v2.0/")),
        ("External ID", token().user("nina").tenant(NORTHWIND)),
        ("of another tenant", token().tenant(FABRIKAM)),
        (
            "v1.0 of another tenant, with v1.0 on",
            token().issuer("https://sts.windows.net/x/"),
        ),
        ("another application", token().audience(FABRIKAM)),
        ("another API", token().audience("api://other")),
        (
            "a slash behind the audience",
            token().audience(format!("api://{API_ID}/")),
        ),
        (
            "Azure Resource Manager",
            token().audience("https://management.azure.com/"),
        ),
    ] {
        hints.add_token(name, &entra, token);
    }
    assert_snapshot!(hints.text());
}

#[tokio::test]
async fn what_settings_refuse_is_told_with_the_setting() {
    let (emulator, _) = emulated().await;
    let token = || token(&emulator);
    let authority = || authority(&emulator);
    let mut hints = Hints::of(&emulator);
    let scoped = authority().required_scope("access_as_user");
    let scoped = trusting(scoped, emulator.token().scope("access_as_user")).await;
    hints.add_token("Scopes, another", &scoped, token().scope("Todo.Read"));
    let app = emulator.token().app("daemon").issued_at(NOW - 60);
    hints.add_token("Scopes, an app", &scoped, app.expires_at(NOW + 60));

    let v2 = authority().token_versions([TokenVersion::V2]);
    let v2 = trusting(v2, emulator.token()).await;
    let v1_of = |issuer| token().v1().issuer(issuer);
    hints.add_token("v2.0 only", &v2, token().v1());
    hints.add_token(
        "v2.0 only, of another tenant",
        &v2,
        v1_of("https://sts.windows.net/x/"),
    );
    hints.add_token(
        "v2.0 only, from elsewhere",
        &v2,
        v1_of("https://elsewhere.example/"),
    );
    let v1 = authority().token_versions([TokenVersion::V1]);
    let v1 = trusting(v1, emulator.token().v1()).await;
    hints.add_token("v1.0 only", &v1, token());

    let uri = authority().audience("api://mine");
    let uri = trusting(uri, emulator.token().audience("api://mine")).await;
    let mine = token().audience(format!("api://{API_ID}"));
    hints.add_token("an audience of one's own", &uri, mine);
    let tenants = Authority::entra(Tenant::Organizations, API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url())
        .allowed_tenants(AllowedTenants::only([FABRIKAM.parse().unwrap()]));
    let tenants = trusting(tenants, emulator.token().user("erin").tenant(FABRIKAM)).await;
    hints.add_token("AllowedTenants", &tenants, token());
    assert_snapshot!(hints.text());
}

#[tokio::test]
async fn a_policy_that_is_not_listed_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let ours = Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, [B2C_POLICY]);
    let entra = trusting(ours, emulator.token().policy(B2C_POLICY)).await;
    let token = || token(&emulator).policy("B2C_1_edit");
    let mut hints = Hints::of(&emulator);
    hints.add_token("tfp", &entra, token());
    let old = token().without("tfp").claim("acr", "B2C_1_old");
    hints.add_token("acr", &entra, old);
    hints.add_token("neither", &entra, token().without("tfp").without("acr"));
    // A B2C tenant has no versions that could be off.
    let v1 = token().issuer("https://sts.windows.net/x/");
    hints.add_token("v1.0", &entra, v1);
    assert_snapshot!(hints.text());
}

#[tokio::test]
async fn an_account_that_was_revoked_is_told_to_sign_in_again() {
    let (emulator, entra) = emulated().await;
    let token = emulator.token().issued_at(super::now() - 60).mint();
    let claims = entra.validate(&token).await.unwrap();
    entra
        .revoke_tokens(&claims.account_id().unwrap())
        .await
        .unwrap();
    let explanation = entra.explain(&token).await;
    assert_eq!(
        explanation.hints(),
        ["The account's older tokens were revoked. Sign in again."]
    );
}

#[tokio::test]
async fn texts_that_are_no_token_are_known_by_their_form() {
    let (emulator, entra) = emulated().await;
    let token = token(&emulator).mint();
    let mut hints = Hints::of(&emulator);
    for (name, text) in [
        ("one part", "x"),
        ("two parts", "a.b"),
        ("three parts", "a.b.c"),
        ("four parts", "a.b.c.d"),
        ("five parts", "a.b.c.d.e"),
        ("as long as may be", &"x".repeat(65_536)),
        ("too long", &"x".repeat(65_537)),
        ("Bearer", &format!("Bearer {token}")),
        ("a space and bEARER", &format!(" bEARER {token}")),
        ("a space before", &format!(" {token}")),
        ("in quotes", &format!("\"{token}\"")),
        ("broken behind a dot", &token.replacen('.', ".\n", 1)),
        ("broken before a dot", &token.replacen('.', "\r.", 1)),
    ] {
        hints.add_text(name, &entra, text);
    }
    assert_snapshot!(hints.text());
}

#[tokio::test]
async fn tokens_of_another_kind_are_known_by_their_claims() {
    let (emulator, entra) = emulated().await;
    let late = || late(&emulator);
    let graph = "https://graph.microsoft.com";
    let mut hints = Hints::of(&emulator);
    for (name, token) in [
        ("for Graph", token(&emulator).audience(graph)),
        (
            "with a slash",
            token(&emulator).audience(format!("{graph}/")),
        ),
        (
            "by its application id",
            token(&emulator).audience("00000003-0000-0000-c000-000000000000"),
        ),
        (
            "a nonce in the header",
            token(&emulator).header("nonce", "n").raw_signature("AAAA"),
        ),
        ("of no client and for nothing", late()),
        ("for no audience", late().without("aud")),
        ("of no subject", late().without("sub")),
        ("of a client", late().claim("azp", "c")),
        ("of a v1.0 client", late().claim("appid", "c")),
        ("with a scope", late().claim("scp", "a")),
        (
            "with a role, as ID tokens of a registration with roles",
            late().claim("roles", json!(["a"])),
        ),
        (
            "a nonce, of a client",
            late().claim("nonce", "n").claim("azp", "c"),
        ),
        (
            "the hash of a token, of a client",
            late().claim("at_hash", "n").claim("azp", "c"),
        ),
        (
            "the hash of a code, of a client",
            late().claim("c_hash", "n").claim("azp", "c"),
        ),
        (
            "a nonce, of a client, with a scope",
            late()
                .claim("nonce", "n")
                .claim("azp", "c")
                .claim("scp", "a"),
        ),
        (
            "a nonce that is null",
            late().claim("nonce", json!(null)).claim("azp", "c"),
        ),
    ] {
        hints.add_token(name, &entra, token);
    }
    assert_snapshot!(hints.text());
}

#[tokio::test]
async fn every_guard_that_people_trip_over_brings_its_own_hint() {
    let (emulator, entra) = emulated().await;
    let user = || token(&emulator);
    let app = || {
        let token = emulator.token().app("daemon").issued_at(NOW - 60);
        token.expires_at(NOW + 60)
    };
    let rows: [(&str, TokenBuilder, &dyn Guard); 17] = [
        ("not an agent, it seems", user(), &DenyAgents),
        ("an agent", user().agent(), &DenyAgents),
        (
            "not an agent",
            user().claim("xms_act_fct", "3 9"),
            &DenyAgents,
        ),
        ("no agent", user(), &RequireAgent),
        (
            "a policy",
            user().claim("tfp", B2C_POLICY),
            &RequireB2cPolicy(B2C_POLICY),
        ),
        (
            "a scope that is there",
            user(),
            &RequireScope("access_as_user"),
        ),
        ("a scope", user(), &RequireScope("Other")),
        (
            "a scope, an application",
            app(),
            &RequireScope("access_as_user"),
        ),
        ("a role", user(), &RequireRole("No")),
        (
            "a group, an overage",
            user().user("dave"),
            &RequireGroup(FABRIKAM),
        ),
        (
            "a group, none listed",
            user().without("groups"),
            &RequireGroup(FABRIKAM),
        ),
        ("a group", user(), &RequireGroup(FABRIKAM)),
        ("an application", user(), &RequireAppOnly),
        ("a user", app(), &RequireUser),
        (
            "an authentication context",
            user(),
            &RequireAuthContext("c1"),
        ),
        (
            "a certificate",
            user(),
            &RequireClientAuthMethod(ClientAuthMethod::Certificate),
        ),
        ("a tenant", user(), &RequireTenant(FABRIKAM)),
    ];
    let mut hints = Hints::of(&emulator);
    for (name, token, guard) in rows {
        let explanation = entra.explain_at(&token.mint(), UnixTime::from_secs(NOW));
        hints.add(name, &explanation.with_guard("/x", guard));
    }
    assert_snapshot!(hints.text());
}
