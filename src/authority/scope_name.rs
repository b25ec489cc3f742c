//! Full names of scopes: what a client asks for, where tokens carry short names.

/// Scopes of OpenID Connect, which belong to no API and have no full name (Microsoft, "Scopes and
/// permissions in the Microsoft identity platform").
const OF_NO_API: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The name by which a client requests a scope: `{App ID URI}/Todo.Read`.
///
/// A short name is looked up on Microsoft Graph and refused (AADSTS650053). A name that is full
/// already stays as it is. The URI is used byte for byte, a slash at its end included, as Entra
/// does.
///
/// ```
/// use axum_entra::full_scope_name;
///
/// assert_eq!(full_scope_name("api://todo", "Todo.Read"), "api://todo/Todo.Read");
/// assert_eq!(full_scope_name("api://todo", "offline_access"), "offline_access");
/// ```
#[must_use]
pub fn full_scope_name(app_id_uri: &str, scope: &str) -> String {
    if scope.contains("://") || OF_NO_API.contains(&scope) {
        return scope.to_owned();
    }
    format!("{app_id_uri}/{scope}")
}

#[cfg(test)]
mod tests {
    use super::full_scope_name;

    #[test]
    fn a_short_name_gets_the_uri_and_others_stay_as_they_are() {
        for (uri, scope, full) in [
            ("api://id", "Todo.Read", "api://id/Todo.Read"),
            ("https://x.example/mcp", "a", "https://x.example/mcp/a"),
            ("https://x.example/", "a", "https://x.example//a"),
            ("api://id", ".default", "api://id/.default"),
            ("api://id", "Openid", "api://id/Openid"),
            ("api://id", "https://y.example/b", "https://y.example/b"),
            ("api://id", "openid", "openid"),
            ("api://id", "profile", "profile"),
            ("api://id", "email", "email"),
            ("api://id", "offline_access", "offline_access"),
        ] {
            assert_eq!(full_scope_name(uri, scope), full);
        }
    }
}
