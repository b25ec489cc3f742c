//! Tokens that go a documented way to its end, or stop one step before.

use axum_entra::Clock;
use entra_emulator::{Emulator, TokenBuilder};
use serde_json::Value;

/// One way of `x-entra-guard`, as a reader of the document sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alternative {
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) conditions: Vec<String>,
}

impl Alternative {
    pub(crate) fn all_of(operation: &Value) -> Vec<Self> {
        let ways = operation["x-entra-guard"]["any_of"].as_array().unwrap();
        ways.iter().map(Self::read).collect()
    }

    fn read(way: &Value) -> Self {
        let texts = |name: &str| -> Vec<String> {
            let list = way[name].as_array().cloned().unwrap_or_default();
            let text = |one: &Value| one.as_str().or(one["reason"].as_str()).unwrap().to_owned();
            list.iter().map(text).collect()
        };
        Self {
            scopes: texts("scopes"),
            roles: texts("roles"),
            conditions: texts("conditions"),
        }
    }

    pub(crate) fn accepts_apps(&self) -> bool {
        self.scopes.is_empty() && !self.conditions.iter().any(|one| one == "user_only")
    }

    pub(crate) fn accepts_users(&self) -> bool {
        !self.conditions.iter().any(|one| one == "app_only")
    }

    /// Tokens with exactly what the way asks for: a user's, an application's, or both.
    pub(crate) fn tokens(&self, emulator: &Emulator) -> Vec<String> {
        let user = self
            .accepts_users()
            .then(|| self.token(emulator, false).mint());
        let app = self
            .accepts_apps()
            .then(|| self.token(emulator, true).mint());
        user.into_iter().chain(app).collect()
    }

    /// The way less one step, each step once: what is missing, and the token.
    pub(crate) fn damaged(&self, emulator: &Emulator) -> Vec<(String, String)> {
        let app = !self.accepts_users();
        let mut damaged = Vec::new();
        for scope in &self.scopes {
            let mut less = self.clone();
            less.scopes.retain(|one| one != scope);
            damaged.push((scope.clone(), less.token(emulator, app).mint()));
        }
        for role in &self.roles {
            let mut less = self.clone();
            less.roles.retain(|one| one != role);
            damaged.push((role.clone(), less.token(emulator, app).mint()));
        }
        for condition in &self.conditions {
            let token = match condition.as_str() {
                "app_only" => self.token(emulator, false),
                "user_only" => self.token(emulator, true),
                "no_identity" => self
                    .token(emulator, app)
                    .without("oid")
                    .claim("sub", "Not supported currently. Use oid claim."),
                other => panic!("a condition no token here can miss: {other}"),
            };
            damaged.push((condition.clone(), token.mint()));
        }
        damaged
    }

    fn token(&self, emulator: &Emulator, app: bool) -> TokenBuilder {
        // A minute ahead, so that no way is cut off by the one that was gone before it.
        let now = Clock::system().now().as_secs();
        let token = emulator.token().issued_at(now + 60).not_before(now - 60);
        // Some permission has to be there, or the layer refuses before a guard is asked.
        if app {
            let other = [String::from("Another.Role")];
            let roles = if self.roles.is_empty() {
                &other[..]
            } else {
                &self.roles
            };
            token.app("daemon").roles(roles.to_vec())
        } else {
            let scopes = self.scopes.join(" ");
            let scopes = if scopes.is_empty() {
                "Another.Scope"
            } else {
                &scopes
            };
            token.user("alice").scope(scopes).roles(self.roles.clone())
        }
    }
}
