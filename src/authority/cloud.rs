//! The clouds Entra runs in.

use url::Url;

/// One of Microsoft's clouds: its hosts, its issuers and its Graph.
///
/// Sources: Microsoft, "National clouds"; Graph, "National cloud deployments"; aliases as in
/// MSAL's table of known metadata. Aliases concern *authorities* (where documents are read);
/// issuers are compared byte for byte and have no aliases.
///
/// ```
/// use axum_entra::Cloud;
///
/// assert_eq!(Cloud::China.authority_host(), "login.partner.microsoftonline.cn");
/// assert_eq!(Cloud::UsGovernment.graph_url(), "https://graph.microsoft.us/v1.0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// The worldwide cloud, `login.microsoftonline.com`.
    Public,
    /// US Government (GCC High), `login.microsoftonline.us`.
    UsGovernment,
    /// US Government DoD: the same authority with another Graph.
    UsGovernmentDod,
    /// China, operated by 21Vianet, `login.partner.microsoftonline.cn`.
    China,
    /// France's sovereign cloud, operated by Bleu, `login.sovcloud-identity.fr`.
    Bleu,
    /// Germany's sovereign cloud, operated by Delos, `login.sovcloud-identity.de`.
    Delos,
    /// Singapore's government cloud, `login.sovcloud-identity.sg`.
    GovSg,
}

struct Facts {
    authority: &'static str,
    aliases: &'static [&'static str],
    v1_issuers: &'static [&'static str],
    graph: &'static str,
    names: &'static [&'static str],
}

const PUBLIC: Facts = Facts {
    authority: "login.microsoftonline.com",
    aliases: &[
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
    ],
    v1_issuers: &["https://sts.windows.net/"],
    graph: "https://graph.microsoft.com/v1.0",
    names: &["microsoftonline.com", "login.microsoftonline.com"],
};

const US_GOVERNMENT: Facts = Facts {
    authority: "login.microsoftonline.us",
    aliases: &["login.usgovcloudapi.net"],
    // Whichever of the two its v1 document states.
    v1_issuers: &[
        "https://sts.windows.net/",
        "https://login.microsoftonline.us/",
    ],
    graph: "https://graph.microsoft.us/v1.0",
    names: &["microsoftonline.us", "login.microsoftonline.us"],
};

const US_GOVERNMENT_DOD: Facts = Facts {
    graph: "https://dod-graph.microsoft.us/v1.0",
    ..US_GOVERNMENT
};

const CHINA: Facts = Facts {
    authority: "login.partner.microsoftonline.cn",
    aliases: &["login.chinacloudapi.cn"],
    v1_issuers: &["https://sts.chinacloudapi.cn/"],
    graph: "https://microsoftgraph.chinacloudapi.cn/v1.0",
    names: &[
        "partner.microsoftonline.cn",
        "login.partner.microsoftonline.cn",
    ],
};

// Source: the tables of known authorities in MSAL.NET (#5630), MSAL.js (#8301) and MSAL Python
// (#871). What their v1.0 issuers are is not published: those need `StsInstance`.
const BLEU: Facts = Facts {
    authority: "login.sovcloud-identity.fr",
    aliases: &[],
    v1_issuers: &[],
    graph: "https://graph.svc.sovcloud.fr/v1.0",
    names: &["sovcloud-identity.fr", "login.sovcloud-identity.fr"],
};

const DELOS: Facts = Facts {
    authority: "login.sovcloud-identity.de",
    graph: "https://graph.svc.sovcloud.de/v1.0",
    names: &["sovcloud-identity.de", "login.sovcloud-identity.de"],
    ..BLEU
};

const GOV_SG: Facts = Facts {
    authority: "login.sovcloud-identity.sg",
    graph: "https://graph.svc.sovcloud.sg/v1.0",
    names: &["sovcloud-identity.sg", "login.sovcloud-identity.sg"],
    ..BLEU
};

impl Cloud {
    /// All of them; clouds that share an authority's host have one after the other.
    pub(crate) const ALL: [Self; 7] = [
        Self::Public,
        Self::UsGovernment,
        Self::UsGovernmentDod,
        Self::China,
        Self::Bleu,
        Self::Delos,
        Self::GovSg,
    ];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Public => &PUBLIC,
            Self::UsGovernment => &US_GOVERNMENT,
            Self::UsGovernmentDod => &US_GOVERNMENT_DOD,
            Self::China => &CHINA,
            Self::Bleu => &BLEU,
            Self::Delos => &DELOS,
            Self::GovSg => &GOV_SG,
        }
    }

    /// The host of its authorities, which is the host of its v2.0 issuers too.
    ///
    /// ```
    /// use axum_entra::Cloud;
    ///
    /// assert_eq!(Cloud::Public.authority_host(), "login.microsoftonline.com");
    /// // Both clouds of the US Government sign in at one host.
    /// let dod = Cloud::UsGovernmentDod;
    /// assert_eq!(Cloud::UsGovernment.authority_host(), dod.authority_host());
    /// ```
    #[must_use]
    pub const fn authority_host(self) -> &'static str {
        self.facts().authority
    }

    /// Where its Microsoft Graph is, version included.
    ///
    /// ```
    /// use axum_entra::Cloud;
    ///
    /// assert_eq!(Cloud::Public.graph_url(), "https://graph.microsoft.com/v1.0");
    /// // Each cloud of the US Government has a Graph of its own.
    /// let dod = Cloud::UsGovernmentDod;
    /// assert_ne!(Cloud::UsGovernment.graph_url(), dod.graph_url());
    /// ```
    #[must_use]
    pub const fn graph_url(self) -> &'static str {
        self.facts().graph
    }

    /// The scope of its Graph that means all permissions that were granted.
    pub(crate) fn graph_scope(self) -> String {
        let resource = self.graph_url().trim_end_matches("/v1.0");
        format!("{resource}/.default")
    }

    /// What v1.0 issuers begin with; the tenant and a slash follow.
    pub(crate) const fn v1_issuers(self) -> &'static [&'static str] {
        self.facts().v1_issuers
    }

    /// Whether a host is one of this cloud's authorities.
    pub(crate) fn has_host(self, host: &str) -> bool {
        let facts = self.facts();
        facts.authority == host || facts.aliases.contains(&host)
    }

    /// Whether a key's `cloud_instance_name` is this cloud's.
    pub(crate) fn has_name(self, name: &str) -> bool {
        self.facts()
            .names
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The cloud whose authority answers at a host, also under an alias.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has_host(host))
    }

    /// The address of its authorities.
    pub(crate) fn instance(self) -> Result<Url, url::ParseError> {
        Url::parse(&format!("https://{}/", self.authority_host()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_belongs_to_one_cloud() {
        let table = [
            ("login.microsoftonline.com", Some(Cloud::Public)),
            ("login.windows.net", Some(Cloud::Public)),
            ("login.microsoftonline.us", Some(Cloud::UsGovernment)),
            ("login.usgovcloudapi.net", Some(Cloud::UsGovernment)),
            ("login.partner.microsoftonline.cn", Some(Cloud::China)),
            ("login.chinacloudapi.cn", Some(Cloud::China)),
            ("login.sovcloud-identity.fr", Some(Cloud::Bleu)),
            ("login.sovcloud-identity.de", Some(Cloud::Delos)),
            ("login.sovcloud-identity.sg", Some(Cloud::GovSg)),
            ("login.sovcloud-identity.example", None),
            ("login.microsoftonline.com.evil.example", None),
            ("contoso.b2clogin.com", None),
        ];
        for (host, cloud) in table {
            assert_eq!(Cloud::of_host(host), cloud, "{host}");
        }
    }
}
