//! The steps: their order, what each expects, what it found, and what may be believed of it.

use axum_entra::explain::{Explanation, Outcome};
use axum_entra::guard::{Guard, RequireRole, RequireScope};
use axum_entra::{Authority, Entra, Tenant, UnixTime};
use entra_emulator::{API_ID, CONTOSO, Emulator, FABRIKAM, TokenBuilder};
use insta::assert_snapshot;
use serde_json::json;

use super::{NOW, emulated, neutral};

/// The checks in a row: `!` failed, `-` not reached, `?` is unverified.
fn way(explanation: &Explanation) -> String {
    let steps = explanation.steps().iter().map(|step| {
        let outcome = match step.outcome {
            Outcome::Passed => "",
            Outcome::Failed => "!",
            _ => "-",
        };
        let mark = if step.verified { "" } else { "?" };
        format!("{outcome}{}{mark}", step.check)
    });
    steps.collect::<Vec<_>>().join(" ")
}

/// What a check expects, and what it found.
fn told<'e>(explanation: &'e Explanation, check: &str) -> (&'e str, Option<&'e str>) {
    let step = explanation.steps().iter().find(|step| step.check == check);
    let step = step.unwrap_or_else(|| panic!("no {check}: {explanation}"));
    (&step.expected, step.found.as_deref())
}

fn token(emulator: &Emulator) -> TokenBuilder {
    let token = emulator.token().scope("access_as_user");
    token.issued_at(NOW - 60).expires_at(NOW + 3_600)
}

const GOOD: &str = "size form algorithm type authority keys key_id signature claims version issuer \
                    audience lifetime purpose id_token permissions";

#[tokio::test]
async fn a_good_token_passes_every_check_in_the_order_in_which_they_are_made() {
    let (emulator, entra) = emulated().await;
    let token = token(&emulator).mint();
    let explanation = entra.explain_at(&token, UnixTime::from_secs(NOW));
    assert_eq!(way(&explanation), GOOD);
    let page = neutral(&emulator, &explanation.to_string());
    let size = format!("{} bytes", token.len());
    assert_snapshot!(page.replace(&size, "{size}"));
}

#[tokio::test]
async fn behind_a_failed_check_the_rest_is_told_and_not_judged() {
    let (emulator, entra) = emulated().await;
    let token = || token(&emulator);
    let after = |index: usize| {
        let rest = GOOD.split_whitespace().skip(index);
        rest.map(|check| format!(" -{check}?")).collect::<String>()
    };
    let rows = [
        (token().mint() + ".x", "size? !form?", 2),
        (
            token().header("alg", "none").mint(),
            "size? form? !algorithm?",
            3,
        ),
        (
            token().header("typ", "JWE").mint(),
            "size? form? algorithm? !type?",
            4,
        ),
        (
            token().header("crit", json!(["x"])).mint(),
            "size? form? algorithm? !type?",
            4,
        ),
        (
            token().tenant(FABRIKAM).mint(),
            "size? form? algorithm? type? !authority?",
            5,
        ),
        (
            token().key("k").mint(),
            "size? form? algorithm? type? authority? keys? !key_id?",
            7,
        ),
        (
            token().raw_signature("AAAA").mint(),
            "size? form? algorithm? type? authority? keys? key_id? !signature?",
            8,
        ),
    ];
    for (token, begins, next) in rows {
        let explanation = entra.explain_at(&token, UnixTime::from_secs(NOW));
        assert_eq!(way(&explanation), begins.to_owned() + &after(next));
    }
    let large = entra.explain_at(&"x".repeat(65_537), UnixTime::from_secs(NOW));
    assert_eq!(way(&large), "!size?".to_owned() + &after(1));
    assert_eq!(told(&large, "size").1, Some("65537 bytes"));
    assert_eq!(told(&large, "form").1, None, "it was not inspected");
    let largest = entra.explain_at(&"x".repeat(65_536), UnixTime::from_secs(NOW));
    assert_eq!(way(&largest), "size? !form?".to_owned() + &after(2));
    assert_eq!(told(&largest, "form").1, Some("1 part"));
    assert_eq!(
        told(&entra.explain_at("a.b", UnixTime::from_secs(NOW)), "form").1,
        Some("2 parts")
    );

    // Under a good signature every value is proven, those before it as well.
    let odd = entra.explain_at(&token().claim("scp", 1).mint(), UnixTime::from_secs(NOW));
    let rest = " -version -issuer -audience -lifetime -purpose -id_token -permissions";
    let start = "size form algorithm type authority keys key_id signature !claims";
    assert_eq!(way(&odd), start.to_owned() + rest);
    assert_eq!(
        told(&odd, "permissions").1,
        Some("scp 1, roles [\"Todo.Admin\"]")
    );
    // Checks on claims are all made, whichever fails first.
    let two = token().audience("api://other").claim("cnf", json!({}));
    let two = entra.explain_at(&two.mint(), UnixTime::from_secs(NOW));
    let rest = " version issuer !audience lifetime !purpose id_token -permissions";
    assert_eq!(way(&two), start.replace('!', "") + rest);
    assert_eq!(
        told(&two, "purpose").1,
        Some("cnf that no request proves here")
    );
    assert_eq!(
        told(&two, "permissions").1,
        Some("scp access_as_user, roles [\"Todo.Admin\"]")
    );
}

#[tokio::test]
async fn what_an_unread_token_holds_is_shown_as_far_as_it_is_known_who_is_asked() {
    let (emulator, entra) = emulated().await;
    let page = |token: &str, entra: &Entra| {
        let explanation = entra.explain_at(token, UnixTime::from_secs(NOW));
        let size = format!("{} bytes", token.len());
        let page = neutral(&emulator, &explanation.to_string()).replace(&size, "{size}");
        (explanation, page)
    };
    let unsigned = token(&emulator).header("alg", "none").mint();
    assert_snapshot!(page(&unsigned, &entra).1);

    let tenant = Tenant::new(CONTOSO);
    let away = Authority::entra(tenant, API_ID).instance("http://127.0.0.1:9");
    let away = Entra::builder_for(away.required_scope("a").required_scope("b"));
    let away = away.build().unwrap();
    let issuer = format!("http://127.0.0.1:9/{CONTOSO}/v2.0");
    let (explanation, page) = page(&token(&emulator).issuer(issuer).mint(), &away);
    let start = "size? form? algorithm? type? authority? !keys? -key_id? -signature? -claims?";
    assert!(way(&explanation).starts_with(start), "{explanation}");
    // What became of the first fetch is another thing in every run.
    let state = told(&explanation, "keys").1.unwrap();
    assert!(
        state == "none yet" || state.starts_with("none: "),
        "{state}"
    );
    assert_snapshot!(page.replace(state, "{state}"));
}

#[tokio::test]
async fn what_no_check_of_a_token_says_is_told_as_its_standing() {
    let (emulator, entra) = emulated().await;
    let token = emulator.token().issued_at(super::now() - 60).mint();
    let claims = entra.validate(&token).await.unwrap();
    entra
        .revoke_tokens(&claims.account_id().unwrap())
        .await
        .unwrap();
    let explanation = entra.explain(&token).await;
    assert_eq!(way(&explanation), format!("{GOOD} !standing?"));
    let standing = explanation.steps().last().unwrap();
    assert_eq!(standing.reason, Some("revoked"));
    assert_eq!(standing.expected, "not revoked, and not used before");
    assert_eq!(standing.found, None);
    assert!(explanation.to_string().starts_with("refused: revoked\n"));
}

#[tokio::test]
async fn a_guard_is_the_last_step() {
    let (emulator, entra) = emulated().await;
    let at = |guard: &dyn Guard| {
        let explanation = entra.explain_at(&token(&emulator).mint(), UnixTime::from_secs(NOW));
        explanation.with_guard("GET /x", guard)
    };
    let own = Some("user, scopes [access_as_user], roles [Todo.Admin], groups listed");
    let passed = at(&RequireScope("access_as_user"));
    assert_eq!(way(&passed), format!("{GOOD} guard of GET /x"));
    let anything = "the guard lets the caller pass";
    assert_eq!(told(&passed, "guard of GET /x"), (anything, None));
    let scope = at(&RequireScope::all(["a", "b"]));
    assert_eq!(way(&scope), format!("{GOOD} !guard of GET /x"));
    assert_eq!(told(&scope, "guard of GET /x"), ("scope a b", own));
    let role = at(&RequireRole("No"));
    assert_eq!(told(&role, "guard of GET /x"), (anything, own));
}

#[tokio::test]
async fn values_are_cut_to_two_hundred_characters_and_cannot_write_to_a_terminal() {
    let (emulator, entra) = emulated().await;
    let found = |audience: String| {
        let token = token(&emulator).audience(audience).mint();
        let explanation = entra.explain_at(&token, UnixTime::from_secs(NOW));
        told(&explanation, "audience").1.unwrap().to_owned()
    };
    let whole = "ä".repeat(200);
    assert_eq!(found(whole.clone()), format!("aud {whole}"));
    assert_eq!(found(whole.clone() + "b"), format!("aud {whole}…"));
    assert_eq!(
        found("a\u{1b}[31m\nb".to_owned()),
        "aud a\u{fffd}[31m\u{fffd}b"
    );
}
