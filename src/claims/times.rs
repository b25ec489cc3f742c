//! The times of a token that decide whether it is good.

/// `exp`, `nbf` and `iat`, in seconds since 1970-01-01 UTC, with their fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) expires_at: f64,
    pub(crate) not_before: Option<f64>,
    pub(crate) issued_at: Option<f64>,
}

impl Times {
    /// `exp` without its fraction.
    pub(crate) fn whole_expiry(&self) -> u64 {
        super::whole(self.expires_at)
    }
}
