//! What a test can do to users, and where Graph and the sign-in page are.

use serde_json::{Value, json};

use super::{
    Emulator, front_page,
    outage::{Endpoint, Fault},
    seeds,
};

impl Emulator {
    /// The base address of Microsoft Graph, `{base}/graph/v1.0`: the setting `Graph:BaseUrl`.
    #[must_use]
    pub fn graph_url(&self) -> String {
        format!("{}/graph/v1.0", self.url())
    }

    /// The v2.0 authorization endpoint of a tenant.
    #[must_use]
    pub fn authorization_endpoint(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/authorize", self.url())
    }

    /// The front page: the tenants, users, apps and addresses, as text for people.
    #[must_use]
    pub fn describe(&self) -> String {
        front_page::text(self.authority())
    }

    /// The certificate to trust, as PEM; `None` without [`tls`](super::EmulatorBuilder::tls).
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.server.ca_pem.as_deref()
    }

    /// [`settings`](Self::settings) of an API that signs in itself and asks this emulator's Graph.
    #[must_use]
    pub fn settings_with_graph(&self) -> Value {
        let mut settings = self.settings();
        if let Some(section) = settings.get_mut("AzureAd").and_then(Value::as_object_mut) {
            section.insert("ClientSecret".to_owned(), json!(seeds::API_SECRET));
            let graph = json!({ "BaseUrl": self.graph_url() });
            section.insert("Graph".to_owned(), graph);
        }
        settings
    }

    /// Ends a user's refresh tokens and browser sessions, as `revokeSignInSessions` does.
    ///
    /// Access tokens live on, also for on-behalf-of if they are of the same second. An unknown
    /// name does nothing.
    pub fn revoke_sessions(&self, user: &str) {
        if let Some(user) = self.user(user) {
            self.authority().sign_ins().revoke(user.object_id());
        }
    }

    /// `signInSessionsValidFromDateTime` of a user, in seconds since 1970; `None` if no user has
    /// that name.
    #[must_use]
    pub fn sessions_valid_from(&self, user: &str) -> Option<u64> {
        let user = self.user(user)?;
        Some(self.authority().sign_ins().valid_from(user.object_id()))
    }

    /// Answers on-behalf-of and refreshes of this user with 400 `interaction_required` and these
    /// `claims` (JSON text), until the user signs in at the page with a `claims` parameter.
    pub fn require_interaction(&self, user: &str, claims: impl Into<String>) {
        if let Some(user) = self.user(user) {
            let mut sign_ins = self.authority().sign_ins();
            sign_ins.require_interaction(user.object_id(), Some(claims.into()));
        }
    }

    /// Answers every request for a token with an error in Entra's form, as an expired secret
    /// (`invalid_client`, 7000222) or a missing consent (`invalid_grant`, 65001) gets it, until
    /// [`clear_faults`](Self::clear_faults).
    ///
    /// `more` are further members, such as `suberror` and `claims`.
    pub fn refuse_tokens(&self, status: u16, error: &str, number: u32, more: &Value) {
        let mut body = json!({
            "error": error,
            "error_description": format!("AADSTS{number}: The emulator was told to say so."),
            "error_codes": [number],
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.inject_fault_at(Endpoint::Token, Fault::Answer(status, body));
    }

    /// Takes [`require_interaction`](Self::require_interaction) back.
    pub fn require_no_interaction(&self, user: &str) {
        if let Some(user) = self.user(user) {
            let mut sign_ins = self.authority().sign_ins();
            sign_ins.require_interaction(user.object_id(), None);
        }
    }

    /// Changes the groups that Graph knows of a user or app; tokens go on showing the old ones.
    ///
    /// `who` is a user's name, object id or user principal name, or an app's name or client id.
    pub fn set_memberships(&self, who: &str, groups: impl IntoIterator<Item = impl Into<String>>) {
        let user = self.user(who).map(super::User::object_id);
        let object = user.or_else(|| self.app(who).map(super::App::object_id));
        if let Some(object) = object {
            let groups = groups.into_iter().map(Into::into).collect();
            self.authority().sign_ins().set_memberships(object, groups);
        }
    }
}
