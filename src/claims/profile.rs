//! Claims that are only for display.

use super::{Claims, raw::Name};

/// Names and addresses of the subject: to be shown, never to decide by.
///
/// They are changeable, reusable, and partly chosen by the user, so no guard takes them.
/// Source: Microsoft, "Secure applications and APIs by validating claims".
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::testing;
///
/// let claims = testing::claims().claim("preferred_username", "alice@contoso.example").build();
/// assert_eq!(claims.profile().display_name(), Some("alice@contoso.example"));
/// assert_eq!(claims.profile().email(), None);
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct ProfileClaims<'c>(&'c Claims);

macro_rules! names {
    ($($(#[$doc:meta])* $method:ident = $name:ident,)+) => {
        impl<'c> ProfileClaims<'c> {
            $($(#[$doc])* #[must_use] pub fn $method(self) -> Option<&'c str> { self.0.text(Name::$name) })+
        }
    };
}

names! {
    /// `name`.
    name = DisplayName,
    /// `preferred_username` (v2.0).
    preferred_username = PreferredUsername,
    /// `unique_name` (v1.0).
    unique_name = UniqueName,
    /// `upn`.
    upn = Upn,
    /// `email`.
    email = Email,
    /// `family_name`.
    family_name = FamilyName,
    /// `given_name`.
    given_name = GivenName,
    /// `nickname`.
    nickname = Nickname,
    /// `login_hint`.
    login_hint = LoginHint,
}

impl<'c> ProfileClaims<'c> {
    pub(super) fn of(claims: &'c Claims) -> Self {
        Self(claims)
    }

    /// The best of them: `name`, else `preferred_username`, `unique_name`, `upn`.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let shown = |name: &str| {
    ///     let claims = claims().claim("upn", "alice@contoso.example").claim(name, "Alice");
    ///     claims.build().profile().display_name().map(str::to_owned)
    /// };
    /// assert_eq!(shown("name").as_deref(), Some("Alice"));
    /// // An address that the user chose is not shown as a name.
    /// assert_eq!(shown("email").as_deref(), Some("alice@contoso.example"));
    /// # }
    /// ```
    #[must_use]
    pub fn display_name(self) -> Option<&'c str> {
        self.name()
            .or_else(|| self.preferred_username())
            .or_else(|| self.unique_name())
            .or_else(|| self.upn())
    }
}

impl std::fmt::Debug for ProfileClaims<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisplayNames(…)")
    }
}
