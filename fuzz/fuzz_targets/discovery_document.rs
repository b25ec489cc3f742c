//! Discovery documents: what is taken from one stays with the authority that was configured.
#![no_main]

use axum_entra::__fuzz::{ISSUER, discovery};
use libfuzzer_sys::fuzz_target;

const HOSTS: [&str; 4] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
];

fuzz_target!(|data: &[u8]| {
    for domain in [false, true] {
        let Some((issuer, keys)) = discovery(data, domain) else {
            continue;
        };
        assert_eq!(keys.scheme(), "https");
        assert!(HOSTS.contains(&keys.host_str().expect("a host")));
        assert_eq!(keys.port_or_known_default(), Some(443));
        if domain {
            assert!(issuer.starts_with("https://login.microsoftonline.com/"));
            assert!(issuer.ends_with("/v2.0") && issuer.len() == ISSUER.len());
        } else {
            assert_eq!(issuer, ISSUER);
        }
    }
});
