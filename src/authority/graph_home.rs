//! Which Microsoft Graph an authority's tenants are in.

use super::{Authority, Cloud, Kind};

/// What an authority's address says about its cloud.
///
/// Nothing is guessed: a Graph of another cloud would be sent the ids and tokens of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GraphHome {
    Cloud(Cloud),
    /// The discovery document names one of these (`msgraph_host`).
    NamedAmong(&'static [Cloud]),
    /// The host is of no known cloud.
    Unknown,
}

impl GraphHome {
    pub(super) fn of(authority: &Authority, host: Option<&str>, cloud: Option<Cloud>) -> Self {
        match (authority.cloud, cloud) {
            (Some(told), _) => Self::Cloud(told),
            // GCC High and DoD share the host of their authority.
            (None, Some(Cloud::UsGovernment | Cloud::UsGovernmentDod)) => {
                Self::NamedAmong(&[Cloud::UsGovernment, Cloud::UsGovernmentDod])
            }
            (None, Some(cloud)) => Self::Cloud(cloud),
            (None, None) => Self::of_customers(authority, host),
        }
    }

    /// External ID and B2C, whose hosts carry the customer's name.
    fn of_customers(authority: &Authority, host: Option<&str>) -> Self {
        let below = |domain: &str| host.is_some_and(|host| host.ends_with(domain));
        if below(".b2clogin.cn") {
            return Self::Cloud(Cloud::China);
        }
        let is_b2c = matches!(authority.kind, Kind::B2c { .. });
        if is_b2c || below(".ciamlogin.com") || below(".b2clogin.com") {
            return Self::Cloud(Cloud::Public);
        }
        Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tenant;

    const TENANT: &str = "11111111-1111-4111-8111-111111111111";
    const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

    #[test]
    fn every_instance_has_its_own_clouds_graph_or_none() {
        const US: GraphHome = GraphHome::NamedAmong(&[Cloud::UsGovernment, Cloud::UsGovernmentDod]);
        let rows = [
            (
                "https://login.microsoftonline.com/",
                GraphHome::Cloud(Cloud::Public),
            ),
            (
                "https://login.windows.net/",
                GraphHome::Cloud(Cloud::Public),
            ),
            ("https://login.microsoftonline.us/", US),
            ("https://login.usgovcloudapi.net/", US),
            (
                "https://login.partner.microsoftonline.cn/",
                GraphHome::Cloud(Cloud::China),
            ),
            (
                "https://login.sovcloud-identity.fr/",
                GraphHome::Cloud(Cloud::Bleu),
            ),
            (
                "https://login.sovcloud-identity.de/",
                GraphHome::Cloud(Cloud::Delos),
            ),
            (
                "https://login.sovcloud-identity.sg/",
                GraphHome::Cloud(Cloud::GovSg),
            ),
            (
                "https://contoso.ciamlogin.com/",
                GraphHome::Cloud(Cloud::Public),
            ),
            (
                "https://contoso.b2clogin.com/",
                GraphHome::Cloud(Cloud::Public),
            ),
            (
                "https://contoso.b2clogin.cn/",
                GraphHome::Cloud(Cloud::China),
            ),
            ("https://login.contoso.example/", GraphHome::Unknown),
            (
                "https://login.microsoftonline.com.evil.example/",
                GraphHome::Unknown,
            ),
            ("https://ciamlogin.com.evil.example/", GraphHome::Unknown),
            ("http://127.0.0.1:1/", GraphHome::Unknown),
        ];
        let entra = |instance: &str| {
            Authority::entra(Tenant::new(TENANT), API)
                .instance(instance)
                .token_versions([crate::TokenVersion::V2])
        };
        for (instance, home) in rows {
            assert_eq!(entra(instance).resolve().unwrap().graph, home, "{instance}");
        }
        let told = entra("https://login.contoso.example/").cloud(Cloud::UsGovernmentDod);
        let home = GraphHome::Cloud(Cloud::UsGovernmentDod);
        assert_eq!(told.resolve().unwrap().graph, home);
        let b2c = Authority::b2c(
            "https://login.contoso.example",
            Tenant::new(TENANT),
            API,
            ["p"],
        );
        let home = GraphHome::Cloud(Cloud::Public);
        assert_eq!(b2c.resolve().unwrap().graph, home);
    }
}
