//! The only file that names the HTTP client: made so that no secret leaves by a redirect or a plain
//! proxy.

use std::error::Error;
use std::time::Duration;

use url::Url;

use crate::causes::WithCauses;
use crate::config_error::ConfigError;

/// A ready HTTP client.
pub use reqwest::Client as HttpClient;
/// What an HTTP client is made of: proxies, certificates, time-outs.
///
/// For [`EntraBuilder::http_client`](crate::EntraBuilder::http_client). `HttpClient::builder()` makes one.
pub use reqwest::ClientBuilder as HttpClientBuilder;

/// Why a call failed.
pub(super) type HttpError = reqwest::Error;

/// What the client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Addresses of this machine and its metadata service, without TLS: no root is needed.
    Plain,
    /// Addresses with `https`: the system's root certificates are needed, or others.
    Https,
}

/// A client of our own, trusting `roots` (PEM) besides the system's certificates.
///
/// # Errors
/// [`ConfigError`] for a root that cannot be used, for none at all where one is needed, and for a
/// proxy of the environment that cannot be used.
pub(crate) fn http_client(reach: Reach, roots: &[u8]) -> Result<HttpClient, ConfigError> {
    let builder = HttpClient::builder()
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("axum-entra/", env!("CARGO_PKG_VERSION")));
    let roots = certificates(roots).map_err(ConfigError::HttpClient)?;
    let builder = match reach {
        Reach::Plain => builder.tls_certs_only(roots),
        Reach::Https => builder.tls_certs_merge(roots),
    };
    // Plain `http` is for this machine and its metadata service: no proxy may listen in.
    let builder = builder.no_proxy();
    finished(match proxy_of(|name| std::env::var(name).ok())? {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    })
}

/// A client that is made but never used: everything it could be asked for is known.
pub(crate) fn idle_http_client() -> Result<HttpClient, ConfigError> {
    finished(HttpClient::builder().no_proxy().tls_certs_only([]))
}

/// Sends a request. In this crate's own tests a network in memory may answer it.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Result<reqwest::Response, HttpError> {
    #[cfg(test)]
    if let Some(network) = in_memory::current() {
        return network(request.build()?).await;
    }
    request.send().await
}

/// A network of one thread, and so of one test, without sockets: time can be paused around it.
#[cfg(test)]
pub(crate) mod in_memory {
    use std::cell::RefCell;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;

    use super::HttpError;

    pub(crate) use reqwest::{Request, Response};

    pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, HttpError>> + Send>>;
    pub(crate) type Network = Arc<dyn Fn(Request) -> Answering + Send + Sync>;

    thread_local! {
        static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
    }

    pub(crate) fn install(network: Option<Network>) {
        NETWORK.with(|own| *own.borrow_mut() = network);
    }

    pub(super) fn current() -> Option<Network> {
        NETWORK.with(|own| own.borrow().clone())
    }

    /// What a client says that gets no answer; the text is another one.
    pub(crate) fn no_answer() -> HttpError {
        let request = reqwest::Client::new().get("http://").build();
        request.expect_err("no host")
    }
}

/// Makes a client that follows no redirect, also if the application configured it: a 307 would hand
/// the client secret and the caller's token to wherever it points.
pub(crate) fn finished(builder: HttpClientBuilder) -> Result<HttpClient, ConfigError> {
    let builder = builder
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    builder.build().map_err(|error| {
        if WithCauses(&error).to_string().contains(NO_ROOTS) {
            return ConfigError::NoRootCertificates;
        }
        ConfigError::HttpClient(error.into())
    })
}

/// Whether every certificate of a text in PEM form can be a root, and there is at least one.
#[cfg(feature = "settings")]
pub(crate) fn check_certificates(pem: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let roots = certificates(pem)?;
    if roots.is_empty() {
        return Err("it holds no certificate".into());
    }
    HttpClient::builder()
        .no_proxy()
        .tls_certs_only(roots)
        .build()?;
    Ok(())
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, Box<dyn Error + Send + Sync>> {
    Ok(reqwest::Certificate::from_pem_bundle(pem)?)
}

/// The environment's proxy for `https`, which cannot read what passes through it.
fn proxy_of(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<reqwest::Proxy>, ConfigError> {
    let named = |name| variable(name).filter(|text| !text.is_empty());
    let Some((name, address)) = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find_map(|name| Some((name, named(name)?)))
    else {
        return Ok(None);
    };
    let unusable = |cause: &dyn std::fmt::Display| ConfigError::InvalidValue {
        setting: name.to_owned(),
        found: format!("`{}` ({cause})", without_credentials(&address)),
        expected: "http://HOST:PORT or https://HOST:PORT".to_owned(),
    };
    // As curl reads it, a proxy without a scheme is one of `http`.
    let whole = match address.contains("://") {
        true => address.clone(),
        false => format!("http://{address}"),
    };
    let url = Url::parse(&whole).map_err(|error| unusable(&error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(&format!(
            "the scheme {} is not supported",
            url.scheme()
        )));
    }
    let except = named("NO_PROXY").or_else(|| named("no_proxy"));
    let except = format!("localhost,127.0.0.0/8,::1,{}", except.unwrap_or_default());
    let proxy = reqwest::Proxy::https(url).map_err(|_| unusable(&"no address of a proxy"))?;
    Ok(Some(proxy.no_proxy(reqwest::NoProxy::from_string(&except))))
}

/// An address with `…` where a name and a password may stand, fit for one line.
fn without_credentials(address: &str) -> String {
    let start = address.find("://").map_or(0, |at| at.saturating_add(3));
    let (scheme, rest) = address.split_at_checked(start).unwrap_or(("", address));
    let rest = match rest.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => rest.to_owned(),
    };
    let fit = |c: &char| !c.is_control();
    format!("{scheme}{rest}")
        .chars()
        .filter(fit)
        .take(200)
        .collect()
}

/// What rustls-platform-verifier says where the machine has no certificates.
const NO_ROOTS: &str = "No CA certificates were loaded";

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(name: &'static str, value: &'static str) -> Result<bool, String> {
        let found = proxy_of(|asked| (asked == name).then(|| value.to_owned()));
        found
            .map(|proxy| proxy.is_some())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_with_its_cause_and_without_its_password() {
        for good in [
            "http://proxy.example:8080",
            "https://proxy.example",
            "proxy.example:8080",
            "http://user:hunter2@proxy.example:8080",
            "user:hunter2@proxy.example:8080",
        ] {
            assert_eq!(proxy("HTTPS_PROXY", good), Ok(true), "{good}");
        }
        assert_eq!(proxy("HTTPS_PROXY", ""), Ok(false));
        assert_eq!(proxy("HTTP_PROXY", "nonsense://"), Ok(false));
        let expected = "expected http://HOST:PORT or https://HOST:PORT";
        for (name, value, shown) in [
            (
                "HTTPS_PROXY",
                "http://user:hunter2@proxy.example:99999",
                "`http://…@proxy.example:99999` (invalid port number)",
            ),
            (
                "https_proxy",
                "socks5://user:hunter2@proxy.example",
                "`socks5://…@proxy.example` (the scheme socks5 is not supported)",
            ),
            ("ALL_PROXY", "http://", "`http://` (empty host)"),
            (
                "all_proxy",
                "user:hunter2@pro xy:8080",
                "`…@pro xy:8080` (invalid international domain name)",
            ),
        ] {
            assert_eq!(
                proxy(name, value),
                Err(format!("{name}: found {shown}, {expected}"))
            );
        }
    }
}
