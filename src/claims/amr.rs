//! Authentication methods (`amr`).

/// One value of `amr`: how the subject authenticated.
///
/// Source: Microsoft, "Access token claims reference", `amr`. Values that are not listed there
/// are kept as they are.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{AuthenticationMethod, testing};
///
/// let claims = testing::claims().claim("amr", ["pwd", "wiaormfa"]).build();
/// assert!(claims.authentication_methods().eq([
///     AuthenticationMethod::Password,
///     AuthenticationMethod::WindowsOrMultiFactor,
/// ]));
/// // Windows or multi-factor is no proof of the latter.
/// assert!(!claims.authentication_methods().any(AuthenticationMethod::is_multi_factor));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthenticationMethod<'c> {
    /// `pwd`: a password, or an application's secret.
    Password,
    /// `rsa`: proof of an RSA key, by an authenticator app or a certificate.
    Rsa,
    /// `otp`: a one-time code by mail or text message.
    OneTimeCode,
    /// `fed`: a federated assertion.
    Federated,
    /// `wia`: Windows integrated authentication.
    WindowsIntegrated,
    /// `mfa`: multi-factor authentication.
    MultiFactor,
    /// `ngcmfa`: multi-factor authentication while provisioning an advanced credential.
    NextGenerationMultiFactor,
    /// `wiaormfa`: Windows *or* multi-factor, so no proof of the latter.
    WindowsOrMultiFactor,
    /// `none`: no authentication took place.
    None,
    /// A value Microsoft's page does not name.
    Other(&'c str),
}

impl<'c> AuthenticationMethod<'c> {
    pub(super) fn parse(text: &'c str) -> Self {
        match text {
            "pwd" => Self::Password,
            "rsa" => Self::Rsa,
            "otp" => Self::OneTimeCode,
            "fed" => Self::Federated,
            "wia" => Self::WindowsIntegrated,
            "mfa" => Self::MultiFactor,
            "ngcmfa" => Self::NextGenerationMultiFactor,
            "wiaormfa" => Self::WindowsOrMultiFactor,
            "none" => Self::None,
            other => Self::Other(other),
        }
    }

    /// Whether this method by itself proves more than one factor.
    ///
    /// ```
    /// use axum_entra::AuthenticationMethod;
    ///
    /// assert!(AuthenticationMethod::MultiFactor.is_multi_factor());
    /// // Two methods are not yet two factors.
    /// assert!(!AuthenticationMethod::OneTimeCode.is_multi_factor());
    /// assert!(!AuthenticationMethod::WindowsOrMultiFactor.is_multi_factor());
    /// ```
    #[must_use]
    pub const fn is_multi_factor(self) -> bool {
        matches!(self, Self::MultiFactor | Self::NextGenerationMultiFactor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_the_methods_prove_a_second_factor() {
        let proves = |text| AuthenticationMethod::parse(text).is_multi_factor();
        assert!(proves("mfa") && proves("ngcmfa"));
        for other in [
            "pwd", "rsa", "otp", "fed", "wia", "wiaormfa", "none", "MFA", "fido", "",
        ] {
            assert!(!proves(other), "{other}");
        }
    }
}
