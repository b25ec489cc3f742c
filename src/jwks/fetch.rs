//! Reads one authority's documents, within bounds.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::watch;
use url::Url;

use super::discovery::{DiscoveredTenant, Discovery, Endpoints};
use super::fetch_error::JwksFetchError;
use super::key_set::KeySet;
use crate::authority::issuer::IssuerPattern;
use crate::authority::{AuthorityClock, Document, JwksRefresh, append_app_id};
use crate::clock::Clock;
use crate::transport::{HttpAnswer, HttpClient, HttpRequest, HttpTransport};

/// The bounds of an authority's documents are those of all that is asked for it.
pub(crate) fn transport(client: &HttpClient, clock: &Clock, bounds: &JwksRefresh) -> HttpTransport {
    HttpTransport {
        client: client.clone(),
        clock: clock.clone(),
        timeout: bounds.timeout,
        max_bytes: bounds.max_document_size,
    }
}

/// Where one document's keys come from, and what the last fetch found.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) transport: HttpTransport,
    pub(crate) document: Document,
    /// Whether the authority's tenant is read from its documents.
    pub(crate) tenant_from_discovery: bool,
    pub(crate) discovered_tenant: Arc<DiscoveredTenant>,
    pub(crate) last: Option<Validators>,
    /// Where those look who ask the authority for tokens, and Graph for answers.
    pub(crate) endpoints: Option<watch::Sender<Option<Endpoints>>>,
    /// The clock that successful answers report.
    pub(crate) clock: Option<Arc<AuthorityClock>>,
}

/// What makes the next request for keys a conditional one.
#[derive(Debug, Clone)]
pub(crate) struct Validators {
    address: Url,
    issuer: IssuerPattern,
    etag: HeaderValue,
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

impl Remote {
    /// Discovery, then keys. Nothing a token says reaches an address here.
    pub(crate) async fn fetch(&mut self) -> Result<Fetched, JwksFetchError> {
        let discovery = self
            .get("discovery document", &self.document.address, None)
            .await?;
        let Discovery {
            issuer,
            mut keys_address,
            endpoints,
            cloud,
        } = Discovery::read(
            &discovery.body,
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
        let answer = self.get("keys document", &keys_address, etag).await?;
        let max_age = max_age(&answer.headers);
        if answer.status == StatusCode::NOT_MODIFIED {
            self.tell(&answer, &discovery);
            // Which may say anew how long that holds (RFC 9111 section 4.3.4).
            let before = last.and_then(|last| last.max_age);
            return Ok(Fetched::Unchanged {
                max_age: max_age.or(before),
            });
        }
        let document = Document {
            stated_cloud: cloud,
            ..self.document.clone()
        };
        let keys = KeySet::read(&answer.body, issuer.clone(), &document)?;
        self.tell(&answer, &discovery);
        self.last = answer.headers.get(ETAG).map(|etag| Validators {
            address: keys_address,
            issuer,
            etag: etag.clone(),
            max_age,
        });
        Ok(Fetched::Keys { keys, max_age })
    }

    /// Measures the authority's clock by answers that turned out good, the first that has a date.
    fn tell(&self, keys: &HttpAnswer, discovery: &HttpAnswer) {
        let dated = |answer: &HttpAnswer| Some((answer.date()?, answer.arrived));
        if let Some(clock) = &self.clock
            && let Some((stated, local)) = dated(keys).or_else(|| dated(discovery))
        {
            clock.observe(stated, local);
        }
    }

    /// One GET: 200, or 304 for a conditional one.
    async fn get(
        &self,
        document: &'static str,
        address: &Url,
        etag: Option<HeaderValue>,
    ) -> Result<HttpAnswer, JwksFetchError> {
        let is_conditional = etag.is_some();
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(ACCEPT, json)]);
        headers.extend(etag.map(|etag| (IF_NONE_MATCH, etag)));
        let request = HttpRequest {
            name: document,
            peer: Some("the authority"),
            method: Method::GET,
            address: address.clone(),
            headers,
            body: Vec::new(),
            reads_refusals: false,
        };
        let answer = self.transport.send(request).await?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            StatusCode::NOT_MODIFIED if is_conditional => Ok(answer),
            status => Err(JwksFetchError::Status {
                document,
                status: status.as_u16(),
                retry_after: answer.retry_after(),
            }),
        }
    }
}

/// `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    // Several lines are one list (RFC 9110 section 5.3).
    let lines = headers.get_all(CACHE_CONTROL).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .find_map(|directive| {
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
        let seconds = |lines: &[&'static str]| {
            let lines = lines.iter().copied().map(HeaderValue::from_static);
            let headers: HeaderMap = lines.map(|line| (CACHE_CONTROL, line)).collect();
            max_age(&headers).map(|age| age.as_secs())
        };
        assert_eq!(seconds(&["private, Max-Age=86400"]), Some(86_400));
        assert_eq!(seconds(&["max-age=\"60\""]), Some(60));
        assert_eq!(seconds(&["no-transform", "max-age=7"]), Some(7));
        for without in ["s-maxage=5", "max-age=-1", "no-store"] {
            assert_eq!(seconds(&[without]), None, "{without}");
        }
        assert_eq!(seconds(&[]), None);
    }
}
