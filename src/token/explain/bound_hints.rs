//! What a person should try with a bound token, or with a signed HTTP request in place of a token.

use super::unverified_view::{Peek, cut};

/// What a client has to do with a bound token, by what it is bound to.
pub(super) fn of_token(peek: &Peek) -> &'static str {
    match peek.confirmation().map(|bound| bound.binding()) {
        Some("key") => {
            "The token is bound to a key of its client (proof of possession), and a token by itself proves nothing. \
             The client has to send signed HTTP requests (Authorization: PoP, AuthenticationScheme.POP in MSAL), \
             which this API accepts with PopTokens accept or require; or ask for a bearer token."
        }
        Some("certificate") => {
            "The token is bound to a client certificate (x5t#S256). It is accepted on a connection whose client has \
             shown that certificate, if the application hands it over (ClientCertificate) or names the proxy that \
             does (TrustedProxies)."
        }
        Some(_) => {
            "The token is bound to a key and to a client certificate: the client has to send signed HTTP requests \
             (Authorization: PoP) over a connection with that certificate."
        }
        None => {
            "The token's cnf holds something that this API cannot have proved, such as a key of DPoP (jkt). Ask for \
             a bearer token."
        }
    }
}

/// A signed HTTP request where a token is expected.
pub(super) fn of_signed_request(peek: &Peek, hints: &mut Vec<String>) {
    if !is_signed_request(peek) {
        return;
    }
    hints.push(
        "This is a signed HTTP request, not a token. It belongs behind the word PoP in the Authorization header of \
         the request that it was made for; the access token is its member at."
            .to_owned(),
    );
    let alg = peek.header("alg").unwrap_or_default();
    if !["RS256", "ES256"].contains(&alg.as_str()) {
        hints.push(format!(
            "As a signed HTTP request it is refused too (proof): it is signed with {}, and RS256 and ES256 are \
             accepted. {MSAL_NET}",
            cut(&alg)
        ));
    }
}

pub(super) fn is_signed_request(peek: &Peek) -> bool {
    peek.header("typ").as_deref() == Some("pop")
}

/// <https://github.com/AzureAD/microsoft-authentication-library-for-dotnet/issues/4839>
const MSAL_NET: &str =
    "MSAL.NET signs with PS256 since 4.60, unless its PopCryptoProvider brings another key.";
