//! Which texts name an address that a token, a key or a secret may travel to, and what may be a part of one.

use url::{Host, Url};

/// A web address as it was written: `https`, or `http` on this machine; no user, no fragment.
pub(crate) fn web_address(text: &str) -> Option<Url> {
    // The parser of URLs repairs these, but a setting is compared and shown as it was written.
    let repaired = text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    let (_, rest) = text.split_once("://")?;
    if repaired || rest.starts_with('/') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (bare && is_allowed_address(&url)).then_some(url)
}

/// Whether documents may be read there: over TLS, or without it only on this machine.
pub(crate) fn is_allowed_address(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

/// Whether a text is a web address once `{policy}` is filled in, which cannot change the host.
#[cfg(feature = "settings")]
pub(crate) fn is_address_with_policy(text: &str) -> bool {
    let origin = |policy: &str| {
        let filled = text.replace(POLICY, policy);
        let url = web_address(&filled).filter(|_| !filled.contains(['{', '}']));
        url.map(|url| url.origin())
    };
    origin("B2C_1_policy").is_some_and(|one| origin("other") == Some(one))
}

/// What stands for the policy in a metadata address.
pub(super) const POLICY: &str = "{policy}";

/// Labels of letters, digits and inner hyphens with dots between (RFC 1123 section 2.1): nothing
/// that could leave its place in an address.
pub(crate) fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// The name of a B2C policy, which cannot leave its place in an address.
pub(crate) fn is_policy_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// An identifier URI of an application, which scopes get in front of their names.
///
/// A challenge needs no escapes for it (RFC 6750 section 3).
pub(crate) fn is_app_id_uri(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    text.split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_is_https_or_on_this_machine_and_written_as_it_is_meant() {
        for good in [
            "https://login.contoso.example/a?b=c",
            "HTTPS://login.contoso.example",
            "http://127.0.0.1:1/",
            "http://[::1]/",
            "http://localhost",
        ] {
            assert!(web_address(good).is_some(), "{good}");
        }
        for bad in [
            "http://contoso.example",
            "http://localhost.contoso.example",
            "https:/contoso.example",
            "https:///contoso.example",
            "https://user@contoso.example",
            "https://:password@contoso.example",
            "https://contoso.example/#a",
            "https://contoso.example/a b",
            " https://contoso.example",
            "https://contoso.example\\a",
            "ftp://contoso.example",
            "contoso.example",
        ] {
            assert!(web_address(bad).is_none(), "{bad}");
        }
    }

    /// RFC 1123 section 2.1 and RFC 1035 section 2.3.4, letter by letter.
    fn is_domain_by_the_rfcs(text: &str) -> bool {
        let (mut labels, mut length, mut before) = (1, 0, '.');
        for letter in text.chars() {
            match letter {
                '.' if before == '.' || before == '-' => return false,
                '.' => (labels, length) = (labels + 1, 0),
                '-' if before == '.' => return false,
                '-' | '0'..='9' | 'a'..='z' | 'A'..='Z' => length += 1,
                _ => return false,
            }
            if length > 63 {
                return false;
            }
            before = letter;
        }
        labels > 1 && !matches!(before, '.' | '-') && text.len() <= 253
    }

    #[test]
    fn every_short_text_is_a_domain_or_not() {
        let letters = ['a', 'Z', '0', '-', '.', '_', '/', 'é'];
        let (mut count, mut good) = (0_u32, 0_u32);
        for length in 0..=6_u32 {
            for number in 0..8_u32.pow(length) {
                let letter = |place: u32| letters[(number >> (3 * place)) as usize & 7];
                let text: String = (0..length).map(letter).collect();
                let is = is_domain(&text);
                assert_eq!(is, is_domain_by_the_rfcs(&text), "{text}");
                let first = text.chars().next();
                let policy = first.is_some_and(|first| first != '.') && !text.contains(['/', 'é']);
                assert_eq!(is_policy_name(&text), policy, "{text}");
                count += 1;
                good += u32::from(is);
            }
        }
        assert!(count == 299_593 && good > 1_000, "{count} {good}");
        // Around the longest label and the longest name.
        for length in 60..=66 {
            for text in [
                format!("{}.a", "a".repeat(length)),
                format!("a.{}", "a".repeat(length)),
                format!("a.{}-a.b", "a".repeat(length)),
            ] {
                assert_eq!(is_domain(&text), is_domain_by_the_rfcs(&text), "{text}");
            }
        }
        for length in 240..=260 {
            let text = "ab.".repeat(length / 3) + &"c".repeat(length % 3 + 1);
            assert_eq!(is_domain(&text), is_domain_by_the_rfcs(&text), "{text}");
        }
        for length in 126..=130 {
            assert_eq!(is_policy_name(&"a".repeat(length)), length <= 128);
        }
    }

    #[test]
    fn a_domain_has_two_labels_of_which_none_begins_or_ends_with_a_hyphen() {
        let longest = format!("{}.example", "a".repeat(63));
        for good in ["contoso.onmicrosoft.com", "a-b.c", "1.2", &longest] {
            assert!(is_domain(good), "{good}");
        }
        let too_long = format!("{}.example", "a".repeat(64));
        for bad in [
            "contoso", "-a.b", "a-.b", "a..b", ".a", "a.", "a/b.c", &too_long,
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn a_policy_cannot_leave_its_place_in_an_address() {
        for good in ["B2C_1_susi", "b2c_1a_sign-up.v2", &"a".repeat(128)] {
            assert!(is_policy_name(good), "{good}");
        }
        for bad in ["", "..", ".a", "a/b", "a?b", "a%2fb", "ä", &"a".repeat(129)] {
            assert!(!is_policy_name(bad), "{bad}");
        }
    }

    #[test]
    fn an_app_id_uri_fits_into_a_challenge() {
        for good in ["api://x", "https://contoso.example/api"] {
            assert!(is_app_id_uri(good), "{good}");
        }
        for bad in [
            "x",
            "://x",
            "api://",
            "api://a b",
            "api://a\"b",
            "api://a\\b",
        ] {
            assert!(!is_app_id_uri(bad), "{bad}");
        }
    }
}
