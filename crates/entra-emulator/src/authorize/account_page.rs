//! The page to pick a user on.

use axum::response::Response;

use super::request::SignInRequest;
use crate::html::{self, escaped};

/// The users of the tenant, with the one of `login_hint` picked already.
pub(super) fn show(request: &SignInRequest<'_>) -> Response {
    let directory = &request.authority.directory;
    let hinted = request
        .login_hint()
        .and_then(|hint| directory.account(request.tenant, hint));
    let mut body = format!("<h1>Sign in to {}</h1>", escaped(&request.client.name));
    for context in &request.claims.acrs {
        body.push_str("<p>The API asks for the authentication context <b>");
        body.push_str(&escaped(context));
        body.push_str("</b>. Signing in here satisfies it.");
    }
    // No `action`: the form goes to the address of the page, whose query it repeats.
    body.push_str("<form method=post>");
    let fields = request.fields.iter();
    body.push_str(&html::hidden(
        fields
            .filter(|(name, _)| *name != "account")
            .map(|(name, value)| (name.as_str(), value.as_str())),
    ));
    for user in request.accounts() {
        let is_picked = hinted.is_some_and(|hinted| hinted.object_id == user.object_id);
        body.push_str(&format!(
            "<label><input type=radio name=account required value=\"{}\"{}> {} <small>{}</small>\
             </label>",
            escaped(&user.object_id),
            if is_picked { " checked" } else { "" },
            escaped(&user.display_name),
            escaped(&directory.sign_in_name(user)),
        ));
    }
    body.push_str(
        "<button>Sign in</button><button name=cancel value=1 formnovalidate>Cancel</button></form>",
    );
    html::page("Sign in", &body, Some(&request.back.source()))
}
