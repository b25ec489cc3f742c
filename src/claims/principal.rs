//! Who stands behind a token, and how its client proved itself.

/// Whether a token speaks for a person or for an application.
///
/// `idtyp` decides where it is present. Else a token with `scp` is a user's, one whose `sub` is
/// its `oid` is an application's, and every other is unknown, which user-only and app-only
/// guards both refuse. Source: Microsoft, "Access token claims reference", `idtyp`, and
/// "Access tokens", "User and application tokens".
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

    /// The rule above, on the claims it looks at.
    pub(super) fn decide(
        identity_type: Option<&str>,
        has_scopes: bool,
        subject: Option<&str>,
        object: Option<&str>,
    ) -> Self {
        match identity_type {
            Some("user") => Self::User,
            Some("app") => Self::App,
            Some(_) => Self::Unknown,
            None if has_scopes => Self::User,
            None if subject.is_some() && subject == object => Self::App,
            None => Self::Unknown,
        }
    }
}

/// How the client application proved who it is, weakest first.
///
/// Complete by nature: `azpacr` and `appidacr` have these three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientAuth {
    /// `0`: a public client, which proves nothing.
    Public,
    /// `1`: client id and secret.
    Secret,
    /// `2`: a certificate.
    Certificate,
}

impl ClientAuth {
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
        for (idtyp, scp, sub, oid, expected) in table {
            assert_eq!(
                Principal::decide(idtyp, scp, sub, oid),
                expected,
                "{idtyp:?} {scp} {sub:?} {oid:?}"
            );
        }
    }

    #[test]
    fn client_authentication_is_ordered_and_has_three_values() {
        assert!(
            ClientAuth::Public < ClientAuth::Secret && ClientAuth::Secret < ClientAuth::Certificate
        );
        assert_eq!(ClientAuth::parse("2"), Some(ClientAuth::Certificate));
        for odd in ["3", "", "-1", "1.0", "01"] {
            assert_eq!(ClientAuth::parse(odd), None, "{odd}");
        }
    }
}
