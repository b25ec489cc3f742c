//! Four months of Entra's key documents, as they were, against the schedule and the grace.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, advance};

use super::elsewhere::folder;
use crate::authority::issuer::IssuerPattern;
use crate::authority::{Authority, Document};
use crate::jwks::KeySet;
use crate::jwks::schedule::Schedule;
use crate::jwks::snapshot::{Asked, KeyPublisher, KeyReader, refreshing};
use crate::{AllowedTenants, JwksRefresh, Tenant};

const HOUR: u64 = 3_600;
/// Entra's own.
const MAX_AGE: Option<Duration> = Some(Duration::from_secs(86_400));

/// What an authority published from when on, in seconds since the first answer.
fn changes(history: &Value) -> Vec<(u64, Vec<usize>)> {
    let seconds = |entry: &Value| {
        let at = entry["at"].as_str().unwrap();
        let day: Vec<u64> = at[..10].split('-').map(|n| n.parse().unwrap()).collect();
        let time: Vec<u64> = at[11..19].split(':').map(|n| n.parse().unwrap()).collect();
        // All of it is in the second half of one year, after its leap day.
        let days = [0, 31, 61, 92, 123, 153, 184][day[1] as usize - 5] + day[2];
        ((days * 24 + time[0]) * 60 + time[1]) * 60 + time[2]
    };
    let entries = history.as_array().unwrap();
    let start = seconds(&entries[0]);
    entries
        .iter()
        .map(|entry| {
            let keys = entry["keys"].as_array().unwrap().iter();
            let keys = keys.map(|key| key.as_u64().unwrap() as usize).collect();
            (seconds(entry) - start, keys)
        })
        .collect()
}

/// A process that reads the documents as the refresher does.
struct Process {
    document: Document,
    issuer: IssuerPattern,
    freshness: JwksRefresh,
    publisher: KeyPublisher,
    reader: KeyReader,
    next: Instant,
    fetches: usize,
}

impl Process {
    fn new(freshness: JwksRefresh) -> Self {
        let trust = Authority::entra(Tenant::Common, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
            .allowed_tenants(AllowedTenants::Any)
            .resolve()
            .unwrap();
        let document = trust.documents.into_iter().next_back().unwrap();
        let (publisher, reader) = refreshing(&freshness);
        Self {
            issuer: document.issuers[0].clone(),
            document,
            freshness,
            publisher,
            reader,
            next: Instant::now(),
            fetches: 0,
        }
    }

    fn fetch(&mut self, published: &Value, ticket: Option<u64>) {
        let json = published.to_string();
        let keys = KeySet::read(json.as_bytes(), self.issuer.clone(), &self.document).unwrap();
        let began = self.publisher.forgets();
        let grace = self.freshness.withdrawal_grace;
        self.publisher.fetched(keys, grace, began);
        self.publisher.answer(ticket, true);
        let withdrawn = self.reader.keys().unwrap().withdrawn() > 0;
        let schedule = Schedule::new(&self.freshness);
        self.next = Instant::now() + schedule.after_success(MAX_AGE, withdrawn, 0.0);
        self.fetches += 1;
    }

    fn work(&mut self, published: &Value) {
        self.publisher.end_grace(Instant::now());
        if Instant::now() >= self.next {
            self.fetch(published, None);
        }
    }

    /// Whether a token of a key is accepted.
    async fn allows_tenant(&mut self, kid: &str, published: &Value) -> bool {
        let has = |reader: &KeyReader| !reader.keys().unwrap().with_id(kid).is_empty();
        if has(&self.reader) {
            return true;
        }
        if let Asked::Wait(_) = self.reader.ask() {
            let ticket = self.publisher.asked().await;
            self.fetch(published, ticket);
        }
        has(&self.reader)
    }
}

/// How many tokens were sent, refused, and how many fetches that took.
async fn replay(history: &Value, name: &str, freshness: JwksRefresh) -> (usize, usize, usize) {
    let kid = |key: usize| history["keys"][key]["kid"].as_str().unwrap();
    let changes = changes(&history["history"][name]);
    let mut process = Process::new(freshness);
    // When each key was published last.
    let mut seen: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut sent, mut refused) = (0, 0);
    for (place, (at, keys)) in changes.iter().enumerate() {
        let listed = keys.iter().map(|key| &history["keys"][*key]);
        let published = json!({ "keys": listed.collect::<Vec<_>>() });
        let until = changes.get(place + 1).map_or(at + HOUR, |next| next.0);
        let mut now = *at;
        while now < until {
            process.work(&published);
            seen.extend(keys.iter().map(|key| (*key, now)));
            let recent = seen.iter().filter(|(_, last)| now - *last < HOUR);
            for key in recent.map(|(key, _)| *key).collect::<Vec<_>>() {
                sent += 1;
                refused += usize::from(!process.allows_tenant(kid(key), &published).await);
            }
            // Ten minutes at a time, and by the hour once nothing is changing.
            let step = if now - at < 4 * HOUR { 600 } else { HOUR };
            let step = step.min(until - now);
            advance(Duration::from_secs(step)).await;
            now += step;
        }
        seen.extend(keys.iter().map(|key| (*key, until - 1)));
    }
    (sent, refused, process.fetches)
}

#[tokio::test(start_paused = true)]
async fn no_token_of_a_key_that_was_published_in_the_last_hour_is_refused_in_four_months() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("entra_jwks_history.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    for (name, changes) in [("common", 231), ("organizations", 90)] {
        let entries = history["history"][name].as_array().unwrap();
        assert_eq!(entries.len(), changes);
        let (sent, refused, fetches) = replay(&history, name, JwksRefresh::default()).await;
        println!("{name}: {changes} changes, {sent} tokens, {refused} refused, {fetches} fetches");
        assert_eq!(refused, 0, "{name}");
        // What it is good for: without it many are.
        let strict = JwksRefresh::default().withdrawal_grace(Duration::ZERO);
        let (sent, refused, fetches) = replay(&history, name, strict).await;
        println!("{name}: without grace {refused} of {sent} refused, {fetches} fetches");
        assert!(refused > 50, "{name}: {refused}");
    }
}
