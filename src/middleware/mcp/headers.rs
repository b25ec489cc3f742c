//! The headers that repeat what the body says: `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`.
//!
//! Source: Model Context Protocol 2026-07-28, "Streamable HTTP", "Standard request headers". Proxies
//! decide by these headers, and the server by the body: so they have to agree.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::message::{Member, Message, Messages};

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The first version whose requests repeat method and name in headers, and that has neither
/// batches nor sessions.
const STATELESS: &[u8] = b"2026-07-28";

/// Bytes of a version that is repeated in an answer: several times a date.
const LONGEST_REPEATED: usize = 64;

/// Headers that are there twice, have the wrong form, or differ from the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeaderMismatch;

/// The version of the protocol that a request's header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatedVersion<'r> {
    /// No header: a version from before 2025-06-18.
    Absent,
    /// A date, `YYYY-MM-DD`.
    Date(&'r [u8]),
    /// Several headers, or one that is no date.
    Invalid,
}

impl<'r> StatedVersion<'r> {
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        match only(headers, &VERSION) {
            Ok(None) => Self::Absent,
            Ok(Some(value)) if is_date(value.as_bytes()) => Self::Date(value.as_bytes()),
            Ok(Some(_)) | Err(HeaderMismatch) => Self::Invalid,
        }
    }

    /// The text of the one header that is no date, to be repeated in the answer.
    pub(super) fn requested(headers: &'r HeaderMap) -> Option<&'r str> {
        let value = only(headers, &VERSION).ok()??.to_str().ok()?;
        (!is_date(value.as_bytes()) && value.len() <= LONGEST_REPEATED).then_some(value)
    }

    /// Whether it is 2026-07-28 or later. Dates of one form compare as their texts do.
    pub(super) fn is_stateless(self) -> bool {
        matches!(self, Self::Date(date) if date >= STATELESS)
    }

    /// Whether the headers say the same as the messages.
    pub(super) fn check(
        self,
        headers: &HeaderMap,
        messages: &Messages<'_>,
    ) -> Result<(), HeaderMismatch> {
        let stated = match self {
            Self::Invalid => return Err(HeaderMismatch),
            Self::Absent => None,
            Self::Date(date) => Some(date),
        };
        for message in messages.all() {
            let agrees = match message.version() {
                Member::Absent => true,
                Member::Text(version) => stated == Some(version.as_bytes()),
                Member::Other => false,
            };
            if !agrees {
                return Err(HeaderMismatch);
            }
            if self.is_stateless() {
                repeats(headers, message)?;
            }
        }
        Ok(())
    }
}

/// Whether `Mcp-Method` and `Mcp-Name` repeat a message's method and name.
fn repeats(headers: &HeaderMap, message: &Message<'_>) -> Result<(), HeaderMismatch> {
    let method = only(headers, &METHOD)?;
    let name = only(headers, &NAME)?;
    // A response has no method, and the handshake of older versions comes before any version is
    // agreed on; a header that is there all the same must not say otherwise.
    let (stated, may_lack_header) = match message.method() {
        None => return Ok(()),
        Some("initialize") => ("initialize", true),
        Some(stated) => (stated, false),
    };
    match method {
        Some(value) if value.as_bytes() == stated.as_bytes() => {}
        None if may_lack_header => {}
        _ => return Err(HeaderMismatch),
    }
    let Some(member) = message.name() else {
        return Ok(());
    };
    // A request that lacks its name has none to repeat, and no guard either.
    if (name, member) == (None, &Member::Absent) {
        return Ok(());
    }
    let value = name.ok_or(HeaderMismatch)?;
    match (decoded(value.as_bytes())?, member) {
        (Decoded::Plain(value), Member::Text(name)) if *value == *name.as_bytes() => Ok(()),
        (Decoded::Base64(value), Member::Text(name)) if *value == *name.as_bytes() => Ok(()),
        _ => Err(HeaderMismatch),
    }
}

/// The one value of a header, if there is one.
fn only<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'r HeaderValue>, HeaderMismatch> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(HeaderMismatch),
    }
}

/// A header's value, as it is or out of its sentinel form.
enum Decoded<'r> {
    Plain(&'r [u8]),
    Base64(Vec<u8>),
}

/// Resolves `=?base64?…?=`, by which a name comes that no header may hold as it is.
fn decoded(value: &[u8]) -> Result<Decoded<'_>, HeaderMismatch> {
    let inner = value
        .strip_prefix(b"=?base64?")
        .and_then(|rest| rest.strip_suffix(b"?="));
    let Some(inner) = inner else {
        return Ok(Decoded::Plain(value));
    };
    base64_simd::STANDARD
        .decode_to_vec(inner)
        .map(Decoded::Base64)
        .map_err(|_| HeaderMismatch)
}

/// Whether a text is a date, `YYYY-MM-DD`.
fn is_date(text: &[u8]) -> bool {
    let number = |digits: &[u8]| {
        let add = |sum: u32, digit: &u8| match digit {
            b'0'..=b'9' => Some(
                sum.saturating_mul(10)
                    .saturating_add(u32::from(digit.saturating_sub(b'0'))),
            ),
            _ => None,
        };
        digits.iter().try_fold(0, add)
    };
    match text {
        [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => {
            number(year).is_some()
                && number(&[*m1, *m2]).is_some_and(|month| (1..=12).contains(&month))
                && number(&[*d1, *d2]).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}"#;

    fn agree(headers: &[(&'static str, &'static str)], body: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let messages = Messages::read(body.as_bytes()).unwrap();
        StatedVersion::of(&map).check(&map, &messages).is_ok()
    }

    #[test]
    fn the_new_version_needs_both_headers_once_each_and_right() {
        let (version, method) = (
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
        );
        let name = ("mcp-name", "add");
        assert!(agree(&[version, method, name], CALL));
        assert!(agree(
            &[version, method, ("mcp-name", "=?base64?YWRk?=")],
            CALL
        ));
        for wrong in [
            &[version][..],
            &[version, method],
            &[version, name],
            &[version, method, name, name],
            &[version, method, method, name],
            &[version, version, method, name],
            &[version, ("mcp-method", "Tools/Call"), name],
            &[version, ("mcp-method", "tools/list"), name],
            &[version, method, ("mcp-name", "Add")],
            &[version, method, ("mcp-name", "")],
            &[version, method, ("mcp-name", "=?base64?YWR?=")],
            &[version, method, ("mcp-name", "=?base64?!?=")],
            &[version, method, ("mcp-name", "=?BASE64?YWRk?=")],
            &[("mcp-protocol-version", "9999-12-31"), method],
        ] {
            assert!(!agree(wrong, CALL), "{wrong:?}");
        }
    }

    #[test]
    fn older_versions_ignore_the_headers() {
        for version in ["2025-06-18", "2024-11-05", "2026-07-27"] {
            let version = ("mcp-protocol-version", version);
            assert!(agree(
                &[version, ("mcp-name", "other"), ("mcp-name", "x")],
                CALL
            ));
        }
        assert!(agree(&[("mcp-method", "ping")], CALL));
    }

    #[test]
    fn a_version_is_a_date_and_there_once() {
        for version in [
            "2026-7-28",
            "2026-07-28 ",
            "20260728",
            "v2026-07-28",
            "2026-07-28,2025-06-18",
            "2026-13-01",
            "2026-00-10",
            "2026-07-32",
            "draft",
            "",
        ] {
            assert!(
                !agree(&[("mcp-protocol-version", version)], CALL),
                "{version}"
            );
        }
        let old = ("mcp-protocol-version", "2025-06-18");
        assert!(agree(&[old], CALL));
        assert!(!agree(&[old, old], CALL));
    }

    #[test]
    fn the_header_is_what_the_body_states() {
        let stating = |version: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":{version}}}}}}}"#
            )
        };
        let old = ("mcp-protocol-version", "2025-06-18");
        assert!(agree(&[old], &stating(r#""2025-06-18""#)));
        for (headers, version) in [
            (&[old][..], r#""2026-07-28""#),
            (&[], r#""2025-06-18""#),
            (&[old], "20250618"),
            (&[old], "null"),
        ] {
            assert!(!agree(headers, &stating(version)), "{version}");
        }
    }

    #[test]
    fn a_name_that_the_body_lacks_is_not_repeated() {
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "resources/read");
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{}}"#;
        assert!(agree(&[version, method], body));
        assert!(!agree(&[version, method, ("mcp-name", "todo://x")], body));
        let other = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":1}}"#;
        assert!(!agree(&[version, method], other));
    }

    #[test]
    fn the_handshake_and_responses_need_no_method_header() {
        let version = ("mcp-protocol-version", "2026-07-28");
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
        assert!(agree(&[version], initialize));
        assert!(agree(&[version, ("mcp-method", "initialize")], initialize));
        assert!(!agree(&[version, ("mcp-method", "ping")], initialize));
        assert!(agree(&[version], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
    }
}
