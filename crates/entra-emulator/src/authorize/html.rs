//! Pages without scripts, under a strict Content-Security-Policy.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};
use base64_simd::STANDARD;

/// A page; `form_source` is one more place its form may lead, also by a redirect.
pub(super) fn page(title: &str, body: &str, form_source: Option<&str>) -> Response {
    let style = STANDARD.encode_to_string(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        form_source.unwrap_or_default(),
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\">\
         <title>{title} – emulator of Entra ID</title><style>{STYLE}</style><main>{body}\
         <p class=note>This is an emulator for development. It asks for no password.</main></html>"
    );
    (headers, Html(page)).into_response()
}

/// Text as it may stand between tags and in quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Fields that a form sends on.
pub(super) fn hidden<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let field = |(name, value)| {
        let (name, value) = (escaped(name), escaped(value));
        format!("<input type=hidden name=\"{name}\" value=\"{value}\">")
    };
    fields.map(field).collect()
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f3f2f1;margin:0}\
main{max-width:26rem;margin:10vh auto;background:#fff;padding:2rem;box-shadow:0 2px 6px #0003}\
h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;padding:.4rem 0}\
button{font:inherit;padding:.4rem 1.4rem;margin:1rem 1rem 0 0}small,.note{color:#605e5c}";

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_escapes_from_a_quoted_attribute() {
        assert_eq!(
            super::hidden([("state", "\"><script>'&")].into_iter()),
            "<input type=hidden name=\"state\" value=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">"
        );
    }
}
