//! `GET /`: what is here. HTML for a browser, text for `curl`.

use std::fmt::Write;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum_entra::guard::{Guard, Requirements};
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::OpenApi;

/// What the page says.
pub(crate) struct FrontPage {
    name: &'static str,
    about: &'static str,
    routes: Vec<Row>,
    links: Vec<(&'static str, &'static str)>,
    lines: String,
}

/// A route and what it asks for.
struct Row {
    method: String,
    path: String,
    guard: String,
}

/// What a route without a guard asks for.
const NOTHING: &str = "nothing";

impl FrontPage {
    /// `lines` are for pasting into a shell.
    pub(crate) const fn new(name: &'static str, about: &'static str, lines: String) -> Self {
        Self {
            name,
            about,
            routes: Vec::new(),
            links: Vec::new(),
            lines,
        }
    }

    /// A route that needs no token.
    pub(crate) fn open(self, method: &str, path: &str) -> Self {
        self.row(method, path, NOTHING.to_owned())
    }

    /// A route that the layer protects, in the words of its guard.
    #[allow(dead_code, reason = "each program uses its part")]
    pub(crate) fn require_guard(self, method: &str, path: &str, guard: &dyn Guard) -> Self {
        self.row(method, path, guard.describe().to_string())
    }

    /// A route for which there are other words.
    pub(crate) fn row(mut self, method: &str, path: &str, guard: String) -> Self {
        self.routes.push(Row {
            method: method.to_owned(),
            path: path.to_owned(),
            guard,
        });
        self
    }

    /// The routes of a document, in the words that their guards have written into it.
    #[allow(dead_code, reason = "each program uses its part")]
    pub(crate) fn documented(mut self, document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.into_iter().flatten();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let guard = operation.get("x-entra-guard");
                let guard = guard.and_then(|guard| Requirements::deserialize(guard).ok());
                let guard = guard.map_or(NOTHING.to_owned(), |guard| guard.to_string());
                self = self.row(&method.to_uppercase(), path, guard);
            }
        }
        self
    }

    /// A page of this program that is worth a look.
    #[allow(dead_code, reason = "each program uses its part")]
    pub(crate) fn link(mut self, path: &'static str, what: &'static str) -> Self {
        self.links.push((path, what));
        self
    }

    /// The route.
    pub(crate) fn route(self) -> MethodRouter {
        let (text, html): (Arc<str>, Arc<str>) = (self.text().into(), self.html().into());
        get(move |headers: HeaderMap| async move { answer(&headers, &text, &html) })
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}\n{}\n\nRoutes, and what each asks for\n",
            self.name, self.about
        );
        // Writing to a string does not fail.
        for Row {
            method,
            path,
            guard,
        } in &self.routes
        {
            let _ = writeln!(text, "  {method:<4} {path:<42} {guard}");
        }
        if !self.links.is_empty() {
            text.push_str("\nTo look at\n");
        }
        for (path, what) in &self.links {
            let _ = writeln!(text, "  {path:<10} {what}");
        }
        let _ = write!(text, "\nTo paste\n{}", self.lines);
        text
    }

    fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{name}</title><style>{STYLE}</style></head><body>\
             <header><h1>{name}</h1><p>{about}</p></header><nav aria-label=\"Pages\"><ul>",
            name = escaped(self.name),
            about = escaped(self.about),
        );
        for (path, what) in &self.links {
            let (path, what) = (escaped(path), escaped(what));
            let _ = write!(
                html,
                "<li><a href=\"{path}\">{path}<small>{what}</small></a></li>"
            );
        }
        let lines = escaped(&self.lines);
        let _ = write!(
            html,
            "</ul></nav><main><h2>To paste into a shell</h2><pre tabindex=\"0\">{lines}</pre>\
             <h2>Routes, and what each asks for</h2><table><thead><tr><th>Method</th><th>Path</th>\
             <th>Asks for</th></tr></thead><tbody>"
        );
        for Row {
            method,
            path,
            guard,
        } in &self.routes
        {
            let (path, guard) = (escaped(path), escaped(guard));
            let dim = if guard == NOTHING {
                " class=\"dim\""
            } else {
                ""
            };
            let _ = write!(
                html,
                "<tr><td>{method}</td><td><code>{path}</code></td><td{dim}>{guard}</td></tr>"
            );
        }
        html.push_str("</tbody></table></main></body></html>");
        html
    }
}

/// The design that the samples' pages share.
const STYLE: &str = include_str!("../page_style/style.css");

fn answer(headers: &HeaderMap, text: &str, html: &str) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let is_browser = accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("text/html"));
    let mut response = match is_browser {
        true => Html(html.to_owned()).into_response(),
        false => text.to_owned().into_response(),
    };
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::VARY, "accept"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        let value = header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
