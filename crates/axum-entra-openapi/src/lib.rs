//! The guards of `axum-entra` in OpenAPI documents, with [utoipa] and [utoipa_axum].
//!
//! A guard describes itself ([`Guard::describe`](axum_entra::guard::Guard::describe)). [`OpenApiRouterExt`] puts
//! it around a route *and* writes what it demands into the route's operation, from the same value,
//! so that the document and the checks cannot drift apart: `security`, the answers 401 and 403 with
//! the schema of their problem bodies, and the extension `x-entra-guard` with roles and the rest
//! that OpenAPI has no words for. [`SecuritySchemes`] adds what only the whole document knows: where tokens
//! come from, and the full names of scopes.
//!
//! ```
//! use axum_entra::guard::{Guard, RequireRole, RequireScope};
//! use axum_entra_openapi::{OpenApiRouterExt, SecuritySchemes};
//! use axum_entra::guards;
//! use utoipa::Modify;
//! use utoipa_axum::{router::OpenApiRouter, routes};
//!
//! guards! { CanReadTodos = RequireScope("Todo.Read").or(RequireRole("Todo.Read.All")); }
//!
//! #[utoipa::path(get, path = "/todos", responses((status = 200, body = Vec<String>)))]
//! async fn list() -> axum::Json<Vec<String>> {
//!     axum::Json(Vec::new())
//! }
//!
//! let (router, mut document) = OpenApiRouter::<()>::new()
//!     .routes(routes!(list).require_guard(CanReadTodos))
//!     // … .require_auth(entra.layer())
//!     .split_for_parts();
//! # drop(router);
//! // With an `Entra`: `SecuritySchemes::of(&entra)`.
//! let tenant = "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111";
//! SecuritySchemes::new(tenant, "api://6e74172b-be56-4843-9ff4-e66a39bb12e3")
//!     .scope("Todo.Read", "Read your to-do lists")
//!     .modify(&mut document);
//!
//! let document = serde_json::to_value(&document)?;
//! let list = &document["paths"]["/todos"]["get"];
//! assert_eq!(
//!     list["security"][0]["entra"][0],
//!     "api://6e74172b-be56-4843-9ff4-e66a39bb12e3/Todo.Read"
//! );
//! assert_eq!(list["x-entra-guard"]["any_of"][1]["roles"][0], "Todo.Read.All");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A guard that is only in a handler's signature (`Permit<G>`) is not seen: put it around the
//! route with [`OpenApiRouterExt::require_guard`] too. So is what an `OpenApiRouter` is given by `route` and
//! `layer` instead of `routes` and [`OpenApiRouterExt`].
//!
//! Sources: OpenAPI 3.1.0 "Security Requirement Object" and "OAuth Flow Object"; RFC 9457.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod bound_tokens;
mod ext;
mod operations;
mod problem;
mod requirements;
mod security_schemes;

pub use ext::OpenApiRouterExt;
pub use problem::PROBLEM_SCHEMA_NAME;
pub use security_schemes::SecuritySchemes;

/// The examples of the page on guards are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guards.md")]
mod guards {}
