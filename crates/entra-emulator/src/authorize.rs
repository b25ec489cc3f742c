//! The authorization endpoint: a page to pick a user, and the way back to the client.
//!
//! Picking is enough, no password is asked for. A browser that has picked is remembered by a cookie,
//! so that `prompt=none` and the next application need no page, until sign-out or revocation.

mod account_page;
mod request;
mod way_back;

use axum::{
    Form,
    extract::{Path, Query, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use self::request::{Problem, Prompt, SignInRequest};
use super::{
    aadsts::Refusal,
    authority::{Authority, unix_now},
    directory::User,
    html, seeds,
    server::{Place, Shared},
    sign_ins::{Browser, Code, SignIn},
    token_request::Fields,
};

/// `GET /{tenant}/oauth2/v2.0/authorize`, for B2C with `?p={policy}` or as
/// `/{tenant}/{policy}/oauth2/v2.0/authorize`.
pub(super) async fn show(
    State(authority): Shared,
    Path(place): Path<Place>,
    Query(fields): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    let request = match SignInRequest::read(&authority, &place, fields) {
        Ok(request) => request,
        Err(problem) => return refused(*problem),
    };
    if request.prompt == Prompt::Always {
        return account_page::show(&request);
    }
    let remembered = cookie(&headers).and_then(|handle| remembered(&authority, &request, handle));
    let reason = match remembered {
        Some((user, browser)) if is_enough(&authority, &request, &browser) => {
            return finish(&request, user, &browser, None);
        }
        Some(_) => Refusal::stronger_sign_in_required(),
        None => Refusal::login_required(),
    };
    match request.prompt {
        Prompt::Never => request.back.refuse(&reason),
        Prompt::IfNeeded | Prompt::Always => account_page::show(&request),
    }
}

/// `POST`, what the page sends: the fields of the request, and the `account`.
pub(super) async fn pick(
    State(authority): Shared,
    Path(place): Path<Place>,
    Query(mut fields): Query<Fields>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    // A body of another type has none of the parameters.
    fields.extend(form.map(|Form(fields)| fields).unwrap_or_default());
    let request = match SignInRequest::read(&authority, &place, fields) {
        Ok(request) => request,
        Err(problem) => return refused(*problem),
    };
    if request.fields.contains_key("cancel") {
        return request.back.access_denied();
    }
    let account = request.fields.get("account");
    let user = account.and_then(|name| authority.directory.account(request.tenant, name));
    let Some(user) = user else {
        return account_page::show(&request);
    };
    let mut sign_ins = authority.sign_ins();
    if !request.claims.is_empty() {
        // The user is here and has done what was asked.
        sign_ins.require_interaction(&user.object_id, None);
    }
    let browser = Browser {
        user: user.object_id.clone(),
        session: seeds::fresh_id().to_string(),
        acrs: request.claims.acrs.clone(),
        at: unix_now(),
        revocations: sign_ins.revocations(&user.object_id),
    };
    let handle = sign_ins.browsers.put(browser.clone());
    drop(sign_ins);
    finish(&request, user, &browser, Some(&handle))
}

/// `GET` and `POST /{tenant}/oauth2/v2.0/logout`: forgets the browser and goes back, or says so.
pub(super) async fn sign_out(
    authority: Shared,
    Query(fields): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    if let Some(handle) = cookie(&headers) {
        authority.sign_ins().browsers.remove(handle);
    }
    let forget = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    let target = fields.get("post_logout_redirect_uri");
    let known = target.filter(|target| authority.directory.is_redirect_uri(target));
    let response = match known {
        Some(target) => way_back::after_sign_out(target, fields.get("state")),
        None => html::page("Signed out", "<h1>You signed out</h1>", None),
    };
    with_cookie(response, &forget)
}

/// The user this browser signed in as before, if that is one the request can mean.
fn remembered<'a>(
    authority: &'a Authority,
    request: &SignInRequest<'_>,
    handle: &str,
) -> Option<(&'a User, Browser)> {
    let sign_ins = authority.sign_ins();
    let browser = sign_ins.browsers.get(handle)?.clone();
    if sign_ins.revocations(&browser.user) != browser.revocations {
        return None;
    }
    drop(sign_ins);
    let tenant = request.tenant;
    let user = authority.directory.account(tenant, &browser.user)?;
    let hinted = request.login_hint();
    let is_hinted = hinted.is_none_or(|hint| {
        let hinted = authority.directory.account(tenant, hint);
        hinted.is_some_and(|hinted| hinted.object_id == user.object_id)
    });
    is_hinted.then_some((user, browser))
}

fn is_enough(authority: &Authority, request: &SignInRequest<'_>, browser: &Browser) -> bool {
    let is_wanted = authority.sign_ins().interaction(&browser.user).is_some();
    !is_wanted && request.claims.is_satisfied_by(&browser.acrs, unix_now())
}

fn finish(
    request: &SignInRequest<'_>,
    user: &User,
    browser: &Browser,
    cookie: Option<&str>,
) -> Response {
    let field = |name: &str| request.fields.get(name).cloned();
    let sign_in = SignIn {
        user: user.object_id.clone(),
        tenant: user.tenant.clone(),
        client: request.client.client_id.clone(),
        policy: request.policy.clone(),
        scope: field("scope").unwrap_or_default(),
        nonce: field("nonce"),
        acrs: browser.acrs.clone(),
        capabilities: request.claims.capabilities.clone(),
        session: Some(browser.session.clone()),
        at: browser.at,
        revocations: browser.revocations,
    };
    let code = request.response.code.then(|| {
        request.authority.sign_ins().codes.put(Code {
            sign_in: sign_in.clone(),
            redirect_uri: request.back.redirect_uri().to_owned(),
            challenge: field("code_challenge"),
            expires_at: unix_now().saturating_add(CODE_LIFETIME),
            redeemed: false,
        })
    });
    let response = request.granted(&sign_in, code);
    match cookie {
        Some(handle) => {
            let secure = if request.authority.options.tls {
                "; Secure"
            } else {
                ""
            };
            let cookie = format!("{COOKIE}={handle}; Path=/; HttpOnly; SameSite=Lax{secure}");
            with_cookie(response, &cookie)
        }
        None => response,
    }
}

fn refused(problem: Problem) -> Response {
    match problem {
        Problem::Here(refusal) => {
            let body = format!(
                "<h1>Sign-in does not work</h1><p>{}",
                html::escaped(&refusal.description())
            );
            let page = html::page("Sign-in does not work", &body, None);
            (StatusCode::BAD_REQUEST, page).into_response()
        }
        Problem::AtTheClient(back, refusal) => back.refuse(&refusal),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // Handles are letters and digits, so there is always a value.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

const COOKIE: &str = "ESTSAUTHEMULATOR";
// Microsoft, v2-oauth2-auth-code-flow: codes expire after about ten minutes.
const CODE_LIFETIME: u64 = 600;
