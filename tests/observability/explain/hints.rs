//! The hints: which mistake brings which, and that no other comes with it.

use axum_entra::explain::Explanation;
use axum_entra::guard::{
    DenyAgents, Guard, RequireAgent, RequireAppOnly, RequireAuthContext, RequireB2cPolicy,
    RequireClientAuthMethod, RequireGroup, RequireRole, RequireScope, RequireTenant, RequireUser,
};
use axum_entra::{
    AllowedTenants, Authority, ClientAuthMethod, Entra, Tenant, TokenVersion, UnixTime,
};
use entra_emulator::{API_ID, B2C_POLICY, CONTOSO, Emulator, FABRIKAM, NORTHWIND, TokenBuilder};
use serde_json::json;

use super::{NOW, emulated};

const GRAPH: &str = "This is a token for Microsoft Graph, which only Graph can validate.";
const ID_TOKEN: &str = "This looks like an ID token: it tells the client who signed in";
const SEND_THE_ACCESS_TOKEN: &str = "This is an ID token: it tells the client who signed in, and opens nothing. Send the access token";
const ENDED: &str = "The token ended 3600 s ago.";
const NO_PERMISSIONS: &str = "The token has neither scp nor roles.";
const NO_JWT: &str = "This is no JWT.";
const UNKNOWN_KEY: &str = "The keys of this issuer do not have that id.";
const FORGED: &str = "The token was changed on its way or cut off when it was copied";
const SPACES: &str = "There are spaces, line breaks or quotes around or in the token.";
const APP: &str = "This is an application's own token (client credentials)";
const ELSEWHERE: &str = "No configured authority issues ";
const ODD_VER: &str = "ver does not fit the issuer, or is missing.";
const V1_IS_OFF: &str = "This is a v1.0 token and only v2.0 is on.";
const V2_IS_OFF: &str = "This is a v2.0 token and only v1.0 is on.";

/// These hints and no others, in this order; of each, the beginning.
#[track_caller]
fn are(explanation: &Explanation, beginnings: &[&str]) {
    let hints = explanation.hints();
    let fit = hints.iter().zip(beginnings);
    assert!(
        hints.len() == beginnings.len()
            && fit.into_iter().all(|(own, start)| own.starts_with(start)),
        "{hints:?} for {beginnings:?}"
    );
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
    let rows: [(&str, TokenBuilder, &[&str]); 23] = [
        (
            "an ID token",
            token().id_token().audience(API_ID),
            &[SEND_THE_ACCESS_TOKEN],
        ),
        (
            "a hybrid ID token",
            token().claim("c_hash", "h"),
            &[SEND_THE_ACCESS_TOKEN],
        ),
        ("another key", token().key("k"), &[UNKNOWN_KEY]),
        ("forged", token().raw_signature("AAAA"), &[FORGED]),
        (
            "no permissions",
            token().without("scp").without("roles"),
            &[NO_PERMISSIONS],
        ),
        (
            "bound",
            token().bound_to_key("k"),
            &["The token is bound to a key of its client (proof of possession)"],
        ),
        (
            "bound to a certificate",
            token().bound_to_certificate(b"DER"),
            &["The token is bound to a client certificate (x5t#S256)."],
        ),
        (
            "bound to both",
            token().claim("cnf", json!({ "kid": "k", "x5t#S256": "x" })),
            &["The token is bound to a key and to a client certificate"],
        ),
        (
            "bound to something else",
            token().claim("cnf", json!({ "jkt": "k" })),
            &["The token's cnf holds something that this API cannot have proved"],
        ),
        (
            "a signed HTTP request",
            token().header("typ", "pop"),
            &["This is a signed HTTP request, not a token"],
        ),
        (
            "a signed HTTP request with PS256, as MSAL.NET makes it",
            token().header("typ", "pop").header("alg", "PS256"),
            &[
                "This is a signed HTTP request, not a token",
                "As a signed HTTP request it is refused too (proof): it is signed with PS256,",
            ],
        ),
        (
            "early",
            token().not_before(NOW + 400),
            &["The token begins in the future: compare this machine's clock"],
        ),
        (
            "late",
            token().expires_at(NOW - 3_600).issued_at(NOW - 7_200),
            &[ENDED],
        ),
        ("a claim of another type", token().claim("scp", 1), &[]),
        ("ver of the other", token().claim("ver", "1.0"), &[ODD_VER]),
        (
            "ver of the other, v1",
            token().v1().claim("ver", "2.0"),
            &[ODD_VER],
        ),
        (
            "no iss",
            token().without("iss"),
            &["The token has no iss; Entra's tokens do."],
        ),
        (
            "B2C",
            token().issuer("https://a.b2clogin.com/x/v2.0/"),
            &["This is an Azure AD B2C token: configure the section AzureAdB2C."],
        ),
        (
            "External ID",
            token().user("nina").tenant(NORTHWIND),
            &["External ID writes the tenant's id as the host: https://{tenant id}.ciamlogin.com"],
        ),
        (
            "v1.0 of another tenant, with v1.0 on",
            token().issuer("https://sts.windows.net/x/"),
            &["No configured authority issues https://sts.windows.net/x/: another cloud"],
        ),
        (
            "another application",
            token().audience(FABRIKAM),
            &["The token is for the application with that id."],
        ),
        (
            "another API",
            token().audience("api://other"),
            &[
                "The token is for another API.",
                "If api://other is this API's own Application ID URI",
            ],
        ),
        (
            "Azure Resource Manager",
            token().audience("https://management.azure.com/"),
            &["The token is for Azure Resource Manager (`az account get-access-token`"],
        ),
    ];
    for (name, token, beginnings) in rows {
        println!("{name}");
        are(
            &entra.explain_at(&token.mint(), UnixTime::from_secs(NOW)),
            beginnings,
        );
    }
    let other = entra.explain_at(&token().tenant(FABRIKAM).mint(), UnixTime::from_secs(NOW));
    let text = format!(
        "The token is of another tenant: {}. This API accepts {}. Sign in at that tenant's address",
        emulator.issuer(FABRIKAM),
        emulator.issuer(CONTOSO)
    );
    are(&other, &[&text]);
    let slash = token().audience(format!("api://{API_ID}/")).mint();
    let text = format!(
        "The token says api://{API_ID}/, this API accepts {API_ID}, and audiences are compared byte for byte."
    );
    are(
        &entra.explain_at(&slash, UnixTime::from_secs(NOW)),
        &[&text],
    );
}

#[tokio::test]
async fn what_settings_refuse_is_told_with_the_setting() {
    let (emulator, _) = emulated().await;
    let token = || token(&emulator);
    let authority = || authority(&emulator);
    let scoped = authority().required_scope("access_as_user");
    let scoped = trusting(scoped, emulator.token().scope("access_as_user")).await;
    let other = token().scope("Todo.Read").mint();
    let asks = "The client has to ask for one of the scopes in the setting Scopes, which hold for every route.";
    are(
        &scoped.explain_at(&other, UnixTime::from_secs(NOW)),
        &[asks],
    );
    let app = emulator.token().app("daemon").issued_at(NOW - 60);
    let app = app.expires_at(NOW + 60).mint();
    are(&scoped.explain_at(&app, UnixTime::from_secs(NOW)), &[APP]);

    let v2 = authority().token_versions([TokenVersion::V2]);
    let v2 = trusting(v2, emulator.token()).await;
    are(
        &v2.explain_at(&token().v1().mint(), UnixTime::from_secs(NOW)),
        &[V1_IS_OFF],
    );
    let public = token().v1().issuer("https://sts.windows.net/x/").mint();
    are(
        &v2.explain_at(&public, UnixTime::from_secs(NOW)),
        &[V1_IS_OFF],
    );
    let elsewhere = token().v1().issuer("https://elsewhere.example/").mint();
    are(
        &v2.explain_at(&elsewhere, UnixTime::from_secs(NOW)),
        &[ELSEWHERE],
    );
    let v1 = authority().token_versions([TokenVersion::V1]);
    let v1 = trusting(v1, emulator.token().v1()).await;
    are(
        &v1.explain_at(&token().mint(), UnixTime::from_secs(NOW)),
        &[V2_IS_OFF],
    );

    let uri = authority().audience("api://mine");
    let uri = Entra::builder_for(uri).build().unwrap();
    let good = emulator.token().audience("api://mine").mint();
    uri.validate(&good).await.unwrap();
    let mine = token().audience(format!("api://{API_ID}")).mint();
    let text = format!("api://{API_ID} is this API's client id in another form.");
    are(&uri.explain_at(&mine, UnixTime::from_secs(NOW)), &[&text]);
    let tenants = Authority::entra(Tenant::Organizations, API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url())
        .allowed_tenants(AllowedTenants::only([FABRIKAM.parse().unwrap()]));
    let tenants = trusting(tenants, emulator.token().user("erin").tenant(FABRIKAM)).await;
    let text = format!("The tenant {CONTOSO} is not in AllowedTenants (personal accounts:");
    are(
        &tenants.explain_at(&token().mint(), UnixTime::from_secs(NOW)),
        &[&text],
    );
}

#[tokio::test]
async fn a_policy_that_is_not_listed_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let ours = Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, [B2C_POLICY]);
    let entra = trusting(ours, emulator.token().policy(B2C_POLICY)).await;
    let token = || token(&emulator).policy("B2C_1_edit");
    let says = |token: TokenBuilder, policy: &str| {
        let text = format!("The B2C policy in the token is {policy}; list it in Policies");
        are(
            &entra.explain_at(&token.mint(), UnixTime::from_secs(NOW)),
            &[&text],
        );
    };
    says(token(), "B2C_1_edit");
    says(
        token().without("tfp").claim("acr", "B2C_1_old"),
        "B2C_1_old",
    );
    says(token().without("tfp").without("acr"), "missing");
    // A B2C tenant has no versions that could be off.
    let v1 = token().issuer("https://sts.windows.net/x/").mint();
    are(
        &entra.explain_at(&v1, UnixTime::from_secs(NOW)),
        &[ELSEWHERE],
    );
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
    are(
        &explanation,
        &["The account's older tokens were revoked. Sign in again."],
    );
}

#[tokio::test]
async fn texts_that_are_no_token_are_known_by_their_form() {
    let (emulator, entra) = emulated().await;
    let token = token(&emulator).mint();
    let bearer = "Leave the word Bearer out";
    let five = "Five parts are an encrypted token (JWE)";
    let rows: [(String, &[&str]); 13] = [
        ("x".to_owned(), &[NO_JWT]),
        ("a.b".to_owned(), &[NO_JWT]),
        ("a.b.c".to_owned(), &[]),
        ("a.b.c.d".to_owned(), &[]),
        ("a.b.c.d.e".to_owned(), &[five]),
        ("x".repeat(65_536), &[NO_JWT]),
        ("x".repeat(65_537), &[]),
        (format!("Bearer {token}"), &[bearer]),
        (format!(" bEARER {token}"), &[bearer]),
        (format!(" {token}"), &[SPACES]),
        (format!("\"{token}\""), &[SPACES]),
        (token.replacen('.', ".\n", 1), &[SPACES]),
        (token.replacen('.', "\r.", 1), &[SPACES]),
    ];
    for (text, beginnings) in rows {
        are(
            &entra.explain_at(&text, UnixTime::from_secs(NOW)),
            beginnings,
        );
    }
}

#[tokio::test]
async fn tokens_of_another_kind_are_known_by_their_claims() {
    let (emulator, entra) = emulated().await;
    let late = || late(&emulator);
    let graph = "https://graph.microsoft.com";
    let rows: [(&str, TokenBuilder, &[&str]); 15] = [
        ("for Graph", token(&emulator).audience(graph), &[GRAPH]),
        (
            "with a slash",
            token(&emulator).audience(format!("{graph}/")),
            &[GRAPH],
        ),
        (
            "a nonce in the header",
            token(&emulator).header("nonce", "n").raw_signature("AAAA"),
            &[GRAPH],
        ),
        ("of no client and for nothing", late(), &[ID_TOKEN, ENDED]),
        ("for no audience", late().without("aud"), &[]),
        ("of no subject", late().without("sub"), &[ENDED]),
        ("of a client", late().claim("azp", "c"), &[ENDED]),
        ("of a v1.0 client", late().claim("appid", "c"), &[ENDED]),
        ("with a scope", late().claim("scp", "a"), &[ENDED]),
        (
            "with a role, as ID tokens of a registration with roles",
            late().claim("roles", json!(["a"])),
            &[ID_TOKEN, ENDED],
        ),
        (
            "a nonce, of a client",
            late().claim("nonce", "n").claim("azp", "c"),
            &[ID_TOKEN, ENDED],
        ),
        (
            "the hash of a token, of a client",
            late().claim("at_hash", "n").claim("azp", "c"),
            &[ID_TOKEN, ENDED],
        ),
        (
            "the hash of a code, of a client",
            late().claim("c_hash", "n").claim("azp", "c"),
            &[ID_TOKEN, ENDED],
        ),
        (
            "a nonce, of a client, with a scope",
            late()
                .claim("nonce", "n")
                .claim("azp", "c")
                .claim("scp", "a"),
            &[ENDED],
        ),
        (
            "a nonce that is null",
            late().claim("nonce", json!(null)).claim("azp", "c"),
            &[ENDED],
        ),
    ];
    for (name, token, beginnings) in rows {
        println!("{name}");
        are(
            &entra.explain_at(&token.mint(), UnixTime::from_secs(NOW)),
            beginnings,
        );
    }
    let asks = entra.explain_at(
        &token(&emulator).audience(graph).mint(),
        UnixTime::from_secs(NOW),
    );
    let scope = format!("it has to ask for api://{API_ID}/{{scope}}. One token cannot serve both.");
    assert!(asks.hints()[0].ends_with(&scope));
}

#[tokio::test]
async fn every_guard_that_people_trip_over_brings_its_own_hint() {
    let (emulator, entra) = emulated().await;
    let user = || token(&emulator);
    let app = || {
        let token = emulator.token().app("daemon").issued_at(NOW - 60);
        token.expires_at(NOW + 60)
    };
    let rows: [(TokenBuilder, &dyn Guard, &[&str]); 17] = [
        (
            user(),
            &DenyAgents,
            &["The token does not say whether an agent acts: the API's registration"],
        ),
        (user().agent(), &DenyAgents, &[]),
        (user().claim("xms_act_fct", "3 9"), &DenyAgents, &[]),
        (
            user(),
            &RequireAgent,
            &["The route is for agent identities."],
        ),
        (
            user().claim("tfp", B2C_POLICY),
            &RequireB2cPolicy(B2C_POLICY),
            &["The route is for B2C tokens of that policy"],
        ),
        (user(), &RequireScope("access_as_user"), &[]),
        (
            user(),
            &RequireScope("Other"),
            &["The client has to ask for the scope ({AppIdUri}/Other)"],
        ),
        (app(), &RequireScope("access_as_user"), &[APP]),
        (
            user(),
            &RequireRole("No"),
            &["The user or application has to be assigned the app role"],
        ),
        (
            user().user("dave"),
            &RequireGroup(FABRIKAM),
            &["The token says that there are too many groups to list (overage)."],
        ),
        (
            user().without("groups"),
            &RequireGroup(FABRIKAM),
            &["The token lists no groups at all: set groupMembershipClaims"],
        ),
        (
            user(),
            &RequireGroup(FABRIKAM),
            &["The group is not in the token. Groups are compared by object id"],
        ),
        (
            user(),
            &RequireAppOnly,
            &["The route is for applications that sign in as themselves"],
        ),
        (
            app(),
            &RequireUser,
            &["The route is for users; this is an application's token"],
        ),
        (
            user(),
            &RequireAuthContext("c1"),
            &["The route asks for a stronger sign-in."],
        ),
        (
            user(),
            &RequireClientAuthMethod(ClientAuthMethod::Certificate),
            &["The client proved itself too weakly"],
        ),
        (
            user(),
            &RequireTenant(FABRIKAM),
            &["The caller's tenant is not in the guard's list."],
        ),
    ];
    for (place, (token, guard, beginnings)) in rows.into_iter().enumerate() {
        println!("{place}");
        let explanation = entra
            .explain_at(&token.mint(), UnixTime::from_secs(NOW))
            .with_guard("/x", guard);
        are(&explanation, beginnings);
    }
}
