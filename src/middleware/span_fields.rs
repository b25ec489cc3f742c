//! What is recorded on the span around a request, where the application asked for it.

use tracing::Span;

use crate::claims::Claims;

use super::context::LayerContext;

/// The caller's tenant.
const TENANT: &str = "entra.tenant";
/// The application that called.
const CLIENT: &str = "entra.client";
/// How an agent acts, if one does.
const AGENT: &str = "entra.agent";
/// The blueprint of that agent: for logs, since nothing is authorized by it.
const BLUEPRINT: &str = "entra.blueprint";
/// The account's pseudonym, where there is a key for one.
const ACCOUNT: &str = "entra.account";
/// What the token is bound to, where it is bound.
const BINDING: &str = "entra.binding";
/// Why the request was rejected.
const REASON: &str = "entra.reason";

impl LayerContext {
    /// Records who calls, where `records_caller`. The span has to have the fields; what it lacks is not recorded.
    #[cold]
    pub(super) fn record_caller(&self, claims: &Claims) {
        let span = Span::current();
        if let Some(tenant) = claims.tenant_id() {
            span.record(TENANT, tracing::field::display(tenant));
        }
        if let Some(client) = claims.client_id_text() {
            span.record(CLIENT, client);
        }
        if let Some(confirmation) = claims.confirmation() {
            span.record(BINDING, confirmation.binding());
        }
        if let Some(agent) = claims.agent() {
            span.record(AGENT, agent.kind().as_str());
            if let Some(blueprint) = agent.blueprint_id() {
                span.record(BLUEPRINT, blueprint);
            }
        }
        if let (Some(pseudonyms), Some(account)) = (&self.pseudonyms, claims.account_id()) {
            span.record(ACCOUNT, pseudonyms.of(&account).as_str());
        }
    }

    /// Records why the layer or a guard rejected a request.
    pub(super) fn record_reason(&self, reason: &'static str) {
        if self.records_caller {
            Span::current().record(REASON, reason);
        }
    }
}
