//! Hosts of requests and of rules.

/// A host without its port, in lower case and without the dot of a fully qualified name.
///
/// `None` for what is no host: an empty one, several in a list, one with a user or a path.
pub(crate) fn normalize_host(host: &str) -> Option<String> {
    let name = without_port(host)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_good = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.bytes().all(is_name) && !name.split('.').any(str::is_empty),
    };
    is_good.then(|| name.to_ascii_lowercase())
}

/// Whether a host has a port.
pub(super) fn has_port(host: &str) -> bool {
    without_port(host).is_some_and(|name| name.len() != host.len())
}

fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |end| end.saturating_add(1));
    match host.get(end..)?.split_once(':') {
        None => Some(host),
        Some((between, port)) => {
            let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
            let name = host.get(..end.saturating_add(between.len()))?;
            is_port.then_some(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_port_letter_case_and_final_dot() {
        for (host, expected) in [
            ("api.example.com", Some("api.example.com")),
            ("API.Example.com:8443", Some("api.example.com")),
            ("api.example.com.", Some("api.example.com")),
            ("api.example.com.:80", Some("api.example.com")),
            ("localhost:", Some("localhost")),
            ("10.0.0.1:80", Some("10.0.0.1")),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("::1", None),
            ("", None),
            (":80", None),
            ("a,b", None),
            ("a b", None),
            ("user@a", None),
            ("a/b", None),
            ("a:b", None),
            ("a:80:90", None),
            ("[a]", None),
            ("[::1]x:80", None),
            ("é.example", None),
            ("a..", None),
            (".a", None),
        ] {
            assert_eq!(normalize_host(host).as_deref(), expected, "{host}");
        }
    }
}
