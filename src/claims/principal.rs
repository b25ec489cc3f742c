//! Whether a user or an application is the principal of a token, and how its client authenticated.

use super::agent::has_number;
use crate::token_version::TokenVersion;

/// Whether a token speaks for a person or for an application.
///
/// `idtyp` decides where it is present. Else a token with a scope in `scp` is a user's; one whose
/// facets or relations (`xms_sub_fct`, `xms_idrel`) are an application's, or whose `sub` is its
/// `oid`, is an application's; every other is unknown, which user-only and app-only guards both
/// refuse. In B2C tokens without `idtyp`, those with `azpacr` or with `ver` 2.0 are
/// applications' (client credentials, which have `scp` there too), all others users'.
///
/// Source: Microsoft, "Access token claims reference", `idtyp`, and "Access tokens", "User and
/// application tokens"; for B2C the tokens themselves.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{Principal, testing};
///
/// assert_eq!(testing::claims().build().principal(), Principal::User);
/// assert_eq!(testing::claims().app().build().principal(), Principal::App);
/// // A token that says neither is refused by guards for users and by guards for applications.
/// let neither = testing::claims().without("idtyp").build();
/// assert_eq!(neither.principal(), Principal::Unknown);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Principal {
    /// A person signed in.
    User,
    /// An application signed in as itself (client credentials).
    App,
    /// The token does not say.
    Unknown,
}

impl Principal {
    /// `user`, `app` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::App => "app",
            Self::Unknown => "unknown",
        }
    }

    /// The rule for tokens of Entra ID and External ID.
    pub(super) fn decide(signs: &Signs<'_>) -> Self {
        let relations = ["7", "13", "33"];
        let is_app = has_number(signs.subject_facets, "11")
            || relations
                .iter()
                .any(|number| has_number(signs.relations, number))
            || signs.subject.is_some() && signs.subject == signs.object;
        match Self::stated(signs.identity_type) {
            Some(stated) => stated,
            None if signs.has_scopes => Self::User,
            None if is_app => Self::App,
            None => Self::Unknown,
        }
    }

    /// The rule for tokens of B2C.
    pub(super) fn decide_b2c(
        identity_type: Option<&str>,
        has_client_auth: bool,
        version: Option<TokenVersion>,
    ) -> Self {
        match Self::stated(identity_type) {
            Some(stated) => stated,
            None if has_client_auth || version == Some(TokenVersion::V2) => Self::App,
            None => Self::User,
        }
    }

    /// `idtyp`.
    fn stated(identity_type: Option<&str>) -> Option<Self> {
        Some(match identity_type? {
            "user" => Self::User,
            "app" => Self::App,
            _ => Self::Unknown,
        })
    }
}

/// The claims that tell users from applications.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs<'c> {
    pub(super) identity_type: Option<&'c str>,
    pub(super) has_scopes: bool,
    pub(super) subject_facets: Option<&'c str>,
    pub(super) relations: Option<&'c str>,
    pub(super) subject: Option<&'c str>,
    pub(super) object: Option<&'c str>,
}

/// How the client application proved who it is, weakest first.
///
/// Complete by nature: `azpacr` and `appidacr` have these three values.
///
/// ```
/// use axum_entra::ClientAuthMethod;
///
/// // In the order of their strength.
/// assert!(ClientAuthMethod::Public < ClientAuthMethod::Secret);
/// assert!(ClientAuthMethod::Secret < ClientAuthMethod::Certificate);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientAuthMethod {
    /// `0`: a public client, which proves nothing.
    Public,
    /// `1`: client id and secret.
    Secret,
    /// `2`: a certificate.
    Certificate,
}

impl ClientAuthMethod {
    /// `public`, `secret` or `certificate`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
        }
    }

    /// Reads `0`, `1` or `2`, as string or number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "0" => Some(Self::Public),
            "1" => Some(Self::Secret),
            "2" => Some(Self::Certificate),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idtyp_decides_before_every_other_sign() {
        use Principal::{App, Unknown, User};
        let table = [
            (Some("user"), false, Some("a"), Some("a"), User),
            (Some("app"), true, Some("a"), Some("b"), App),
            (Some("device"), true, Some("a"), Some("a"), Unknown),
            (Some(""), true, None, None, Unknown),
            (None, true, Some("a"), Some("a"), User),
            (None, false, Some("a"), Some("a"), App),
            (None, false, Some("a"), Some("b"), Unknown),
            (None, false, None, None, Unknown),
        ];
        for (identity_type, has_scopes, subject, object, expected) in table {
            let signs = Signs {
                identity_type,
                has_scopes,
                subject,
                object,
                ..Signs::default()
            };
            assert_eq!(Principal::decide(&signs), expected, "{signs:?}");
        }
    }

    #[test]
    fn facets_and_relations_of_an_application_decide_before_sub_and_oid() {
        use Principal::{App, Unknown, User};
        let table = [
            (false, Some("9 3 11"), None, App),
            (false, Some("9 3 13"), None, Unknown),
            (false, None, Some("10 7"), App),
            (false, None, Some("13"), App),
            (false, None, Some("33 1"), App),
            (false, None, Some("1"), Unknown),
            (false, Some("111"), Some("77 3"), Unknown),
            (true, Some("11"), Some("7"), User),
        ];
        for (has_scopes, subject_facets, relations, expected) in table {
            let signs = Signs {
                has_scopes,
                subject_facets,
                relations,
                subject: Some("a"),
                object: Some("b"),
                ..Signs::default()
            };
            assert_eq!(Principal::decide(&signs), expected, "{signs:?}");
        }
    }

    #[test]
    fn b2c_tells_applications_by_azpacr_and_version() {
        use Principal::{App, Unknown, User};
        use TokenVersion::{V1, V2};
        let table = [
            (None, false, Some(V1), User),
            (None, false, None, User),
            (None, true, Some(V1), App),
            (None, false, Some(V2), App),
            (Some("user"), true, Some(V2), User),
            (Some("app"), false, Some(V1), App),
            (Some("device"), true, Some(V2), Unknown),
        ];
        for (idtyp, has_client_auth, version, expected) in table {
            assert_eq!(
                Principal::decide_b2c(idtyp, has_client_auth, version),
                expected,
                "{idtyp:?} {has_client_auth} {version:?}"
            );
        }
    }

    #[test]
    fn client_authentication_is_ordered_and_has_three_values() {
        assert!(
            ClientAuthMethod::Public < ClientAuthMethod::Secret
                && ClientAuthMethod::Secret < ClientAuthMethod::Certificate
        );
        assert_eq!(
            ClientAuthMethod::parse("2"),
            Some(ClientAuthMethod::Certificate)
        );
        for odd in ["3", "", "-1", "1.0", "01"] {
            assert_eq!(ClientAuthMethod::parse(odd), None, "{odd}");
        }
    }
}
