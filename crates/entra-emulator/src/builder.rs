//! Choices to make before an emulator starts.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{
    Emulator,
    app::App,
    authority::{Authority, Options},
    connection::LoopbackListener,
    directory::{Directory, Tenant, User},
    error::EmulatorError,
    key_ring::Realm,
    seeds, server,
    tls::Tls,
};

/// Sets up an [`Emulator`]; every choice has a default.
#[derive(Debug, Clone)]
pub struct EmulatorBuilder {
    address: SocketAddr,
    options: Options,
    directory: Directory,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            options: Options {
                token_lifetime: Duration::from_secs(3600),
                issued_at_backdate: Duration::from_secs(300),
                keys_max_age: Duration::from_secs(86_400),
                key_issuer: true,
                tfp_issuer: false,
                cloud_instance_name: "microsoftonline.com".to_owned(),
                tls: false,
            },
            directory: seeds::directory(),
        }
    }

    /// Listens on this address, which must be a loopback address. Default: `127.0.0.1:0`.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Listens on this port; 0, the default, picks a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Speaks HTTPS, with a certificate of a CA made at the start ([`Emulator::ca_pem`]).
    ///
    /// MSAL takes no authority over plain HTTP.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.options.tls = true;
        self
    }

    /// Sets how long tokens live. Default: one hour.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.options.token_lifetime = lifetime;
        self
    }

    /// Sets how much earlier than its issue time a token says it was issued (`iat`, `nbf`).
    ///
    /// Default: 300 s, as Entra ID and External ID do; B2C does not, whatever is set here.
    #[must_use]
    pub fn issued_at_backdate(mut self, backdate: Duration) -> Self {
        self.options.issued_at_backdate = backdate;
        self
    }

    /// Sets the `Cache-Control: max-age` of the documents. Default: 24 hours, as Entra.
    #[must_use]
    pub fn keys_max_age(mut self, max_age: Duration) -> Self {
        self.options.keys_max_age = max_age;
        self
    }

    /// Whether the keys of v2.0 documents name their issuer, as Entra's do. Default: yes.
    #[must_use]
    pub fn key_issuer(mut self, named: bool) -> Self {
        self.options.key_issuer = named;
        self
    }

    /// Makes B2C issuers `{base}/tfp/{tid}/{policy}/v2.0/`. Default: `{base}/{tid}/v2.0/`.
    #[must_use]
    pub fn tfp_issuer(mut self, with_policy: bool) -> Self {
        self.options.tfp_issuer = with_policy;
        self
    }

    /// Sets `cloud_instance_name` in documents and keys. Default: `microsoftonline.com`.
    #[must_use]
    pub fn cloud_instance_name(mut self, name: impl Into<String>) -> Self {
        self.options.cloud_instance_name = name.into();
        self
    }

    /// Adds a tenant; one with the id or domain of a seed replaces it.
    #[must_use]
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        self.directory.tenants.push(tenant);
        self
    }

    /// Adds a user; one with the name of a seed replaces it.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.directory.users.push(user);
        self
    }

    /// Adds an app; one with the name or client id of a seed replaces it.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.directory.apps.push(app);
        self
    }

    /// Adds a B2C policy to every tenant.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.directory.policies.push(policy.into());
        self
    }

    /// Opens the socket and starts to answer. Needs a running tokio runtime.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::NotLoopback`] for an address other machines could reach,
    /// [`EmulatorError::Listen`] where the socket cannot be opened, and
    /// [`EmulatorError::KeyPair`], [`EmulatorError::Certificate`] or [`EmulatorError::Tls`] where no
    /// key can be made.
    pub async fn start(self) -> Result<Emulator, EmulatorError> {
        let Self {
            address,
            options,
            directory,
        } = self;
        if !address.ip().is_loopback() {
            return Err(EmulatorError::NotLoopback(address));
        }
        let tls = options.tls.then(Tls::generate).transpose()?;
        let (acceptor, ca_pem) = tls.map(|tls| (tls.acceptor, tls.ca_pem)).unzip();
        let scheme = if options.tls { "https" } else { "http" };
        let failed = |source| EmulatorError::Listen { address, source };
        let doorkeeper = LoopbackListener::bind(address, acceptor)
            .await
            .map_err(failed)?;
        let address = doorkeeper.address().map_err(failed)?;
        let authority = Arc::new(Authority::new(
            format!("{scheme}://{address}"),
            options,
            directory,
        ));

        // Making keys would hold up the runtime's thread.
        let first = Arc::clone(&authority);
        tokio::task::spawn_blocking(move || first.signing_key(&Realm::Workforce).map(drop))
            .await
            .map_err(|_| EmulatorError::KeyPair)??;

        server::spawn(doorkeeper, Arc::clone(&authority));
        Ok(Emulator::running(authority, address, ca_pem))
    }
}
