//! What the service learns of the caller: headers that the gate answers.

use axum_entra::{AgentKind, Claims};
use http::{HeaderMap, HeaderName, HeaderValue};

/// How every header of the identity begins, in lower case.
pub(crate) const IDENTITY_PREFIX: &str = "x-entra-";

const TENANT_ID: HeaderName = HeaderName::from_static("x-entra-tenant-id");
const OBJECT_ID: HeaderName = HeaderName::from_static("x-entra-object-id");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-entra-client-id");
const SCOPES: HeaderName = HeaderName::from_static("x-entra-scopes");
const ROLES: HeaderName = HeaderName::from_static("x-entra-roles");
const PRINCIPAL: HeaderName = HeaderName::from_static("x-entra-principal");
const AGENT: HeaderName = HeaderName::from_static("x-entra-agent");

/// The signed form of the identity.
pub(crate) const ASSERTION: HeaderName = HeaderName::from_static("x-entra-assertion");

/// The headers of the identity, and the text of each; empty where the claim is absent.
///
/// Everything but visible ASCII is percent-encoded; in elements of a list blank and `%` too, so
/// that the blanks between them are the only ones.
pub(crate) fn texts(claims: Option<&Claims>) -> [(HeaderName, String); 7] {
    let of = |text: fn(&Claims) -> String| claims.map(text).unwrap_or_default();
    [
        (
            TENANT_ID,
            of(|claims| {
                claims
                    .tenant_id()
                    .map(|id| id.to_string())
                    .unwrap_or_default()
            }),
        ),
        (OBJECT_ID, of(|claims| value(claims.object_id_text()))),
        (CLIENT_ID, of(|claims| value(claims.client_id_text()))),
        (SCOPES, of(|claims| list(claims.scopes()))),
        (ROLES, of(|claims| list(claims.roles()))),
        (
            PRINCIPAL,
            of(|claims| claims.principal().as_str().to_owned()),
        ),
        (
            AGENT,
            of(|claims| value(agent(claims).map(AgentKind::as_str))),
        ),
    ]
}

/// The same on a response: all of them, always.
pub(crate) fn put(claims: Option<&Claims>, headers: &mut HeaderMap) {
    for (name, text) in texts(claims) {
        // Only visible ASCII and blanks are left, so that this does not fail.
        let text = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        headers.insert(name, text);
    }
}

pub(crate) fn agent(claims: &Claims) -> Option<AgentKind> {
    claims.agent().map(|agent| agent.kind())
}

fn value(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    let mut encoded = String::with_capacity(text.len());
    encode(text, |byte| byte.is_ascii_graphic(), &mut encoded);
    encoded
}

fn list<'t>(elements: impl Iterator<Item = &'t str>) -> String {
    let mut encoded = String::new();
    for element in elements {
        if !encoded.is_empty() {
            encoded.push(' ');
        }
        let stays = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
        encode(element, stays, &mut encoded);
    }
    encoded
}

fn encode(text: &str, stays: impl Fn(u8) -> bool, encoded: &mut String) {
    if text.bytes().all(&stays) {
        return encoded.push_str(text);
    }
    for byte in text.bytes() {
        match stays(byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_visible_ascii() {
        for (text, expected) in [
            ("690222be", "690222be"),
            ("a b", "a%20b"),
            ("é", "%C3%A9"),
            ("50%", "50%"),
            ("a\r\nX: y", "a%0D%0AX:%20y"),
            ("\u{7f}\u{0}", "%7F%00"),
        ] {
            assert_eq!(value(Some(text)), expected);
        }
        assert_eq!(value(None), "");
    }

    #[test]
    fn a_list_has_blanks_between_its_elements_only() {
        let elements = ["Task Admin", "50%20", "é", "a,b"];
        assert_eq!(
            list(elements.into_iter()),
            "Task%20Admin 50%2520 %C3%A9 a,b"
        );
        assert_eq!(list([].into_iter()), "");
    }
}
