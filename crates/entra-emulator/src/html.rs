//! Pages without scripts, under a strict Content-Security-Policy.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};
use base64_simd::STANDARD;

/// A page; `form_source` is one more place its form may lead, also by a redirect.
pub(super) fn page(title: &str, body: &str, form_source: Option<&str>) -> Response {
    let body = format!(
        "<main class=card>{body}<p class=note>This is an emulator for development. It asks for no password.</main>"
    );
    document(title, &body, form_source)
}

/// A page as wide as its tables need; it has its own `main`.
pub(super) fn wide_page(title: &str, body: &str) -> Response {
    document(title, body, None)
}

fn document(title: &str, body: &str, form_source: Option<&str>) -> Response {
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
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <title>{title} – emulator of Entra ID</title><style>{STYLE}</style>{body}</html>"
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

const STYLE: &str = include_str!("html.css");

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
