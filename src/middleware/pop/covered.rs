//! Whether a request is the one that was signed: method, host, path, query and headers.

use http::HeaderMap;

use super::target::Target;
use crate::jwks::sha256;
use crate::middleware::client_certificate::percent_decoded;
use crate::middleware::head::Head;
use crate::token::{NamesAndHash, SignedClaims, base64url};

/// Whether all that was signed is so. The body and the time are looked at elsewhere.
pub(super) fn covers(signed: &SignedClaims, target: &Target, head: Head<'_>) -> bool {
    let path = target.uri.path();
    let query = target.uri.query();
    signed.method.eq_ignore_ascii_case(head.method().as_str())
        && target.is_host(&signed.host)
        && is_path(&signed.path, path)
        && signed
            .query
            .as_ref()
            .is_none_or(|claim| is_query(claim, query.unwrap_or_default()))
        && signed
            .headers
            .as_ref()
            .is_none_or(|claim| are_headers(claim, head.headers))
}

/// Names that one request may sign, of query parameters and of headers: more is work without end.
const MOST_NAMES: usize = 100;

/// The path as it was sent or in lower case, as MSAL.js writes it; a leading and a final `/` do
/// not count, and the hexadecimal digits of escapes have no letter case (RFC 3986 section 6.2.2.1).
fn is_path(signed: &str, path: &str) -> bool {
    let signed = canonical(signed);
    signed == canonical(path) || signed == canonical(&path.to_ascii_lowercase())
}

fn canonical(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut escape = 0_u8;
    let digit = |letter: char| {
        if letter == '%' {
            escape = 2;
            return letter;
        }
        let in_escape = escape > 0;
        escape = escape.saturating_sub(1);
        if in_escape && letter.is_ascii_hexdigit() {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    path.chars().map(digit).collect()
}

/// Without names the query itself, in any letter case (MSAL.js); with names the hash of
/// `name=value` of each, joined by `&` (draft-ietf-oauth-signed-http-request-03 section 3.1).
///
/// A name must be listed as often as it is there, or a parameter that was not signed could stand in
/// for one that was signed.
fn is_query((names, hash): &NamesAndHash, query: &str) -> bool {
    if names.is_empty() {
        return hash.eq_ignore_ascii_case(query);
    }
    let parameters: Vec<(Vec<u8>, &str, &str)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), name, value))
        .collect();
    let same = |a: &str, b: &str| decoded(a) == decoded(b);
    let found = in_order(names, same, |listed, nth| {
        let listed = decoded(listed);
        let mut own = parameters.iter().filter(|(name, ..)| *name == listed);
        let (_, name, value) = own.nth(nth)?;
        Some(format!("{name}={value}").into_bytes())
    });
    found.is_some_and(|parts| base64url(&sha256(&parts.join(&b'&'))) == *hash)
}

/// A name as forms write it (`+` for a space); one with a broken escape is itself.
fn decoded(name: &str) -> Vec<u8> {
    let spaced = name.replace('+', " ");
    percent_decoded(&spaced).unwrap_or_else(|| name.as_bytes().to_vec())
}

/// The hash of `name: value` of each header, joined by line feeds (section 3.2 of the draft), and
/// each name as often as the header is there.
fn are_headers((names, hash): &NamesAndHash, headers: &HeaderMap) -> bool {
    let found = in_order(names, str::eq_ignore_ascii_case, |listed, nth| {
        let name = listed.to_ascii_lowercase();
        let value = headers.get_all(name.as_str()).iter().nth(nth)?;
        Some([name.as_bytes(), b": ", value.as_bytes()].concat())
    });
    found.is_some_and(|parts| base64url(&sha256(&parts.join(&b'\n'))) == *hash)
}

/// What `find` gives for each name and its count so far; `None` where one is missing, or where
/// there is one more than was listed.
fn in_order(
    names: &[String],
    same: impl Fn(&str, &str) -> bool,
    find: impl Fn(&str, usize) -> Option<Vec<u8>>,
) -> Option<Vec<Vec<u8>>> {
    if names.len() > MOST_NAMES {
        return None;
    }
    let mut parts = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let before = names.iter().take(place);
        let nth = before.filter(|earlier| same(earlier, name)).count();
        parts.push(find(name, nth)?);
        let is_last = !names
            .iter()
            .skip(place.saturating_add(1))
            .any(|later| same(later, name));
        if is_last && find(name, nth.saturating_add(1)).is_some() {
            return None;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_signed_as_it_is_or_in_lower_case() {
        for (signed, path) in [
            ("/me", "/me"),
            ("me", "/me"),
            ("/me/", "/me"),
            ("/me", "/me/"),
            ("", "/"),
            ("/", "/"),
            ("/Todos/A", "/Todos/A"),
            ("/todos/a/", "/Todos/A"),
            ("/a%2fb", "/a%2Fb"),
            ("/A%2fb", "/A%2Fb"),
            ("/a%c3%a4", "/A%C3%A4"),
        ] {
            assert!(is_path(signed, path), "{signed} {path}");
        }
        for (signed, path) in [
            ("/ME", "/me"),
            ("/Me", "/mE"),
            ("/me//", "/me"),
            ("//me", "/me"),
            ("/me/x", "/me"),
            ("/m", "/me"),
            ("/a/b", "/a%2Fb"),
            ("/a", "/%61"),
            ("/me?x=1", "/me"),
            ("/todos/A", "/Todos/a"),
        ] {
            assert!(!is_path(signed, path), "{signed} {path}");
        }
    }

    fn hashed(names: &[&str], text: &str) -> NamesAndHash {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        (names, base64url(&sha256(text.as_bytes())))
    }

    #[test]
    fn the_draft_s_examples_fit() {
        // Sections 3.1 and 3.2. The draft prints the second hash as that of lines which end with
        // CR LF; its text says LF, and so do other implementations.
        let query = (
            vec!["b".to_owned(), "a".to_owned(), "c".to_owned()],
            "u4LgkGUWhP9MsKrEjA4dizIllDXluDku6ZqCeyuR-JY".to_owned(),
        );
        assert!(is_query(&query, "b=bar&a=foo&c=duck"));
        assert!(is_query(&query, "a=foo&c=duck&b=bar"));
        assert!(!is_query(&query, "a=foo&c=duck&b=baz"));
        let headers = (
            vec!["content-type".to_owned(), "etag".to_owned()],
            "P6z5XN4tTzHkfwe3XO1YvVUIurSuhvh_UG10N_j-aGs".to_owned(),
        );
        let mut own = HeaderMap::new();
        own.insert("content-type", "application/json".parse().unwrap());
        own.insert("etag", "742-3u8f34-3r2nvv3".parse().unwrap());
        assert!(are_headers(&headers, &own));
        own.append("etag", "other".parse().unwrap());
        assert!(!are_headers(&headers, &own));
    }

    #[test]
    fn a_query_is_signed_whole_or_by_names_that_are_all_there() {
        let raw = |text: &str| (Vec::new(), text.to_owned());
        assert!(is_query(&raw("A=b&c"), "a=B&C"));
        assert!(is_query(&raw(""), ""));
        assert!(!is_query(&raw(""), "a=b"));
        assert!(!is_query(&raw("a=b"), "a=b&c=d"));
        for (names, text, query, fits) in [
            (&["a"][..], "a=1", "a=1", true),
            (&["a"], "a=1", "b=2&a=1", true),
            (&["a", "a"], "a=1&a=2", "a=1&a=2", true),
            (&["a", "a"], "a=2&a=1", "a=1&a=2", false),
            (&["a"], "a=1", "a=1&a=2", false),
            (&["a"], "a=1", "a=1&%61=2", false),
            (&["a", "a"], "a=1&a=1", "a=1", false),
            (&["a b"], "a%20b=1", "a%20b=1", true),
            (&["a%20b"], "a+b=1", "a+b=1", true),
            (&["b"], "b=", "a=1", false),
            (&["a", "A"], "a=1&A=2", "A=2&a=1", true),
            (&["a"], "a=", "a", true),
        ] {
            assert_eq!(
                is_query(&hashed(names, text), query),
                fits,
                "{names:?} {query}"
            );
        }
        let many = vec!["a"; MOST_NAMES + 1];
        assert!(!is_query(&hashed(&many, "a=1"), "a=1"));
    }
}
