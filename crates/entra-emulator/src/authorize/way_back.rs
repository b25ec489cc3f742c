//! The way back to the client: in the query, in the fragment, or as a form.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use url::{Url, form_urlencoded};

use crate::html;
use crate::{aadsts::Refusal, redirect_uri, seeds};

/// Where and how a client is answered.
#[derive(Debug, Clone)]
pub(super) struct AuthorizationResponse {
    redirect_uri: String,
    target: Url,
    mode: Mode,
    state: Option<String>,
}

/// How the parameters travel (OAuth 2.0 Multiple Response Type Encoding Practices).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl Mode {
    /// The mode, and what is wrong with the one asked for.
    pub(super) fn read(asked: Option<&str>, has_token: bool) -> (Self, Option<Refusal>) {
        let default = if has_token {
            Self::Fragment
        } else {
            Self::Query
        };
        match asked {
            None => (default, None),
            Some("query") if !has_token => (Self::Query, None),
            Some("fragment") => (Self::Fragment, None),
            Some("form_post") => (Self::FormPost, None),
            Some(other) => (default, Some(Refusal::unsupported_response_mode(other))),
        }
    }
}

impl AuthorizationResponse {
    pub(super) fn new(redirect_uri: &str, target: Url, mode: Mode, state: Option<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.to_owned(),
            target,
            mode,
            state,
        }
    }

    /// As the client wrote it, which the token request must repeat.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// For a Content-Security-Policy: where the page's form may lead.
    pub(super) fn source(&self) -> String {
        redirect_uri::source(&self.target)
    }

    pub(super) fn refuse(&self, refusal: &Refusal) -> Response {
        self.answer(vec![
            ("error", refusal.error().to_owned()),
            ("error_description", refusal.description()),
        ])
    }

    /// The person at the browser did not want to.
    pub(super) fn access_denied(&self) -> Response {
        let sentence = "AADSTS65004: User declined to consent to access the app.".to_owned();
        self.answer(vec![
            ("error", "access_denied".to_owned()),
            ("error_description", sentence),
        ])
    }

    pub(super) fn with(&self, mut parameters: Vec<(&'static str, String)>) -> Response {
        parameters.push(("session_state", seeds::fresh_id().to_string()));
        self.answer(parameters)
    }

    fn answer(&self, mut parameters: Vec<(&'static str, String)>) -> Response {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        let mut target = self.target.clone();
        match self.mode {
            Mode::Query => {
                target.query_pairs_mut().extend_pairs(&parameters);
                moved(&target)
            }
            Mode::Fragment => {
                let mut fragment = form_urlencoded::Serializer::new(String::new());
                target.set_fragment(Some(&fragment.extend_pairs(&parameters).finish()));
                moved(&target)
            }
            Mode::FormPost => {
                let fields = parameters
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()));
                let body = format!(
                    "<h1>Signed in</h1><form method=post action=\"{}\">{}<button>Continue</button>\
                     </form>",
                    html::escaped(target.as_str()),
                    html::hidden(fields),
                );
                html::page("Signed in", &body, Some(&self.source()))
            }
        }
    }
}

/// Back to the address that was asked for at sign-out, which is registered.
pub(super) fn after_sign_out(target: &str, state: Option<&String>) -> Response {
    let Ok(mut target) = Url::parse(target) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if let Some(state) = state {
        target.query_pairs_mut().append_pair("state", state);
    }
    moved(&target)
}

fn moved(target: &Url) -> Response {
    let headers = [
        (header::LOCATION, target.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::FOUND, headers).into_response()
}
