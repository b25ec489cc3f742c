//! Tokens for tests: valid by default, and each method changes one thing.

mod minting;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{
    authority::{Authority, unix_now},
    documents::Version,
    key_ring::Realm,
    token_encryption::TokenEncryption,
};

/// Makes one token; [`Emulator::token`](super::Emulator::token) starts one that is accepted.
///
/// Without further choices: a v2.0 token of alice in contoso, for the sample API, from the public
/// client `cli`, with the scope `access_as_user`, valid from now for the token lifetime.
///
/// Nothing is checked. Unknown names make users and apps with no rights, and an unknown
/// tenant, audience or issuer is written as it is.
#[derive(Debug, Clone)]
#[must_use = "a builder makes no token before `mint`"]
pub struct TokenBuilder {
    authority: Arc<Authority>,
    version: Version,
    principal: Principal,
    client: Option<String>,
    guest: bool,
    tenant: Option<String>,
    policy: Option<String>,
    audience: Option<Value>,
    scope: Option<String>,
    roles: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    overage: bool,
    id_token: bool,
    agent: Option<Agent>,
    made_at: Option<u64>,
    issued_at: Option<u64>,
    not_before: Option<u64>,
    expires_at: Option<u64>,
    claims: Edits,
    header: Edits,
    raw_header: Option<String>,
    raw_payload: Option<String>,
    raw_signature: Option<String>,
    encryption: Option<TokenEncryption>,
    key: Key,
}

/// Members to set, and to leave out, in this order.
type Edits = Vec<(String, Option<Value>)>;

#[derive(Debug, Clone)]
enum Principal {
    User(String),
    App(String),
}

/// The facets of an agent, besides those that a registration asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agent {
    Identity,
    UserAccount,
}

#[derive(Debug, Clone)]
enum Key {
    Ordinary,
    WithId(String),
    Of(Realm),
}

impl TokenBuilder {
    pub(super) fn new(authority: Arc<Authority>) -> Self {
        Self {
            authority,
            version: Version::V2,
            principal: Principal::User("alice".to_owned()),
            client: None,
            guest: false,
            tenant: None,
            policy: None,
            audience: None,
            scope: None,
            roles: None,
            groups: None,
            overage: false,
            id_token: false,
            agent: None,
            made_at: None,
            issued_at: None,
            not_before: None,
            expires_at: None,
            claims: Vec::new(),
            header: Vec::new(),
            raw_header: None,
            raw_payload: None,
            raw_signature: None,
            encryption: None,
            key: Key::Ordinary,
        }
    }

    /// Makes a v1.0 token: `appid`, `unique_name`, issuer with a slash, audience `api://…`.
    pub fn v1(self) -> Self {
        Self {
            version: Version::V1,
            ..self
        }
    }

    /// Makes a v2.0 token, which is the default.
    pub fn v2(self) -> Self {
        Self {
            version: Version::V2,
            ..self
        }
    }

    /// Makes a token for this user: name, object id or user principal name.
    pub fn user(self, who: impl Into<String>) -> Self {
        Self {
            principal: Principal::User(who.into()),
            ..self
        }
    }

    /// Makes an app-only token for this app: name or client id.
    pub fn app(self, which: impl Into<String>) -> Self {
        Self {
            principal: Principal::App(which.into()),
            ..self
        }
    }

    /// Sets the client the token was given to: name or client id. It brings its own `azpacr`.
    pub fn client(self, which: impl Into<String>) -> Self {
        Self {
            client: Some(which.into()),
            ..self
        }
    }

    /// Makes the user a guest: `acct` 1, and an `idp` that is not the issuer.
    pub fn guest(self) -> Self {
        Self {
            guest: true,
            ..self
        }
    }

    /// Sets the scopes (`scp`), spaces between them. App-only tokens have none unless asked.
    pub fn scope(self, scopes: impl Into<String>) -> Self {
        Self {
            scope: Some(scopes.into()),
            ..self
        }
    }

    /// Sets the app roles, in place of those assigned in the directory.
    pub fn roles(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            roles: Some(roles.into_iter().map(Into::into).collect()),
            ..self
        }
    }

    /// Sets the groups, in place of those in the directory. Over 200 become an overage.
    pub fn groups(self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            groups: Some(groups.into_iter().map(Into::into).collect()),
            ..self
        }
    }

    /// Says "too many groups to list": `_claim_names` and `_claim_sources` in place of `groups`.
    pub fn groups_overage(self) -> Self {
        Self {
            overage: true,
            ..self
        }
    }

    /// Sets the tenant by GUID, in `tid` and the issuer. Default: that of the user.
    pub fn tenant(self, id: impl Into<String>) -> Self {
        Self {
            tenant: Some(id.into()),
            ..self
        }
    }

    /// Sets the audience: text, or a list with `json!`.
    pub fn audience(self, audience: impl Into<Value>) -> Self {
        Self {
            audience: Some(audience.into()),
            ..self
        }
    }

    /// Binds the token to a client's key by its SHA-256 thumbprint (RFC 7638, base64url), as the
    /// token endpoint does for `token_type=pop`.
    pub fn bound_to_key(self, thumbprint: impl Into<String>) -> Self {
        self.claim("cnf", json!({ "kid": thumbprint.into(), "xms_ksl": "sw" }))
    }

    /// Binds the token to a client's certificate (DER): `cnf` with `x5t#S256` (RFC 8705).
    pub fn bound_to_certificate(self, der: impl AsRef<[u8]>) -> Self {
        let hash = digest(&SHA256, der.as_ref());
        let thumbprint = URL_SAFE_NO_PAD.encode_to_string(hash);
        self.claim("cnf", json!({ "x5t#S256": thumbprint }))
    }

    /// Sets the issuer, whatever the tenant is.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.claim("iss", issuer.into())
    }

    /// Makes a B2C token of this policy (`tfp`), signed with the policy's key.
    pub fn policy(self, policy: impl Into<String>) -> Self {
        Self {
            policy: Some(policy.into()),
            ..self
        }
    }

    /// Makes an ID token: for the client (`aud`), without `scp`, `azp` and `appid`.
    ///
    /// It has no `nonce`, `c_hash` or `at_hash` unless [`claim`](Self::claim) sets one. The API's own
    /// id as [`audience`](Self::audience) makes that of a page that shares the API's registration.
    pub fn id_token(self) -> Self {
        Self {
            id_token: true,
            ..self
        }
    }

    /// Makes the client an agent identity and marks it by facets: with [`app`](Self::app) one that
    /// acts for itself, with [`user`](Self::user) one that acts on behalf of that user.
    pub fn agent(self) -> Self {
        Self {
            agent: Some(Agent::Identity),
            ..self
        }
    }

    /// Makes the user an agent's own user account and marks it by facets.
    pub fn agent_user(self) -> Self {
        Self {
            agent: Some(Agent::UserAccount),
            ..self
        }
    }

    /// Makes a token that was issued two hours ago and expired one hour ago.
    pub fn expired(self) -> Self {
        let now = unix_now();
        self.issued_at(now.saturating_sub(7200))
            .expires_at(now.saturating_sub(3600))
    }

    /// Issues the token at this time, in seconds since 1970, from which it is backdated.
    pub(super) fn made_at(self, seconds: u64) -> Self {
        Self {
            made_at: Some(seconds),
            ..self
        }
    }

    /// Sets `iat` to exactly this, in seconds since 1970; `nbf` and `exp` follow unless they are
    /// set. Without it `iat` and `nbf` are now, less
    /// [`issued_at_backdate`](super::EmulatorBuilder::issued_at_backdate).
    pub fn issued_at(self, seconds: u64) -> Self {
        Self {
            issued_at: Some(seconds),
            ..self
        }
    }

    /// Sets `nbf`, in seconds since 1970.
    pub fn not_before(self, seconds: u64) -> Self {
        Self {
            not_before: Some(seconds),
            ..self
        }
    }

    /// Sets `exp`, in seconds since 1970.
    pub fn expires_at(self, seconds: u64) -> Self {
        Self {
            expires_at: Some(seconds),
            ..self
        }
    }

    /// Sets any claim to any JSON value.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.claims.push((name.into(), None));
        self
    }

    /// Sets a member of the JOSE header. The signature follows an RSA `alg`, else it is RS256's.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a member of the JOSE header out.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.header.push((name.into(), None));
        self
    }

    /// Signs this text as the header, whether it is JSON or not.
    pub fn raw_header(self, text: impl Into<String>) -> Self {
        Self {
            raw_header: Some(text.into()),
            ..self
        }
    }

    /// Signs this text as the payload, whether it is JSON or not. It has no mark of the emulator.
    pub fn raw_payload(self, text: impl Into<String>) -> Self {
        Self {
            raw_payload: Some(text.into()),
            ..self
        }
    }

    /// Puts this text where the signature should be; empty text makes an unsigned token.
    pub fn raw_signature(self, text: impl Into<String>) -> Self {
        Self {
            raw_signature: Some(text.into()),
            ..self
        }
    }

    /// Encrypts the signed token, whatever its API's registration says.
    pub fn encrypted(self, encryption: TokenEncryption) -> Self {
        Self {
            encryption: Some(encryption),
            ..self
        }
    }

    /// Signs with the key of this id, published or retired.
    ///
    /// An id no key has is written into the header above the ordinary key's signature.
    pub fn key(self, kid: impl Into<String>) -> Self {
        Self {
            key: Key::WithId(kid.into()),
            ..self
        }
    }

    /// Signs with a good key that is in no document of this emulator.
    pub fn unpublished_key(self) -> Self {
        Self {
            key: Key::Of(Realm::Unpublished),
            ..self
        }
    }

    /// Signs with the custom key of this app, published under `?appid=` only.
    pub fn custom_key_of(self, app: impl Into<String>) -> Self {
        let app = app.into();
        let app = self
            .authority
            .directory
            .app(&app)
            .map_or(app.clone(), |app| app.client_id.clone());
        Self {
            key: Key::Of(Realm::Custom { app }),
            ..self
        }
    }
}
