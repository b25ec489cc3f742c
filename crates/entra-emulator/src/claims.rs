//! What Entra writes into a token: the claims of each kind of token, before a test changes any.

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{app::IdentityTypes, authority::Authority, directory::User, seeds};

/// The claim every minted token has, with the value `true`: no real token has it.
pub const EMULATOR_CLAIM: &str = "xms_emulator";

// Microsoft, access-token-claims-reference: more than 200 groups do not fit into a JWT.
const MOST_GROUPS: usize = 200;

/// Everything the claims are made of.
pub(super) struct Facts<'a> {
    pub(super) authority: &'a Authority,
    pub(super) tenant: &'a str,
    pub(super) subject: Subject<'a>,
    pub(super) client: &'a str,
    pub(super) client_strength: &'static str,
    pub(super) audience: Value,
    pub(super) scopes: Option<&'a str>,
    pub(super) roles: &'a [String],
    pub(super) groups: &'a [String],
    pub(super) overage: bool,
    pub(super) issued_at: u64,
    pub(super) not_before: u64,
    pub(super) expires_at: u64,
    /// In which tokens the API's registration asks for `idtyp`.
    pub(super) idtyp: IdentityTypes,
    /// Whether it asks for the claims that tell agents.
    pub(super) facets: bool,
    /// Whether the client is an agent identity.
    pub(super) agent: bool,
    /// Whether the user is an agent's own account.
    pub(super) agent_user: bool,
    pub(super) blueprint: Option<&'a str>,
}

/// Who the token is about.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    User { user: &'a User, guest: bool },
    App { object_id: &'a str },
}

impl Facts<'_> {
    /// A v2.0 access token of Entra or External ID.
    pub(super) fn v2(&self) -> Map<String, Value> {
        let mut claims = self.entra();
        put(&mut claims, "ver", "2.0");
        put(&mut claims, "iss", self.authority.issuer_v2(self.tenant));
        put(&mut claims, "azp", self.client);
        put(&mut claims, "azpacr", self.client_strength);
        if let Subject::User { user, .. } = self.subject {
            put(&mut claims, "name", user.display_name.as_str());
            put(
                &mut claims,
                "preferred_username",
                self.authority.directory.sign_in_name(user),
            );
        }
        claims
    }

    /// A v1.0 access token of Entra.
    pub(super) fn v1(&self) -> Map<String, Value> {
        let directory = &self.authority.directory;
        let mut claims = self.entra();
        put(&mut claims, "ver", "1.0");
        put(&mut claims, "iss", self.authority.issuer_v1(self.tenant));
        put(&mut claims, "appid", self.client);
        put(&mut claims, "appidacr", self.client_strength);
        match self.subject {
            Subject::User { user, guest } => {
                put(&mut claims, "acr", "1");
                put(&mut claims, "amr", json!(["pwd"]));
                put(&mut claims, "ipaddr", "127.0.0.1");
                put(&mut claims, "name", user.display_name.as_str());
                put(&mut claims, "given_name", user.display_name.as_str());
                put(&mut claims, "unique_name", directory.sign_in_name(user));
                if !guest {
                    put(&mut claims, "upn", directory.principal_name(user));
                }
            }
            Subject::App { .. } => put(&mut claims, "idp", self.authority.issuer_v1(self.tenant)),
        }
        claims
    }

    /// An access token of a B2C policy. A user's `ver` is 1.0, an application's 2.0; neither has `tid`.
    pub(super) fn b2c(&self, policy: &str) -> Map<String, Value> {
        let mut claims = self.common();
        put(&mut claims, "ver", "1.0");
        put(
            &mut claims,
            "iss",
            self.authority.issuer_b2c(self.tenant, policy),
        );
        put(&mut claims, "azp", self.client);
        put(&mut claims, "tfp", policy);
        match self.subject {
            Subject::User { user, .. } => {
                put(&mut claims, "sub", user.object_id.as_str());
                put(&mut claims, "oid", user.object_id.as_str());
                put(&mut claims, "name", user.display_name.as_str());
                let address = self.authority.directory.sign_in_name(user);
                put(&mut claims, "emails", json!([address]));
            }
            Subject::App { object_id } => {
                put(&mut claims, "ver", "2.0");
                put(&mut claims, "azpacr", self.client_strength);
                put(&mut claims, "sub", object_id);
                put(&mut claims, "oid", object_id);
                // B2C writes the application's permissions where those of users are.
                if self.scopes.is_none() && !self.roles.is_empty() {
                    put(&mut claims, "scp", self.roles.join(" "));
                }
            }
        }
        claims
    }

    /// What v1.0 and v2.0 tokens have in common.
    fn entra(&self) -> Map<String, Value> {
        let mut claims = self.common();
        put(
            &mut claims,
            "aio",
            STANDARD.encode_to_string(random::<48>()),
        );
        put(
            &mut claims,
            "rh",
            format!("1.{}.", URL_SAFE_NO_PAD.encode_to_string(random::<33>())),
        );
        put(
            &mut claims,
            "uti",
            URL_SAFE_NO_PAD.encode_to_string(random::<16>()),
        );
        put(&mut claims, "tid", self.tenant);
        match self.subject {
            Subject::User { user, guest } => {
                put(&mut claims, "oid", user.object_id.as_str());
                put(&mut claims, "sub", pairwise(user, &self.audience));
                if guest {
                    let home = user.home_tenant.as_deref().unwrap_or(seeds::FABRIKAM);
                    put(&mut claims, "acct", 1);
                    put(&mut claims, "idp", self.authority.issuer_v1(home));
                }
                if !user.directory_roles.is_empty() {
                    put(&mut claims, "wids", json!(user.directory_roles));
                }
            }
            Subject::App { object_id } => {
                put(&mut claims, "oid", object_id);
                put(&mut claims, "sub", object_id);
            }
        }
        self.put_optional(&mut claims);
        if !self.roles.is_empty() {
            put(&mut claims, "roles", json!(self.roles));
        }
        self.put_groups(&mut claims);
        claims
    }

    fn common(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        put(&mut claims, EMULATOR_CLAIM, true);
        put(&mut claims, "aud", self.audience.clone());
        put(&mut claims, "iat", self.issued_at);
        put(&mut claims, "nbf", self.not_before);
        put(&mut claims, "exp", self.expires_at);
        if let Some(scopes) = self.scopes {
            put(&mut claims, "scp", scopes);
        }
        claims
    }

    /// The optional claims that the API's registration asks for.
    fn put_optional(&self, claims: &mut Map<String, Value>) {
        match (self.idtyp, self.subject) {
            (IdentityTypes::OfApps | IdentityTypes::OfAll, Subject::App { .. }) => {
                put(claims, "idtyp", "app");
            }
            (IdentityTypes::OfAll, Subject::User { .. }) => put(claims, "idtyp", "user"),
            _ => {}
        }
        if !self.facets {
            return;
        }
        // Numbers that Microsoft does not document stand in its samples too.
        let (subject, relation) = match self.subject {
            Subject::App { .. } if self.agent => ("9 3 11", "7 10"),
            Subject::App { .. } => ("9 3", "7"),
            Subject::User { .. } if self.agent_user => ("3 13", "1"),
            Subject::User { guest: true, .. } => ("3", "5"),
            Subject::User { .. } => ("3", "1"),
        };
        let is_agent = self.agent || self.agent_user;
        put(
            claims,
            "xms_act_fct",
            if is_agent { "3 9 11" } else { "3 9" },
        );
        put(claims, "xms_sub_fct", subject);
        put(claims, "xms_idrel", relation);
        if let Some(blueprint) = self.blueprint {
            put(claims, "xms_par_app_azp", blueprint);
        }
    }

    fn put_groups(&self, claims: &mut Map<String, Value>) {
        if !self.overage && self.groups.len() <= MOST_GROUPS {
            if !self.groups.is_empty() {
                put(claims, "groups", json!(self.groups));
            }
            return;
        }
        let (kind, id) = match self.subject {
            Subject::User { user, .. } => ("users", user.object_id.as_str()),
            Subject::App { object_id } => ("servicePrincipals", object_id),
        };
        // Entra still names the retired Azure AD Graph; clients must build Graph's address themselves.
        let endpoint = format!(
            "https://graph.windows.net/{}/{kind}/{id}/getMemberObjects",
            self.tenant
        );
        put(claims, "_claim_names", json!({ "groups": "src1" }));
        put(
            claims,
            "_claim_sources",
            json!({ "src1": { "endpoint": endpoint } }),
        );
    }
}

/// A user's `sub` differs from API to API.
fn pairwise(user: &User, audience: &Value) -> String {
    let name = format!("{} at {audience}", user.object_id);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    URL_SAFE_NO_PAD.encode_to_string(digest)
}

fn random<const N: usize>() -> [u8; N] {
    std::array::from_fn(|_| fastrand::u8(..))
}

fn put(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}
