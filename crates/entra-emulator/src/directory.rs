//! What the emulator knows: tenants, users, and the apps of `app`.

use super::{app::App, redirect_uri, seeds};

/// Everything the emulator knows: the seeds, and what the builder added.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) tenants: Vec<Tenant>,
    pub(super) users: Vec<User>,
    pub(super) apps: Vec<App>,
    pub(super) policies: Vec<String>,
}

impl Directory {
    /// By GUID or domain, in any letter case. What was added last wins.
    pub(super) fn tenant(&self, id_or_domain: &str) -> Option<&Tenant> {
        self.tenants.iter().rev().find(|tenant| {
            tenant.id.eq_ignore_ascii_case(id_or_domain)
                || tenant.domain.eq_ignore_ascii_case(id_or_domain)
        })
    }

    /// By name, object id or user principal name. What was added last wins.
    pub(super) fn user(&self, who: &str) -> Option<&User> {
        self.users.iter().rev().find(|user| {
            user.name.eq_ignore_ascii_case(who)
                || user.object_id.eq_ignore_ascii_case(who)
                || self.principal_name(user).eq_ignore_ascii_case(who)
        })
    }

    /// By name or client id. What was added last wins.
    pub(super) fn app(&self, who: &str) -> Option<&App> {
        let named = |app: &&App| {
            app.name.eq_ignore_ascii_case(who) || app.client_id.eq_ignore_ascii_case(who)
        };
        self.apps.iter().rev().find(named)
    }

    /// The API that a `resource`, or a scope without its last segment, names.
    pub(super) fn api(&self, resource: &str) -> Option<&App> {
        self.apps
            .iter()
            .rev()
            .filter(|app| app.is_api)
            .find(|app| app.answers_to(resource))
    }

    pub(super) fn has_policy(&self, policy: &str) -> bool {
        self.policies
            .iter()
            .any(|known| known.eq_ignore_ascii_case(policy))
    }

    /// The policy as it was registered: the `tfp` claim keeps that letter case.
    pub(super) fn spelled<'s>(&'s self, policy: &'s str) -> &'s str {
        let mut known = self.policies.iter();
        known
            .find(|known| known.eq_ignore_ascii_case(policy))
            .map_or(policy, String::as_str)
    }

    /// The user who types this name at a tenant's address, or at one of all tenants.
    pub(super) fn account(&self, tenant: Option<&Tenant>, name: &str) -> Option<&User> {
        self.users.iter().rev().find(|user| {
            let is_here = tenant.is_none_or(|tenant| tenant.id.eq_ignore_ascii_case(&user.tenant));
            is_here
                && (user.name.eq_ignore_ascii_case(name)
                    || user.object_id.eq_ignore_ascii_case(name)
                    || self.principal_name(user).eq_ignore_ascii_case(name)
                    || self.sign_in_name(user).eq_ignore_ascii_case(name))
        })
    }

    /// Whether any app may be answered at this address.
    pub(super) fn is_redirect_uri(&self, address: &str) -> bool {
        let mut registered = self.apps.iter().flat_map(|app| &app.redirect_uris);
        registered.any(|registered| redirect_uri::covers(registered, address))
    }

    pub(super) fn principal_name(&self, user: &User) -> String {
        let domain = self
            .tenant(&user.tenant)
            .map_or("example.com", |tenant| &tenant.domain);
        match &user.home_tenant {
            // Entra's name for a guest account in the inviting tenant.
            Some(home) => {
                let home = self
                    .tenant(home)
                    .map_or("example.com", |tenant| &tenant.domain);
                format!("{}_{home}#EXT#@{domain}", user.name)
            }
            None => format!("{}@{domain}", user.name),
        }
    }

    /// The address the user types, which for a guest is that of the home tenant.
    pub(super) fn sign_in_name(&self, user: &User) -> String {
        let tenant = user.home_tenant.as_ref().unwrap_or(&user.tenant);
        let domain = self
            .tenant(tenant)
            .map_or("example.com", |tenant| &tenant.domain);
        format!("{}@{domain}", user.name)
    }
}

/// A tenant of the emulator.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) external: bool,
    pub(super) issuer_base: Option<String>,
}

impl Tenant {
    /// An ordinary (workforce) tenant, which B2C policies may belong to as well.
    pub fn new(id: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            domain: domain.into(),
            external: false,
            issuer_base: None,
        }
    }

    /// An External ID tenant, which has keys of its own.
    pub fn external(id: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            external: true,
            ..Self::new(id, domain)
        }
    }

    /// Makes the v2.0 issuer `{base}/{tid}/v2.0`; `{tid}` in the base stands for the tenant id.
    #[must_use]
    pub fn with_issuer_base(self, base: impl Into<String>) -> Self {
        Self {
            issuer_base: Some(base.into()),
            ..self
        }
    }
}

/// A user of the emulator.
#[derive(Debug, Clone)]
pub struct User {
    pub(super) name: String,
    pub(super) object_id: String,
    pub(super) tenant: String,
    pub(super) home_tenant: Option<String>,
    pub(super) display_name: String,
    pub(super) password: String,
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) directory_roles: Vec<String>,
    pub(super) agent: Option<String>,
}

impl User {
    /// A member of the contoso tenant with [`USER_PASSWORD`](super::USER_PASSWORD) and no rights.
    ///
    /// The object id is made from the name, so that it is the same in every run.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            object_id: seeds::id_made_of(&name),
            tenant: seeds::CONTOSO.to_owned(),
            home_tenant: None,
            display_name: capitalised(&name),
            password: seeds::USER_PASSWORD.to_owned(),
            roles: Vec::new(),
            groups: Vec::new(),
            directory_roles: Vec::new(),
            agent: None,
            name,
        }
    }

    /// Sets the object id (`oid`).
    #[must_use]
    pub fn with_object_id(self, id: impl Into<String>) -> Self {
        Self {
            object_id: id.into(),
            ..self
        }
    }

    /// Makes it the user account of an agent identity, by that application's id. It has no password:
    /// the agent signs it in (`user_fic`).
    #[must_use]
    pub fn of_agent(self, agent: impl Into<String>) -> Self {
        Self {
            agent: Some(agent.into()),
            ..self
        }
    }

    /// Puts the account into another tenant.
    #[must_use]
    pub fn in_tenant(self, tenant: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            ..self
        }
    }

    /// Makes the account a guest whose home is that tenant.
    #[must_use]
    pub fn guest_of(self, home_tenant: impl Into<String>) -> Self {
        Self {
            home_tenant: Some(home_tenant.into()),
            ..self
        }
    }

    /// Sets the password of the `password` grant.
    #[must_use]
    pub fn with_password(self, password: impl Into<String>) -> Self {
        Self {
            password: password.into(),
            ..self
        }
    }

    /// Sets the `name` claim.
    #[must_use]
    pub fn with_display_name(self, name: impl Into<String>) -> Self {
        Self {
            display_name: name.into(),
            ..self
        }
    }

    /// Assigns one more app role.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Makes the user a member of one more group, by object id. Over 200 become an overage.
    #[must_use]
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Assigns one more directory role (`wids`), by template id.
    #[must_use]
    pub fn with_directory_role(mut self, template: impl Into<String>) -> Self {
        self.directory_roles.push(template.into());
        self
    }

    /// The name the emulator knows the user by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The object id.
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The object ids of all groups, also of those that do not fit into a token.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
