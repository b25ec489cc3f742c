//! What a person should try, derived from the signs that mistakes leave in tokens.

use crate::authority::issuer::lookup_key;
use crate::authority::{ResolvedAuthority, full_scope_name};
use crate::guid::parse_guid;
use crate::token::validator::Validator;
use crate::token_version::TokenVersion;

use super::bound_hints;
use super::guard_hints::APP_ONLY;
use super::unverified_view::{Peek, cut};

/// Microsoft Graph, as v2.0 and v1.0 tokens name it.
const GRAPH: [&str; 2] = [
    "00000003-0000-0000-c000-000000000000",
    "https://graph.microsoft.com",
];

/// Hints for a token that was refused; none for one that was not.
pub(super) fn of_token(
    validator: &Validator,
    chosen: Option<&ResolvedAuthority>,
    (peek, outer): (&Peek, &Peek),
    token: &str,
    reason: Option<&'static str>,
    now: u64,
) -> Vec<String> {
    let Some(reason) = reason else {
        return Vec::new();
    };
    let mut hints = Vec::new();
    let trust = chosen.or_else(|| validator.authorities.first().map(|own| &own.trust));
    text(validator, token, outer, &mut hints);
    if reason != "id_token" {
        kind(peek, trust, &mut hints);
    }
    match reason {
        "issuer" | "tenant_not_allowed" => issuer(validator, trust, peek, reason, &mut hints),
        "version" => version(trust, peek, &mut hints),
        "audience" => audience(trust, peek, &mut hints),
        "expired" | "not_yet_valid" => lifetime(peek, reason, now, &mut hints),
        "unknown_key" => hints.push(
            "The keys of this issuer do not have that id. If the application has claims mapping or its own \
             signing key, set CustomSigningKeys. A token of an emulator that was restarted looks like this too."
                .to_owned(),
        ),
        "bad_signature" => hints.push(
            "The token was changed on its way or cut off when it was copied, or it was forged."
                .to_owned(),
        ),
        "policy" => hints.push(format!(
            "The B2C policy in the token is {}; list it in Policies or SignUpSignInPolicyId if it is yours.",
            peek.claim("tfp").or_else(|| peek.claim("acr")).unwrap_or_else(|| "missing".to_owned())
        )),
        "keys_unavailable" => hints.push(
            "The authority's keys are not there: this API cannot reach it, or is still asking. The token may be \
             good."
                .to_owned(),
        ),
        "no_permissions" => hints.push(
            "The token has neither scp nor roles. A user's client asks for api://{client id}/{scope}; a daemon \
             asks for api://{client id}/.default and needs an app role, with admin consent."
                .to_owned(),
        ),
        "scope" if !peek.has("scp") => hints.push(APP_ONLY.to_owned()),
        "scope" => hints.push("The client has to ask for one of the scopes in the setting Scopes, which hold for every route.".to_owned()),
        "sender_constrained" => hints.push(bound_hints::of_token(peek).to_owned()),
        "id_token" => hints.push(format!(
            "This is an ID token: it tells the client who signed in, and opens nothing. Send the access token that \
             the client gets for {} (access_token in the answer, acquireTokenSilent in MSAL).",
            scope_of(trust)
        )),
        "algorithm" if !bound_hints::is_signed_request(outer) => hints.push(
            "Entra signs access tokens with RS256 and nothing else. A token with another algorithm was made by another \
             issuer or by a program of your own."
                .to_owned(),
        ),
        "decryption" => hints.push(decryption(validator, outer)),
        "revoked" => hints.push("The account's older tokens were revoked. Sign in again.".to_owned()),
        _ => {}
    }
    hints
}

/// Why a token was not decrypted, as far as its header says.
fn decryption(validator: &Validator, outer: &Peek) -> String {
    let header = outer.header_bytes().unwrap_or_default();
    match validator.decryption.as_ref().map(|keys| keys.names(header)) {
        Some(Err(_)) => "The header of the encrypted token is not one that is accepted: Entra encrypts access \
             tokens with RSA-OAEP, and cty is JWT."
            .to_owned(),
        Some(Ok(false)) => "The token names no key of TokenDecryptionCredentials (kid, x5t): is that the key that \
             tokenEncryptionKeyId names in the registration? After a change, tokens of the former key come for \
             an hour or more: keep both."
            .to_owned(),
        _ => "The token names a key that is there, but does not decrypt with it: it was changed on its way or cut \
             off when it was copied, or what is inside is encrypted once more."
            .to_owned(),
    }
}

/// Texts that are no JWT.
fn text(validator: &Validator, token: &str, peek: &Peek, hints: &mut Vec<String>) {
    let start: String = token.trim_start().chars().take(7).collect();
    if start.eq_ignore_ascii_case("bearer ") {
        hints.push(
            "Leave the word Bearer out: it belongs to the header, not to the token.".to_owned(),
        );
    } else if token.trim().len() != token.len() || token.contains(['\n', '\r', '"']) {
        hints.push("There are spaces, line breaks or quotes around or in the token.".to_owned());
    }
    bound_hints::of_signed_request(peek, hints);
    match peek.parts {
        5 if validator.decryption.is_none() => hints.push(
            "Five parts are an encrypted token (JWE), which only the API it was made for can read. If it is for this \
             API, set TokenDecryptionCredentials to the private key that tokenEncryptionKeyId names."
                .to_owned(),
        ),
        1 | 2 => hints.push(
            "This is no JWT. Refresh tokens, authorization codes, and access tokens of personal accounts for \
             Microsoft's own APIs look like this. Ask for a scope of this API."
                .to_owned(),
        ),
        _ => {}
    }
}

/// What a client asks for to get an access token for this API.
fn scope_of(trust: Option<&ResolvedAuthority>) -> String {
    trust.map_or("api://{client id}/{scope}".to_owned(), |trust| {
        format!("api://{}/{{scope}}", trust.client_id)
    })
}

/// Tokens of another kind or for another API.
fn kind(peek: &Peek, trust: Option<&ResolvedAuthority>, hints: &mut Vec<String>) {
    let scope = scope_of(trust);
    let audience = peek.text("aud").unwrap_or_default();
    if GRAPH.contains(&audience.trim_end_matches('/')) || peek.header_has("nonce") {
        hints.push(format!(
            "This is a token for Microsoft Graph, which only Graph can validate. The client got it by asking for \
             User.Read or the like; it has to ask for {scope}. One token cannot serve both."
        ));
        return;
    }
    let client = peek.has("azp") || peek.has("appid");
    let id_token = ["nonce", "at_hash", "c_hash"]
        .iter()
        .any(|name| peek.has(name));
    // Roles prove nothing: an ID token has those of the client's own registration.
    if !peek.has("scp") && (id_token || !client && peek.has("aud") && peek.has("sub")) {
        hints.push(format!(
            "This looks like an ID token: it tells the client who signed in, and opens nothing. Send the access \
             token that the client gets for {scope}."
        ));
    }
}

fn issuer(
    validator: &Validator,
    trust: Option<&ResolvedAuthority>,
    peek: &Peek,
    reason: &str,
    hints: &mut Vec<String>,
) {
    let Some(found) = peek.text("iss") else {
        hints.push("The token has no iss; Entra's tokens do.".to_owned());
        return;
    };
    let issuers = || {
        let documents = validator
            .authorities
            .iter()
            .flat_map(|own| &own.trust.documents);
        documents.flat_map(|document| &document.issuers)
    };
    let shape = |issuer: &str| lookup_key(issuer).map(|(key, _)| key);
    let same_shape = issuers().find(|own| {
        let filled = own.for_tenant(uuid::Uuid::nil());
        shape(found).is_some() && shape(found) == shape(filled.as_str())
    });
    let host = |text: &str| text.split('/').nth(2).unwrap_or_default().to_owned();
    if reason == "tenant_not_allowed" {
        hints.push(format!(
            "The tenant {} is not in AllowedTenants (personal accounts: AllowPersonalAccounts).",
            peek.claim("tid").unwrap_or_default()
        ));
    } else if let Some(own) = same_shape {
        hints.push(format!(
            "The token is of another tenant: {}. This API accepts {}. Sign in at that tenant's address, or make the \
             API multi-tenant: TenantId organizations with AllowedTenants.",
            cut(found),
            own.as_str()
        ));
    } else if host(found).ends_with(".ciamlogin.com") {
        hints.push(format!(
            "External ID writes the tenant's id as the host: https://{{tenant id}}.ciamlogin.com/{{tenant id}}/v2.0, \
             whatever address the client signed in at. Found {}; if that is your tenant, set Issuer to it.",
            cut(found)
        ));
    } else if host(found).ends_with(".b2clogin.com") {
        hints.push("This is an Azure AD B2C token: configure the section AzureAdB2C.".to_owned());
    } else if found.starts_with("https://sts.windows.net/") && off(trust, TokenVersion::V1) {
        version(trust, peek, hints);
    } else {
        hints.push(format!(
            "No configured authority issues {}: another cloud, another host, or not Entra at all.",
            cut(found)
        ));
    }
}

fn off(trust: Option<&ResolvedAuthority>, version: TokenVersion) -> bool {
    trust.is_some_and(|trust| trust.version(version).is_none() && !trust.is_b2c())
}

fn version(trust: Option<&ResolvedAuthority>, peek: &Peek, hints: &mut Vec<String>) {
    let version = peek.text("ver").and_then(TokenVersion::parse);
    match version {
        Some(TokenVersion::V1) if off(trust, TokenVersion::V1) => hints.push(
            "This is a v1.0 token and only v2.0 is on. The API's manifest decides, not the client's address: set \
             api.requestedAccessTokenVersion to 2, or add 1.0 to TokenVersions."
                .to_owned(),
        ),
        Some(TokenVersion::V2) if off(trust, TokenVersion::V2) => hints.push(
            "This is a v2.0 token and only v1.0 is on. The API's manifest decides: \
             api.requestedAccessTokenVersion, or add 2.0 to TokenVersions."
                .to_owned(),
        ),
        _ => hints.push("ver does not fit the issuer, or is missing.".to_owned()),
    }
}

fn audience(trust: Option<&ResolvedAuthority>, peek: &Peek, hints: &mut Vec<String>) {
    let (Some(trust), Some(found)) = (trust, peek.text("aud")) else {
        return;
    };
    let bare = |text: &str| {
        let text = text.strip_prefix("api://").unwrap_or(text);
        text.trim_end_matches('/').to_ascii_lowercase()
    };
    let near = trust.audiences.iter().find(|own| bare(own) == bare(found));
    if let Some(own) = near {
        hints.push(format!(
            "The token says {}, this API accepts {own}, and audiences are compared byte for byte. v2.0 tokens carry \
             the client id, v1.0 tokens the Application ID URI (api://…). Add the one you see to Audiences.",
            cut(found)
        ));
    } else if bare(found) == bare(&trust.client_id) {
        hints.push(format!(
            "{} is this API's client id in another form. Add it to Audiences.",
            cut(found)
        ));
    } else {
        let microsofts = MICROSOFTS
            .iter()
            .find(|(audience, _)| *audience == bare(found));
        let whose = match microsofts {
            Some((_, name)) => name,
            None if parse_guid(found).is_some() => "the application with that id",
            None => "another API",
        };
        hints.push(format!(
            "The token is for {whose}. The client has to ask for {}.",
            full_scope_name(trust.app_id_uri(None), "{scope}")
        ));
        if microsofts.is_none() && found.contains("://") {
            hints.push(format!(
                "If {} is this API's own Application ID URI, add it to Audiences.",
                cut(found)
            ));
        }
    }
}

/// APIs of Microsoft whose tokens are often sent by mistake, without a slash at the end.
const MICROSOFTS: [(&str, &str); 7] = [
    ("https://management.core.windows.net", AZURE),
    ("https://management.azure.com", AZURE),
    ("797f4846-ba00-4fd7-ba43-dac1f8f63013", AZURE),
    (
        "https://graph.windows.net",
        "Azure AD Graph, which is retired",
    ),
    ("https://vault.azure.net", "Azure Key Vault"),
    ("https://storage.azure.com", "Azure Storage"),
    ("499b84ac-1321-427f-aa17-267ca6975798", "Azure DevOps"),
];

/// What `az account get-access-token` gets when it is given no scope.
const AZURE: &str =
    "Azure Resource Manager (`az account get-access-token` without --scope gets such a token)";

fn lifetime(peek: &Peek, reason: &str, now: u64, hints: &mut Vec<String>) {
    if reason == "expired" {
        let ago = peek.number("exp").map(|exp| now.saturating_sub(exp));
        hints.push(format!(
            "The token ended {} s ago. Clients should ask their library for a token before each call; it keeps one \
             while it lasts.",
            ago.unwrap_or_default()
        ));
    } else {
        hints.push(
            "The token begins in the future: compare this machine's clock with the world's."
                .to_owned(),
        );
    }
}
