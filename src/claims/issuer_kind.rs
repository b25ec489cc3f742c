//! Whose token it is, where the meaning of a claim depends on that.

/// The product that issued a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerKind {
    EntraId,
    ExternalId,
    B2c,
}

/// The claims that tell guests from members.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuestSigns<'c> {
    /// `acct`, as it is written.
    pub(super) account_status: Option<&'c str>,
    pub(super) identity_provider: IdentityProvider<'c>,
    pub(super) issuer: &'c str,
}

/// `idp`, by its JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdentityProvider<'c> {
    Absent,
    Named(&'c str),
    /// A number, a list …, which names no provider of this tenant's.
    NoText,
}

impl IssuerKind {
    /// Whether the account is a guest; `is_own_tenants` knows the other issuers of the token's tenant.
    ///
    /// External ID writes its customers' own providers (`google.com`) into `idp` of its own
    /// accounts, and B2C besides has no guests: only `acct` counts in the one, nothing in the other.
    /// Source: Microsoft, "Optional claims reference", `acct`, and tokens of all three.
    pub(super) fn is_guest(
        self,
        signs: &GuestSigns<'_>,
        is_own_tenants: impl Fn(&str) -> bool,
    ) -> bool {
        match (self, signs.account_status) {
            (Self::B2c, _) | (_, Some("0")) => false,
            (_, Some(_)) => true,
            (Self::ExternalId, None) => false,
            (Self::EntraId, None) => match signs.identity_provider {
                IdentityProvider::Absent => false,
                IdentityProvider::Named(name) => name != signs.issuer && !is_own_tenants(name),
                IdentityProvider::NoText => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdentityProvider::{Absent, Named, NoText};
    use super::IssuerKind::{B2c, EntraId, ExternalId};
    use super::*;

    #[test]
    fn acct_decides_and_without_it_the_provider_of_entra_id_alone() {
        // For each: Entra ID, External ID, B2C.
        let table = [
            (None, Absent, [false, false, false]),
            (None, Named("i"), [false, false, false]),
            (None, Named("other form of i"), [false, false, false]),
            (None, Named("live.com"), [true, false, false]),
            (None, Named(""), [true, false, false]),
            (None, NoText, [true, false, false]),
            (Some("0"), Named("live.com"), [false, false, false]),
            (Some("0"), NoText, [false, false, false]),
            (Some("1"), Named("i"), [true, true, false]),
            (Some("2"), Absent, [true, true, false]),
            (Some("true"), Absent, [true, true, false]),
            (Some("0.0"), Absent, [true, true, false]),
            (Some(""), Absent, [true, true, false]),
        ];
        for (account_status, identity_provider, expected) in table {
            let signs = GuestSigns {
                account_status,
                identity_provider,
                issuer: "i",
            };
            let is_own = |name: &str| name == "other form of i";
            let found = [EntraId, ExternalId, B2c].map(|kind| kind.is_guest(&signs, is_own));
            assert_eq!(found, expected, "{signs:?}");
        }
    }
}
