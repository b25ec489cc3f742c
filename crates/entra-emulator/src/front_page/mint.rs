//! `POST /mint`: a token of any kind, by clicking.

use std::sync::Arc;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    authority::{Authority, unix_now},
    html::{escaped, wide_page},
    seeds,
    server::Shared,
    token::TokenBuilder,
};

/// A kind of token: its name in the form, what a person reads, and what is changed.
type Kind = (&'static str, &'static str, fn(TokenBuilder) -> TokenBuilder);

/// The first is a token that the sample API accepts.
const KINDS: [Kind; 14] = [
    ("good", "v2.0 access token", |token| token),
    ("v1", "v1.0 access token", TokenBuilder::v1),
    ("expired", "expired an hour ago", TokenBuilder::expired),
    ("future", "not yet valid", |token| {
        let now = unix_now();
        token.not_before(now + 3_600).expires_at(now + 7_200)
    }),
    ("graph", "for Microsoft Graph", |token| {
        token.audience(seeds::MICROSOFT_GRAPH).scope("User.Read")
    }),
    ("other_api", "for another API", |token| {
        token.audience("api://another-api")
    }),
    ("id_token", "ID token", TokenBuilder::id_token),
    ("b2c", "Azure AD B2C, policy B2C_1_susi", |token| {
        token.policy(seeds::B2C_POLICY)
    }),
    ("guest", "of a guest", TokenBuilder::guest),
    (
        "overage",
        "too many groups to list",
        TokenBuilder::groups_overage,
    ),
    ("no_permissions", "without scp and roles", |token| {
        token.without("scp").without("roles")
    }),
    ("agent", "of an agent", TokenBuilder::agent),
    ("step_up", "with authentication context c1, cp1", |token| {
        let list = |value: &str| Value::from(vec![value]);
        token.claim("acrs", list("c1")).claim("xms_cc", list("cp1"))
    }),
    (
        "unknown_key",
        "signed with a key that is not published",
        TokenBuilder::unpublished_key,
    ),
];

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// `user:NAME` or `app:NAME`.
    who: String,
    kind: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    roles: String,
}

/// The form, with who there is.
pub(super) fn form(authority: &Authority) -> String {
    let directory = &authority.directory;
    let users = directory.users.iter().map(|user| {
        let (name, shown) = (escaped(&user.name), escaped(&directory.sign_in_name(user)));
        format!("<option value=\"user:{name}\">{shown}</option>")
    });
    let apps = directory.apps.iter().filter(|app| !app.is_api).map(|app| {
        let name = escaped(&app.name);
        format!("<option value=\"app:{name}\">application {name}</option>")
    });
    let kinds = KINDS
        .iter()
        .map(|(name, shown, _)| format!("<option value=\"{name}\">{shown}</option>"));
    format!(
        "<form class=mint method=post action=\"/mint\">\
         <label>Who<select name=who>{}{}</select></label>\
         <label>Kind of token<select name=kind>{}</select></label>\
         <label>Scopes <small>as usual unless told</small><input type=text name=scope placeholder=access_as_user></label>\
         <label>Roles <small>those assigned unless told</small><input type=text name=roles placeholder=\"Todo.Admin\"></label>\
         <p><button>Mint a token</button></form>",
        users.collect::<String>(),
        apps.collect::<String>(),
        kinds.collect::<String>(),
    )
}

/// `POST /mint`
pub(crate) async fn mint(
    State(authority): Shared,
    form: Result<Form<Wanted>, FormRejection>,
) -> Response {
    let wrong = || {
        (
            StatusCode::BAD_REQUEST,
            "choose who and which kind on the front page\n",
        )
    };
    let Ok(Form(wanted)) = form else {
        return wrong().into_response();
    };
    let Some(token) = token(&authority, &wanted) else {
        return wrong().into_response();
    };
    let Ok(text) = token.try_mint() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let claims = serde_json::to_string_pretty(&token.claims()).unwrap_or_default();
    let body = format!(
        "<main><p><a href=\"/\">Back</a><h1>A token</h1>\
         <label for=token>Token</label><textarea id=token rows=8 readonly>{text}</textarea>\
         <h2>To paste into a shell</h2>\
         <pre tabindex=0>TOKEN={text}\ncurl -i -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:3000/me</pre>\
         <h2>Its claims</h2><pre tabindex=0>{}</pre></main>",
        escaped(&claims),
    );
    wide_page("A token", &body)
}

/// The token that is wanted; nothing for a name or a kind that is not there.
fn token(authority: &Arc<Authority>, wanted: &Wanted) -> Option<TokenBuilder> {
    let token = TokenBuilder::new(Arc::clone(authority));
    let token = match wanted.who.split_once(':')? {
        ("user", name) => {
            let user = authority.directory.user(name)?;
            token.user(user.name.clone())
        }
        ("app", name) => token.app(authority.directory.app(name)?.name.clone()),
        _ => return None,
    };
    let words = |text: &str| -> Vec<String> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (scopes, roles) = (words(&wanted.scope), words(&wanted.roles));
    let token = match scopes.is_empty() {
        true => token,
        false => token.scope(scopes.join(" ")),
    };
    let token = match roles.is_empty() {
        true => token,
        false => token.roles(roles),
    };
    let kind = KINDS.iter().find(|(name, ..)| *name == wanted.kind)?;
    Some((kind.2)(token))
}
