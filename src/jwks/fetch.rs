//! Reads one authority's documents, within bounds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{ACCEPT, CACHE_CONTROL, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use tokio::sync::watch;
use url::Url;

use super::discovery::{DiscoveredTenant, Discovery, Endpoints};
use super::fetch_error::JwksFetchError;
use super::http_client::{HttpClient, HttpError, send};
use super::key_set::KeySet;
use crate::authority::issuer::IssuerPattern;
use crate::authority::{AuthorityClock, Document, append_app_id, stated_time};
use crate::clock::Clock;

/// Where one document's keys come from, and what the last fetch found.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) client: HttpClient,
    pub(crate) document: Document,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
    /// Whether the authority's tenant is read from its documents.
    pub(crate) tenant_from_discovery: bool,
    pub(crate) discovered_tenant: std::sync::Arc<DiscoveredTenant>,
    pub(crate) last: Option<Validators>,
    /// Where those look who ask the authority for tokens, and Graph for answers.
    pub(crate) endpoints: Option<watch::Sender<Option<Endpoints>>>,
    /// The clock that successful answers report, and the local one it is compared with.
    pub(crate) clocks: Option<(Arc<AuthorityClock>, Clock)>,
}

/// What makes the next request for keys a conditional one.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    address: Url,
    issuer: IssuerPattern,
    etag: http::HeaderValue,
    max_age: Option<Duration>,
}

/// What a fetch brought.
#[derive(Debug)]
pub(crate) enum Fetched {
    Keys {
        keys: KeySet,
        max_age: Option<Duration>,
    },
    /// The same keys as before (304).
    Unchanged { max_age: Option<Duration> },
}

impl Fetched {
    /// `ok` or `unchanged`, for counters.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "ok",
            Self::Unchanged { .. } => "unchanged",
        }
    }
}

/// What one GET brought.
enum Answer {
    Document(Body),
    /// 304, which may say anew how long that holds (RFC 9111 section 4.3.4).
    Unchanged {
        max_age: Option<Duration>,
        times: Option<Times>,
    },
}

struct Body {
    bytes: Vec<u8>,
    max_age: Option<Duration>,
    etag: Option<http::HeaderValue>,
    times: Option<Times>,
}

/// When an answer arrived, by the sender's clock and by the local one.
#[derive(Clone, Copy)]
struct Times {
    stated: u64,
    local: u64,
}

impl Remote {
    /// Discovery, then keys. Nothing a token says reaches an address here.
    pub(crate) async fn fetch(&mut self) -> Result<Fetched, JwksFetchError> {
        let discovery = self
            .get("discovery document", &self.document.address, None)
            .await?;
        let Answer::Document(discovery) = discovery else {
            return Err(JwksFetchError::Status {
                document: "discovery document",
                status: 304,
                retry_after: None,
            });
        };
        let Discovery {
            issuer,
            mut keys_address,
            endpoints,
            cloud,
        } = Discovery::read(
            &discovery.bytes,
            &self.document,
            self.tenant_from_discovery,
            &self.discovered_tenant,
        )?;
        if let (Some(known), Some(_)) = (&self.endpoints, &endpoints) {
            known.send_if_modified(|before| {
                let news = *before != endpoints;
                *before = endpoints;
                news
            });
        }
        if let Some(app_id) = &self.document.app_id {
            append_app_id(&mut keys_address, app_id);
        }
        let last = self
            .last
            .as_ref()
            .filter(|last| last.address == keys_address && last.issuer == issuer);
        let etag = last.map(|last| last.etag.clone());
        let body = match self.get("keys document", &keys_address, etag).await? {
            Answer::Document(body) => body,
            Answer::Unchanged { max_age, times } => {
                self.tell(times.or(discovery.times));
                let before = last.and_then(|last| last.max_age);
                return Ok(Fetched::Unchanged {
                    max_age: max_age.or(before),
                });
            }
        };
        let document = Document {
            stated_cloud: cloud,
            ..self.document.clone()
        };
        let keys = KeySet::read(&body.bytes, issuer.clone(), &document)?;
        self.tell(body.times.or(discovery.times));
        self.last = body.etag.map(|etag| Validators {
            address: keys_address,
            issuer,
            etag,
            max_age: body.max_age,
        });
        Ok(Fetched::Keys {
            keys,
            max_age: body.max_age,
        })
    }

    /// Measures the authority's clock by an answer that turned out good.
    fn tell(&self, times: Option<Times>) {
        if let (Some((clock, _)), Some(times)) = (&self.clocks, times) {
            clock.observe(times.stated, times.local);
        }
    }

    /// One GET, within the time there is.
    async fn get(
        &self,
        document: &'static str,
        address: &Url,
        etag: Option<http::HeaderValue>,
    ) -> Result<Answer, JwksFetchError> {
        tokio::time::timeout(self.timeout, self.get_inner(document, address, etag))
            .await
            .unwrap_or(Err(JwksFetchError::TimedOut {
                document,
                millis: self.timeout.as_millis(),
            }))
    }

    async fn get_inner(
        &self,
        document: &'static str,
        address: &Url,
        etag: Option<http::HeaderValue>,
    ) -> Result<Answer, JwksFetchError> {
        let transport = |error: HttpError| JwksFetchError::Transport {
            document,
            // The address may hold a query that a log should not.
            source: error.without_url().into(),
        };
        let mut request = self
            .client
            .get(address.clone())
            .header(ACCEPT, "application/json");
        let conditional = etag.is_some();
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let mut response = send(request).await.map_err(transport)?;
        let times = self.clocks.as_ref().and_then(|(_, local)| {
            let stated = stated_time(response.headers())?;
            let local = local.seconds();
            Some(Times { stated, local })
        });
        // Several lines are one list (RFC 9110 section 5.3).
        let cache_control = response.headers().get_all(CACHE_CONTROL);
        let max_age = cache_control
            .iter()
            .find_map(|line| line.to_str().ok().and_then(max_age));
        match response.status() {
            StatusCode::NOT_MODIFIED if conditional => {
                return Ok(Answer::Unchanged { max_age, times });
            }
            StatusCode::OK => {}
            status => {
                let header = response.headers().get(RETRY_AFTER);
                return Err(JwksFetchError::Status {
                    document,
                    status: status.as_u16(),
                    retry_after: header
                        .and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now())),
                });
            }
        }
        let etag = response.headers().get(ETAG).cloned();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if bytes.len().saturating_add(chunk.len()) > self.max_bytes {
                return Err(JwksFetchError::TooLarge {
                    document,
                    limit: self.max_bytes,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer::Document(Body {
            bytes,
            max_age,
            etag,
            times,
        }))
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            // A date is given in whole seconds, so up to one of them is lost.
            let wait = date.duration_since(now).unwrap_or_default();
            Some(Duration::from_secs(wait.as_secs().saturating_add(1)))
        }
    }
}

/// `max-age` of a `Cache-Control` header (RFC 9111 section 5.2.2.1).
fn max_age(header: &str) -> Option<Duration> {
    header.split(',').find_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        let seconds = value.trim().trim_matches('"').parse().ok()?;
        name.trim()
            .eq_ignore_ascii_case("max-age")
            .then(|| Duration::from_secs(seconds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_is_found_among_other_directives() {
        let seconds = |header| max_age(header).map(|age| age.as_secs());
        assert_eq!(seconds("private, Max-Age=86400"), Some(86_400));
        assert_eq!(seconds("max-age=\"60\""), Some(60));
        assert_eq!(seconds("s-maxage=5"), None);
        assert_eq!(seconds("max-age=-1"), None);
        assert_eq!(seconds("no-store"), None);
    }
}
