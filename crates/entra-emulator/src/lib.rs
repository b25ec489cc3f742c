//! An in-process Microsoft Entra ID on loopback, for development and for your own tests.
//!
//! It publishes discovery and key documents, gives out tokens to its users and apps, and mints any
//! token a test can think of. It can rotate its keys and be out of order in many ways.
//!
//! Every emulator has the same tenants, users and apps: see the constants of this crate, and the
//! front page at [`Emulator::url`]. All passwords are public, so it listens on loopback only, and
//! every token it makes carries the claim [`EMULATOR_CLAIM`] (`"xms_emulator": true`). The keys are
//! made by the process that uses them, and the emulators of one process share them.
//!
//! It signs users in on a page without passwords (`/{tenant}/oauth2/v2.0/authorize`, code flow with
//! PKCE, which a public client must use), gives refresh tokens, ID tokens and on-behalf-of tokens, and has a Microsoft Graph of its
//! own ([`Emulator::graph_url`]) for memberships and sign-in sessions.
//!
//! What it does not do: no implicit flow, no device code, no v1.0 sign-in page, no front-channel
//! sign-out of other applications. Consent is taken as given, and a `client_assertion` is not checked.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), entra_emulator::EmulatorError> {
//! use entra_emulator::Emulator;
//!
//! let emulator = Emulator::start().await?;
//! let good = emulator.token().user("alice").scope("Todo.Read").mint();
//! let late = emulator.token().user("alice").scope("Todo.Read").expired().mint();
//! # assert_ne!(good, late);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod aadsts;
mod app;
mod authority;
mod authorize;
mod builder;
mod claims;
mod claims_request;
mod conditions;
mod connection;
mod controls;
mod directory;
mod documents;
mod error;
mod faults;
mod front_page;
mod graph;
mod handshake;
mod html;
mod id_token;
mod issued;
mod key_pool;
mod key_ring;
mod msal;
mod outage;
mod pkce;
mod received;
mod redirect_uri;
mod scopes;
mod seeds;
mod server;
mod sign_ins;
mod signing_key;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod token_encryption;
mod token_endpoint;
mod token_request;

use std::{net::SocketAddr, sync::Arc};

use serde_json::{Value, json};

pub use self::{
    app::App,
    builder::EmulatorBuilder,
    claims::EMULATOR_CLAIM,
    directory::{Tenant, User},
    error::EmulatorError,
    outage::{Endpoint, Fault, GraphCall, RequestCounts},
    seeds::{
        AGENT_ID, ALICE, API_ID, API_SECRET, B2C_POLICY, BLUEPRINT_ID, BLUEPRINT_SECRET, BOB,
        CAROL, CERTIFICATE_DAEMON_ID, CLI_ID, CONSUMERS, CONTOSO, DAEMON_ID, DAEMON_SECRET, DAVE,
        FABRIKAM, GROUP_ID, MICROSOFT_GRAPH, NORTHWIND, USER_PASSWORD, WEB_ID, WEB_SECRET,
        sample_api,
    },
    token::TokenBuilder,
    token_encryption::TokenEncryption,
};
use self::{
    authority::Authority,
    documents::{Request, Version},
    key_ring::Realm,
};

/// A running emulator; clones are handles to the same one, and the last one dropped stops it.
#[derive(Debug, Clone)]
pub struct Emulator {
    server: Arc<Server>,
}

#[derive(Debug)]
struct Server {
    authority: Arc<Authority>,
    address: SocketAddr,
    ca_pem: Option<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.authority.stop();
    }
}

impl Emulator {
    /// Starts an emulator on a free port of `127.0.0.1`.
    ///
    /// # Errors
    ///
    /// As [`EmulatorBuilder::start`].
    pub async fn start() -> Result<Self, EmulatorError> {
        Self::builder().start().await
    }

    /// Starts with the defaults, and lets them be changed.
    #[must_use]
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    fn running(authority: Arc<Authority>, address: SocketAddr, ca_pem: Option<String>) -> Self {
        Self {
            server: Arc::new(Server {
                authority,
                address,
                ca_pem,
            }),
        }
    }

    /// The base address, `http://127.0.0.1:port` (`https` with TLS) with no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.authority().base
    }

    /// The socket's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The v2.0 issuer of a tenant.
    #[must_use]
    pub fn issuer(&self, tenant: &str) -> String {
        self.authority().issuer_v2(tenant)
    }

    /// The v1.0 issuer of a tenant, with its slash at the end.
    #[must_use]
    pub fn issuer_v1(&self, tenant: &str) -> String {
        self.authority().issuer_v1(tenant)
    }

    /// The issuer of a B2C policy, with its slash at the end.
    #[must_use]
    pub fn issuer_b2c(&self, tenant: &str, policy: &str) -> String {
        self.authority().issuer_b2c(tenant, policy)
    }

    /// The v2.0 token endpoint of a tenant.
    #[must_use]
    pub fn token_endpoint(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.url())
    }

    /// Settings of the sample API against this emulator: a document with the section `AzureAd`.
    #[must_use]
    pub fn settings(&self) -> Value {
        let base = format!("{}/", self.url());
        json!({
            "AzureAd": {
                "Instance": base,
                "StsInstance": base,
                "TenantId": CONTOSO,
                "ClientId": API_ID,
            }
        })
    }

    /// A `curl` line, ready to paste, that gets a token for a user of contoso.
    #[must_use]
    pub fn curl_for_user(&self, user: &str) -> String {
        front_page::curl_for_user(self.url(), user)
    }

    /// A user, by name, object id or user principal name.
    #[must_use]
    pub fn user(&self, who: &str) -> Option<&User> {
        self.authority().directory.user(who)
    }

    /// An app, by name or client id.
    #[must_use]
    pub fn app(&self, which: &str) -> Option<&App> {
        self.authority().directory.app(which)
    }

    /// Starts a token that the sample API accepts; every method changes one thing.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(self.authority()))
    }

    /// Signs with a new key from here on; the old one stays published. Returns the new key's id.
    ///
    /// It concerns the ordinary tenants, and each policy, External ID tenant and app with custom
    /// keys that has been used. A key published ahead by
    /// [`publish_next_key`](Self::publish_next_key) is the new key.
    ///
    /// # Panics
    ///
    /// If the crypto library cannot make a key, which it could when the emulator started.
    #[expect(
        clippy::expect_used,
        reason = "no input makes it fail, and tests should stay short"
    )]
    pub fn rotate_keys(&self) -> String {
        let mut keys = self.authority().keys();
        let signing = keys.rotate().and_then(|()| keys.signing(&Realm::Workforce));
        signing
            .expect("the crypto library made a key when the emulator started")
            .kid()
            .to_owned()
    }

    /// Publishes the key the next rotation will sign with, and returns its id.
    ///
    /// # Panics
    ///
    /// If the crypto library cannot make a key, which it could when the emulator started.
    #[expect(
        clippy::expect_used,
        reason = "no input makes it fail, and tests should stay short"
    )]
    pub fn publish_next_key(&self) -> String {
        let mut keys = self.authority().keys();
        let next = keys.publish_next().map(|()| keys.next(&Realm::Workforce));
        let next = next.expect("the crypto library made a key when the emulator started");
        next.map(|key| key.kid().to_owned()).unwrap_or_default()
    }

    /// Takes all keys that do not sign any more out of the documents.
    pub fn retire_old_keys(&self) {
        self.authority().keys().retire();
    }

    /// The id of the key that signs the tokens of ordinary tenants.
    #[must_use]
    pub fn signing_key_id(&self) -> String {
        let key = self.authority().signing_key(&Realm::Workforce);
        // The ring of the ordinary tenants was filled at the start.
        key.map(|key| key.kid().to_owned()).unwrap_or_default()
    }

    /// Answers every request for keys with this document; `None` goes back to the real ones.
    pub fn set_key_document(&self, document: Option<Value>) {
        *self.authority().replaced_keys() = document;
    }

    /// The v2.0 key document of contoso: the one set, else the real one.
    #[must_use]
    pub fn keys_document(&self) -> Value {
        if let Some(document) = self.authority().replaced_keys().as_ref() {
            return document.clone();
        }
        let request = Request::new(self.authority(), Version::V2, CONTOSO, None);
        let document = request.and_then(|request| request.keys(self.authority()).ok());
        document.unwrap_or_else(|| json!({ "keys": [] }))
    }

    fn authority(&self) -> &Arc<Authority> {
        &self.server.authority
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
