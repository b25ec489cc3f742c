//! ID tokens, and the `client_info` that MSAL keys its accounts by.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{authority::Authority, scopes::OpenId, sign_ins::SignIn, token::TokenBuilder};

/// The ID token of a sign-in (Microsoft, id-token-claims-reference), before it is signed.
pub(super) fn claims(authority: &Arc<Authority>, sign_in: &SignIn, openid: OpenId) -> TokenBuilder {
    let directory = &authority.directory;
    let mut token = TokenBuilder::new(Arc::clone(authority))
        .user(&sign_in.user)
        .tenant(&sign_in.tenant)
        .client(&sign_in.client)
        .id_token();
    if let Some(policy) = &sign_in.policy {
        token = token.policy(directory.spelled(policy));
    }
    token = token.claim("auth_time", sign_in.at);
    if let Some(session) = &sign_in.session {
        token = token.claim("sid", session.as_str());
    }
    if let Some(nonce) = &sign_in.nonce {
        token = token.claim("nonce", nonce.as_str());
    }
    if !openid.profile {
        token = OF_THE_PROFILE
            .into_iter()
            .fold(token, TokenBuilder::without);
    }
    if let (true, Some(user)) = (openid.email, directory.user(&sign_in.user)) {
        token = token.claim("email", directory.sign_in_name(user));
    }
    token
}

/// Binds a code that travels with an ID token (OpenID Connect Core §3.3.2.11).
pub(super) fn code_hash(code: &str) -> String {
    let hash = digest(&SHA256, code.as_bytes());
    let half = hash.as_ref().iter().take(16).copied().collect::<Vec<_>>();
    URL_SAFE_NO_PAD.encode_to_string(half)
}

/// `{uid}.{utid}` is MSAL's home account id.
pub(super) fn client_info(sign_in: &SignIn) -> String {
    let uid = match &sign_in.policy {
        // B2C has one account per policy.
        Some(policy) => format!("{}-{}", sign_in.user, policy.to_ascii_lowercase()),
        None => sign_in.user.clone(),
    };
    let info = json!({ "uid": uid, "utid": sign_in.tenant });
    URL_SAFE_NO_PAD.encode_to_string(info.to_string())
}

const OF_THE_PROFILE: [&str; 2] = ["name", "preferred_username"];
