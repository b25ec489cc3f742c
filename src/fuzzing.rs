//! The inner parts that fuzzing reaches, and nothing else does: only `--cfg fuzzing` builds this.
#![allow(missing_docs, reason = "no part of the public API")]

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use url::Url;

use crate::authority::issuer::IssuerPattern;
use crate::authority::{Authority, Document};
use crate::claims::raw::{Name, RawClaims};
use crate::jwks::KeySet;
use crate::jwks::discovery::{DiscoveredTenant, Discovery};
use crate::middleware::fuzzing as web;
use crate::token::SignedRequest;
use crate::{AllowedTenants, Tenant};

/// The bearer token in these `Authorization` headers; `None` for no credentials, `Err` for bad ones.
pub fn bearer_token(headers: &[&[u8]]) -> Result<Option<String>, ()> {
    let mut map = HeaderMap::new();
    for value in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            map.append(AUTHORIZATION, value);
        }
    }
    web::bearer_token(&map)
}

/// A challenge with these parameters.
pub fn challenge(parameters: &[(&str, &str)]) -> HeaderValue {
    web::challenge(parameters)
}

/// How many keys of a key document can be used.
pub fn keys(json: &[u8]) -> Option<usize> {
    let issuer = IssuerPattern::new(ISSUER);
    let document = document(Tenant::new(TENANT));
    let keys = KeySet::read(json, issuer, &document).ok()?;
    Some(keys.len())
}

/// What a discovery document brought: the issuer it may state, and where its keys may be.
pub fn discovery(json: &[u8], domain: bool) -> Option<(String, Url)> {
    let (tenant, learns) = match domain {
        true => (Tenant::new("contoso.onmicrosoft.com"), true),
        false => (Tenant::new(TENANT), false),
    };
    let discovered = DiscoveredTenant::default();
    let found = Discovery::read(json, &document(tenant), learns, &discovered).ok()?;
    Some((found.issuer.as_str().to_owned(), found.keys_address))
}

/// What `iss` is, if the payload has the right form at all.
pub fn payload_issuer(json: &[u8]) -> Option<Option<String>> {
    let draft = RawClaims::parse(json).ok()?;
    let issuer = draft.text(Name::Issuer).map(str::to_owned);
    let _ = draft.interpret();
    Some(issuer)
}

pub const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub const API: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
pub const ISSUER: &str =
    "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0";

/// The v2.0 document of an authority in the public cloud.
#[expect(clippy::expect_used, reason = "the same settings each time")]
fn document(tenant: Tenant) -> Document {
    let trust = Authority::entra(tenant, API)
        .allowed_tenants(AllowedTenants::Any)
        .resolve()
        .expect("good settings");
    trust
        .documents
        .into_iter()
        .next_back()
        .expect("two documents")
}

/// The access token in a signed HTTP request, the thumbprint of its key and whether its signature
/// verifies, if it has the right form.
pub fn signed_request(text: &str) -> Option<(String, String, bool)> {
    let (request, token) = SignedRequest::read(text, 65_536).ok()?;
    let thumbprint = request.thumbprint().to_owned();
    Some((token, thumbprint, request.verified().is_ok()))
}
