//! The two editions of Entra's token format.

/// Which edition of the token format a token follows.
///
/// Complete by nature: `ver` has these two values. B2C tokens carry 1.0.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{TokenVersion, testing::claims};
///
/// let version = claims().claim("ver", "1.0").build().version();
/// assert_eq!((version, version.as_str()), (TokenVersion::V1, "1.0"));
/// # }
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
