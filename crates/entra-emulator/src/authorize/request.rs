//! What a client asks of the authorization endpoint (OpenID Connect Core §3.1.2.1, RFC 7636).

use std::sync::Arc;

use axum::response::Response;
use url::Url;

use super::way_back::{AuthorizationResponse, Mode};
use crate::{
    aadsts::Refusal,
    app::{App, Credential},
    authority::Authority,
    claims_request::ClaimsRequest,
    directory::Tenant,
    id_token, pkce, redirect_uri,
    scopes::{Asked, OpenId},
    server::Place,
    sign_ins::SignIn,
    token_request::Fields,
};

/// A request that has a known client and a registered way back.
pub(super) struct SignInRequest<'a> {
    pub(super) authority: &'a Arc<Authority>,
    /// `None` at the shared addresses.
    pub(super) tenant: Option<&'a Tenant>,
    pub(super) policy: Option<String>,
    pub(super) client: &'a App,
    pub(super) back: AuthorizationResponse,
    pub(super) response: ResponseType,
    pub(super) prompt: Prompt,
    pub(super) claims: ClaimsRequest,
    pub(super) fields: Fields,
    openid: OpenId,
}

/// What the client wants back.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
}

/// Whether the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    Never,
    IfNeeded,
    Always,
}

/// Why there is no sign-in, and where the refusal is shown.
pub(super) enum Problem {
    /// The person at the browser: it is not known that the client may be answered there.
    Here(Refusal),
    /// The client.
    AtTheClient(AuthorizationResponse, Refusal),
}

impl From<Refusal> for Box<Problem> {
    fn from(refusal: Refusal) -> Self {
        Self::new(Problem::Here(refusal))
    }
}

impl<'a> SignInRequest<'a> {
    pub(super) fn read(
        authority: &'a Arc<Authority>,
        place: &Place,
        fields: Fields,
    ) -> Result<Self, Box<Problem>> {
        let segment = place.tenant.as_str();
        let policy = place.policy.as_ref().or(fields.get("p")).cloned();
        let fields: Fields = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let field = |name: &str| fields.get(name).map(String::as_str);
        let required = |name| field(name).ok_or_else(|| Refusal::missing_parameter(name));

        let tenant = authority.tenant_of(segment, policy.as_deref())?;
        let client = authority.client(required("client_id")?, segment)?;
        let redirect = required("redirect_uri")?;
        let unregistered = || Refusal::unregistered_redirect(redirect, &client.client_id);
        let mut registered = client.redirect_uris.iter();
        if !registered.any(|registered| redirect_uri::covers(registered, redirect)) {
            return Err(unregistered().into());
        }
        let target = Url::parse(redirect).map_err(|_| unregistered())?;

        let kind = required("response_type").map(ResponseType::read);
        let (response, unknown_kind) = match kind {
            Ok(Ok(response)) => (response, None),
            Ok(Err(refusal)) | Err(refusal) => (ResponseType::CODE, Some(refusal)),
        };
        let (mode, unknown_mode) = Mode::read(field("response_mode"), response.id_token);
        let state = field("state").map(str::to_owned);
        let back = AuthorizationResponse::new(redirect, target, mode, state);
        let told = |refusal| Box::new(Problem::AtTheClient(back.clone(), refusal));

        if let Some(refusal) = unknown_kind.or(unknown_mode) {
            return Err(told(refusal));
        }
        let scope = required("scope").map_err(told)?;
        let asked =
            Asked::scopes(authority, client, segment, scope, field("resource")).map_err(told)?;
        if response.id_token && field("nonce").is_none() {
            return Err(told(Refusal::missing_nonce()));
        }
        let challenge = field("code_challenge");
        let is_s256 = field("code_challenge_method") == Some("S256");
        match challenge {
            Some(challenge) if is_s256 && pkce::is_challenge(challenge) => {}
            Some(_) => return Err(told(Refusal::unsupported_challenge())),
            None if response.code && client.credential == Credential::None => {
                return Err(told(Refusal::challenge_required()));
            }
            None => {}
        }
        let claims = field("claims").map_or(Some(ClaimsRequest::default()), ClaimsRequest::read);
        let claims = claims.ok_or_else(|| told(Refusal::malformed_claims()))?;
        Ok(Self {
            openid: asked.openid,
            prompt: Prompt::read(field("prompt")),
            authority,
            tenant,
            policy,
            client,
            response,
            claims,
            back,
            fields,
        })
    }

    pub(super) fn login_hint(&self) -> Option<&str> {
        self.fields.get("login_hint").map(String::as_str)
    }

    /// The users that may be picked, in the order of the directory.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &'a crate::directory::User> {
        let tenant = self.tenant;
        let users = self.authority.directory.users.iter();
        users.filter(move |user| {
            user.agent.is_none()
                && tenant.is_none_or(|tenant| tenant.id.eq_ignore_ascii_case(&user.tenant))
        })
    }

    /// The good answer.
    pub(super) fn granted(&self, sign_in: &SignIn, code: Option<String>) -> Response {
        let mut answer = Vec::new();
        if self.response.id_token {
            let mut token = id_token::claims(self.authority, sign_in, self.openid);
            if let Some(code) = &code {
                token = token.claim("c_hash", id_token::code_hash(code));
            }
            match token.try_mint() {
                Ok(token) => answer.push(("id_token", token)),
                Err(_) => return self.back.refuse(&Refusal::out_of_order()),
            }
        }
        answer.extend(code.map(|code| ("code", code)));
        if self.fields.get("client_info").map(String::as_str) == Some("1") {
            answer.push(("client_info", id_token::client_info(sign_in)));
        }
        self.back.with(answer)
    }
}

impl ResponseType {
    const CODE: Self = Self {
        code: true,
        id_token: false,
    };

    fn read(text: &str) -> Result<Self, Refusal> {
        let mut asked = Self {
            code: false,
            id_token: false,
        };
        for kind in text.split_ascii_whitespace() {
            match kind {
                "code" => asked.code = true,
                "id_token" => asked.id_token = true,
                // The implicit flow is off, as it is in a new app registration.
                other => return Err(Refusal::unsupported_response_type(other)),
            }
        }
        Ok(asked)
    }
}

impl Prompt {
    fn read(text: Option<&str>) -> Self {
        match text {
            Some("none") => Self::Never,
            Some("login" | "select_account" | "consent" | "create") => Self::Always,
            _ => Self::IfNeeded,
        }
    }
}
