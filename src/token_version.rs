//! The two editions of Entra's token format.

/// Which edition of the token format a token follows.
///
/// Complete by nature: `ver` has these two values. B2C tokens carry 1.0.
///
/// ```
/// use axum_entra::{Authority, Tenant, TokenVersion};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// // Tokens of version 1.0 are refused.
/// let authority = Authority::entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
///     .token_versions([TokenVersion::V2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenVersion {
    /// `ver` = `1.0`.
    V1,
    /// `ver` = `2.0`.
    V2,
}

impl TokenVersion {
    /// `1.0` or `2.0`, as the claim has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1),
            "2.0" => Some(Self::V2),
            _ => None,
        }
    }
}
