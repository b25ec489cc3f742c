//! What is known of an operation's protection, kept in the operation itself.

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

use super::problem::answer;
use super::security_schemes::Endpoint;
use axum_entra::ScopeHierarchy;
use axum_entra::guard::{Alternative, Requirements};

/// The extension that holds the demands, for readers of the document and for the next layer.
const EXTENSION: &str = "x-entra-guard";

/// The scheme of a pasted token.
pub(super) const BEARER: &str = "bearer";

/// Everything an operation's layers ask for, so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OperationRequirements {
    #[serde(flatten)]
    description: Requirements,
    /// Requests without a token pass too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    anonymous: bool,
}

impl OperationRequirements {
    /// The demands that were written into an operation.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let value = operation.extensions.as_ref()?.get(EXTENSION)?;
        serde_json::from_value(value.clone()).ok()
    }

    /// The ways to the operation's handler.
    pub(super) fn alternatives(&self) -> &[Alternative] {
        self.description.alternatives()
    }

    /// Writes them into the operation, with the requirements and answers that follow from them.
    pub(super) fn write(
        &self,
        operation: &mut Operation,
        endpoints: &[Endpoint],
        hierarchy: &ScopeHierarchy,
    ) {
        let Ok(value) = serde_json::to_value(self) else {
            return;
        };
        operation
            .extensions
            .get_or_insert_with(Extensions::default)
            .insert(EXTENSION.to_owned(), value);
        operation.security = Some(self.requirements(endpoints));
        let refused = if self.description == Requirements::none() {
            format!(
                "The token carries no permission at all. {}",
                self.refusals()
            )
        } else {
            let (needed, refusals) = (&self.description, self.refusals());
            let implied = self.implications(hierarchy);
            format!(
                "The token is valid but lacks a permission. Needed: {needed}.{implied} {refusals}"
            )
        };
        for (status, answer) in [
            (
                "400",
                answer("The Authorization header is malformed.", true),
            ),
            (
                "401",
                answer(
                    "No access token, or one that is refused; `reason` says why.",
                    true,
                ),
            ),
            ("403", answer(refused, true)),
            (
                "503",
                answer(
                    "The token cannot be checked at the moment; see Retry-After.",
                    false,
                ),
            ),
        ] {
            operation
                .responses
                .responses
                .insert(status.to_owned(), RefOr::T(answer));
        }
    }

    /// The same with the least scopes only.
    pub(super) fn least(&self, hierarchy: &ScopeHierarchy) -> Self {
        Self {
            description: self.description.least(hierarchy),
            anonymous: self.anonymous,
        }
    }

    /// Which wider scopes imply those that are needed, a sentence each.
    fn implications(&self, hierarchy: &ScopeHierarchy) -> String {
        let mut told = Vec::new();
        for scope in self.alternatives().iter().flat_map(Alternative::scopes) {
            let wider: Vec<String> = hierarchy
                .implying(scope)
                .map(|wider| format!("`{wider}`"))
                .collect();
            if !wider.is_empty() {
                let sentence = format!(" Scope `{scope}` is implied by {}.", wider.join(", "));
                if !told.contains(&sentence) {
                    told.push(sentence);
                }
            }
        }
        told.concat()
    }

    /// The codes that `reason` may have.
    fn refusals(&self) -> String {
        let mut reasons = vec!["no_permissions"];
        for way in self.alternatives() {
            let scope = (!way.scopes().is_empty()).then_some("scope");
            let role = (!way.roles().is_empty()).then_some("role");
            let rest = way
                .requirements()
                .iter()
                .map(|condition| condition.reason());
            for reason in scope.into_iter().chain(role).chain(rest) {
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        format!("`reason` is one of: {}.", reasons.join(", "))
    }

    fn requirements(&self, endpoints: &[Endpoint]) -> Vec<SecurityRequirement> {
        let mut all: Vec<SecurityRequirement> = Vec::new();
        let mut add = |requirement: SecurityRequirement| {
            if !all.contains(&requirement) {
                all.push(requirement);
            }
        };
        if self.anonymous {
            add(SecurityRequirement::default());
        }
        for way in self.alternatives() {
            for endpoint in endpoints {
                if way.accepts_users() {
                    let scopes = way.scopes().iter().map(|scope| endpoint.full_name(scope));
                    add(SecurityRequirement::new(&endpoint.scheme, scopes));
                }
                if way.accepts_apps() && endpoint.signs_apps_in {
                    let scopes = [endpoint.full_name(DEFAULT_SCOPE)];
                    add(SecurityRequirement::new(endpoint.app_scheme(), scopes));
                }
            }
            // OpenAPI 3.1 lets schemes that are not OAuth name roles here.
            let names = way.scopes().iter().chain(way.roles());
            add(SecurityRequirement::new(BEARER, names));
        }
        all
    }
}

/// A guard's word on an operation: it joins what was there.
pub(super) fn add_requirement(operation: &mut Operation, description: Requirements) {
    let demands = match OperationRequirements::of(operation) {
        Some(before) => OperationRequirements {
            description: description.and(before.description),
            anonymous: before.anonymous,
        },
        None => OperationRequirements {
            description,
            anonymous: false,
        },
    };
    demands.write(operation, &[], &ScopeHierarchy::new());
}

/// The layer's word on an operation; a guard inside it lets no anonymous request pass.
pub(super) fn authenticate(operation: &mut Operation, description: Requirements, optional: bool) {
    let anonymous = optional && OperationRequirements::of(operation).is_none();
    add_requirement(operation, description);
    if let (true, Some(demands)) = (anonymous, OperationRequirements::of(operation)) {
        let demands = OperationRequirements {
            anonymous,
            ..demands
        };
        demands.write(operation, &[], &ScopeHierarchy::new());
    }
}

/// "Everything that was granted": the one scope an application can ask for.
pub(super) const DEFAULT_SCOPE: &str = ".default";
