//! Which redirect addresses an app may be answered at (Microsoft, reply-url).

use url::{Host, Url};

/// Whether a registered address covers the one asked for.
///
/// They must be equal, except that the port of an `http` loopback address does not count
/// (RFC 8252 §7.3). `localhost` and `127.0.0.1` are two addresses.
pub(super) fn covers(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let is_plain = registered.scheme() == "http" && is_loopback(&registered);
    is_plain && asked.set_port(registered.port()).is_ok() && registered == asked
}

/// The origin of an address, or its scheme where it has none: for a Content-Security-Policy.
pub(super) fn source(address: &Url) -> String {
    let origin = address.origin();
    if origin.is_tuple() {
        origin.ascii_serialization()
    } else {
        format!("{}:", address.scheme())
    }
}

fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let cases = [
            ("http://localhost", "http://localhost:3000", true),
            ("http://localhost", "http://localhost:3000/", true),
            ("http://localhost/a", "http://localhost:3000/a", true),
            ("http://127.0.0.1:5000/a", "http://127.0.0.1:3000/a", true),
            ("https://app.example/a", "https://app.example/a", true),
            ("msal-app://auth", "msal-app://auth", true),
            ("http://localhost/a", "http://localhost:3000/b", false),
            ("http://localhost/a", "http://localhost:3000/a?b", false),
            ("http://localhost/a", "http://127.0.0.1/a", false),
            ("http://localhost/a", "https://localhost/a", false),
            ("http://localhost/a", "http://x@localhost/a", false),
            ("http://localhost", "http://localhost.example", false),
            ("https://app.example/a", "https://app.example:444/a", false),
            ("https://app.example/a", "https://app.example/A", false),
        ];
        for (registered, asked, expected) in cases {
            assert_eq!(covers(registered, asked), expected, "{registered} {asked}");
        }
    }

    #[test]
    fn an_address_without_an_origin_is_known_by_its_scheme() {
        let source = |text| source(&Url::parse(text).unwrap());
        assert_eq!(source("http://localhost:3000/a"), "http://localhost:3000");
        assert_eq!(source("msal-app://auth"), "msal-app:");
    }
}
