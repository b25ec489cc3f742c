//! A trusted authority: its tenants, its issuers, and where its documents are.

mod address;
mod backdate;
mod clock;
mod cloud;
mod document;
mod endpoints;
mod event_transmitter;
mod graph_home;
pub(crate) mod issuer;
mod jwks_refresh;
mod resolved;
mod scope_name;
mod tenants;

use std::time::Duration;

use crate::bounds::Bounds;
use crate::token_version::TokenVersion;

pub use cloud::Cloud;
pub use event_transmitter::SecurityEventTransmitter;
pub use jwks_refresh::JwksRefresh;
pub use tenants::{AllowedTenants, ParseTenantError, Tenant, TenantFilter};

pub(crate) use address::web_address;
#[cfg(feature = "settings")]
pub(crate) use address::{is_address_with_policy, is_app_id_uri, is_domain, is_policy_name};
pub(crate) use backdate::Backdate;
pub(crate) use clock::AuthorityClock;
pub(crate) use document::{Document, Purpose};
pub(crate) use endpoints::{append_app_id, is_external_id_issuer};
pub(crate) use event_transmitter::ResolvedTransmitter;
pub(crate) use graph_home::GraphHome;
pub(crate) use resolved::ResolvedAuthority;
pub use scope_name::full_scope_name;

/// In seconds.
pub(crate) const CLOCK_SKEW: Bounds = Bounds::new(0..=600, 300);
/// In seconds; the default is that of Entra ID and External ID.
///
/// Both of Microsoft's printed samples and tokens of External ID have `exp` − `iat` = 3,900 s, an
/// hour and five minutes; B2C's have 3,600 s.
pub(crate) const ISSUED_AT_BACKDATE: Bounds = Bounds::new(0..=600, 300);

/// One authority whose tokens are accepted, and the audiences that they must name.
///
/// One [`EntraBuilder`](crate::EntraBuilder) takes several; a token is validated only against the
/// authority whose issuer it names, with the keys, audiences and tenants of that authority.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum_entra::{Authority, Entra, Tenant};
///
/// let authority = Authority::entra(
///     Tenant::new("11111111-1111-4111-8111-111111111111"),
///     "6e74172b-be56-4843-9ff4-e66a39bb12e3",
/// )
/// .audience("https://api.contoso.example");
/// let entra = Entra::builder_for(authority.clone()).build()?;
/// assert_eq!(entra.status()[0].jwks.len(), 2, "a document for each version of tokens");
///
/// // One issuer belongs to one authority.
/// assert!(Entra::builder_for(authority.clone()).authority(authority).build().is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Authority {
    pub(crate) kind: Kind,
    pub(crate) client_id: String,
    pub(crate) cloud: Option<Cloud>,
    pub(crate) instance: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) app_id_uris: Vec<String>,
    pub(crate) allowed_tenants: Option<AllowedTenants>,
    pub(crate) personal_accounts: bool,
    pub(crate) versions: Vec<TokenVersion>,
    pub(crate) issuer: Option<String>,
    pub(crate) sts_instance: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) metadata_v1: Option<String>,
    pub(crate) application_signing_keys: bool,
    pub(crate) without_permissions: bool,
    pub(crate) id_tokens: bool,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) clock_skew: Duration,
    pub(crate) issued_at_backdate: Option<Duration>,
    pub(crate) freshness: JwksRefresh,
    pub(crate) static_jwks: Option<String>,
}

/// What an authority issues tokens for.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Entra {
        tenant: Tenant,
    },
    B2c {
        tenant: Tenant,
        tenant_id: Option<Tenant>,
        policies: Vec<String>,
    },
}

impl Authority {
    fn new(kind: Kind, client_id: String) -> Self {
        Self {
            kind,
            client_id,
            cloud: None,
            instance: None,
            audiences: Vec::new(),
            app_id_uris: Vec::new(),
            allowed_tenants: None,
            personal_accounts: false,
            versions: vec![TokenVersion::V1, TokenVersion::V2],
            issuer: None,
            sts_instance: None,
            metadata: None,
            metadata_v1: None,
            application_signing_keys: false,
            without_permissions: false,
            id_tokens: false,
            required_scopes: Vec::new(),
            clock_skew: CLOCK_SKEW.seconds(),
            issued_at_backdate: None,
            freshness: JwksRefresh::default(),
            static_jwks: None,
        }
    }

    /// Entra ID: a tenant, or one of the words that stand for many, and this API's client id.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |tenant| Entra::builder_for(Authority::entra(tenant, client_id)).build();
    /// assert!(build(Tenant::new("contoso.onmicrosoft.com")).is_ok());
    /// assert!(build(Tenant::Consumers).is_ok());
    /// // Neither a GUID nor a domain.
    /// assert!(build(Tenant::new("contoso")).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn entra(tenant: Tenant, client_id: impl Into<String>) -> Self {
        Self::new(Kind::Entra { tenant }, client_id.into())
    }

    /// Azure AD B2C: its host (`https://contoso.b2clogin.com` or a custom domain), its tenant
    /// (`contoso.onmicrosoft.com` or a GUID), this API's client id, and the policies whose tokens
    /// are accepted, in any letter case.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    /// use entra_emulator::{API_ID, B2C_POLICY, CONTOSO, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// let authority = Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, [B2C_POLICY]);
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = |policy| emulator.token().user("alice").scope("Todo.Read").policy(policy).mint();
    /// let claims = entra.validate(&token(B2C_POLICY)).await?;
    /// assert!(claims.b2c_policy().is_some_and(|policy| policy.eq_ignore_ascii_case(B2C_POLICY)));
    /// // The tenant has this policy too, and the API does not accept it.
    /// assert_eq!(entra.validate(&token("B2C_1_edit")).await.unwrap_err().reason(), "policy");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn b2c(
        instance: impl Into<String>,
        tenant: Tenant,
        client_id: impl Into<String>,
        policies: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let policies = policies.into_iter().map(Into::into).collect();
        let mut authority = Self::new(
            Kind::B2c {
                tenant,
                tenant_id: None,
                policies,
            },
            client_id.into(),
        );
        authority.instance = Some(instance.into());
        authority
    }

    /// Entra External ID: the subdomain (`contoso` of `contoso.ciamlogin.com`), the tenant's id
    /// and this API's client id.
    ///
    /// Documents are read at the host by name, tokens carry the host by id; both are Microsoft's.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder_for(Authority::external_id("contoso", tenant, client_id)).build()?;
    /// let status = entra.status();
    /// assert_eq!(
    ///     status[0].jwks[0].metadata_url,
    ///     "https://contoso.ciamlogin.com/11111111-1111-4111-8111-111111111111/v2.0/.well-known/openid-configuration"
    /// );
    /// // External ID issues no tokens of version 1.0.
    /// assert_eq!(status[0].jwks.len(), 1);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn external_id(
        subdomain: impl AsRef<str>,
        tenant: Tenant,
        client_id: impl Into<String>,
    ) -> Self {
        Self::entra(tenant, client_id)
            .instance(format!("https://{}.ciamlogin.com/", subdomain.as_ref()))
    }

    /// Reads documents from this cloud, and expects its issuers. The public cloud by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Cloud, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let authority = Authority::entra(tenant, client_id).cloud(Cloud::China);
    /// let entra = Entra::builder_for(authority).build()?;
    /// for document in &entra.status()[0].jwks {
    ///     assert!(document.metadata_url.starts_with("https://login.partner.microsoftonline.cn/"));
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// Reads documents from another host: a cloud by address, an External ID or custom domain, or
    /// a loopback address (the only one for which `http` is allowed).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |address: &str| {
    ///     Entra::builder_for(Authority::entra(tenant.clone(), client_id).instance(address)).build()
    /// };
    /// assert!(build("https://login.contoso.example/").is_ok());
    /// assert!(build("http://127.0.0.1:8080/").is_ok());
    /// // Keys that come over http from another machine prove nothing.
    /// assert!(build("http://login.contoso.example/").is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn instance(mut self, address: impl Into<String>) -> Self {
        self.instance = Some(address.into());
        self
    }

    /// Accepts this `aud`, compared byte for byte. May be called more than once.
    ///
    /// Without any: the client id and `api://` with the client id.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let authority = authority.audience("https://api.contoso.example");
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let own = token.clone().audience("https://api.contoso.example").mint();
    /// assert!(entra.validate(&own).await.is_ok());
    /// // A given audience replaces the defaults, and a slash counts.
    /// for other in [entra_emulator::API_ID, "https://api.contoso.example/"] {
    ///     let refused = entra.validate(&token.clone().audience(other).mint()).await.unwrap_err();
    ///     assert_eq!(refused.reason(), "audience");
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// What full scope names begin with, in challenges, metadata and OpenAPI documents:
    /// `{App ID URI}/Todo.Read`. May be called more than once, for an API with several addresses
    /// ([`EntraBuilder::resource`](crate::EntraBuilder::resource)): the URI that equals the address of the
    /// route counts, else the first.
    ///
    /// Without any: the first audience that is a URI; else `https://{domain}/{client id}` for B2C
    /// with a domain, `api://{client id}` for all others. Does not check that the application has
    /// this identifier URI.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let uri = |authority: Authority| {
    ///     let entra = Entra::builder_for(authority).build().unwrap();
    ///     entra.sign_in_endpoints().next().unwrap().app_id_uri
    /// };
    /// let authority = Authority::entra(tenant, client_id);
    /// assert_eq!(uri(authority.clone()), "api://6e74172b-be56-4843-9ff4-e66a39bb12e3");
    /// assert_eq!(uri(authority.app_id_uri("https://todo.example")), "https://todo.example");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn app_id_uri(mut self, uri: impl Into<String>) -> Self {
        self.app_id_uris.push(uri.into());
        self
    }

    /// The tenants whose tokens are accepted; mandatory with `common` and `organizations`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{AllowedTenants, Authority, Entra, Tenant};
    /// use entra_emulator::{API_ID, CONTOSO, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// let authority = Authority::entra(Tenant::Organizations, API_ID)
    ///     .instance(emulator.url())
    ///     .allowed_tenants(AllowedTenants::only([CONTOSO.parse()?]));
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = |user| emulator.token().user(user).scope("Todo.Read").mint();
    /// assert!(entra.validate(&token("alice")).await.is_ok());
    /// // Of fabrikam, whose tokens the same keys sign.
    /// let refused = entra.validate(&token("erin")).await.unwrap_err();
    /// assert_eq!(refused.reason(), "tenant_not_allowed");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn allowed_tenants(mut self, tenants: AllowedTenants) -> Self {
        self.allowed_tenants = Some(tenants);
        self
    }

    /// Accepts personal Microsoft accounts as well. Off by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{AllowedTenants, Authority, Entra, Tenant};
    /// use entra_emulator::{API_ID, Emulator};
    ///
    /// let emulator = Emulator::start().await?;
    /// let authority = Authority::entra(Tenant::Common, API_ID)
    ///     .instance(emulator.url())
    ///     .allowed_tenants(AllowedTenants::Any);
    /// let token = emulator.token().user("pat").scope("Todo.Read").mint();
    ///
    /// let entra = Entra::builder_for(authority.clone().allow_personal_accounts()).build()?;
    /// assert!(entra.validate(&token).await?.is_personal_account());
    /// // Any tenant, and yet not theirs.
    /// let entra = Entra::builder_for(authority).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "tenant_not_allowed");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn allow_personal_accounts(mut self) -> Self {
        self.personal_accounts = true;
        self
    }

    /// Accepts these versions of tokens; both by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, TokenVersion};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let authority = authority.sts_instance(emulator.url()).token_versions([TokenVersion::V2]);
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// assert!(entra.validate(&token.clone().mint()).await.is_ok());
    /// assert_eq!(entra.validate(&token.v1().mint()).await.unwrap_err().reason(), "version");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn token_versions(mut self, versions: impl IntoIterator<Item = TokenVersion>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// The exact v2.0 issuer (or a template with `{tenantid}`), where it is not the one made
    /// from the instance and the tenant.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::builder().key_issuer(false).start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let authority = authority.issuer("https://id.contoso.example/v2.0");
    /// # let authority = authority.static_jwks(emulator.keys_document().to_string());
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let own = token.clone().issuer("https://id.contoso.example/v2.0").mint();
    /// entra.validate(&own).await?;
    /// // The issuer that instance and tenant would have made.
    /// assert_eq!(entra.validate(&token.mint()).await.unwrap_err().reason(), "issuer");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// What v1.0 issuers begin with, where it is not the cloud's `https://sts.windows.net/`.
    ///
    /// An instance of no known cloud has no v1.0 tokens without it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let token = emulator.token().user("alice").scope("Todo.Read").v1().mint();
    /// let entra = Entra::builder_for(authority.clone().sts_instance(emulator.url())).build()?;
    /// assert!(entra.validate(&token).await.is_ok());
    ///
    /// let entra = Entra::builder_for(authority).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "issuer");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn sts_instance(mut self, address: impl Into<String>) -> Self {
        self.sts_instance = Some(address.into());
        self
    }

    /// Where the discovery document is read, in place of the address made from instance and
    /// tenant; `{policy}` in it stands for the B2C policy.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |address: &str| {
    ///     let authority = Authority::entra(tenant.clone(), client_id).metadata_address(address);
    ///     Entra::builder_for(authority).build()
    /// };
    /// let address = "https://mirror.contoso.example/openid-configuration";
    /// let status = build(address)?.status();
    /// assert!(status[0].jwks.iter().any(|document| document.metadata_url == address));
    /// assert!(build("mirror.contoso.example").is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn metadata_address(mut self, address: impl Into<String>) -> Self {
        self.metadata = Some(address.into());
        self
    }

    /// The same for the v1.0 discovery document.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let authority = Authority::entra(tenant, client_id)
    ///     .metadata_address_v1("https://mirror.contoso.example/v1/openid-configuration");
    /// let status = Entra::builder_for(authority).build()?.status();
    /// // Only the document of version 1.0 is read there.
    /// for document in &status[0].jwks {
    ///     let is_mirrored = document.metadata_url.starts_with("https://mirror.contoso.example/");
    ///     assert_eq!(is_mirrored, document.name == "1.0");
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn metadata_address_v1(mut self, address: impl Into<String>) -> Self {
        self.metadata_v1 = Some(address.into());
        self
    }

    /// Accepts only tokens signed by the application's own keys (`?appid=`), as an application
    /// with claims mapping gets them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let authority = Authority::entra(tenant, client_id).application_signing_keys();
    /// let status = Entra::builder_for(authority).build()?.status();
    /// for document in &status[0].jwks {
    ///     assert!(document.metadata_url.ends_with("?appid=6e74172b-be56-4843-9ff4-e66a39bb12e3"));
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn application_signing_keys(mut self) -> Self {
        self.application_signing_keys = true;
        self
    }

    /// The id of a B2C tenant that is named by its domain, so that discovery need not resolve it.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// let build = |id: Tenant| {
    ///     let domain = Tenant::new("contoso.onmicrosoft.com");
    ///     let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    ///     let host = "https://contoso.b2clogin.com";
    ///     Entra::builder_for(Authority::b2c(host, domain, client_id, ["B2C_1_susi"]).tenant_id(id)).build()
    /// };
    /// assert!(build(Tenant::new("11111111-1111-4111-8111-111111111111")).is_ok());
    /// assert!(build(Tenant::Common).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn tenant_id(mut self, id: Tenant) -> Self {
        if let Kind::B2c { tenant_id, .. } = &mut self.kind {
            *tenant_id = Some(id);
        }
        self
    }

    /// Accepts tokens that carry neither `scp` nor `roles`.
    ///
    /// Dangerous where a user assignment is not required: every client of the tenant can get such
    /// a token for this API. Microsoft.Identity.Web calls it `AllowWebApiToBeAuthorizedByACL`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// // An application of the tenant that was given no role.
    /// let token = emulator.token().app("daemon").roles([""; 0]).without("roles").mint();
    /// let entra = Entra::builder_for(authority.clone()).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "no_permissions");
    ///
    /// let open = authority.danger_allow_tokens_without_permissions();
    /// let entra = Entra::builder_for(open).build()?;
    /// assert_eq!(entra.validate(&token).await?.roles().count(), 0);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn danger_allow_tokens_without_permissions(mut self) -> Self {
        self.without_permissions = true;
        self
    }

    /// Accepts ID tokens as if they were access tokens.
    ///
    /// Dangerous: an ID token is made for the client, travels through browsers and logs that
    /// access tokens never see, and carries the user's roles and groups. No setting does this.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let token = emulator.token().user("alice").roles(["Todo.Admin"]).id_token();
    /// let token = token.audience(entra_emulator::API_ID).mint();
    /// let entra = Entra::builder_for(authority.clone()).build()?;
    /// assert_eq!(entra.validate(&token).await.unwrap_err().reason(), "id_token");
    ///
    /// let entra = Entra::builder_for(authority.danger_accept_id_tokens()).build()?;
    /// assert!(entra.validate(&token).await?.has_role("Todo.Admin"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn danger_accept_id_tokens(mut self) -> Self {
        self.id_tokens = true;
        self
    }

    /// A scope that every route needs, on top of its own guards. Called more than once, one of the
    /// scopes is enough, and challenges name the first.
    ///
    /// Application permissions are no scopes: a token of an application by itself is refused.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, guard::DenialReason};
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let authority = authority.required_scope("access_as_user");
    /// let entra = Entra::builder_for(authority).build()?;
    /// let token = emulator.token().user("alice");
    /// assert!(entra.validate(&token.clone().scope("access_as_user").mint()).await.is_ok());
    /// let refused = entra.validate(&token.scope("Todo.Read").mint()).await.unwrap_err();
    /// assert_eq!(refused.denial(), Some(DenialReason::Scope));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn required_scope(mut self, scope: impl Into<String>) -> Self {
        self.required_scopes.push(scope.into());
        self
    }

    /// How far clocks may be apart: 0 to 10 min, 5 min by default.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let entra = Entra::builder_for(authority.clone().clock_skew(Duration::ZERO)).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").mint();
    /// let claims = entra.validate(&token).await?;
    /// assert!(entra.validate_at(&token, claims.expires_at()).is_err());
    ///
    /// let eleven_minutes = Duration::from_secs(660);
    /// assert!(Entra::builder_for(authority.clock_skew(eleven_minutes)).build().is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// How much earlier than its issue time a token says that it was issued (`iat`): 0 to 10 min.
    /// By default 5 min for Entra ID and External ID, which backdate `iat`, and 0 for B2C.
    ///
    /// Used for revocation and for [`StoreFailurePolicy::AllowIssuedWithin`](crate::StoreFailurePolicy) only, never for a
    /// token's lifetime. A valid token that cannot have been backdated by that much lowers the
    /// value for this authority, with a warning in the log.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{Authority, Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let build = |seconds| {
    ///     let backdate = Duration::from_secs(seconds);
    ///     let authority = Authority::entra(tenant.clone(), client_id).issued_at_backdate(backdate);
    ///     Entra::builder_for(authority).build()
    /// };
    /// // Tokens that say when they were issued.
    /// assert!(build(0).is_ok());
    /// assert!(build(601).is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn issued_at_backdate(mut self, backdate: Duration) -> Self {
        self.issued_at_backdate = Some(backdate);
        self
    }

    /// How fresh the keys are kept.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{Authority, Entra, JwksRefresh, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let authority = Authority::entra(tenant, client_id);
    /// let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    /// // Keys of a closed network: fetched twice a day, and good for two days.
    /// let refresh = JwksRefresh::default().interval(hours(12)).max_stale(hours(48));
    /// assert!(Entra::builder_for(authority.clone().jwks_refresh(refresh)).build().is_ok());
    /// // Good for less than two fetches: one that fails would end them.
    /// let refused = authority.jwks_refresh(refresh.max_stale(hours(23)));
    /// assert!(Entra::builder_for(refused).build().is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn jwks_refresh(mut self, freshness: JwksRefresh) -> Self {
        self.freshness = freshness;
        self
    }

    /// Uses this JWK set (RFC 7517, as JSON text) and fetches nothing.
    ///
    /// For tests and closed networks: a key that leaves the authority's own set stays good here.
    /// The tenant must be given by id, or stand for many. No document states an issuer here: for
    /// B2C it is `/{tid}/v2.0/` unless [`issuer`](Self::issuer) says otherwise.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::Entra;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let authority = authority.instance(emulator.url());
    /// let keys = emulator.keys_document().to_string();
    /// let entra = Entra::builder_for(authority.clone().static_jwks(keys)).build()?;
    /// // A key that was published later is not known, and not asked for.
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// assert!(entra.validate(&token.clone().mint()).await.is_ok());
    /// emulator.rotate_keys();
    /// assert_eq!(entra.validate(&token.mint()).await.unwrap_err().reason(), "unknown_key");
    ///
    /// assert!(Entra::builder_for(authority.static_jwks("{}")).build().is_err());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn static_jwks(mut self, jwks: impl Into<String>) -> Self {
        self.static_jwks = Some(jwks.into());
        self
    }
}
