//! What claims are made of: spans of one text.

use std::sync::Arc;

use uuid::Uuid;

use super::claim_name::{Name, Value, Values};
use super::groups::SpanRange;
use super::span::Span;
use super::{IssuerKind, Principal, Time, Times};
use crate::scope_hierarchy::ScopeHierarchy;
use crate::token_version::TokenVersion;

/// The claims themselves, behind the one `Arc` of [`Claims`](super::Claims).
#[derive(Clone)]
pub(super) struct Inner {
    pub(super) text: Box<str>,
    pub(super) values: Values,
    /// The members that have no accessor: a name, its value, a name, its value …
    pub(super) others: SpanRange,
    pub(super) scopes: Option<SpanRange>,
    pub(super) roles: Option<SpanRange>,
    pub(super) groups: Option<SpanRange>,
    pub(super) groups_overage: bool,
    pub(super) directory_roles: Option<SpanRange>,
    pub(super) methods: Option<SpanRange>,
    pub(super) acrs: Option<SpanRange>,
    pub(super) client_capabilities: Option<SpanRange>,
    pub(super) audiences: SpanRange,
    pub(super) version: TokenVersion,
    pub(super) principal: Principal,
    pub(super) kind: IssuerKind,
    pub(super) is_guest: bool,
    pub(super) tenant: Option<Uuid>,
    pub(super) times: Times,
    pub(super) auth_time: Option<Time>,
    /// The header's `nonce`, by which a token can be distinguished from every other.
    pub(super) nonce: Option<Box<str>>,
    pub(super) context: Option<ContextHandle>,
    /// Which scopes imply others, if the application declared any.
    pub(super) scope_hierarchy: Option<Arc<ScopeHierarchy>>,
}

impl Inner {
    /// The text of a claim that is a string.
    pub(super) fn plain(&self, name: Name) -> Option<&str> {
        match self.values.of(name) {
            Value::Text(span) => Some(span.of(&self.text)),
            Value::Absent | Value::Json(_) => None,
        }
    }

    /// A claim of any type, as it is written; a string without its quotes.
    pub(super) fn json(&self, name: Name) -> Option<&str> {
        match self.values.of(name) {
            Value::Text(span) | Value::Json(span) => Some(span.of(&self.text)),
            Value::Absent => None,
        }
    }

    /// Whether a list has this element.
    #[inline]
    pub(super) fn lists(&self, listing: Option<SpanRange>, text: &str) -> bool {
        let Some(listing) = listing else {
            return false;
        };
        let mut elements = self.values.list(listing).iter();
        elements.any(|element| element.is(&self.text, text))
    }

    /// Names and values of the members that have no accessor.
    pub(super) fn others(&self) -> impl Iterator<Item = [Span; 2]> {
        self.values.list(self.others).as_chunks().0.iter().copied()
    }
}

/// Names the type of what the layer that admitted a token finds again in its claims: how refusals
/// are answered, and the connections to ask. The middleware does, so that nothing here imports it.
pub(crate) trait Attached {
    type Context;
}

/// What [`Attached`] is implemented for.
pub(crate) struct ToClaims;

pub(crate) type ContextHandle = Arc<<ToClaims as Attached>::Context>;
